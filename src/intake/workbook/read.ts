/**
 * A sheet of a workbook to blocks of rows, as the other readers give them: the header first.
 *
 * The archive is in memory, packed; sheets are unpacked as they are read. Of two readings of the same bytes, equal rows
 * have equal digests, whichever program stored them: what counts is the text that each cell shows.
 */
import { Fault } from "../../model/errors.ts";
import type { RowBlock } from "../../model/record.ts";
import type { ReadOptions, ReadReport } from "../reading.ts";
import { headerElsewhere, MAX_LOOKED_AT } from "../beginning.ts";
import { digestCells } from "../digest.ts";
import { isReportColumn } from "../header.ts";
import { cleanHeader } from "../clean.ts";
import { readSheet, type SheetRow } from "./sheet.ts";
import { readWorkbook, type Sheet, type Workbook } from "./workbook.ts";
import type { Entries } from "./zip.ts";

/** Characters of a block's cells, and rows of a block, at most. */
const BLOCK_CHARACTERS = 128 * 1024, BLOCK_ROWS = 2_000;

/** Numbers of hidden rows that are named. */
const MOST_HIDDEN = 5;

type SheetOptions = Pick<ReadOptions, "sheet" | "isHeader" | "maxColumns" | "skipLines">;

/**
 * Yields the rows below the header; at least one block, so that a sheet of a header alone shows its columns. Throws
 * Faults: `workbook_invalid`, `too_large`, `input_empty`, `header_missing` where another row looks like the header.
 */
export function* readSheetRows(
  entries: Entries,
  options: SheetOptions,
  report: Pick<ReadReport, "endsWithLineEnd" | "sheet" | "hidden">,
): Generator<RowBlock, void> {
  const workbook = readWorkbook(entries);
  const sheet = pickSheet(workbook, options);
  report.endsWithLineEnd = true;
  report.sheet = options.sheet === null ? null : sheet.name;
  const hidden = report.hidden = { count: 0, lines: [] as number[] };
  const headerLine = findHeader(firstRows(workbook, sheet, options), options)?.line ?? Infinity;
  let columns: readonly string[] | null = null;
  let rows: SheetRow[] = [], characters = 0, shown = false;
  for (const row of readSheet(workbook, sheet, options.maxColumns)) {
    if (row.line < headerLine) continue;
    if (columns === null) {
      columns = namesOf(row);
      continue;
    }
    if (row.isHidden && hidden.count++ < MOST_HIDDEN) hidden.lines.push(row.line);
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

function pickSheet(workbook: Workbook, options: SheetOptions): Sheet {
  const { sheets } = workbook;
  const { sheet: wanted, isHeader, skipLines } = options;
  if (wanted !== null) {
    const found = sheets.find(({ name }) => name === wanted) ??
      sheets.find(({ name }) => name.trim().toLowerCase() === wanted.trim().toLowerCase());
    if (found !== undefined) return found;
    const names = sheets.map(({ name }) => `"${name}"`).join(", ");
    throw new Fault("workbook_invalid", `The workbook has no sheet "${wanted}"; its sheets are ${names || "none"}`);
  }
  const visible = sheets.filter(({ isHidden }) => !isHidden);
  const all = visible.map((sheet) => ({ sheet, rows: firstRows(workbook, sheet, options) }));
  const isUsable = (row: SheetRow | undefined) => row !== undefined && isHeader(namesOf(row));
  const found = all.find(({ rows }) => isUsable(rows.find(({ line }) => line > skipLines))) ??
    all.find(({ rows }) => rows.some(isUsable)) ?? all.find(({ rows }) => rows.length > 0) ?? all[0];
  if (found === undefined) throw new Fault("input_empty", "The workbook has no visible sheet with rows");
  return found.sheet;
}

/** The rows among which the header is looked for: those that are left out, and the one below them at least. */
function firstRows(workbook: Workbook, sheet: Sheet, { maxColumns, skipLines }: SheetOptions): SheetRow[] {
  const rows: SheetRow[] = [];
  for (const row of readSheet(workbook, sheet, maxColumns)) {
    if (rows.push(row) >= MAX_LOOKED_AT && row.line > skipLines) break;
  }
  return rows;
}

/** The row that is the header; undefined: there is none. Throws when another one looks like it instead. */
function findHeader(rows: readonly SheetRow[], { isHeader, skipLines }: SheetOptions): SheetRow | undefined {
  const first = rows.find(({ line }) => line > skipLines);
  if (first !== undefined && isHeader(namesOf(first))) return first;
  const other = rows.find((row) => isHeader(namesOf(row)));
  if (other === undefined) return first;
  // A failure report that comes back has nothing above its header, whatever the connection's files have.
  if (other.line <= skipLines && namesOf(other).some(isReportColumn)) return other;
  throw headerElsewhere(first?.line ?? skipLines + 1, other.line);
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
