/**
 * Erasing a person: their values go from everywhere at once, what was done stays. The user stays as a shell without
 * values, so that ids and managers of others keep their meaning; the same person imported again is a new user.
 *
 * What lies outside of the tables follows: bridges delete their copies of files, and the database's file is cleaned of
 * what it keeps of deleted rows. Both are asked for in the same batch, and said to be pending until they are done.
 *
 * No run of the organization begins meanwhile. Safe to repeat, and to break off: until all is found nothing is changed.
 */
import { COUNTED } from "../model/change.ts";
import { sha256Hex } from "../std/hex.ts";
import { type By, HUB } from "../model/audit.ts";
import { findInFiles, type SearchedDrops } from "./erase-files.ts";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import type { IssueRow } from "../reconcile/draft.ts";
import { decodeChange, DIGEST, type Entry, LINK, MISSING, PENDING } from "../reconcile/columns/entry.ts";
import { type FoundInEvents, readEventWords } from "../store/people/erased-events.ts";
import {
  blank,
  ERASED,
  eraseFound,
  findEntries,
  findOpenPages,
  type Found,
  type Hold,
  holdOrganization,
  listColumns,
  listErrors,
  listWaitingInputs,
  readIssuePages,
  releaseOrganization,
  type TracedPage,
} from "../store/people/erasure.ts";
import { dataVersionOf } from "../store/runs/run-steps.ts";
import { findErasure, listBridgesFor } from "../store/people/erasures.ts";
import { emptyWords } from "../store/people/erased-words.ts";
import { findRun } from "../store/runs/runs.ts";
import type { Counts } from "../model/run.ts";
import { imageOf } from "../store/people/user-edits.ts";
import { findUser } from "../store/people/users.ts";
import { columnsOf, createTraces, type Traces } from "./traces.ts";
import { sleep } from "../std/sleep.ts";

/** How often it is tried on top of what others wrote meanwhile. */
const MAX_ATTEMPTS = 20;
const PAUSE_MS = 100;

/** Fails with `conflict` while a run is at work or an input waits that may hold the person, and with `not_found`. */
export async function eraseUser(hub: Hub, organizationId: number, userId: number, by: By = HUB): Promise<void> {
  const hold: Hold = { organizationId, owner: `erasing ${crypto.randomUUID()}` };
  if (await findUser(hub.db, organizationId, userId) === null) {
    throw new Fault("not_found", `There is no user "${encodeId("usr", userId)}"`);
  }
  const searched: SearchedDrops = new Map();
  let reason = "";
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (attempt > 0) await sleep(PAUSE_MS);
    if (!await holdOrganization(hub.db, hold, hub.now())) {
      reason = "A run of the organization is at work";
      continue;
    }
    try {
      const waiting = await attemptErasing(hub, hold, userId, searched, by);
      if (waiting === null) {
        // Whatever else is at the file just now: then the cleaning that follows does it.
        await hub.db.file?.truncateLog();
        return hub.wake();
      }
      reason = waiting;
    } finally {
      await releaseOrganization(hub.db, hold);
    }
  }
  throw new Fault("conflict", `${reason}; cancel it or wait for its end, and erase the person then`);
}

/** Null when it is done; else what is in the way. */
async function attemptErasing(
  hub: Hub,
  hold: Hold,
  userId: number,
  searched: SearchedDrops,
  by: By,
): Promise<string | null> {
  const { db } = hub;
  const { organizationId } = hold;
  const dataVersion = await dataVersionOf(db, organizationId);
  const stored = await findUser(db, organizationId, userId);
  if (stored === null) throw new Fault("not_found", `There is no user "${encodeId("usr", userId)}"`);
  const renew = renewing(hub, hold);
  const { connections, traces, ...found } = await find(hub, hold, stored, renew);
  const waits = async () => {
    const [run] = await listWaitingInputs(db, organizationId, [...connections]);
    return run === undefined ? null : `The run ${encodeId("run", run)} waits with an input that may hold the person`;
  };
  const before = await waits();
  if (before !== null) return before;
  const files = await findInFiles(hub, organizationId, traces, connections, searched, renew);
  const words = await emptyWords(db, organizationId, traces.isNamedIn, ERASED);
  const waiting = await waits();
  if (waiting !== null) return waiting;
  await renew(true);
  const erasure = await findErasure(db, organizationId, userId);
  const bridged = [...hub.registry.values()].filter((connector) => connector.bridged).map(({ name }) => name);
  const bridges = await listBridgesFor(db, organizationId);
  const all = {
    ...found,
    connections: [...connections],
    names: traces.names(),
    files,
    words,
    erasure,
    bridged,
    bridges,
  };
  return await eraseFound(db, hold, stored.user, dataVersion, all, { now: hub.now() }, by)
    ? null
    : "Others keep changing people";
}

