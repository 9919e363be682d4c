/** Rows with fewer cells than the header, in a plan: which wait, and which are errors. Pure. */
import type { Issue } from "../model/record.ts";
import type { RowToPlan } from "./columns/recognize.ts";
import type { Draft } from "./draft.ts";
import { brokenLine, cellCount, shortAndNew } from "./issues/people.ts";
import type { Found } from "./match.ts";
import { areShifted, isShort } from "./short-rows.ts";

export function addShort({ shortRows }: Draft, { n, row }: RowToPlan, isNobody: boolean): boolean {
  return shortRows.add({ n, line: row.line, cells: row.cells.length, columns: row.columns.length, isNobody });
}

/** Whether a short row waits for the end of the input, which shows what it is. */
export function waits(draft: Draft, row: RowToPlan, { link, byEmployeeId, byEmail, byPhone }: Found): boolean {
  return addShort(draft, row, link === null && byEmployeeId === null && byEmail.length + byPhone.length === 0);
}

/** Why a short row is more than one without its last cells: its values, or the row beside it, show it. */
export function whyCut({ shortRows }: Draft, row: RowToPlan, issues: readonly Issue[]): Issue | null {
  if (!isShort(row.row)) return null;
  if (shortRows.isBroken(row.n)) return brokenLine(row.row);
  return areShifted(issues) ? cellCount(row.row) : null;
}

/** Why somebody new is not made of the row: no other row is as short. */
export function whyLone({ shortRows }: Draft, { row }: RowToPlan): Issue | null {
  return isShort(row) && !shortRows.isUsual(row.cells.length) ? shortAndNew(row) : null;
}
