/**
 * Makes the failure report: a CSV file, a workbook or JSON of the rows with issues, as a stream.
 *
 * CSV and workbook can be corrected and sent again: they have the input's own columns in their order with every cell,
 * and then the report's own columns, which tell the reader what the row was like. No I/O except for the given rows, no
 * clock.
 */
import { streamOf, streamText } from "../std/streams.ts";
import { keep, unprotect } from "../intake/apostrophe.ts";
import { isReportColumn, REPORT_COLUMNS } from "../intake/header.ts";
import type { Cell, Issue } from "../model/record.ts";
import { BYTE_ORDER_MARK, cellOf, LINE_END, quotedCellOf } from "./csv.ts";
import { writeWorkbook } from "./workbook.ts";

/** One row with its issues; `line` and `cells` as in Row. */
export interface ReportRow {
  /** Place in the input, from 0; below 0 for issues of the whole input, which are no row of CSV and workbooks. */
  readonly n: number;
  readonly line: number | null;
  readonly origin: string | null;
  readonly cells: readonly Cell[];
  readonly issues: readonly Issue[];
}

/** Properties of the input that the report keeps. */
export interface ReportInput {
  /** Field names, for records that had no file of their own. */
  readonly columns: readonly string[];
  /** Null: the input had none, and a comma is used. */
  readonly delimiter: string | null;
  /** The sheet of a workbook. */
  readonly sheet?: string;
  /** Whether a CSV file declares its delimiter in a line of its own: then it counts, whatever the connection has. */
  readonly isDeclared?: boolean;
}

type Rows = AsyncIterable<ReportRow> | Iterable<ReportRow>;

const DELIMITER = /[,;\t|]/;
/** Widths of a workbook's columns, in characters. */
const WIDTH = 14, WIDTHS: Readonly<Record<string, number>> = { _message: 60, _suggestion: 40, _line: 8 };

/** The report as CSV in UTF-8 with a byte order mark: one line per row with issues, in the given order. */
export function failureCsv(rows: Rows, input: ReportInput): ReadableStream<Uint8Array<ArrayBuffer>> {
  return streamText(csvText(rows, input));
}

/** The report as a workbook with the same rows; every cell is text. */
export function failureWorkbook(rows: Rows, input: ReportInput): ReadableStream<Uint8Array> {
  const widths = headerOf(input).map((name) => WIDTHS[name] ?? Math.max(WIDTH, Math.min(name.length + 2, 40)));
  return streamOf(writeWorkbook([{ name: sheetName(input), widths, rows: sheetRows(rows, input) }]));
}

/** The report as a JSON array: one object per issue, those of the whole input too. */
export function failureJson(rows: Rows): ReadableStream<Uint8Array<ArrayBuffer>> {
  return streamText(jsonText(rows));
}

/** Whether the CSV or workbook has a row at all. */
export async function hasReportRows(rows: Rows): Promise<boolean> {
  for await (const row of rows) if (isReported(row)) return true;
  return false;
}

async function* csvText(rows: Rows, input: ReportInput): AsyncGenerator<string> {
  const delimiter = input.delimiter ?? ",";
  const header = headerOf(input);
  // With quotes around every name, only the right delimiter splits the header.
  const written = header.map(header.some((name) => DELIMITER.test(name)) ? quotedCellOf : cellOf);
  const declared = input.isDeclared === true ? `sep=${delimiter}${LINE_END}` : "";
  yield BYTE_ORDER_MARK + declared + written.join(delimiter) + LINE_END;
  for await (const cells of reportedCells(rows, input)) yield cells.map(cellOf).join(delimiter) + LINE_END;
}

async function* sheetRows(rows: Rows, input: ReportInput): AsyncGenerator<readonly string[]> {
  yield headerOf(input).map(keep);
  for await (const cells of reportedCells(rows, input)) yield cells.map(keep);
}

/** The sheet keeps its name, so that a connection that reads a certain sheet finds it again. */
function sheetName({ sheet = "" }: ReportInput): string {
  return /^[^[\]:*?/\\]{1,31}$/.test(sheet) ? sheet : "Report";
}

/** Places of the input's own columns. If it is a report that was sent again, it already has the report's columns. */
function placesOf({ columns }: ReportInput): number[] {
  return columns.map((_, place) => place).filter((place) => !isReportColumn(columns[place]!));
}

function headerOf(input: ReportInput): string[] {
  return [...placesOf(input).map((place) => unprotect(input.columns[place]!)), ...REPORT_COLUMNS];
}

function isReported({ n, issues }: ReportRow): boolean {
  return n >= 0 && issues.length > 0;
}

/** The texts of each row that is reported, below the header: its own cells as they were, and the report's. */
async function* reportedCells(rows: Rows, input: ReportInput): AsyncGenerator<string[]> {
  const places = placesOf(input);
  for await (const row of rows) {
    if (!isReported(row)) continue;
    const own = REPORT_COLUMNS.map((column) => ownCell(column, row, input.columns, places));
    yield [...places.map((place) => unprotect(textOf(row.cells[place]))), ...own.map(unprotect)];
  }
}

async function* jsonText(rows: Rows): AsyncGenerator<string> {
  let before = "[\n";
  for await (const row of rows) {
    for (const { severity, code, field, value, message, suggestion } of row.issues) {
      yield before + JSON.stringify({ line: row.line, severity, code, field, value, message, suggestion });
      before = ",\n";
    }
  }
  yield before === "[\n" ? "[]\n" : "\n]\n";
}

function ownCell(
  column: (typeof REPORT_COLUMNS)[number],
  row: ReportRow,
  columns: readonly string[],
  places: readonly number[],
): string {
  switch (column) {
    case "_severity":
      return row.issues.some(({ severity }) => severity === "error") ? "error" : "warning";
    case "_codes":
      return joinOnce(row.issues.map(({ code }) => code), ", ");
    case "_fields":
      return joinOnce(row.issues.map(({ field }) => field ?? ""), ", ");
    case "_message":
      return joinOnce(row.issues.map(({ message }) => message), "; ");
    case "_suggestion":
      return joinOnce(row.issues.map(({ suggestion }) => suggestion), "; ");
    case "_extra":
      return listed(row.cells.slice(columns.length).map(textOf));
    case "_absent":
      return listed(places.filter((place) => row.cells[place] === undefined).map((place) => columns[place]!));
    case "_line":
      return String(row.line ?? row.origin ?? row.n + 1);
  }
}

function listed(texts: readonly string[]): string {
  return texts.length === 0 ? "" : JSON.stringify(texts);
}

function joinOnce(texts: readonly string[], separator: string): string {
  return [...new Set(texts)].filter((text) => text !== "").join(separator);
}

/** A cell as text; the values of a list are joined by commas. */
export function textOf(cell: Cell): string {
  if (typeof cell === "string") return cell;
  if (cell === null || cell === undefined) return "";
  if (Array.isArray(cell)) return cell.map((part) => textOf(part as Cell)).join(",");
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}
