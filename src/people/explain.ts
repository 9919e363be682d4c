/**
 * What the last runs made of somebody: a text that names them comes in, and answers in words go out, the latest first.
 * Also for somebody of whom no user is made. What is stored answers by itself (store/people/mentions.ts).
 */
import type { Hub } from "../hub.ts";
import { decodeId } from "../model/id.ts";
import { type Connection, findConnectionById } from "../store/connections/connections.ts";
import type { Organization } from "../store/organizations.ts";
import { type Asked, comparable, formsOf } from "../store/people/asked.ts";
import { type Asker, readHeavy } from "../store/people/heavy-reads.ts";
import { findLinkedUsers, type MentionedLink, type Mentions } from "../store/people/mentions.ts";
import { wordsIn } from "../store/people/search-words.ts";
import { findUserIdsNamed, loadUsers, type StoredUser } from "../store/people/users.ts";
import type { StoredRun } from "../store/runs/runs.ts";
import { type Answer, createAnswers } from "./explain-answers.ts";
import { createDropAnswers } from "./explain-drop-answers.ts";
import { readDropsAgain } from "./explain-drops.ts";

export interface Explanation {
  /** Who fits, at most MAX_PEOPLE; by name, more may. */
  readonly users: readonly StoredUser[];
  readonly hasMore: boolean;
  /** The latest first. */
  readonly answers: readonly Answer[];
  /** Of the answers, by id; those that are deleted are not there. */
  readonly connections: ReadonlyMap<number, Connection>;
}

/** People whom one explanation is about. */
const MAX_PEOPLE = 5;
/** Answers of one connection. */
const MAX_ANSWERS = 5;

/** `q`: an id, an address, a key of a source, or words of a name. */
export async function explain(hub: Hub, organization: Organization, q: string, asker: Asker): Promise<Explanation> {
  const { users, hasMore, asked } = await findAsked(hub, organization, q, asker);
  const userIds = users.map(({ user }) => user.id);
  const mentions = await readHeavy(hub, "findMentions", asker, organization.id, { asked, userIds });
  const stored = storedAnswers(organization, users, mentions);
  const unanswered = unansweredRuns(stored, mentions);
  const connections = await loadConnections(hub, organization.id, [...stored, ...unanswered.map(({ run }) => run)]);
  const fromDrops = await answersOfDrops(hub, organization, { unanswered, connections, users, asked }, asker);
  return { users, hasMore, answers: latest([...stored, ...fromDrops]), connections };
}

interface AskedUsers {
  readonly users: readonly StoredUser[];
  readonly hasMore: boolean;
  readonly asked: Asked;
}

/** Those who have exactly this id, address or key; if nobody has, those with such a name. */
async function findAsked(
  hub: Hub,
  { id: organizationId, phoneCountry }: Organization,
  q: string,
  asker: Asker,
): Promise<AskedUsers> {
  const forms = formsOf(q, phoneCountry);
  const id = decodeId("usr", q);
  const named = await findUserIdsNamed(hub.db, organizationId, { employeeId: forms[0]!, email: comparable(q) });
  const linked = await findLinkedUsers(hub.db, organizationId, forms);
  const exact = await loadUsers(hub.db, organizationId, [
    ...new Set([...(id === null ? [] : [id]), ...named.map((user) => user.id), ...linked]),
  ]);
  if (exact.length > 0) return askedOf(exact, forms, []);
  const found = await readHeavy(hub, "findUserIds", asker, organizationId, { ...ANYBODY, q }, {
    after: 0,
    limit: MAX_PEOPLE + 1,
  });
  return askedOf(await loadUsers(hub.db, organizationId, found.ids), forms, wordsIn(q));
}

const ANYBODY = {
  email: null,
  employeeId: null,
  status: null,
  departmentId: null,
  updatedSince: null,
  inactiveUntil: null,
};

function askedOf(found: readonly StoredUser[], forms: readonly string[], words: readonly string[]): AskedUsers {
  const users = found.slice(0, MAX_PEOPLE);
  const own = users.flatMap(({ user }) => [user.employeeId, user.email]).filter((value) => value !== null);
  const values = [...new Set([...forms, ...own].map(comparable))];
  return { users, hasMore: found.length > MAX_PEOPLE, asked: { values, words } };
}

