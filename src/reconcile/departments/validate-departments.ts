/**
 * Validation of departments: a source record of a department file goes in, usable values, the status and issues come
 * out. A simpler validate.ts, for thousands of rows instead of millions. No I/O. No clock: today is passed in.
 */

import type { Issue, Severity, SourceRecord } from "../../model/record.ts";
import { exampleDepartment } from "../examples.ts";
import { foldName } from "../fold.ts";
import { missingName } from "../issues/required.ts";
import { textOf } from "../person.ts";
import type { ValidationRules } from "../validate.ts";
import { createActiveReader, createArchivedReader } from "../values/boolean.ts";
import { createDateReader } from "../values/date.ts";
import { refusedIssue } from "../values/issue.ts";
import { createTextReader, readId } from "../values/text.ts";
import { isRefusal, type Reader, type Value, withoutDoubt } from "../values/value.ts";

export type DepartmentRules = Pick<ValidationRules, "dateFormat" | "activeWords" | "emptyCells" | "today">;

export interface ValidatedDepartment {
  /** The name as shown; null: it could not be read, and the row is rejected. */
  readonly name: string | null;
  /** The name's comparable form; null when `name` is. */
  readonly folded: string | null;
  /** The source's stable key: with it, a new name is a rename. Null: the row has none. */
  readonly departmentId: string | null;
  /** Name of the department one level up; null: it has none; undefined: leave it alone. */
  readonly parent: string | null | undefined;
  /** null: could not be read, and the row is rejected. */
  readonly active: boolean | null;
  readonly activeReason: "is_active" | "deactivation_date" | null;
  /** A deactivation_date after today: the row must be planned again each day. */
  readonly deactivationFuture: boolean;
  readonly issues: readonly Issue[];
  /** An error rejects the row, unless the row is inactive and its department is known. */
  readonly fatal: boolean;
  /** The identity or the status could not be read: rejects the row in any case. */
  readonly keyFatal: boolean;
}

/** Compiles the rules; the validator never throws. */
export function createDepartmentValidator(rules: DepartmentRules): (record: SourceRecord) => ValidatedDepartment {
  const text = createTextReader(254);
  const date = createDateReader(rules.dateFormat, { openEnd: true });
  const isActive = createActiveReader(rules.activeWords), isArchived = createArchivedReader(rules.activeWords);

  return (record) => {
    const issues: Issue[] = [];
    const read = (field: string, reader: Reader, severity: Severity = "error") =>
      readCell(record, field, reader, severity, issues);
    const named = read("name", text), identified = read("department_id", readId);
    const parent = read("parent", text, "warning").value as string | null | undefined;
    const status = [read("is_active", isActive), read("is_archived", isArchived), read("deactivation_date", date)];
    const name = textOf(named.value), departmentId = textOf(identified.value), leaves = textOf(status[2]!.value);
    if (name === null && !named.isRefused) issues.push(missingName());

    const folded = name === null ? null : foldName(name), example = exampleDepartment(name, folded, departmentId);
    if (example !== null) issues.push(example);

    const saysInactive = status[0]!.value === false || status[1]!.value === true;
    const hasLeft = leaves !== null && leaves <= rules.today;
    const activeReason = saysInactive ? "is_active" : hasLeft ? "deactivation_date" : null;
    const statusRefused = status.some(({ isRefused }) => isRefused);
    return {
      name,
      folded,
      departmentId,
      parent: parent === null && rules.emptyCells === "keep" ? undefined : parent,
      active: activeReason !== null ? false : statusRefused ? null : true,
      activeReason,
      deactivationFuture: leaves !== null && !hasLeft,
      issues,
      fatal: name === null || identified.isRefused || statusRefused,
      keyFatal: example !== null || identified.isRefused || (name === null && departmentId === null) ||
        (statusRefused && activeReason === null),
    };
  };
}

/** A cell's value; undefined when the cell is absent, or refused with an issue. */
function readCell(
  record: SourceRecord,
  field: string,
  reader: Reader,
  severity: Severity,
  issues: Issue[],
): { readonly value: Value | undefined; readonly isRefused: boolean } {
  const cell = record[field];
  if (cell === undefined) return { value: undefined, isRefused: false };
  const value = withoutDoubt(reader(cell));
  if (!isRefusal(value)) return { value, isRefused: false };
  issues.push(refusedIssue(severity, field, cell, value));
  return { value: undefined, isRefused: true };
}
