/**
 * Rows that failed, to be corrected one by one, and the report of those that were: the same file as a person would have
 * corrected in a spreadsheet and sent again, with fewer rows.
 */
import { unprotect } from "../intake/apostrophe.ts";
import { isReportColumn } from "../intake/header.ts";
import type { Cell } from "../model/record.ts";
import type { IssueRow } from "../reconcile/draft.ts";
import type { Database } from "../store/database.ts";
import { type IssueReader, rowsFor } from "../store/runs/issues.ts";
import type { StoredRun } from "../store/runs/runs.ts";
import { reportFile, type SmallFile } from "./file.ts";
import { textOf } from "./report.ts";
import { createWording } from "./wording.ts";

/** A cell of a failed row, as it came. */
export interface FailedCell {
  /** Place of its column. */
  readonly place: number;
  readonly column: string;
  readonly text: string;
  /** What is wrong with it. */
  readonly problems: readonly string[];
}

export interface FailedRow {
  readonly row: IssueRow;
  /** Of the columns that Muster reads. */
  readonly cells: readonly FailedCell[];
  /** Cells beyond the header's last column. */
  readonly extra: readonly string[];
  /** What is wrong with the row as a whole. */
  readonly problems: readonly string[];
  readonly who: string | null;
}

/** Rows that are given at most, and that are looked at for them: with more, it is mostly one mistake in all of them. */
const MAX_FAILED = 1000, MAX_ROWS = 20_000, MAX_CHARACTERS = 4_000_000;

/** The first rows with errors, in the input's order. `isCut`: there may be more. */
export async function listFailedRows(
  db: Database,
  { run }: StoredRun,
  reader: IssueReader,
): Promise<{ readonly rows: readonly FailedRow[]; readonly isCut: boolean }> {
  const rows: FailedRow[] = [], view = createView(run.input);
  let seen = 0, characters = 0;
  for await (const row of rowsFor(db, run.organizationId, run.id, reader)) {
    if (rows.length === MAX_FAILED || characters > MAX_CHARACTERS || seen++ === MAX_ROWS) return { rows, isCut: true };
    // A row that an erased person was in is empty.
    if (row.n < 0 || row.cells.length === 0 || !row.issues.some(({ severity }) => severity === "error")) continue;
    const failed = view(row);
    characters += failed.cells.reduce((sum, { text }) => sum + text.length, 0);
    rows.push(failed);
  }
  return { rows, isCut: false };
}

function createView(input: StoredRun["run"]["input"]): (row: IssueRow) => FailedRow {
  const { columns = [], fields = [] } = input ?? {}, { personOf, inTheirWords } = createWording(input);
  // Columns that named an erased person are gone, so the others have other places than their fields.
  const isRead = (place: number) => fields.length !== columns.length || fields[place] !== null;
  const places = columns.map((_, place) => place).filter((place) => !isReportColumn(columns[place]!) && isRead(place));
  return (row) => {
    const issues = row.issues.map((issue) => ({ field: issue.field, message: inTheirWords(issue).message }));
    const placeOf = (field: string | null) =>
      field === null ? undefined : places.find((place) => fields[place] === field || columns[place]!.trim() === field);
    const problemsAt = (wanted: number | undefined) =>
      issues.filter(({ field }) => placeOf(field) === wanted).map(({ message }) => message);
    return {
      row,
      cells: places.map((place) => ({
        place,
        column: unprotect(columns[place]!).trim(),
        text: unprotect(textOf(row.cells[place])),
        problems: problemsAt(place),
      })),
      extra: row.cells.slice(columns.length).map(textOf),
      problems: problemsAt(undefined),
      who: personOf(row.cells),
    };
  };
}

/** A row with other cells. */
export interface Correction {
  readonly row: IssueRow;
  /** New texts by the places of their columns. */
  readonly cells: ReadonlyMap<number, string>;
  /** Whether cells beyond the header's last column are left out. */
  readonly isCut: boolean;
}

/** The report of the corrected rows alone, in the form of the input. */
export function correctedReport(found: StoredRun, corrections: readonly Correction[]): SmallFile {
  const columns = found.run.input?.columns.length ?? 0;
  return reportFile(
    found,
    corrections.map(({ row, cells, isCut }) => {
      const all: Cell[] = isCut ? row.cells.slice(0, columns) : [...row.cells];
      for (const [place, text] of cells) all[place] = text;
      return { ...row, cells: all };
    }),
  );
}
