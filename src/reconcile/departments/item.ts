/** A row of a department file while its plan is made. Departments are few, so all rows are kept. */
import type { Issue, Row } from "../../model/record.ts";
import type { KnownDepartment } from "./department-names.ts";
import type { ValidatedDepartment } from "./validate-departments.ts";

/** A row of a department on its way through planning. */
export interface Item {
  readonly n: number;
  readonly row: Row;
  readonly record: ValidatedDepartment | null;
  readonly issues: Issue[];
  known: KnownDepartment | null;
  id: number;
  failed: boolean;
  skipped: boolean;
  /** Whether the department stays open for now, as people are still in it. */
  waits: boolean;
}

/** Rejects the row. */
export function reject(item: Item, issue: Issue): void {
  item.failed = true;
  item.issues.push(issue);
}

/** Whether the row will change or keep its department. */
export function isPlanned(item: Item): boolean {
  return !item.failed && !item.skipped;
}
