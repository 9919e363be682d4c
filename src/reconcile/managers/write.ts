/** Writes new managers: beside the pages of changes, as changes of their own, and as references to wait for. */
import {
  type Candidates,
  hasFailed,
  hasLateManager,
  indexOf,
  isLate,
  isMarked,
  type Kind,
  kindOf,
  LATE,
  lineOf,
  managerBefore,
  managerNamed,
  MARK,
  mark,
  pageOf,
  setKind,
  userOf,
} from "../columns/candidates.ts";
import { encodeChange, encodeDigest, encodePending, type Entry, MANAGER } from "../columns/entry.ts";
import { toJson } from "../columns/json-array.ts";
import { editChanges } from "../columns/rewrite-pages.ts";
import { changesManager, isSet, managerAfter, type NewManagers, setManager } from "../columns/new-managers.ts";
import type { Draft } from "../draft.ts";
import { type Image, IMAGE_INDEX } from "../image.ts";
import { BY_HAND, editedByHand, fieldSourcesOf, managerOf, setWriters, sourceOf, withWriters } from "../person.ts";
import type { UserChange } from "../planned-change.ts";
import type { LateManager } from "./waiting.ts";

const BATCH = 1_000;
/** Kinds of rows that change their user. */
const CHANGED: ReadonlySet<Kind> = new Set<Kind>(["updated", "deactivated", "reactivated"]);

export async function writeManagers(draft: Draft, after: NewManagers, late: readonly LateManager[]): Promise<void> {
  const alone = await joinChanges(draft, after, late);
  markOverwritten(draft, after);
  await writeBesidePages(draft, after);
  await writeUpdates(draft, after, alone);
  await writePending(draft, after, late);
}

/**
 * A plan has one change of a user: a second one would bring back what the first has changed. Late managers of people who
 * are changed anyway become part of that change, as the word of the connection that waited. Returns the others.
 */
async function joinChanges(
  draft: Draft,
  after: NewManagers,
  late: readonly LateManager[],
): Promise<readonly LateManager[]> {
  if (late.length === 0) return late;
  const { candidates, context } = draft;
  const changed = new Map<number, number>();
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (CHANGED.has(kindOf(candidates, candidate))) changed.set(userOf(candidates, candidate), candidate);
  }
  const edits = new Map<number, (change: UserChange) => UserChange>();
  const alone = late.filter(({ userId, manager, connectionId }) => {
    const candidate = changed.get(userId);
    if (candidate === undefined) return true;
    if (connectionId === context.connectionId) setManager(after, candidate, manager);
    else edits.set(candidate, (change) => changeWithManager(change, manager, connectionId));
    return false;
  });
  for (const candidate of edits.keys()) {
    if (managerBefore(candidates, candidate) !== null) mark(candidates, candidate, MARK.overwrites);
  }
  await editChanges(draft, edits);
  return alone;
}

function changeWithManager(change: UserChange, manager: number, connectionId: number): UserChange {
  const after = withManager(change.after, manager, connectionId);
  const before = withWriters({ manager_id: managerOf(change.after) }, change.after, after);
  return { ...change, before: { ...before, ...change.before }, after };
}

/** Marks those who had another manager: their change does more than fill an empty field. */
function markOverwritten({ candidates }: Draft, after: NewManagers): void {
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (managerBefore(candidates, candidate) === null || !changesManager(after, candidates, candidate)) continue;
    mark(candidates, candidate, MARK.overwrites);
  }
}

/** Stores the new managers of a page's people beside the page, in the order of its entries. */
async function writeBesidePages(draft: Draft, after: NewManagers): Promise<void> {
  const { candidates, context } = draft;
  await context.filler.flush();
  const pages = new Map<number, (number | null)[]>();
  /** People who get a manager, but whose row must be planned again. */
  const unsettled: Entry[] = [];
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const page = pageOf(candidates, candidate);
    if (page === null) continue;
    const lookAgain = hasLateManager(candidates, candidate);
    const changes = changesManager(after, candidates, candidate) && kindOf(candidates, candidate) !== "unchanged";
    if (!changes && !lookAgain) continue;
    if (changes && lookAgain) unsettled.push(encodeDigest(userOf(candidates, candidate), null));
    let managers = pages.get(page);
    if (managers === undefined) pages.set(page, managers = []);
    const index = indexOf(candidates, candidate);
    while (managers.length <= index) managers.push(MANAGER.stays);
    managers[index] = changes ? managerAfter(after, candidate) : MANAGER.staysAndLookAgain;
  }
  for (const [page, managers] of pages) await context.pageStore.setManagers(page, toJson(managers));
  // In a page of their own, which comes after those that write digests.
  const most = context.filler.most("digests");
  for (let from = 0; from < unsettled.length; from += most) {
    await context.filler.addTogether("digests", unsettled.slice(from, from + most), []);
  }
}