function storedAnswers(organization: Organization, users: readonly StoredUser[], mentions: Mentions): Answer[] {
  const { history, planned, rows, links, runs, last, unclear } = mentions;
  const say = createAnswers(organization.timezone, runs);
  const answers = [
    ...history.filter(({ change }) => change.status === "applied")
      .map(({ userId, change }) => say.changed(userId, change)),
    ...planned.flatMap(({ runId, change }) => say.planned(runId, change) ?? []),
    ...rows.flatMap(({ runId, row }) => say.row(runId, row, userOf(links, runs.get(runId)?.run.connectionId, row.key))),
  ];
  for (const link of links) {
    const { connectionId, userId } = link;
    const user = users.find(({ user }) => user.id === userId)!;
    const isAnswered = (...codes: readonly Answer["code"][]) =>
      answers.some((answer) => answer.connectionId === connectionId && codes.includes(answer.code));
    const lastRun = runs.get(last.get(connectionId) ?? -1);
    if (lastRun !== undefined && lastRun.run.status === "failed") answers.push(say.failed(lastRun));
    if (link.missingSince !== null) {
      if (!isAnswered("deactivated_missing")) answers.push(say.missing(link, lastRun));
    } else if (link.filtered) {
      if (!isAnswered("deactivated_filtered")) answers.push(say.filtered(link, user, lastRun));
    } else if (
      lastRun !== undefined && !answers.some(({ runId }) => runId === lastRun.run.id) &&
      sawEverybody(lastRun.run) && !unclear.has(lastRun.run.id)
    ) answers.push(say.unchanged(userId, lastRun));
  }
  return answers;
}

/** Whether everybody who is linked to the connection and not missing was in the run's input. */
function sawEverybody({ status, complete, coverage, partOf }: StoredRun["run"]): boolean {
  return (status === "succeeded" || status === "partial") && complete && coverage === "full" && partOf === null;
}

function userOf(links: readonly MentionedLink[], connectionId: number | undefined, key: string | null): number | null {
  return links.find((link) => link.connectionId === connectionId && link.key === key)?.userId ?? null;
}

/** The latest first, a few of each connection. */
function latest(answers: readonly Answer[]): Answer[] {
  const counts = new Map<number | null, number>();
  const youngest = (a: Answer, b: Answer) => b.at - a.at || (b.runId ?? 0) - (a.runId ?? 0);
  return [...answers].sort(youngest).filter(({ connectionId }) => {
    const before = counts.get(connectionId) ?? 0;
    counts.set(connectionId, before + 1);
    return before < MAX_ANSWERS;
  });
}

/**
 * The last runs of which nothing stored says what they made of the person: of the connections that know of them, or of
 * all where none does.
 */
function unansweredRuns(answers: readonly Answer[], { links, runs, last }: Mentions): StoredRun[] {
  const knowing = new Set([...answers, ...links].map(({ connectionId }) => connectionId));
  return [...last].filter(([connectionId, runId]) =>
    (knowing.size === 0 || knowing.has(connectionId)) && !answers.some((answer) => answer.runId === runId)
  ).flatMap(([, runId]) => runs.get(runId) ?? []);
}

interface Unanswered {
  readonly unanswered: readonly StoredRun[];
  readonly connections: ReadonlyMap<number, Connection>;
  readonly users: readonly StoredUser[];
  readonly asked: Asked;
}

async function answersOfDrops(
  hub: Hub,
  { timezone, id }: Organization,
  { unanswered, connections, users, asked }: Unanswered,
  asker: Asker,
): Promise<Answer[]> {
  const runs = unanswered.flatMap((found) => {
    const connection = connections.get(found.run.connectionId);
    return connection === undefined ? [] : [{ found, connection }];
  });
  const failed = runs.filter(({ found }) => found.run.status === "failed");
  const read = await readDropsAgain(hub, runs.filter((each) => !failed.includes(each)), asked, asker);
  const say = createAnswers(timezone, new Map(unanswered.map((found) => [found.run.id, found])));
  const answers = failed.map(({ found }) => say.failed(found));
  for (const each of read) {
    const { run } = each.found, { policy } = connections.get(run.connectionId)!;
    const inDrop = createDropAnswers(timezone, each.found, users.map(({ user }) => user.id));
    const lines = each.rows.flatMap(({ line }) => line ?? []);
    const rows = lines.length === 0 ? [] : await readHeavy(hub, "findRowsAt", asker, id, run.id, lines);
    answers.push(
      ...rows.flatMap((row) => say.row(run.id, row, inDrop.userId)),
      ...each.rows.filter(({ line }) => !rows.some((row) => row.line === line))
        .map((row) => inDrop.row(row, policy.only_statuses ?? null)),
      ...inDrop.end(each),
    );
  }
  return answers;
}

async function loadConnections(
  { db }: Hub,
  organizationId: number,
  of: readonly { readonly connectionId: number | null }[],
): Promise<Map<number, Connection>> {
  const ids = [...new Set(of.map(({ connectionId }) => connectionId))].filter((id) => id !== null);
  const found = await Promise.all(ids.map((id) => findConnectionById(db, organizationId, id)));
  return new Map(found.flatMap((each) => each === null ? [] : [[each.id, each]]));
}
