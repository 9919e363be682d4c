/**
 * Managers, once every row has been looked at: a manager may stand in a later row, so order never matters.
 *
 * A manager that nobody answers to is said, the old one stays, and the name is kept until somebody answers to it.
 */
import { hashText } from "../intake/digest.ts";
import {
  ABSENT,
  type Candidates,
  CREATED,
  FAILED,
  GIVES_EMPLOYEE_ID,
  LATE_MANAGER_CONFLICT,
  LATE_MANAGER_CYCLE,
  LATE_MANAGER_DISAGREES,
  LATE_MANAGER_KEPT,
  LATE_MANAGER_SELF,
  LATE_MANAGER_UNKNOWN,
  MANAGER_WITHHELD,
  managerNow,
  SKIPPED,
  UNCHANGED,
  UPDATED,
} from "./columns/candidates.ts";
import { CLAIM_SALT } from "./consider.ts";
import { pathInWords } from "./cycle-words.ts";
import { isActive, type KnownUser, tellOf } from "./correlate.ts";
import type { Draft, ManagerField } from "./draft.ts";
import { toJson } from "./columns/json-array.ts";
import { ordinalOfUser } from "./columns/known.ts";
import { type Cycle, cyclicChanges, type Tree } from "./managers.ts";
import { encodeChange, MANAGER } from "./columns/entry.ts";
import { type Image, IMAGE_INDEX, type Stored } from "./image.ts";
import { mayLackZeros, restoreZeros } from "./zeros.ts";

const EMPTY_TREE: Tree = { ids: new Float64Array(0), managers: new Float64Array(0) };
const LOOK_UP = 5_000;
/** Of so few, only those above them are looked up; of more, everybody's manager is read. */
const FEW = 10_000;

/**
 * Users who get a manager at last though no row of theirs changed: not counted among the rows. `breathe` is called where
 * much memory has become free.
 */
export async function settleManagers(draft: Draft, breathe: () => Promise<void>): Promise<void> {
  const { candidates, context } = draft;
  const wants = await wantedManagers(draft);
  await noteLostZeros(draft);
  const late = await lateManagers(draft, wants);
  // Nobody asks any more who claims what, and what follows needs memory of its own.
  for (const claims of [draft.keys, draft.emails, draft.employeeIds, draft.users]) claims.clear();
  await breathe();
  const changed = listChanged(candidates, wants);
  if (changed.length > 0 || late.length > 0) await dropCycles(draft, wants, changed, late);
  await breathe();
  await writeManagers(draft, wants);
  await writeUpdates(draft, wants, late);
  await writePending(draft, wants, late);
  // Of a change of theirs the tables tell by themselves; of somebody new who takes their email they cannot.
  for (const userId of draft.outranked) context.filler.add("recalls", userId);
}

function listChanged(candidates: Candidates, wants: Float64Array): Int32Array {
  const changed = new Int32Array(candidates.size);
  let count = 0;
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const to = wants[candidate]!;
    if (!Number.isNaN(to) && to !== managerNow(candidates, candidate)) changed[count++] = candidate;
  }
  return changed.subarray(0, count);
}

/** Manager to be of each candidate: a user, 0 for none, NaN to leave it. */
async function wantedManagers(draft: Draft): Promise<Float64Array> {
  const { candidates, managers } = draft;
  const wants = new Float64Array(candidates.size).fill(NaN);
  if (managers.values.length === 0 && !candidates.manager.some((reference) => reference !== 0)) return wants;
  const resolved = await resolveReferences(draft);
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const reference = candidates.manager[candidate]!;
    const kind = candidates.kind[candidate]!;
    if (reference === 0 || kind === FAILED || kind === SKIPPED) continue;
    let manager = reference < 0 ? 0 : resolved[reference - 1]!;
    const second = draft.secondManagers.get(candidate);
    if (second !== undefined) {
      const other = resolved[second]!;
      // The first names nobody known, but the second does: better than nobody.
      if (Number.isNaN(manager)) manager = other;
      else if (other !== manager) candidates.late[candidate]! |= LATE_MANAGER_DISAGREES;
    }
    if (!draft.context.policy.update && kind !== CREATED) {
      if (kind === UNCHANGED && !Number.isNaN(manager) && manager !== managerNow(candidates, candidate)) {
        candidates.kind[candidate] = SKIPPED;
      }
      continue;
    }
    if ((candidates.flags[candidate]! & MANAGER_WITHHELD) !== 0) {
      if (!Number.isNaN(manager) && manager !== managerNow(candidates, candidate)) {
        const saidBefore = draft.managersSaid.get(candidate);
        if (saidBefore === undefined) candidates.late[candidate]! |= LATE_MANAGER_KEPT;
        else if (!saidBefore) candidates.late[candidate]! |= LATE_MANAGER_CONFLICT;
      }
      continue;
    }
    if (Number.isNaN(manager)) candidates.late[candidate]! |= LATE_MANAGER_UNKNOWN;
    else if (manager === candidates.user[candidate]) candidates.late[candidate]! |= LATE_MANAGER_SELF;
    else wants[candidate] = manager;
  }
  return wants;
}