/** Pages are read in milliseconds, and the hold is good for longer. */
const RENEW_MS = 1000;

function renewing(hub: Hub, hold: Hold): (atOnce?: boolean) => Promise<void> {
  let last = -Infinity;
  return async (atOnce = false) => {
    if (!atOnce && performance.now() - last < RENEW_MS) return;
    if (!await holdOrganization(hub.db, hold, hub.now())) {
      throw new Fault("conflict", "Another run was faster; try again");
    }
    last = performance.now();
  };
}

type StoredUser = NonNullable<Awaited<ReturnType<typeof findUser>>>;

/** `connections` may yet grow. */
type FoundInTables =
  & Omit<Found, "connections" | "names" | "files" | "words" | "erasure" | "bridged" | "bridges">
  & { readonly connections: Set<number>; readonly traces: Traces };

async function find(
  hub: Hub,
  { organizationId }: Hold,
  { user, links }: StoredUser,
  renew: () => Promise<void>,
): Promise<FoundInTables> {
  const { db } = hub;
  const traces = createTraces();
  const connections = new Set<number>();
  const runs = new Map<number, { skipped: string[] }>();
  const removed = new Map<number, number[]>();
  const blanked = new Map<number, [number, Entry][]>();
  let changes = 0;

  traces.add(columnsOf(imageOf(user)));
  for (const { connectionId, sourceKey } of links) {
    connections.add(connectionId);
    traces.addKey(connectionId, sourceKey);
  }
  for (const id of [user.sourceId, ...Object.values(user.fieldSources ?? {})]) if (id) connections.add(id);

  const remove = ({ id, runId }: TracedPage, index: number, action: string | null) => {
    removed.set(id, [...removed.get(id) ?? [], index]);
    if (runId === null) return;
    const run = runs.get(runId) ?? { skipped: [] };
    if (action !== null) run.skipped.push(action);
    runs.set(runId, run);
  };

  for await (const { index, entry, ...page } of findEntries(db, organizationId, user.id)) {
    await renew();
    const change = decodeChange(entry);
    traces.add(columnsOf(change.after));
    if (change.before !== null) traces.add(change.before);
    if (page.connectionId !== null) {
      connections.add(page.connectionId);
      if (change.key !== null) traces.addKey(page.connectionId, change.key);
    }
    const left = blank(entry);
    // The one that an erasure left of itself says nothing of them.
    if (change.reason !== "erased" && JSON.stringify(left) !== JSON.stringify(entry)) changes++;
    if (page.applied) blanked.set(page.id, [...blanked.get(page.id) ?? [], [index, left]]);
    else remove(page, index, change.line === null ? null : change.action);
  }
  for await (const { entries, ...page } of findOpenPages(db, organizationId)) {
    await renew();
    for (const [index, entry] of entries.entries()) {
      if (isTheirs(page, entry, user.id, traces)) remove(page, index, null);
      else if (page.kind === "links" && Array.isArray(entry) && saysOf(entry[LINK.withheld], traces)) {
        blanked.set(page.id, [...blanked.get(page.id) ?? [], [index, entry.with(LINK.withheld, null)]]);
      }
    }
  }

  const issues: Found["issues"][number][] = [];
  for await (const { body, ...page } of readIssuePages(db, organizationId)) {
    await renew();
    if (!traces.mayName(body)) continue;
    const rows = (JSON.parse(body) as IssueRow[]).flatMap((row, index) =>
      traces.isIn(row) ? [{ index, row: emptied(row, traces) }] : []
    );
    if (rows.length === 0) continue;
    connections.add(page.connectionId);
    issues.push({ ...page, rows });
  }
  const errors = (await listErrors(db, organizationId)).filter(({ error }) => traces.mayName(error))
    .map(({ id }) => id);

  const columns: Found["columns"][number][] = [];
  for (const input of await listColumns(db, organizationId)) {
    const left = traces.withoutNames(input.columns);
    if (left !== null) columns.push({ runId: input.runId, columns: left });
  }

  const events = await findInEvents(hub, organizationId, traces, renew);

  const plans = new Map<number, { hash: string; counts: Counts | null }>();
  for (const [id, { skipped }] of runs) {
    const run = (await findRun(db, organizationId, id))?.run;
    if (run?.planHash != null) {
      plans.set(id, { hash: await hashWithout(run.planHash, user.id), counts: countWithout(run.counts, skipped) });
    }
  }
  return {
    blanked,
    removed,
    issues,
    errors,
    columns,
    events,
    plans,
    changes,
    connections,
    traces,
  };
}

