/**
 * What is stored of a person, or of somebody whom no user is made of: links, applied and planned changes, and rows with
 * issues of the last runs. Every look-up goes by an index and is bounded; text is searched only inside of the few runs
 * that were found so. Reads only.
 */
import { type SQL, sql } from "drizzle-orm";
import type { ChangeView } from "../../model/change.ts";
import { decodeId } from "../../model/id.ts";
import type { RunStatus } from "../../model/run.ts";
import { decodeChange, type Entry } from "../../reconcile/columns/entry.ts";
import type { IssueRow } from "../../reconcile/draft.ts";
import { IMAGE } from "../../reconcile/image.ts";
import { type Database, setOf } from "../database.ts";
import { listUserHistory } from "../runs/changes.ts";
import { type PageRow, viewUserChange } from "../runs/change-views.ts";
import { worded } from "../runs/issues.ts";
import { readReportPage } from "../runs/report-pages.ts";
import { findRuns, type StoredRun } from "../runs/runs.ts";
import { type Asked, comparable, isAbout, needlesOf } from "./asked.ts";

export interface MentionedLink {
  readonly connectionId: number;
  readonly userId: number;
  readonly key: string;
  readonly missingSince: number | null;
  /** Whether the last record was inactive because a filter leaves it out. */
  readonly filtered: boolean;
}

/** A row with issues, in words for somebody who may read all people. */
export interface MentionedRow {
  readonly runId: number;
  readonly row: IssueRow;
}

export interface Mentions {
  readonly links: readonly MentionedLink[];
  /** The latest changes of each user, applied ones, the latest first. */
  readonly history: readonly { readonly userId: number; readonly change: ChangeView }[];
  /** Changes that wait, or were never applied; of a new person, too. */
  readonly planned: readonly { readonly runId: number; readonly change: ChangeView }[];
  readonly rows: readonly MentionedRow[];
  /** All runs that the others name, and the last run of people of each connection. */
  readonly runs: ReadonlyMap<number, StoredRun>;
  /** The last run of people of each connection, by connection; runs that only queue are none. */
  readonly last: ReadonlyMap<number, number>;
  /** Those of `last` in which not everybody's key could be read, so that nobody counts as missing from them. */
  readonly unclear: ReadonlySet<number>;
}

/** Runs of each connection that are looked at, and open ones beyond these. */
const RUNS_A_CONNECTION = 8, OPEN_RUNS = 50;
/** Pages of one run that are searched: some 10 MB of its report, and some 300 MB of its plan. */
const REPORT_PAGES = 20, PLAN_PAGES = 200;
const MAX_ROWS = 500;
const CHANGES_OF_ONE = 10;

export interface AskedPerson {
  readonly asked: Asked;
  readonly userIds: readonly number[];
}

export async function findMentions(
  db: Database,
  organizationId: number,
  { asked, userIds }: AskedPerson,
): Promise<Mentions> {
  const links = await findLinks(db, organizationId, userIds);
  const whole: Asked = {
    ...asked,
    values: [...new Set([...asked.values, ...links.map(({ key }) => comparable(key))])],
  };
  const recent = await listRecentRuns(db, organizationId);
  const last = lastRuns(recent);
  const history: { userId: number; change: ChangeView }[] = [];
  for (const userId of userIds) {
    const { changes } = await listUserHistory(db, organizationId, userId, { before: null, limit: CHANGES_OF_ONE });
    history.push(...changes.map((change) => ({ userId, change })));
  }
  const planned = await findPlanned(db, organizationId, recent.filter(isUnapplied), { asked: whole, userIds });
  const found = await findRows(db, organizationId, recent, whole);
  const wanted = new Set([...last.values(), ...planned.map(({ runId }) => runId), ...found.map(({ runId }) => runId)]);
  for (const { change } of history) {
    const id = change.run === null ? null : decodeId("run", change.run);
    if (id !== null) wanted.add(id);
  }
  const runs = await findRuns(db, [...wanted].map((id) => ({ organizationId, id })));
  // Only a run's input knows which of a row's cells are ids.
  const about = found.filter(({ runId, row }) =>
    isAbout(whole, row.key, row.cells, runs.get(runId)?.run.input?.fields ?? null)
  );
  return {
    links,
    history,
    planned,
    rows: await wordedRows(db, organizationId, about),
    runs,
    last,
    unclear: await findUnclear(db, organizationId, links.flatMap(({ connectionId }) => last.get(connectionId) ?? [])),
  };
}