/** For managers that nobody answers to: the id with leading zeros that somebody has, to name it. */
async function noteLostZeros(draft: Draft): Promise<void> {
  const { candidates, managers } = draft;
  const unknown = new Map<number, string>();
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if ((candidates.late[candidate]! & LATE_MANAGER_UNKNOWN) === 0) continue;
    const reference = candidates.manager[candidate]! - 1;
    const value = managers.values[reference]!;
    if (managers.fields[reference] === "manager_id" && mayLackZeros(value)) unknown.set(candidate, value);
  }
  if (unknown.size === 0) return;
  const ids = [...new Set(unknown.values())];
  const restored = await restoreZeros(draft, ids, (id) => claimant(draft, "manager_id", id) >= 0);
  for (const [candidate, value] of unknown) {
    const known = restored.get(value);
    if (known !== undefined) draft.details.set(candidate, [known]);
  }
}

/** Users that the references stand for after this plan; NaN where nobody does. */
async function resolveReferences(draft: Draft): Promise<Float64Array> {
  const { managers, context } = draft;
  const users = new Float64Array(managers.values.length).fill(NaN);
  const open: Record<ManagerField, number[]> = { manager_id: [], manager_email: [], manager_key: [] };
  managers.values.forEach((value, index) => {
    const field = managers.fields[index]!;
    const candidate = claimant(draft, field, value);
    if (candidate >= 0) users[index] = draft.candidates.user[candidate]!;
    else open[field].push(index);
  });
  if (!context.lookups.hasUsers) return users;
  for (const field of ["manager_id", "manager_email", "manager_key"] as const) {
    for (let from = 0; from < open[field].length; from += LOOK_UP) {
      const indexes = open[field].slice(from, from + LOOK_UP);
      const found = await findByReference(draft, field, indexes.map((index) => managers.values[index]!));
      for (const index of indexes) users[index] = found.get(managers.values[index]!) ?? NaN;
    }
  }
  return users;
}

/** The candidate that will answer to this reference, or -1. */
function claimant(draft: Draft, field: ManagerField, value: string): number {
  const { candidates } = draft;
  const claims = field === "manager_id" ? draft.employeeIds : field === "manager_email" ? draft.emails : draft.keys;
  hashText(value, CLAIM_SALT, hash, 0);
  const candidate = claims.owner(hash, 0);
  if (candidate < 0 || candidates.kind[candidate] === FAILED || candidates.user[candidate] === 0) return -1;
  // Its row says so, but the person's own ids stay as they are.
  return field !== "manager_key" && draft.unheld.has(candidate) ? -1 : candidate;
}

const hash = new Int32Array(2);

