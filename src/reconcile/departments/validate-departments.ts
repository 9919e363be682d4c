/**
 * Validation of departments: a source record of a department file goes in, usable values, the status and issues come
 * out. A simpler validate.ts, for thousands of rows instead of millions. No I/O. No clock: today is passed in.
 */

import type { Issue, SourceRecord } from "../../model/record.ts";
import { foldName } from "../fold.ts";
import { missingName } from "../issues/required.ts";
import type { ValidationRules } from "../validate.ts";
import { readActive, readArchived } from "../values/boolean.ts";
import { createDateReader } from "../values/date.ts";
import { refusedIssue } from "../values/issue.ts";
import { createTextReader, readId } from "../values/text.ts";
import { isRefusal, type Reader, type Value } from "../values/value.ts";

export type DepartmentRules = Pick<ValidationRules, "dateFormat" | "emptyCells" | "today">;

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
  const date = createDateReader(rules.dateFormat);

  return (record) => {
    const issues: Issue[] = [];
    // undefined: absent, or refused and dropped.
    const read = (field: string, reader: Reader, severity: Issue["severity"]): Value | undefined => {
      const cell = record[field];
      if (cell === undefined) return undefined;
      const value = reader(cell);
      if (typeof value !== "object" || value === null || !isRefusal(value)) return value;
      issues.push(refusedIssue(severity, field, cell, value));
      return undefined;
    };
    const errorsAfter = <T>(act: () => T): [T, boolean] => {
      const before = issues.length;
      return [act(), issues.length > before];
    };

    const [name, nameRefused] = errorsAfter(() => read("name", text, "error") as string | null | undefined);
    const [departmentId, idRefused] = errorsAfter(() =>
      read("department_id", readId, "error") as string | null | undefined
    );
    const parent = read("parent", text, "warning") as string | null | undefined;
    const [[says, archived, leaves], statusRefused] = errorsAfter(() =>
      [
        read("is_active", readActive, "error"),
        read("is_archived", readArchived, "error"),
        read("deactivation_date", date, "error") as string | null | undefined,
      ] as const
    );
    if (!nameRefused && (name === undefined || name === null)) issues.push(missingName());

    const leavesBy = leaves ?? null;
    const activeReason = says === false || archived === true
      ? "is_active"
      : leavesBy !== null && leavesBy <= rules.today
      ? "deactivation_date"
      : null;
    const unnamed = name === undefined || name === null;
    return {
      name: name ?? null,
      folded: unnamed ? null : foldName(name),
      departmentId: departmentId ?? null,
      parent: parent === null && rules.emptyCells === "keep" ? undefined : parent,
      active: activeReason !== null ? false : statusRefused ? null : true,
      activeReason,
      deactivationFuture: leavesBy !== null && leavesBy > rules.today,
      issues,
      fatal: unnamed || idRefused || statusRefused,
      keyFatal: idRefused || unnamed && typeof departmentId !== "string" || statusRefused && activeReason === null,
    };
  };
}
