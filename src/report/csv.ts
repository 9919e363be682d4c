/** Cells of the CSV files that the hub writes: CSV as RFC 4180 has it, and safe in a spreadsheet. No I/O. */
import { protect } from "../intake/apostrophe.ts";

/** Spreadsheets recognize UTF-8 by it. */
export const BYTE_ORDER_MARK = "\ufeff";
export const LINE_END = "\r\n";
/** All delimiters, not only the one in use, so that programs can detect that one. */
const NEEDS_QUOTES = /[",;\t|\r\n]|^[ \ufeff]| $/;

/** A cell that spreadsheets neither execute nor convert, and that is read back as the same text. */
export function cellOf(text: string): string {
  const cell = protect(text, "exact");
  return NEEDS_QUOTES.test(cell) ? quote(cell) : cell;
}

/** The same, in quotes in any case. */
export function quotedCellOf(text: string): string {
  return quote(protect(text, "exact"));
}

/** A line of cells with commas, and its end. */
export function lineOf(cells: readonly string[]): string {
  return cells.map(cellOf).join(",") + LINE_END;
}

function quote(cell: string): string {
  return `"${cell.replaceAll('"', '""')}"`;
}
