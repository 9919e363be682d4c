/** Rows that change nothing, and what is reported of rows. */
import type { Issue } from "../model/record.ts";
import { type Kind, MARK, mark, setKind } from "./columns/candidates.ts";
import type { RowToPlan } from "./columns/recognize.ts";
import type { Draft } from "./draft.ts";
import { totalRow } from "./issues/people.ts";
import { isTotal } from "./totals.ts";

/** The row changes nothing. Reports the reason if there is one. */
export function leaveOut(
  draft: Draft,
  candidate: number,
  kind: Kind,
  row: RowToPlan,
  key: string | null,
  issues: readonly Issue[],
): false {
  setKind(draft.candidates, candidate, kind);
  const reasons = kind === "failed" && isTotal(row.row.cells) ? [totalRow(row.row)] : issues;
  if (reasons.length > 0) report(draft, candidate, row, key, reasons);
  return false;
}

export function report(
  draft: Draft,
  candidate: number,
  { n, row }: RowToPlan,
  key: string | null,
  issues: readonly Issue[],
): void {
  if (issues.some((issue) => issue.severity === "warning")) mark(draft.candidates, candidate, MARK.warned);
  draft.context.report({ n, line: row.line, key, origin: row.origin, cells: row.cells, issues });
}
