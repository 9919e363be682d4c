/** Parents of departments: they must exist, and must not form a cycle. Pure. */
import type { Piece } from "../../model/record.ts";
import { addTo } from "../../std/add-to.ts";
import type { KnownDepartment } from "./department-names.ts";
import { foldName } from "../fold.ts";
import { pathInWords } from "../issues/cycle-words.ts";
import { departmentCycle, parentNotFound } from "../issues/departments.ts";
import { isPlanned, type Item, reject } from "./item.ts";
import type { Names } from "./names.ts";

export function rejectParents(
  departments: readonly KnownDepartment[],
  items: readonly Item[],
  names: Names,
  parents: Map<Item, number | null>,
): void {
  const parentOf = new Map(departments.map((department) => [department.id, department.image.parent_id]));
  const nameById = new Map(departments.map((department) => [department.id, department.image.name]));
  const inInput = new Set<number>();
  const orphaned: Item[] = [];
  for (const item of items) {
    if (!isPlanned(item)) continue;
    if (item.record!.name !== null) {
      nameById.set(item.id, item.record!.name);
      inInput.add(item.id);
    }
    const { parent } = item.record!;
    if (parent === undefined) continue;
    const holder = parent === null ? null : names.get(foldName(parent))?.[0];
    if (holder === undefined) {
      reject(item, parentNotFound(parent!));
      orphaned.push(item);
      continue;
    }
    parents.set(item, holder === null ? null : holder.id);
    parentOf.set(item.id, holder === null ? null : holder.id);
  }
  failBelow(orphaned, items, names, new Set(departments.map((department) => department.image.folded)));
  const cycles = cyclesOf(parentOf);
  const nameOf = (id: number): Piece => {
    const name = nameById.get(id) ?? "another one";
    return inInput.has(id) ? name : { user: 0, is: name, otherwise: "another one" };
  };
  for (const item of items) {
    if (item.failed || !parents.has(item)) continue;
    const cycle = cycles.get(item.id);
    if (cycle === undefined) continue;
    reject(item, departmentCycle(item.record!.parent!, pathInWords(cycle.path, cycle.place, nameOf)));
  }
}

/** Fails rows below failed rows, level by level, unless another department has the parent's name. */
function failBelow(orphaned: Item[], items: readonly Item[], names: Names, known: ReadonlySet<string>): void {
  if (orphaned.length === 0) return;
  const below = new Map<string, Item[]>();
  for (const item of items) {
    const parent = item.record?.parent;
    if (item.failed || item.skipped || typeof parent !== "string") continue;
    addTo(below, foldName(parent), item);
  }
  for (const item of orphaned) {
    const folded = item.record!.folded;
    if (folded === null || known.has(folded) || names.get(folded)?.length !== 1) continue;
    for (const child of below.get(folded) ?? []) {
      if (child.failed) continue;
      reject(child, parentNotFound(child.record!.parent!));
      orphaned.push(child);
    }
  }
}

/** Departments on a cycle, with the cycle and their place in it. Visits each department once. */
function cyclesOf(
  parentOf: ReadonlyMap<number, number | null>,
): Map<number, { readonly path: readonly number[]; readonly place: number }> {
  const cycles = new Map<number, { path: readonly number[]; place: number }>();
  const seenFrom = new Map<number, number>();
  for (const start of parentOf.keys()) {
    const trail: number[] = [];
    let at: number | null = start;
    for (; at !== null && !seenFrom.has(at); at = parentOf.get(at) ?? null) {
      seenFrom.set(at, start);
      trail.push(at);
    }
    if (at === null || seenFrom.get(at) !== start) continue;
    const path = trail.slice(trail.indexOf(at));
    for (const [place, id] of path.entries()) cycles.set(id, { path, place });
  }
  return cycles;
}