/** Users whose link to one of the organization's connections has one of these keys. */
export async function findLinkedUsers(
  db: Database,
  organizationId: number,
  keys: readonly string[],
): Promise<number[]> {
  const rows = await db.rows<[number]>(linkedUsersQuery(organizationId, keys));
  return rows.flat();
}

export function linkedUsersQuery(organizationId: number, keys: readonly string[]): SQL {
  return sql`select distinct l.user_id from connections c cross join links l
    on l.connection_id = c.id and l.source_key in ${setOf(keys)}
    where c.organization_id = ${organizationId} order by l.user_id limit 10`;
}

async function findLinks(db: Database, organizationId: number, userIds: readonly number[]): Promise<MentionedLink[]> {
  if (userIds.length === 0) return [];
  const rows = await db.rows<[number, number, string, number | null, number]>(sql`
    select l.connection_id, l.user_id, l.source_key, l.missing_since, l.filtered
    from links l join connections c on c.id = l.connection_id
    where l.user_id in ${setOf(userIds)} and c.organization_id = ${organizationId}
    order by l.connection_id, l.source_key`);
  return rows.map(([connectionId, userId, key, missingSince, filtered]) => ({
    connectionId,
    userId,
    key,
    missingSince,
    filtered: filtered === 1,
  }));
}

interface RecentRun {
  readonly id: number;
  readonly connectionId: number;
  readonly status: RunStatus;
  readonly isOfPeople: boolean;
}

/** The last runs of each connection, and those that wait for a decision; the youngest first. */
async function listRecentRuns(db: Database, organizationId: number): Promise<RecentRun[]> {
  const rows = await db.rows<[number, number, RunStatus, string, string]>(recentRunsQuery(organizationId));
  return rows.map(([id, connectionId, status, entity, trigger]) => ({
    id,
    connectionId,
    status,
    // Runs that the hub made by itself have no input.
    isOfPeople: entity === "users" && trigger !== "due" && trigger !== "revert" && trigger !== "upgrade",
  }));
}

export function recentRunsQuery(organizationId: number): SQL {
  const columns = sql.raw("r.id, r.connection_id, r.status, r.entity, r.trigger");
  return sql`select * from (
    select ${columns} from connections c cross join runs r
      on r.id in (select id from runs where connection_id = c.id order by id desc limit ${RUNS_A_CONNECTION})
      where c.organization_id = ${organizationId} and +r.organization_id = ${organizationId}
    union
    select * from (select ${columns} from runs r
      where r.status in ('queued', 'planning', 'applying', 'planned', 'held') and r.status in ('planned', 'held')
        and +r.organization_id = ${organizationId} order by r.id desc limit ${OPEN_RUNS})
  ) order by 1 desc`;
}

function lastRuns(recent: readonly RecentRun[]): Map<number, number> {
  const last = new Map<number, number>();
  for (const { id, connectionId, status, isOfPeople } of recent) {
    const hasBegun = status !== "queued" && status !== "planning";
    if (isOfPeople && hasBegun && status !== "skipped" && !last.has(connectionId)) last.set(connectionId, id);
  }
  return last;
}

function isUnapplied({ status }: RecentRun): boolean {
  return ["planned", "held", "applying", "cancelled", "superseded"].includes(status);
}

async function findPlanned(
  db: Database,
  organizationId: number,
  runs: readonly RecentRun[],
  { asked, userIds }: AskedPerson,
): Promise<{ runId: number; change: ChangeView }[]> {
  // The second number of a change is its line, the third its user.
  const needles = [...needlesOf(asked), ...userIds.map((id) => `,${id},`)];
  if (runs.length === 0 || needles.length === 0) return [];
  const rows = await db.rows<[number, number, number, number, string | null, number, string]>(
    plannedQuery(organizationId, runs.map(({ id }) => id), needles),
  );
  return rows.flatMap(([id, runId, page, firstChange, superseded, index, text]) => {
    const entry = JSON.parse(text) as Entry, { userId, key, after } = decodeChange(entry);
    if (!userIds.includes(userId) && !isAbout(asked, key, after as readonly (string | null)[], IMAGE)) return [];
    const row: PageRow = {
      ...{ id, organizationId, runId, page, kind: "updates", firstChange, count: 1, parked: null, superseded },
      ...{ seq: null, appliedAt: null, body: "", managers: null },
    };
    return [{ runId, change: viewUserChange(row, entry, index, new Map()) }];
  });
}

