/**
 * Where a table begins in its text, and with which delimiter: below a line `sep=;`, and below the lines that the connection
 * leaves out. Where the first row is not the header, the line that looks like it is named, and not used: a guess could be
 * a row of data. No I/O but the windows. No clock.
 */
import { Fault } from "../model/errors.ts";
import { type Delimiter, DELIMITERS, detectDelimiter } from "./delimiter.ts";
import { isReportColumn } from "./header.ts";
import type { ReadOptions } from "./reading.ts";
import type { Window, Windows } from "./window.ts";
import { sizeInWords } from "../std/size.ts";

const SAMPLE_BYTES = 64 * 1024;
/** How many lines are looked at for one that could be the header. */
export const MAX_LOOKED_AT = 20;
/** A line `sep=;` has at most so many bytes, with the delimiters that spreadsheets add. */
const MAX_SEP_BYTES = 1024;

const LF = 0x0a, CR = 0x0d;

type Options = Pick<
  ReadOptions,
  "delimiter" | "skipLines" | "maxRowBytes" | "isHeader"
>;

/** The names that the first record of a window would give as a header. Null: it has no whole record. */
type HeaderOf<O> = (window: Window, delimiter: Delimiter | null, options: O) => readonly string[] | null;

export interface Beginning {
  /** Begins where the table does. */
  readonly window: Window;
  readonly delimiter: Delimiter | null;
  /** The physical line on which it begins. */
  readonly line: number;
  /** A line that is left out, although it looks like the header. */
  readonly skippedHeader: number | null;
}

/** A line that could be the header. */
interface HeaderLine {
  readonly line: number;
  /** Where it begins in its window. */
  readonly start: number;
  readonly names: readonly string[];
}

/** Throws Faults: `delimiter_ambiguous`, `header_missing`, `too_large`. */
export async function findBeginning<O extends Options>(
  windows: Windows,
  options: O,
  headerOf: HeaderOf<O>,
): Promise<Beginning> {
  let window = await windows.next(0);
  const sep = readSep(window);
  const skip = Math.max(options.skipLines, sep === null ? 0 : 1);
  let line = 1;
  let skippedHeader: number | null = null;
  if (skip > 0) {
    let start = startOfLine(window, skip, options);
    while (start < 0) {
      window = await windows.next(0);
      start = startOfLine(window, skip, options);
    }
    const skipped = findHeader({ ...window, length: start, last: true }, 1, options, headerOf);
    // A failure report that comes back has nothing above its header, whatever the connection's files have.
    const isReport = skipped?.names.some(isReportColumn) ?? false;
    line = isReport ? skipped!.line : skip + 1;
    skippedHeader = isReport ? null : skipped?.line ?? null;
    window = await windows.next(isReport ? skipped!.start : start);
  }
  const declared = sep?.delimiter ??
    (options.delimiter === "auto" ? undefined : options.delimiter);
  const at = { line, skippedHeader };
  if (declared !== undefined) return { ...at, window, delimiter: declared };
  for (;; window = await windows.next(0)) {
    const delimiter = detect({ ...at, window, delimiter: null }, options, headerOf);
    if (delimiter !== undefined) return { ...at, window, delimiter };
  }
}

/** Throws when another line than the first of the table looks like its header. `window` begins where the table does. */
export function refuseOtherHeader<O extends Options>(
  { line, skippedHeader }: Beginning,
  window: Window,
  options: O,
  headerOf: HeaderOf<O>,
): void {
  const found = findHeader(window, line, options, headerOf)?.line ?? skippedHeader;
  if (found !== null && found !== line) throw headerElsewhere(line, found);
}

/** `line`: where the header should be; `found`: where a line looks like it. */
export function headerElsewhere(line: number, found: number): Fault {
  const what = found > line
    ? `The header is not on line ${line}, but line ${found} looks like it: set the connection's skip_lines to ` +
      `${found - 1}, or delete the lines above it`
    : `Line ${found} looks like the header, but the connection leaves it out: set its skip_lines to ${found - 1}`;
  return new Fault("header_missing", what, { line: found });
}