async function findByReference(
  draft: Draft,
  field: ManagerField,
  values: readonly string[],
): Promise<Map<string, number>> {
  const { lookups } = draft.context;
  const found = new Map<string, number>();
  if (field === "manager_key") {
    for (const link of await lookups.linksByKey(values)) found.set(link.key, link.userId);
    return found;
  }
  if (field === "manager_id") {
    for (const [value, id] of await lookups.idsByEmployeeId(values)) {
      if (!givesUp(draft, id, field)) found.set(value, id);
    }
    return found;
  }
  const byEmail = new Map<string, KnownUser[]>();
  for (const user of await lookups.usersByEmail(values)) {
    if (givesUp(draft, user.id, field)) continue;
    const email = user.image[IMAGE_INDEX.email] as string;
    byEmail.set(email, [...(byEmail.get(email) ?? []), user]);
  }
  for (const [value, fits] of byEmail) {
    const active = fits.filter(isActive);
    if (active.length === 1) found.set(value, active[0]!.id);
    else if (fits.length === 1) found.set(value, fits[0]!.id);
  }
  return found;
}

/** Whether this user will no longer be found by what it is found by now. A leaver keeps both, unless the row says others. */
function givesUp(draft: Draft, userId: number, field: ManagerField): boolean {
  const candidate = (field === "manager_id" ? draft.releasers : draft.readdressed).get(userId);
  if (candidate === undefined) return false;
  const kind = draft.candidates.kind[candidate]!;
  if (kind === FAILED || kind === SKIPPED) return false;
  return field !== "manager_id" || (draft.candidates.flags[candidate]! & GIVES_EMPLOYEE_ID) !== 0;
}

interface LateManager {
  readonly userId: number;
  readonly connectionId: number;
  readonly manager: number;
}

/** People whose manager, named earlier, appears with this plan. */
async function lateManagers(draft: Draft, wants: Float64Array): Promise<LateManager[]> {
  const { candidates, context } = draft;
  const late: LateManager[] = [];
  if (!context.lookups.hasUsers) return late;
  let appeared = draft.disturbed.size > 0;
  for (let candidate = 0; candidate < candidates.size && !appeared; candidate++) {
    appeared = candidates.kind[candidate] === CREATED;
  }
  if (!appeared) return late;
  const inThisInput = new Set<number>();
  for await (const page of context.lookups.pendingManagers()) {
    const fitting = page.filter(({ field, value, connectionId }) =>
      // A key means something in its own connection only.
      (field !== "manager_key" || connectionId === context.connectionId) && claimant(draft, field, value) >= 0
    );
    if (fitting.length === 0) continue;
    if (inThisInput.size === 0) {
      for (let candidate = 0; candidate < candidates.size; candidate++) {
        if (!Number.isNaN(wants[candidate]!) || candidates.manager[candidate] !== 0) {
          inThisInput.add(candidates.user[candidate]!);
        }
      }
    }
    for (const { userId, connectionId, field, value } of fitting) {
      const manager = candidates.user[claimant(draft, field, value)]!;
      // Of two connections that wait for somebody's manager the older goes first: pages are in their order.
      if (!inThisInput.has(userId) && manager !== userId && late.at(-1)?.userId !== userId) {
        late.push({ userId, connectionId, manager });
      }
    }
  }
  return late;
}

/** Takes back the manager of everybody who would close a cycle, and keeps the path to name. */
async function dropCycles(
  draft: Draft,
  wants: Float64Array,
  changed: Int32Array,
  late: LateManager[],
): Promise<void> {
  const { candidates, context } = draft;
  const users = new Float64Array(changed.length), managers = new Float64Array(changed.length);
  changed.forEach((candidate, index) => {
    users[index] = candidates.user[candidate]!;
    managers[index] = wants[candidate]!;
  });
  const lateUsers = Float64Array.from(late, ({ userId }) => userId);
  const lateManagers = Float64Array.from(late, ({ manager }) => manager);
  const tree = !context.lookups.hasUsers
    ? EMPTY_TREE
    : changed.length + late.length <= FEW
    ? await context.lookups.managersAbove([...users, ...lateUsers, ...managers, ...lateManagers])
    : await context.lookups.tree();
  const dropped = cyclicChanges(tree, { ids: users, managers });
  await noteCycles(draft, wants, changed, dropped);
  if (late.length === 0) return;
  // What this input says comes before what an earlier one said of people who were not there yet.
  const standing = Array.from(changed, (_, index) => index).filter((index) => !dropped.has(index));
  const after: Tree = {
    ids: Float64Array.from([...tree.ids, ...standing.map((index) => users[index]!)]),
    managers: Float64Array.from([...tree.managers, ...standing.map((index) => managers[index]!)]),
  };
  const refused = cyclicChanges(after, { ids: lateUsers, managers: lateManagers });
  late.splice(0, late.length, ...late.filter((_, index) => !refused.has(index)));
}

