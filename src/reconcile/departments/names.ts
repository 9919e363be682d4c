/** Names after a department file is applied, and rows that share a name or department_id. Pure. */
import type { KnownDepartment } from "./department-names.ts";
import { duplicateInInput, identityConflict } from "../issues/people.ts";
import { isStanding, type Item, reject } from "./item.ts";

/** By folded name: rows, and departments that are not in the input. */
export type Names = Map<string, (Item | KnownDepartment)[]>;

/** The future owners of each name: rows, and departments that the input does not rename. */
export function namesAfter(
  departments: readonly KnownDepartment[],
  items: readonly Item[],
): Names {
  const names: Names = new Map();
  const standing = items.filter(isStanding);
  const renamed = new Set(standing.filter((item) => item.record!.folded !== null).map((item) => item.id));
  const add = (folded: string, holder: Item | KnownDepartment) =>
    names.set(folded, [...(names.get(folded) ?? []), holder]);
  for (const department of departments) if (!renamed.has(department.id)) add(department.image.folded, department);
  for (const item of standing) if (item.record!.folded !== null) add(item.record!.folded, item);
  return names;
}

/** Rejects rows with the same department_id or name. Each message names the other rows. */
export function rejectDuplicates(items: readonly Item[], keyOf: (item: Item) => string | null, field: string): void {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  for (const group of groups.values()) {
    if (group.length < 2) continue;
    const first = group.slice(0, 11);
    for (const item of group) {
      const others = first.filter((other) => other !== item).map((other) => other.row.line ?? other.n + 1);
      const value = field === "name" ? item.record!.name : item.record!.departmentId;
      reject(item, duplicateInInput(field, value!, `line ${others.slice(0, 10).join(", ")}`, "department"));
    }
  }
}

/** Rejects rows whose name belongs to a department that the input does not rename. */
export function rejectTakenNames(items: readonly Item[], names: Names): void {
  for (const item of items) {
    if (!isStanding(item) || item.record!.folded === null) continue;
    const holder = names.get(item.record!.folded)!.find((other) => "image" in other);
    if (holder !== undefined && "image" in holder) {
      const why = ["the name belongs to another department, which keeps it"];
      const suggestion = "Choose another name, or rename the other one in the same file";
      reject(item, identityConflict("name", item.record!.name, why, suggestion));
    }
  }
}
