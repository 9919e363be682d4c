/** Names after a department file is applied, and rows that share a name or department_id. Pure. */
import { addTo } from "../../std/add-to.ts";
import type { KnownDepartment } from "./department-names.ts";
import { duplicateInInput, identityConflict } from "../issues/people.ts";
import { isPlanned, type Item, reject } from "./item.ts";

/** By folded name: rows, and departments that are not in the input. */
export type Names = Map<string, (Item | KnownDepartment)[]>;

/** The future owners of each name: rows, and departments that the input does not rename. */
export function namesAfter(departments: readonly KnownDepartment[], items: readonly Item[]): Names {
  const names: Names = new Map();
  const planned = items.filter(isPlanned);
  const renamed = new Set(planned.filter((item) => item.record!.folded !== null).map((item) => item.id));
  for (const department of departments) {
    if (!renamed.has(department.id)) addTo(names, department.image.folded, department);
  }
  for (const item of planned) if (item.record!.folded !== null) addTo(names, item.record!.folded, item);
  return names;
}

/** Rejects rows with the same department_id or name. Each message names the other rows. */
export function rejectDuplicates(items: readonly Item[], keyOf: (item: Item) => string | null, field: string): void {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== null) addTo(groups, key, item);
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
    if (!isPlanned(item) || item.record!.folded === null) continue;
    const holder = names.get(item.record!.folded)!.find((other) => "image" in other);
    if (holder !== undefined && "image" in holder) {
      const why = ["the name belongs to another department, which keeps it"];
      const suggestion = "Choose another name, or rename the other one in the same file";
      reject(item, identityConflict("name", item.record!.name, why, suggestion));
    }
  }
}