/** The change of a user of whom only the manager changes. */
interface ManagerUpdate {
  readonly userId: number;
  readonly manager: number | null;
  readonly line: number | null;
  /** Or BY_HAND. */
  readonly connectionId: number;
  readonly reason: string | null;
}

async function writeUpdates(draft: Draft, after: NewManagers, late: readonly LateManager[]): Promise<void> {
  const { candidates, context } = draft;
  let updates: ManagerUpdate[] = [];
  const add = async (update: ManagerUpdate) => {
    if (updates.push(update) < BATCH) return;
    await addUpdates(draft, updates);
    updates = [];
  };
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (!changesManagerAlone(candidates, candidate, after)) continue;
    setKind(candidates, candidate, "updated");
    await add({
      userId: userOf(candidates, candidate),
      manager: managerAfter(after, candidate),
      line: lineOf(candidates, candidate),
      connectionId: isMarked(candidates, candidate, MARK.isEdit) ? BY_HAND : context.connectionId,
      reason: null,
    });
  }
  for (const { userId, connectionId, manager } of late) {
    await add({ userId, manager, line: null, connectionId, reason: "manager appeared" });
  }
  if (updates.length > 0) await addUpdates(draft, updates);
}

function changesManagerAlone(candidates: Candidates, candidate: number, after: NewManagers): boolean {
  return kindOf(candidates, candidate) === "unchanged" && changesManager(after, candidates, candidate) &&
    !isMarked(candidates, candidate, MARK.absent);
}

async function addUpdates({ context }: Draft, updates: readonly ManagerUpdate[]): Promise<void> {
  const known = await context.lookups.usersById(updates.map((update) => update.userId));
  const users = new Map(known.map((user) => [user.id, user]));
  for (const { userId, manager, line, connectionId, reason } of updates) {
    const user = users.get(userId);
    if (user === undefined) continue;
    const after = withManager(user.image, manager, connectionId);
    context.filler.add(
      "updates",
      encodeChange({
        action: "update",
        line,
        userId,
        version: user.version,
        reason,
        before: withWriters({ manager_id: managerOf(user.image) }, user.image, after),
        previousPage: user.lastPage,
        key: null,
        digest: null,
        canonical: null,
        active: true,
        after,
      }),
    );
  }
  await context.filler.writeFull();
}

/** The user with a new manager, written by this connection, or BY_HAND. */
export function withManager(image: Image, manager: number | null, connectionId: number): Image {
  const after = image.slice();
  const sources = { ...fieldSourcesOf(image) };
  const made = sourceOf(image);
  // As for other fields: who has emptied what another wrote is remembered.
  if (manager === null ? (sources.manager ?? made) === connectionId : made === connectionId) delete sources.manager;
  else sources.manager = connectionId;
  after[IMAGE_INDEX.manager_id] = manager;
  const others = editedByHand(image).filter((field) => field !== "manager");
  setWriters(after, sources, connectionId === BY_HAND ? [...others, "manager"].sort() : others);
  return after;
}

/** Stores references to managers who were not found, and deletes settled ones. */
async function writePending(draft: Draft, after: NewManagers, late: readonly LateManager[]): Promise<void> {
  const { candidates, context, managers } = draft;
  const { filler, connectionId } = context;
  const waiting = await usersWaiting(draft);
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const userId = userOf(candidates, candidate);
    if (isLate(candidates, candidate, LATE.managerUnknown)) {
      const named = managerNamed(candidates, candidate)!;
      filler.add("pending", encodePending(userId, connectionId, managers.fields[named]!, managers.values[named]!));
    } else if (saysOtherwise(draft, candidate, after) && waiting.has(userId)) {
      filler.add("pending", encodePending(userId, connectionId, null, null));
    }
    if (filler.isFull) await filler.writeFull();
  }
  for (const each of late) filler.add("pending", encodePending(each.userId, each.connectionId, null, null));
}

/** Whether the row has a word on the manager, which takes the place of what its connection has waited for. */
function saysOtherwise({ candidates, context }: Draft, candidate: number, after: NewManagers): boolean {
  if (isSet(after, candidate)) return true;
  const kind = kindOf(candidates, candidate);
  // As in settleManager: where nobody is to be updated, the row's word is not used.
  const isUsed = !hasFailed(candidates, candidate) && kind !== "skipped" &&
    (context.policy.update || kind === "created");
  return isUsed && managerNamed(candidates, candidate) !== undefined;
}

/** Users whose manager this connection waits for. */
async function usersWaiting({ context }: Draft): Promise<Set<number>> {
  const users = new Set<number>();
  if (!context.lookups.hasUsers) return users;
  for await (const page of context.lookups.pendingManagers()) {
    for (const { userId, connectionId } of page) if (connectionId === context.connectionId) users.add(userId);
  }
  return users;
}
