/**
 * Delimited text to blocks of rows: the header first, then 256 KiB or so at a time.
 *
 * Records are cut and digested as bytes; only the rows that somebody asks for are decoded and parsed, all rows of a block
 * in one go. Cells stay as they are in the file, apostrophes included. No clock; no I/O but the stream handed in.
 */
import Papa from "papaparse";
import type { ReadOptions, ReadReport } from "./reading.ts";
import { Fault } from "../model/errors.ts";
import type { Row, RowBlock } from "../model/record.ts";
import { unprotect } from "./apostrophe.ts";
import { createCutter } from "./cut.ts";
import type { Cuts } from "./cut.ts";
import { tellDelimiter } from "./delimiter.ts";
import { digestBytes } from "./digest.ts";
import { openText } from "./encoding.ts";
import type { ByteSource } from "./encoding.ts";
import { decodeUtf8 } from "./utf8.ts";
import { createWindows } from "./window.ts";
import type { Window } from "./window.ts";

const SAMPLE_BYTES = 64 * 1024;

/** Turns records into rows' cells; knows the delimiter. */
type Parse = (bytes: Uint8Array, cuts: Cuts, indexes: ArrayLike<number>, offset: number, last: boolean) => string[][];

/**
 * Yields the rows after the header; at least one block, so that a file of a header alone shows its columns. Throws Faults:
 * `input_empty` (no header), `encoding_invalid`, `delimiter_ambiguous`, `quote_invalid`, `input_incomplete`, `too_large`.
 */
export async function* readCsv(
  stream: ByteSource,
  options: ReadOptions,
  report: ReadReport,
): AsyncGenerator<RowBlock, void> {
  const text = await openText(stream, options);
  const windows = createWindows(text.chunks, text.offset);
  try {
    let window = await windows.next(0);
    if (options.delimiter === "auto") {
      let detected = tell(window, options);
      while (detected === undefined) {
        window = await windows.next(0);
        detected = tell(window, options);
      }
      report.delimiter = detected;
    } else report.delimiter = options.delimiter;

    const cutter = createCutter(report.delimiter?.charCodeAt(0) ?? 0, options.maxRowBytes);
    const parse = createParse(report.delimiter);
    let columns: readonly string[] | null = null;
    let shown = false;
    for (let from = 0;; from = 0) {
      if (columns === null) {
        const { offset, last } = window;
        const cuts = cutter.cut(window.bytes, 0, window.length, last, offset, 1);
        report.endsWithLineEnd = cuts.closed;
        if (cuts.count === 1) columns = namesOf(parse(window.bytes, cuts, [0], offset, last)[0]!, options.maxColumns);
        from = cuts.used;
      }
      if (columns !== null) {
        const { bytes, length, last, offset } = window;
        const cuts = cutter.cut(bytes, from, length, last, offset);
        if (cuts.count > 0) report.endsWithLineEnd = cuts.closed;
        const block = createBlock(columns, window, cuts, parse, options.maxColumns);
        if (last && !cuts.closed) refuseShortRow(block, cuts.count - 1);
        // The first goes out even without rows: it shows the columns.
        if (cuts.count > 0 || !shown) yield block;
        shown = true;
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

function tell(window: Window, options: ReadOptions): ReadReport["delimiter"] | undefined {
  const { bytes, length, last } = window;
  if (length > SAMPLE_BYTES) {
    const detected = tellDelimiter(bytes, SAMPLE_BYTES, false, options.maxRowBytes);
    if (detected !== undefined) return detected;
  }
  return tellDelimiter(bytes, length, last, options.maxRowBytes);
}

/** Column names, trimmed; the empty ones at the end are no columns. */
function namesOf(cells: readonly string[], maxColumns: number): readonly string[] {
  const names = cells.map((cell) => unprotect(cell.trim()).trim());
  while (names.length > 0 && names.at(-1) === "") names.pop();
  if (names.length > maxColumns) {
    throw new Fault("too_large", `The header has ${names.length} columns, over the limit of ${maxColumns} columns`);
  }
  return names;
}

/** The last row of a file without a final line end, with cells missing: the rest of it never arrived. */
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
  const { bytes, offset, last } = window;
  const { starts, ends, lines } = cuts;
  return {
    columns,
    count: cuts.count,
    digest: (index, salt, out, at) => digestBytes(bytes, starts[index]!, ends[index]!, salt, out, at),
    rows(indexes) {
      const rows: Row[] = [];
      const parsed = indexes.length === 0 ? [] : parse(bytes, cuts, indexes, offset, last);
      for (let n = 0; n < parsed.length; n++) {
        const cells = parsed[n]!;
        // Delimiters too many at the end of a row say nothing.
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
  // Papa needs a delimiter; U+001F is one that no text of one column has.
  const parser = new Papa.Parser({ delimiter: delimiter ?? "\u001f", newline: "\n" });
  return (bytes, cuts, indexes, offset, last) => {
    const rows = parser.parse(joined(bytes, cuts, indexes, offset, last), 0, false).data as string[][];
    // The text ends with a line end, after which Papa sees one more, empty record.
    rows.pop();
    if (rows.length !== indexes.length) {
      throw new Fault("internal", `Parsing found ${rows.length} rows where cutting found ${indexes.length}`);
    }
    return rows;
  };
}

let scratch = new Uint8Array(0);

/** The records as text, each followed by LF, whatever their line ends were. */
function joined(bytes: Uint8Array, cuts: Cuts, indexes: ArrayLike<number>, offset: number, last: boolean): string {
  const { starts, ends, lines } = cuts;
  let size = 0;
  for (let n = 0; n < indexes.length; n++) size += ends[indexes[n]!]! - starts[indexes[n]!]! + 1;
  if (scratch.length < size) scratch = new Uint8Array(size);
  let used = 0;
  for (let n = 0; n < indexes.length;) {
    const start = starts[indexes[n]!]!;
    let end = ends[indexes[n]!]!;
    // Records with only an LF between them are copied together.
    for (n++; n < indexes.length && bytes[end] === 0x0a && starts[indexes[n]!] === end + 1; n++) {
      end = ends[indexes[n]!]!;
    }
    scratch.set(bytes.subarray(start, end), used);
    used += end - start;
    scratch[used++] = 0x0a;
  }
  try {
    return decodeUtf8(scratch, 0, used, 0, false, null);
  } catch (fault) {
    // Record by record, for the offset in the input and the line.
    for (let n = 0; n < indexes.length; n++) {
      const i = indexes[n]!;
      decodeUtf8(bytes, starts[i]!, ends[i]!, offset, last && !cuts.closed && i === cuts.count - 1, lines[i]!);
    }
    throw fault;
  }
}