async function findInEvents(
  { db }: Hub,
  organizationId: number,
  traces: Traces,
  renew: () => Promise<void>,
): Promise<FoundInEvents> {
  const messages: number[] = [];
  const issues: [number, unknown[]][] = [];
  let read = 0;
  for await (const event of readEventWords(db, organizationId)) {
    if (++read % 1000 === 0) await renew();
    if (event.message !== null && traces.mayName(JSON.stringify(event.message))) messages.push(event.id);
    if (event.issues.some(({ field }) => field !== null && traces.isNamedIn(field))) {
      issues.push([
        event.id,
        event.issues.map((issue) =>
          issue.field !== null && traces.isNamedIn(issue.field) ? { ...issue, field: null } : issue
        ),
      ]);
    }
  }
  return { messages, issues };
}

/** Whether an entry of a page that goes with changes is about the person. */
function isTheirs({ kind, connectionId }: TracedPage, entry: unknown, userId: number, traces: Traces): boolean {
  const isKey = (key: unknown) => connectionId !== null && traces.isKey(connectionId, key);
  if (!Array.isArray(entry)) return kind === "recalls" ? entry === userId : isKey(entry);
  switch (kind) {
    case "missing":
      return isKey(entry[MISSING.key]);
    case "pending":
      return entry[PENDING.userId] === userId ||
        (typeof entry[PENDING.value] === "string" && traces.names().includes(entry[PENDING.value]));
    case "links":
      return entry[LINK.userId] === userId || isKey(entry[LINK.key]);
    default:
      return entry[DIGEST.userId] === userId;
  }
}

/** Whether the values of another person name this one. */
function saysOf(value: unknown, traces: Traces): boolean {
  return value !== null && typeof value === "object" &&
    Object.values(value).some((value) => typeof value === "string" && traces.isNamedIn(value));
}

/** Where the row was, and what kind of issue it had: what it said is gone. */
function emptied(row: IssueRow, traces: Traces): IssueRow {
  return {
    n: row.n,
    line: row.line,
    key: null,
    origin: null,
    cells: [],
    issues: row.issues.map(({ severity, code, field }) => ({
      severity,
      code,
      field: field === null || traces.isNamedIn(field) ? null : field,
      value: null,
      message: ERASED,
      suggestion: "There is nothing left to do here",
    })),
  };
}

/** The hash of the plan that is left: another than before, and the same whoever asks. */
function hashWithout(planHash: string, userId: number): Promise<string> {
  return sha256Hex(`${planHash} without ${userId}`);
}

/** The person's row is one that nothing is done with. */
function countWithout(counts: Counts | null, actions: readonly string[]): Counts | null {
  if (counts === null) return null;
  const left = { ...counts };
  for (const action of actions) {
    const kind = COUNTED[action as keyof typeof COUNTED];
    if (left[kind] === 0) continue;
    left[kind]--;
    left.skipped++;
  }
  return left;
}
