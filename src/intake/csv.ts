/**
 * Delimited text to blocks of rows: the header first, then 256 KiB or so at a time.
 *
 * Records are cut and digested as bytes. Rows are decoded and parsed only on demand, all requested rows of a block in
 * one go. Cells stay as they are in the file, apostrophes included. No clock; no I/O but the stream.
 */
import Papa from "papaparse";
import type { ReadOptions, ReadReport } from "./reading.ts";
import { Fault } from "../model/errors.ts";
import type { Row, RowBlock } from "../model/record.ts";
import { findBeginning, refuseOtherHeader } from "./beginning.ts";
import { cleanHeader } from "./clean.ts";
import { createCutter, cutRecords, type Cuts } from "./cut.ts";
import { digestBytes } from "./digest.ts";
import { type ByteSource, openText } from "./encoding.ts";
import { joinRecords } from "./join.ts";
import { tightenQuotes } from "./tighten-quotes.ts";
import { decodeUtf8 } from "./utf8.ts";
import { createWindows, type Window } from "./window.ts";

/** Parses some records of a window into their cells. */
type Parse = (window: Window, cuts: Cuts, indexes: ArrayLike<number>) => string[][];

/**
 * Yields the rows after the header. Yields at least one block, so that a file with only a header shows its columns.
 * Throws Faults: `input_empty` (no header), `header_missing` (another line looks like the header), `encoding_invalid`,
 * `delimiter_ambiguous`, `quote_invalid`, `input_incomplete`, `too_large`.
 */
export async function* readCsv(
  stream: ByteSource,
  options: ReadOptions,
  report: ReadReport,
): AsyncGenerator<RowBlock, void> {
  const text = await openText(stream, options);
  const windows = createWindows(text.chunks, text.offset);
  const { maxColumns, maxRowBytes } = options;
  try {
    const beginning = await findBeginning(windows, options, headerOf);
    const { delimiter } = beginning;
    let { window } = beginning;
    report.delimiter = delimiter;

    const cutter = createCutter(delimiter?.charCodeAt(0) ?? 0, maxRowBytes, beginning.line);
    const parse = createParse(delimiter);
    let columns: readonly string[] | null = null;
    let isFirst = true;
    for (let from = 0;; from = 0) {
      if (columns === null) {
        const cuts = cutRecords(cutter, window, 0, 1);
        report.endsWithLineEnd = cuts.closed;
        if (cuts.count === 1) {
          columns = namesOf(parse(window, cuts, [0])[0]!, maxColumns);
          if (!options.isHeader(columns)) refuseOtherHeader(beginning, window, options, headerOf);
        }
        from = cuts.used;
      }
      if (columns !== null) {
        const cuts = cutRecords(cutter, window, from);
        if (cuts.count > 0) report.endsWithLineEnd = cuts.closed;
        const block = createBlock(columns, window, cuts, parse, maxColumns);
        if (window.last && !cuts.closed) refuseShortRow(block, cuts.count - 1);
        if (cuts.count > 0 || isFirst) yield block;
        isFirst = false;
        from = cuts.used;
      }
      if (window.last) break;
      window = await windows.next(from);
    }
    if (columns === null) {
      throw new Fault("input_empty", "The input is empty: it should have a header row, and a row for each record");
    }
  } finally {
    await windows.close();
  }
}

/** The names that the first record of a window would give as a header. Null: it has no whole record. */
function headerOf(window: Window, delimiter: ReadReport["delimiter"], options: ReadOptions): readonly string[] | null {
  const cuts = cutRecords(createCutter(delimiter?.charCodeAt(0) ?? 0, options.maxRowBytes), window, 0, 1);
  // A blank line is no header, although a record may follow it.
  if (cuts.count === 0 || cuts.starts[0] !== 0) return null;
  return namesOf(createParse(delimiter)(window, cuts, [0])[0]!, options.maxColumns);
}

/** Column names. Empty ones at the end are dropped. */
function namesOf(cells: readonly string[], maxColumns: number): readonly string[] {
  const names = cells.map(cleanHeader);
  while (names.length > 0 && names.at(-1) === "") names.pop();
  if (names.length > maxColumns) {
    throw new Fault("too_large", `The header has ${names.length} columns, over the limit of ${maxColumns} columns`);
  }
  return names;
}

/** Refuses a last row without a line end that has too few cells: the rest of it never arrived. */
function refuseShortRow(block: RowBlock, index: number): void {
  const row = block.rows([index])[0]!;
  if (row.cells.length >= row.columns.length) return;
  throw new Fault(
    "input_incomplete",
    `The input ends on line ${row.line}, after ${row.cells.length} of ${row.columns.length} cells: send the whole file`,
    { line: row.line },
  );
}

function createBlock(
  columns: readonly string[],
  window: Window,
  cuts: Cuts,
  parse: Parse,
  maxColumns: number,
): RowBlock {
  const { starts, ends, lines } = cuts;
  return {
    columns,
    count: cuts.count,
    digest: (index, salt, out, at) => digestBytes(window.bytes, starts[index]!, ends[index]!, salt, out, at),
    rows(indexes) {
      const rows: Row[] = [];
      const parsed = indexes.length === 0 ? [] : parse(window, cuts, indexes);
      for (let n = 0; n < parsed.length; n++) {
        const cells = parsed[n]!;
        // Extra delimiters at the end of a row mean nothing.
        while (cells.length > columns.length && cells[cells.length - 1]!.trim() === "") cells.pop();
        if (cells.length > maxColumns) throw tooWide(cells.length, lines[indexes[n]!]!, maxColumns);
        rows.push({ line: lines[indexes[n]!]!, origin: null, columns, cells });
      }
      return rows;
    },
    line: (index) => lines[index] ?? null,
  };
}

function tooWide(cells: number, line: number, maxColumns: number): Fault {
  return new Fault("too_large", `The row on line ${line} has ${cells} cells, over the limit of ${maxColumns} columns`, {
    line,
  });
}

function createParse(delimiter: ReadReport["delimiter"]): Parse {
  // Papa needs a delimiter. U+001F does not occur in text of one column.
  const parser = new Papa.Parser({ delimiter: delimiter ?? "\u001f", newline: "\n" });
  return (window, cuts, indexes) => {
    const text = textOf(window, cuts, indexes, delimiter);
    const rows = parser.parse(cuts.spaced ? tightenQuotes(text, delimiter) : text, 0, false).data as string[][];
    // The text ends with a line end, after which Papa sees one more, empty record.
    rows.pop();
    if (rows.length !== indexes.length) {
      throw new Fault("internal", `Parsing found ${rows.length} rows where cutting found ${indexes.length}`);
    }
    return rows;
  };
}

/** The text of these records, each followed by LF, whatever their line ends were. */
function textOf(
  { bytes, offset, last }: Window,
  cuts: Cuts,
  indexes: ArrayLike<number>,
  delimiter: ReadReport["delimiter"],
): string {
  const { count, starts, ends, lines, closed } = cuts;
  try {
    return joinRecords({ bytes, starts, ends }, indexes, 0x0a);
  } catch (fault) {
    // Record by record, to find the offset in the input and the line.
    for (let n = 0; n < indexes.length; n++) {
      const i = indexes[n]!;
      const tail = last && !closed && i === count - 1;
      decodeUtf8(bytes, starts[i]!, ends[i]!, offset, tail, lines[i]!, delimiter?.charCodeAt(0) ?? 0);
    }
    throw fault;
  }
}
