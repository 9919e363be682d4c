/**
 * Where a person is in the history of changes and in plans. Entries of applied changes stay without values; entries of
 * plans are removed, which gives the plan another hash and other counts.
 */
import { COUNTED } from "../model/change.ts";
import type { Counts } from "../model/run.ts";
import { decodeChange, DIGEST, type Entry, LINK, MISSING, PENDING } from "../reconcile/columns/entry.ts";
import type { UserChange } from "../reconcile/planned-change.ts";
import { sha256Hex } from "../std/hex.ts";
import { blank, findEntries, findOpenPages, type FoundInPages, type TracedPage } from "../store/people/erased-pages.ts";
import type { FoundInRuns } from "../store/people/erased-runs.ts";
import { findRun } from "../store/runs/runs.ts";
import type { PersonSearch } from "./person-search.ts";
import { columnsOf, type Traces } from "./traces.ts";

export interface FoundInChanges {
  readonly pages: FoundInPages;
  readonly plans: FoundInRuns["plans"];
  /** How many changes of the person had values. */
  readonly changes: number;
}

/** What a search of pages collects. */
interface Collected {
  readonly blanked: Map<number, [index: number, entry: Entry][]>;
  readonly removed: Map<number, number[]>;
  /** By run: the actions of rows that leave its plan. */
  readonly skipped: Map<number, string[]>;
}

export async function findInChanges(search: PersonSearch): Promise<FoundInChanges> {
  const collected: Collected = { blanked: new Map(), removed: new Map(), skipped: new Map() };
  const changes = await collectChanges(search, collected);
  await collectCompanions(search, collected);
  const { blanked, removed, skipped } = collected;
  return { pages: { blanked, removed }, plans: await replan(search, skipped), changes };
}

/** Every change of the person, applied or planned. Each tells more of what they are found by. */
export async function* changesOf(search: PersonSearch): AsyncGenerator<FoundChange> {
  const { hub: { db }, organizationId, userId, traces, connections } = search;
  for await (const { index, entry, ...page } of findEntries(db, organizationId, userId)) {
    await search.renew();
    const change = decodeChange(entry);
    traces.add(columnsOf(change.after));
    if (change.before !== null) traces.add(change.before);
    if (page.connectionId !== null) {
      connections.add(page.connectionId);
      if (change.key !== null) traces.addKey(page.connectionId, change.key);
    }
    yield { page, index, entry, change };
  }
}

interface FoundChange {
  readonly page: TracedPage;
  readonly index: number;
  readonly entry: Entry;
  readonly change: UserChange;
}

/** Gives how many changes had values. */
async function collectChanges(search: PersonSearch, collected: Collected): Promise<number> {
  let changes = 0;
  for await (const { page, index, entry, change } of changesOf(search)) {
    const left = blank(entry);
    // The change that an earlier erasure made has no values.
    if (change.reason !== "erased" && JSON.stringify(left) !== JSON.stringify(entry)) changes++;
    if (page.applied) addTo(collected.blanked, page.id, [index, left]);
    else remove(collected, page, index, change.line === null ? null : change.action);
  }
  return changes;
}

/** Links, digests, pending managers and the like, which accompany the changes of a plan. */
async function collectCompanions(search: PersonSearch, collected: Collected): Promise<void> {
  const { hub: { db }, organizationId, userId, traces } = search;
  for await (const { entries, ...page } of findOpenPages(db, organizationId)) {
    await search.renew();
    for (const [index, entry] of entries.entries()) {
      if (isTheirs(page, entry, userId, traces)) remove(collected, page, index, null);
      else if (page.kind === "links" && Array.isArray(entry) && isNamedAmong(entry[LINK.withheld], traces)) {
        addTo(collected.blanked, page.id, [index, entry.with(LINK.withheld, null)]);
      }
    }
  }
}

function remove(
  { removed, skipped }: Collected,
  { id, runId }: TracedPage,
  index: number,
  action: string | null,
): void {
  addTo(removed, id, index);
  if (runId === null) return;
  if (action !== null) addTo(skipped, runId, action);
  else if (!skipped.has(runId)) skipped.set(runId, []);
}

function addTo<T>(lists: Map<number, T[]>, id: number, item: T): void {
  const list = lists.get(id);
  if (list === undefined) lists.set(id, [item]);
  else list.push(item);
}

/** Whether an entry that accompanies changes is about the person. */
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

/** Whether values of another person name this one, such as a manager's email. */
function isNamedAmong(values: unknown, traces: Traces): boolean {
  return values !== null && typeof values === "object" &&
    Object.values(values).some((value) => typeof value === "string" && traces.isNamedIn(value));
}

/** The plans without the person. */
async function replan(
  { hub: { db }, organizationId, userId }: PersonSearch,
  skipped: ReadonlyMap<number, readonly string[]>,
): Promise<FoundInRuns["plans"]> {
  const plans = new Map<number, { hash: string; counts: Counts | null }>();
  for (const [id, actions] of skipped) {
    const run = (await findRun(db, organizationId, id))?.run;
    if (run?.planHash == null) continue;
    // A hash that differs from the former one, and is the same however often the person is erased.
    const hash = await sha256Hex(`${run.planHash} without ${userId}`);
    plans.set(id, { hash, counts: countWithout(run.counts, actions) });
  }
  return plans;
}

/** The person's rows now count as skipped. */
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
