/**
 * A sheet of a workbook to blocks of rows, as the other readers give them: the header first.
 *
 * The archive is in memory, packed; sheets are unpacked as they are read. Of two readings of the same bytes, equal rows
 * have equal digests, whichever program stored them: what counts is the text that each cell shows.
 */
import { Fault } from "../../model/errors.ts";
import type { RowBlock } from "../../model/record.ts";
import type { ReadOptions, ReadReport } from "../reading.ts";
import { digestCells } from "../digest.ts";
import { cleanHeader } from "../clean.ts";
import { readSheet, type SheetRow } from "./sheet.ts";
import { readWorkbook, type Sheet, type Workbook } from "./workbook.ts";
import type { Entries } from "./zip.ts";

/** Characters of a block's cells, and rows of a block, at most. */
const BLOCK_CHARACTERS = 128 * 1024, BLOCK_ROWS = 2_000;

type SheetOptions = Pick<ReadOptions, "sheet" | "isHeader" | "maxColumns">;

/**
 * Yields the rows below the header; at least one block, so that a sheet of a header alone shows its columns. Throws
 * Faults: `workbook_invalid`, `too_large`, `input_empty`.
 */
export function* readSheetRows(
  entries: Entries,
  options: SheetOptions,
  report: Pick<ReadReport, "endsWithLineEnd" | "sheet">,
): Generator<RowBlock, void> {
  const workbook = readWorkbook(entries);
  const sheet = pickSheet(workbook, options);
  report.endsWithLineEnd = true;
  report.sheet = options.sheet === null ? null : sheet.name;
  let columns: readonly string[] | null = null;
  let rows: SheetRow[] = [], characters = 0, shown = false;
  for (const row of readSheet(workbook, sheet, options.maxColumns)) {
    if (columns === null) {
      columns = namesOf(row);
      continue;
    }
    rows.push(row);
    for (const cell of row.cells) characters += cell.length;
    if (characters < BLOCK_CHARACTERS && rows.length < BLOCK_ROWS) continue;
    yield createBlock(columns, rows);
    shown = true;
    rows = [];
    characters = 0;
  }
  if (columns === null) {
    throw new Fault("input_empty", `The sheet "${sheet.name}" is empty: it should have a header row`);
  }
  // The first goes out even without rows: it shows the columns.
  if (rows.length > 0 || !shown) yield createBlock(columns, rows);
}

function pickSheet(workbook: Workbook, { sheet: wanted, isHeader, maxColumns }: SheetOptions): Sheet {
  const { sheets } = workbook;
  if (wanted !== null) {
    const found = sheets.find(({ name }) => name === wanted) ??
      sheets.find(({ name }) => name.trim().toLowerCase() === wanted.trim().toLowerCase());
    if (found !== undefined) return found;
    const names = sheets.map(({ name }) => `"${name}"`).join(", ");
    throw new Fault("workbook_invalid", `The workbook has no sheet "${wanted}"; its sheets are ${names || "none"}`);
  }
  const visible = sheets.filter(({ isHidden }) => !isHidden);
  const headers = visible.map((sheet) => ({ sheet, header: firstRow(workbook, sheet, maxColumns) }));
  const found = headers.find(({ header }) => header !== null && isHeader(namesOf(header))) ??
    headers.find(({ header }) => header !== null) ?? headers[0];
  if (found === undefined) throw new Fault("input_empty", "The workbook has no visible sheet with rows");
  return found.sheet;
}

function firstRow(workbook: Workbook, sheet: Sheet, maxColumns: number): SheetRow | null {
  for (const row of readSheet(workbook, sheet, maxColumns)) return row;
  return null;
}

function namesOf({ cells }: SheetRow): readonly string[] {
  return cells.map(cleanHeader);
}

function createBlock(columns: readonly string[], rows: readonly SheetRow[]): RowBlock {
  return {
    columns,
    count: rows.length,
    digest: (index, salt, out, at) => digestCells(rows[index]!.cells, salt, out, at),
    rows: (indexes) =>
      Array.from(indexes, (index) => {
        const { line, cells } = rows[index]!;
        // A cell of a sheet that is not stored is an empty one.
        const missing = Math.max(0, columns.length - cells.length);
        return { line, origin: null, columns, cells: [...cells, ...Array<string>(missing).fill("")] };
      }),
    line: (index) => rows[index]?.line ?? null,
  };
}
