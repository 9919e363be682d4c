/**
 * Drops changes that would make a person their own manager, directly or through others, and notes the path for
 * messages.
 */
import { type Candidates, kindOf, LATE, lineOf, noteLate, userOf } from "../columns/candidates.ts";
import { changesManager, keepManager, managerAfter, type NewManagers } from "../columns/new-managers.ts";
import type { Draft } from "../draft.ts";
import { pathInWords } from "../issues/cycle-words.ts";
import { describePerson } from "../person.ts";
import { type Cycle, cyclicChanges, type Tree } from "./tree.ts";
import type { LateManager } from "./waiting.ts";

const EMPTY_TREE: Tree = { ids: new Float64Array(0), managers: new Float64Array(0) };
/** For so few changes, only the managers above them are looked up; for more, all managers are read. */
const FEW = 10_000;

/** Drops new managers that would close a cycle. Returns the late managers that do not. */
export async function dropCycles(
  draft: Draft,
  after: NewManagers,
  late: readonly LateManager[],
): Promise<readonly LateManager[]> {
  const changed = listChanged(draft.candidates, after);
  if (changed.length === 0 && late.length === 0) return late;
  const users = new Float64Array(changed.length), managers = new Float64Array(changed.length);
  for (let i = 0; i < changed.length; i++) {
    users[i] = userOf(draft.candidates, changed[i]!);
    managers[i] = managerAfter(after, changed[i]!) ?? 0;
  }
  const lateUsers = Float64Array.from(late, ({ userId }) => userId);
  const lateManagers = Float64Array.from(late, ({ manager }) => manager);
  const tree = await treeAbove(draft, [users, lateUsers, managers, lateManagers], changed.length + late.length);
  const dropped = cyclicChanges(tree, { ids: users, managers });
  await noteCycles(draft, after, changed, dropped);
  if (late.length === 0) return late;
  // Managers of this input count before names from earlier ones that were not found then.
  const standing = Array.from(changed, (_, index) => index).filter((index) => !dropped.has(index));
  const treeAfter: Tree = {
    ids: Float64Array.from([...tree.ids, ...standing.map((index) => users[index]!)]),
    managers: Float64Array.from([...tree.managers, ...standing.map((index) => managers[index]!)]),
  };
  const refused = cyclicChanges(treeAfter, { ids: lateUsers, managers: lateManagers });
  return late.filter((_, index) => !refused.has(index));
}

async function treeAbove({ context }: Draft, people: readonly Float64Array[], changes: number): Promise<Tree> {
  const { lookups } = context;
  if (!lookups.hasUsers) return EMPTY_TREE;
  return changes <= FEW ? await lookups.managersAbove(people.flatMap((each) => [...each])) : await lookups.tree();
}

function listChanged(candidates: Candidates, after: NewManagers): Int32Array {
  const changed = new Int32Array(candidates.size);
  let count = 0;
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (changesManager(after, candidates, candidate)) changed[count++] = candidate;
  }
  return changed.subarray(0, count);
}

async function noteCycles(
  draft: Draft,
  after: NewManagers,
  changed: Int32Array,
  dropped: ReadonlyMap<number, Cycle>,
): Promise<void> {
  const { candidates, context } = draft;
  if (dropped.size === 0) return;
  // All people on a cycle share one path.
  const cycles = new Map([...new Set(dropped.values())].map((cycle) => [cycle, placesOf(cycle.path)]));
  const along = new Set([...cycles.keys()].flatMap((cycle) => cycle.path));
  const lines = linesOf(candidates, along);
  const unknown = [...along].filter((id) => !lines.has(id));
  const people = new Map(
    (unknown.length === 0 ? [] : await context.lookups.usersById(unknown)).map((
      user,
    ) => [user.id, describePerson(user)]),
  );
  const nameOf = (id: number) => lines.get(id) ?? people.get(id) ?? "somebody";
  for (const [index, cycle] of dropped) {
    const candidate = changed[index]!;
    keepManager(after, candidate);
    noteLate(candidates, candidate, LATE.managerCycle);
    const start = cycles.get(cycle)!.get(userOf(candidates, candidate)) ?? 0;
    draft.details.set(candidate, pathInWords(cycle.path, start, nameOf));
  }
}

function placesOf(path: readonly number[]): Map<number, number> {
  return new Map(path.map((id, place) => [id, place]));
}

/** New people by their lines. Other people have names, and a line only if their row was planned. */
function linesOf(candidates: Candidates, wanted: ReadonlySet<number>): Map<number, string> {
  const lines = new Map<number, string>();
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const line = lineOf(candidates, candidate);
    if (line === null || kindOf(candidates, candidate) !== "created") continue;
    const user = userOf(candidates, candidate);
    if (wanted.has(user)) lines.set(user, `line ${line}`);
  }
  return lines;
}