export function plannedQuery(organizationId: number, runIds: readonly number[], needles: readonly string[]): SQL {
  return sql`select p.id, p.run_id, p.page, p.first_change, p.superseded, e.key, e.value
    from json_each(${JSON.stringify(runIds)}) r cross join change_pages p on p.run_id = r.value
    cross join page_bodies b on b.page_id = p.id cross join json_each(b.body) e
    where +p.organization_id = ${organizationId} and p.page < ${PLAN_PAGES} and p.kind in ('creates', 'updates')
      and p.applied_at is null and ${hasOne("b.body", needles)} and ${hasOne("e.value", needles)} limit ${MAX_ROWS}`;
}

async function findRows(
  db: Database,
  organizationId: number,
  runs: readonly RecentRun[],
  asked: Asked,
): Promise<MentionedRow[]> {
  const needles = needlesOf(asked);
  if (runs.length === 0 || needles.length === 0) return [];
  const rows = await db.rows<[number, string]>(rowsQuery(organizationId, runs.map(({ id }) => id), needles));
  return rows.map(([runId, text]) => ({ runId, row: readReportPage(`[${text}]`)[0]! })).filter(({ row }) => row.n >= 0);
}

export function rowsQuery(organizationId: number, runIds: readonly number[], needles: readonly string[]): SQL {
  return sql`select p.run_id, e.value from json_each(${JSON.stringify(runIds)}) r
    cross join issue_pages p on p.run_id = r.value cross join json_each(p.body) e
    where p.organization_id = ${organizationId} and p.page < ${REPORT_PAGES}
      and ${hasOne("p.body", needles)} and ${hasOne("e.value", needles)} limit ${MAX_ROWS}`;
}

/** The rows with issues at these lines of a run's input, in words for somebody who may read all people. */
export async function findRowsAt(
  db: Database,
  organizationId: number,
  runId: number,
  lines: readonly number[],
): Promise<IssueRow[]> {
  if (lines.length === 0) return [];
  // Rows begin so: their place, their line.
  const needles = lines.map((line) => `"line":${line},`);
  const rows = await db.rows<[number, string]>(rowsQuery(organizationId, [runId], needles));
  const found = rows.map(([, text]) => ({ runId, row: readReportPage(`[${text}]`)[0]! }))
    .filter(({ row }) => row.n >= 0 && row.line !== null && lines.includes(row.line));
  return (await wordedRows(db, organizationId, found)).map(({ row }) => row);
}

/**
 * Whether the text has one of the needles, which are in lower case. One parameter, however many they are. SQLite would make
 * a join of `exists`, and search a page again for each of its entries.
 */
function hasOne(text: string, needles: readonly string[]): SQL {
  return sql`(select max(instr(lower(${sql.raw(text)}), n.value)) from json_each(${JSON.stringify(needles)}) n) > 0`;
}

async function wordedRows(
  db: Database,
  organizationId: number,
  found: readonly MentionedRow[],
): Promise<MentionedRow[]> {
  const rows = await worded(db, organizationId, found.map(({ row }) => row), "people");
  return rows.map((row, i) => ({ runId: found[i]!.runId, row }));
}

/** Runs whose report says that not everybody's key could be read. */
async function findUnclear(db: Database, organizationId: number, runIds: readonly number[]): Promise<Set<number>> {
  const rows = await db.rows<[number]>(sql`select distinct p.run_id from json_each(${JSON.stringify(runIds)}) r
    cross join issue_pages p on p.run_id = r.value
    where p.organization_id = ${organizationId} and p.page < ${REPORT_PAGES}
      and instr(p.body, '"missing_unclear"') > 0`);
  return new Set(rows.flat());
}