/** Undefined: the window does not hold one whole record. */
function detect<O extends Options>(
  beginning: Beginning,
  options: O,
  headerOf: HeaderOf<O>,
): Delimiter | null | undefined {
  const { window } = beginning;
  try {
    if (window.length > SAMPLE_BYTES) {
      const detected = detectDelimiter({ ...window, length: SAMPLE_BYTES, last: false }, options.maxRowBytes);
      if (detected !== undefined) return detected;
    }
    return detectDelimiter(window, options.maxRowBytes);
  } catch (fault) {
    // Lines above the header may be cut alike in several ways, as prose is.
    refuseOtherHeader(beginning, window, options, headerOf);
    throw fault;
  }
}

/** The first line that some delimiter makes a header. `line`: the one that the window begins on. */
function findHeader<O extends Options>(
  window: Window,
  line: number,
  options: O,
  headerOf: HeaderOf<O>,
): HeaderLine | null {
  const delimiters = options.delimiter === "auto" ? DELIMITERS : [options.delimiter];
  let start = 0;
  for (let n = 0; n < MAX_LOOKED_AT && start < window.length; n++) {
    const rest = { ...window, bytes: window.bytes.subarray(start), length: window.length - start };
    for (const delimiter of delimiters) {
      const names = namesIn(rest, delimiter, options, headerOf);
      if (names !== null && options.isHeader(names)) return { line: line + n, start, names };
    }
    const next = nextLine(window, start);
    if (next < 0) break;
    start = next;
  }
  return null;
}

/** Null: this delimiter breaks the record, or there is none. */
function namesIn<O extends Options>(
  window: Window,
  delimiter: Delimiter,
  options: O,
  headerOf: HeaderOf<O>,
): readonly string[] | null {
  try {
    return headerOf(window, delimiter, options);
  } catch (fault) {
    if (fault instanceof Fault) return null;
    throw fault;
  }
}

/**
 * What a first line such as `sep=;` sets, which Excel reads and other programs write out again with delimiters or quotes.
 * Null: the first line is none. No delimiter: it was written out again with another one, so the rows decide.
 */
function readSep({ bytes, length }: Window): { delimiter: Delimiter | undefined } | null {
  const head = new TextDecoder().decode(bytes.subarray(0, Math.min(length, MAX_SEP_BYTES)));
  const found = /^[^\S\r\n]*"?sep=([,;\t|])"?([,;\t|]*) *(?:[\r\n]|$)/i.exec(head);
  if (found === null) return null;
  const [, delimiter, added] = found;
  return { delimiter: [...added!].every((byte) => byte === delimiter) ? delimiter as Delimiter : undefined };
}

/** Where the line begins that so many lines are above; -1: the window ends before it, and the input does not. */
function startOfLine(window: Window, lines: number, { maxRowBytes }: Options): number {
  let start = 0;
  for (let n = 0; n < lines; n++) {
    const next = nextLine(window, start);
    if (next < 0 && window.last) return window.length;
    if (next < 0 && window.length - start > maxRowBytes) {
      throw new Fault("too_large", `Line ${n + 1} is over the limit of ${sizeInWords(maxRowBytes)}`, { line: n + 1 });
    }
    if (next < 0) return -1;
    start = next;
  }
  return start;
}

/** Where the next line begins; -1: the window ends before it. */
function nextLine({ bytes, length, last }: Window, start: number): number {
  let end = start;
  while (end < length && bytes[end] !== LF && bytes[end] !== CR) end++;
  if (end >= length) return -1;
  if (bytes[end] !== CR) return end + 1;
  if (end + 1 >= length) return last ? length : -1;
  return bytes[end + 1] === LF ? end + 2 : end + 1;
}
