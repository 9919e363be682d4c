/**
 * Makes the failure report: a CSV or JSON file of the rows with issues, as a stream.
 *
 * The CSV can be corrected and sent again: it has the input's own columns in their order with every cell, and then the
 * report's own columns, which are ignored when it is read. No I/O except for the given rows, no clock.
 */
import { streamText } from "../std/streams.ts";
import { protect, unprotect } from "../intake/apostrophe.ts";
import { REPORT_COLUMNS } from "../intake/header.ts";
import type { Cell, Issue } from "../model/record.ts";

/** One row with its issues; `line` and `cells` as in Row. Issues of the whole input: no line, no origin, no cells. */
export interface ReportRow {
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
}

const BYTE_ORDER_MARK = "\ufeff";
const LINE_END = "\r\n";
const DELIMITER = /[,;\t|]/;
/** All delimiters, not only the one in use, so that programs can detect that one. */
const NEEDS_QUOTES = /[",;\t|\r\n]|^[ \ufeff]| $/;

/**
 * The report as CSV in UTF-8 with a byte order mark: one line per row with issues, in the given order, which is that of the
 * input, with the issues of the whole input first.
 */
export function failureCsv(
  rows: AsyncIterable<ReportRow> | Iterable<ReportRow>,
  input: ReportInput,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return streamText(csvText(rows, input));
}

/** The report as a JSON array: one object per issue, in the order of failureCsv. */
export function failureJson(
  rows: AsyncIterable<ReportRow> | Iterable<ReportRow>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return streamText(jsonText(rows));
}

async function* csvText(
  rows: AsyncIterable<ReportRow> | Iterable<ReportRow>,
  input: ReportInput,
): AsyncGenerator<string> {
  const delimiter = input.delimiter ?? ",";
  const own = REPORT_COLUMNS as readonly string[];
  // If the input is a report that was sent again, it already has the report's columns.
  const places = input.columns.map((_, place) => place).filter((place) => !own.includes(input.columns[place]!));
  const header = [...places.map((place) => input.columns[place]!), ...own];
  // With quotes around every name, only the right delimiter splits the header.
  const written = header.some((name) => DELIMITER.test(name)) ? header.map(quotedCellOf) : header.map(cellOf);
  yield BYTE_ORDER_MARK + written.join(delimiter) + LINE_END;
  for await (const row of rows) {
    if (row.issues.length === 0) continue;
    const cells = places.map((place) => cellOf(textOf(row.cells[place])));
    yield cells.concat(own.map((column) => cellOf(ownCell(column, row, input.columns.length)))).join(delimiter) +
      LINE_END;
  }
}

async function* jsonText(rows: AsyncIterable<ReportRow> | Iterable<ReportRow>): AsyncGenerator<string> {
  let before = "[\n";
  for await (const row of rows) {
    for (const { severity, code, field, value, message, suggestion } of row.issues) {
      yield before + JSON.stringify({ line: row.line, severity, code, field, value, message, suggestion });
      before = ",\n";
    }
  }
  yield before === "[\n" ? "[]\n" : "\n]\n";
}

function ownCell(column: string, row: ReportRow, width: number): string {
  switch (column) {
    case "_line":
      return String(row.line ?? row.origin ?? "");
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
      return row.cells.length > width ? JSON.stringify(row.cells.slice(width).map(textOf)) : "";
    default:
      return "";
  }
}

function joinOnce(texts: readonly string[], separator: string): string {
  return [...new Set(texts)].filter((text) => text !== "").join(separator);
}

/** A cell as text; the values of a list are joined by commas. */
function textOf(cell: Cell): string {
  if (typeof cell === "string") return cell;
  if (cell === null || cell === undefined) return "";
  if (Array.isArray(cell)) return cell.map((part) => textOf(part as Cell)).join(",");
  return typeof cell === "object" ? JSON.stringify(cell) : String(cell);
}

/** A cell that spreadsheets neither execute nor convert, and that is read back as the same value. */
function cellOf(text: string): string {
  const cell = protect(unprotect(text), "exact");
  return NEEDS_QUOTES.test(cell) ? quote(cell) : cell;
}

function quotedCellOf(text: string): string {
  return quote(protect(unprotect(text), "exact"));
}

function quote(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`;
}