async function noteCycles(
  draft: Draft,
  wants: Float64Array,
  changed: Int32Array,
  dropped: ReadonlyMap<number, Cycle>,
): Promise<void> {
  const { candidates, context } = draft;
  if (dropped.size === 0) return;
  // Everybody along a cycle has the same one.
  const cycles = new Map([...new Set(dropped.values())].map((cycle) => [cycle, placesOf(cycle.path)]));
  const along = new Set([...cycles.keys()].flatMap((cycle) => cycle.path));
  const lines = linesOf(candidates, along);
  const unknown = [...along].filter((id) => !lines.has(id));
  const people = new Map(
    (unknown.length === 0 ? [] : await context.lookups.usersById(unknown)).map((user) => [user.id, tellOf(user)]),
  );
  for (const [index, cycle] of dropped) {
    const candidate = changed[index]!;
    wants[candidate] = NaN;
    candidates.late[candidate]! |= LATE_MANAGER_CYCLE;
    const start = cycles.get(cycle)!.get(candidates.user[candidate]!) ?? 0;
    const nameOf = (id: number) => lines.get(id) ?? people.get(id) ?? "somebody";
    draft.details.set(candidate, pathInWords(cycle.path, start, nameOf));
  }
}

function placesOf(path: readonly number[]): Map<number, number> {
  return new Map(path.map((id, place) => [id, place]));
}

/** New people by their lines. Others have names, and a line only where their row was looked at. */
function linesOf(candidates: Candidates, wanted: ReadonlySet<number>): Map<number, string> {
  const lines = new Map<number, string>();
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (candidates.kind[candidate] !== CREATED || candidates.line[candidate] === 0) continue;
    const user = candidates.user[candidate]!;
    if (wanted.has(user)) lines.set(user, `line ${candidates.line[candidate]}`);
  }
  return lines;
}

const LATE_MANAGER_ISSUES = LATE_MANAGER_UNKNOWN | LATE_MANAGER_SELF | LATE_MANAGER_CYCLE | LATE_MANAGER_DISAGREES |
  LATE_MANAGER_KEPT | LATE_MANAGER_CONFLICT;

/** Beside each page, in the order of its entries, the managers that its people get. */
async function writeManagers(draft: Draft, wants: Float64Array): Promise<void> {
  const { candidates, context } = draft;
  await context.filler.flush();
  const pages = new Map<number, (number | null)[]>();
  /** People who get a manager and whose row must be looked at again all the same. */
  const unsettled: [number, null][] = [];
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const page = candidates.page[candidate]!;
    if (page < 0) continue;
    const to = wants[candidate]!;
    const lookAgain = (candidates.late[candidate]! & LATE_MANAGER_ISSUES) !== 0;
    const changes = !Number.isNaN(to) && to !== managerNow(candidates, candidate) &&
      candidates.kind[candidate] !== UNCHANGED;
    if (!changes && !lookAgain) continue;
    if (changes && lookAgain) unsettled.push([candidates.user[candidate]!, null]);
    let managers = pages.get(page);
    if (managers === undefined) pages.set(page, managers = []);
    const index = candidates.index[candidate]!;
    while (managers.length <= index) managers.push(MANAGER.stays);
    managers[index] = changes ? (to === 0 ? null : to) : MANAGER.staysAndLookAgain;
  }
  for (const [page, managers] of pages) await context.pageStore.setManagers(page, toJson(managers));
  // A page of its own comes after those that write the digests.
  const most = context.filler.most("digests");
  for (let from = 0; from < unsettled.length; from += most) {
    await context.filler.addTogether("digests", unsettled.slice(from, from + most), []);
  }
}

