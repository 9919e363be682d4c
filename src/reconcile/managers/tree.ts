/**
 * Finds cycles among managers, over the whole organization, once every new manager is known. Pure.
 *
 * People are numbers here; a million of them cost a few typed arrays and one visit each.
 */

/** The managers of now: `managers[i]` is the manager of `ids[i]`. People without a manager may be left out. */
export interface Tree {
  readonly ids: Float64Array;
  readonly managers: Float64Array;
}

/** `managers[i]` becomes the manager of `ids[i]`; 0 takes the manager away. In any order, each id once. */
export interface ManagerChanges {
  readonly ids: Float64Array;
  readonly managers: Float64Array;
}

export interface Cycle {
  /** Users along the cycle, each managed by the next, the last by the first. */
  readonly path: readonly number[];
}

/**
 * The changes that would close a cycle, as indexes into `changes`, each with its cycle. Dropping a change restores the
 * old manager, which may close another cycle, so the search repeats until there is none.
 */
export function cyclicChanges(tree: Tree, changes: ManagerChanges): Map<number, Cycle> {
  const dropped = new Map<number, Cycle>();
  if (changes.ids.length === 0) return dropped;
  const nodes = sortedUnion(tree.ids, changes.ids);
  const parent = new Int32Array(nodes.length).fill(-1);
  for (let i = 0; i < tree.ids.length; i++) parent[indexOf(nodes, tree.ids[i]!)] = indexOf(nodes, tree.managers[i]!);
  // If nobody has a manager yet, no old manager can be restored.
  const old = tree.ids.length === 0 ? null : new Int32Array(changes.ids.length);
  const changeOf = new Int32Array(nodes.length).fill(-1);
  for (let i = 0; i < changes.ids.length; i++) {
    const node = indexOf(nodes, changes.ids[i]!);
    if (old !== null) old[i] = parent[node]!;
    changeOf[node] = i;
    parent[node] = changes.managers[i] === 0 ? -1 : indexOf(nodes, changes.managers[i]!);
  }
  for (let found = true; found;) {
    found = false;
    const state = new Int32Array(nodes.length);
    for (let start = 0; start < nodes.length; start++) {
      let node = start;
      for (; node >= 0 && state[node] === 0; node = parent[node]!) state[node] = start + 1;
      if (node < 0 || state[node] !== start + 1) continue;
      const path = [node];
      for (let next = parent[node]!; next !== node; next = parent[next]!) path.push(next);
      const cycle = { path: path.map((index) => nodes[index]!) };
      for (const member of path) {
        const change = changeOf[member]!;
        if (change < 0) continue;
        dropped.set(change, cycle);
        parent[member] = old === null ? -1 : old[change]!;
        changeOf[member] = -1;
        found = true;
      }
      // A cycle that exists already has no change to drop.
    }
  }
  return dropped;
}

/** People who have or get a manager, as nodes. People above all of them are not nodes: a path ends there. */
function sortedUnion(...lists: Float64Array[]): Float64Array {
  const all = new Float64Array(lists.reduce((sum, list) => sum + list.length, 0));
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  all.sort();
  let size = 0;
  for (let i = 0; i < all.length; i++) {
    if (all[i] !== 0 && (size === 0 || all[i] !== all[size - 1])) all[size++] = all[i]!;
  }
  return all.subarray(0, size);
}

/** The place of `id` in `nodes` (ascending), or -1. */
function indexOf(nodes: Float64Array, id: number): number {
  let low = 0, high = nodes.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (nodes[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return nodes[low] === id ? low : -1;
}