/** Changes of people of whom nothing but the manager changes. */
async function writeUpdates(draft: Draft, wants: Float64Array, late: readonly LateManager[]): Promise<void> {
  const { candidates, context } = draft;
  const open: { userId: number; manager: number; line: number | null; connectionId: number; reason: string | null }[] =
    [];
  async function flush(): Promise<void> {
    const users = new Map((await context.lookups.usersById(open.map((change) => change.userId))).map((u) => [u.id, u]));
    for (const { userId, manager, line, connectionId, reason } of open.splice(0)) {
      const user = users.get(userId);
      if (user === undefined) continue;
      context.filler.add(
        "updates",
        encodeChange({
          action: "update",
          line,
          userId,
          version: user.version,
          reason,
          before: { manager_id: user.image[IMAGE_INDEX.manager_id] ?? null },
          previousPage: user.lastPage,
          key: null,
          digest: null,
          canonical: null,
          active: true,
          after: withManager(user.image, manager, connectionId),
        }),
      );
    }
    await context.filler.writeFull();
  }
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const to = wants[candidate]!;
    if (
      candidates.kind[candidate] !== UNCHANGED || Number.isNaN(to) || to === managerNow(candidates, candidate) ||
      (candidates.flags[candidate]! & ABSENT) !== 0
    ) continue;
    candidates.kind[candidate] = UPDATED;
    open.push({
      userId: candidates.user[candidate]!,
      manager: to,
      line: candidates.line[candidate] === 0 ? null : candidates.line[candidate]!,
      connectionId: context.connectionId,
      reason: null,
    });
    if (open.length >= 1_000) await flush();
  }
  for (const { userId, connectionId, manager } of late) {
    open.push({ userId, manager, line: null, connectionId, reason: "manager appeared" });
    if (open.length >= 1_000) await flush();
  }
  if (open.length > 0) await flush();
}

function withManager(image: Image, manager: number, connectionId: number): Image {
  const after = image.slice();
  const sources = { ...(image[IMAGE_INDEX.field_sources] as Record<string, number> | null) };
  const edited = ((image[IMAGE_INDEX.edited_by_hand] as string[] | null) ?? []).filter((field) => field !== "manager");
  if (image[IMAGE_INDEX.source_id] === connectionId) delete sources.manager;
  else sources.manager = connectionId;
  after[IMAGE_INDEX.manager_id] = manager === 0 ? null : manager;
  after[IMAGE_INDEX.field_sources] = (Object.keys(sources).length === 0 ? null : sources) as Stored;
  after[IMAGE_INDEX.edited_by_hand] = edited.length === 0 ? null : edited;
  return after;
}

/** Keeps the names of managers that nobody answers to, and forgets those that are settled. */
async function writePending(draft: Draft, wants: Float64Array, late: readonly LateManager[]): Promise<void> {
  const { candidates, context, managers } = draft;
  const known = new Set<number>();
  if (context.lookups.hasUsers) {
    for await (const page of context.lookups.pendingManagers()) {
      for (const { userId, connectionId } of page) if (connectionId === context.connectionId) known.add(userId);
    }
  }
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const userId = candidates.user[candidate]!;
    if ((candidates.late[candidate]! & LATE_MANAGER_UNKNOWN) !== 0) {
      const reference = candidates.manager[candidate]! - 1;
      context.filler.add("pending", [
        userId,
        context.connectionId,
        managers.fields[reference],
        managers.values[reference],
      ]);
    } else if (!Number.isNaN(wants[candidate]!) && known.has(userId)) {
      context.filler.add("pending", [userId, context.connectionId, null, null]);
    }
    if (context.filler.isFull) await context.filler.writeFull();
  }
  for (const { userId, connectionId } of late) context.filler.add("pending", [userId, connectionId, null, null]);
}

/** Links passed over by their digests whose manager is named by something that changes hands. */
export async function recallReports(draft: Draft): Promise<void> {
  const { context, disturbed } = draft;
  const { known } = context;
  if (known.size === 0 || disturbed.size === 0) return;
  const tree = await context.lookups.tree();
  for (let i = 0; i < tree.ids.length; i++) {
    if (!disturbed.has(tree.managers[i]!)) continue;
    const ordinal = ordinalOfUser(known, tree.ids[i]!);
    if (ordinal >= 0) draft.touched.add(ordinal);
  }
}
