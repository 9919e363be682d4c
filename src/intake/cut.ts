/**
 * UTF-8 bytes of delimited text to records, on the bytes alone: quotes and line ends, nothing is decoded.
 *
 * RFC 4180: a cell that begins with a quote ends with one; a quote anywhere else is text. White space around a quoted cell
 * does not belong to it. Line ends are CRLF, LF, CR or a mixture. Ambiguous input is a Fault with the line where it began,
 * never a guess. No I/O. No clock.
 */
import { Fault } from "../model/errors.ts";
import { grown } from "../std/typed-arrays.ts";
import { nulFault } from "./invalid-bytes.ts";
import { isCellStart, MAX_SPACE_BYTES, spaceAt } from "./white-space.ts";
import type { Window } from "./window.ts";
import { sizeInWords } from "../std/size.ts";

/** A quoted cell with more line breaks or bytes than these has lost its closing quote. */
const MAX_BREAKS = 20;
const MAX_QUOTED_BYTES = 64 * 1024;

const LF = 0x0a, CR = 0x0d, QUOTE = 0x22, SPACE = 0x20;

/**
 * Records found in one window: record `i` is `bytes[starts[i], ends[i])`, without its line end, and begins on
 * `lines[i]`.
 */
export interface Cuts {
  readonly count: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly lines: Int32Array;
  /** Where the first record begins that is not whole yet; the window's length when there is none. */
  readonly used: number;
  /** False: the last record of the input ended without a line end. */
  readonly closed: boolean;
  /** Whether white space is around a quoted cell, which parsing then has to remove first. */
  readonly spaced: boolean;
}

export interface Cutter {
  /** A byte; 0 for text of one column. */
  readonly delimiter: number;
  readonly maxRowBytes: number;
  /** The line on which the current record begins. */
  line: number;
  /** Line breaks inside quotes of the current record. */
  breaks: number;
  /** Whether white space was around a quoted cell of the current window. */
  spaced: boolean;
}

/** `line`: the one that the first record begins on. */
export function createCutter(delimiter: number, maxRowBytes: number, line = 1): Cutter {
  return { delimiter, maxRowBytes, line, breaks: 0, spaced: false };
}

/** Cuts a window from `from`, where a record begins: at most `max` records. Counts lines on from call to call. */
export function cutRecords(cutter: Cutter, window: Window, from: number, max = Infinity): Cuts {
  const { bytes, length, last } = window;
  const room = Math.min(max, 1024);
  let starts = new Int32Array(room), ends = new Int32Array(room), lines = new Int32Array(room);
  let count = 0;
  let start = from;
  let closed = true;
  cutter.breaks = 0;
  cutter.spaced = false;
  while (count < max && start < length) {
    const end = findEnd(cutter, window, start);
    if (end - start > cutter.maxRowBytes) throw tooLong(cutter);
    // At the end of a window, a record is not whole; nor is a CR that an LF may follow.
    if (!last && (end >= length || (bytes[end] === CR && end + 1 >= length))) break;
    if (!isBlank(bytes, start, end, cutter.delimiter)) {
      if (count === starts.length) {
        starts = grown(starts);
        ends = grown(ends);
        lines = grown(lines);
      }
      starts[count] = start;
      ends[count] = end;
      lines[count++] = cutter.line;
      closed = end < length;
    }
    cutter.line += cutter.breaks + 1;
    cutter.breaks = 0;
    const lineEnd = bytes[end] === CR && end + 1 < length && bytes[end + 1] === LF ? 2 : 1;
    start = Math.min(end + lineEnd, length); // An input without a final line end ends before `end + 1`.
  }
  return { count, starts, ends, lines, used: start, closed, spaced: cutter.spaced };
}

/** The line end of the record that begins at `start`, or the window's length when it is not there yet. */
function findEnd(cutter: Cutter, window: Window, start: number): number {
  const { bytes, length, offset } = window;
  const { delimiter } = cutter;
  for (let i = start; i < length; i++) {
    const byte = bytes[i]!;
    if (byte > QUOTE) continue;
    if (byte === LF || byte === CR) return i;
    if (byte === QUOTE) {
      const before = i === start ? delimiter : bytes[i - 1]!;
      if (before !== delimiter) {
        if ((before > SPACE && before < 0x80) || !isCellStart(bytes, start, i, delimiter)) continue;
        cutter.spaced = true;
      }
      const after = skipQuoted(cutter, window, i);
      if (after < 0) return length;
      i = after - 1;
    } else if (byte === 0) throw nulFault(bytes, i, length, offset, cutter.line + cutter.breaks);
  }
  return length;
}

/** Where a quoted cell ends that opens at `open`: at a delimiter or a line end. -1 when that is not there yet. */
function skipQuoted(cutter: Cutter, { bytes, length, last, offset }: Window, open: number): number {
  const before = cutter.breaks;
  const openLine = cutter.line + before;
  const limit = open + 1 + MAX_QUOTED_BYTES;
  for (let i = open + 1; i < length; i++) {
    const byte = bytes[i]!;
    if (byte > QUOTE) continue;
    if (i > limit) break;
    if (byte === QUOTE) {
      if (i + 1 >= length && !last) return -1;
      if (i + 1 < length && bytes[i + 1] === QUOTE) {
        i++;
        continue;
      }
      let after = i + 1;
      if (bytes[after] !== cutter.delimiter) {
        after = skipSpace(bytes, after, length, cutter.delimiter);
        if (after > i + 1) cutter.spaced = true;
      }
      if (after >= length) return last ? length : -1;
      const next = bytes[after]!;
      if (next === cutter.delimiter || next === LF || next === CR) return after;
      // It may be white space that the window has not all bytes of.
      if (!last && after + MAX_SPACE_BYTES > length) return -1;
      throw quoteFault(openLine, "there is text after its closing quote");
    } else if (byte === LF || byte === CR) {
      if (byte === CR && i + 1 < length && bytes[i + 1] === LF) i++;
      if (++cutter.breaks - before > MAX_BREAKS) throw quoteFault(openLine, `it goes on for over ${MAX_BREAKS} lines`);
    } else if (byte === 0) throw nulFault(bytes, i, length, offset, cutter.line + cutter.breaks);
  }
  if (length > limit) throw quoteFault(openLine, `it goes on for over ${MAX_QUOTED_BYTES / 1024} KiB`);
  if (!last) return -1;
  throw new Fault(
    "input_incomplete",
    `The input ends inside the quoted cell that opens on line ${openLine}: send the whole file`,
    { line: openLine },
  );
}

function quoteFault(line: number, what: string): Fault {
  return new Fault(
    "quote_invalid",
    `The quoted cell that opens on line ${line} is broken: ${what}; a quote inside a quoted cell should be doubled`,
    { line },
  );
}

function tooLong({ line, maxRowBytes }: Cutter): Fault {
  return new Fault("too_large", `The row on line ${line} is over its limit of ${sizeInWords(maxRowBytes)}`, { line });
}

/** The first byte from `from` on that is no white space, or is the delimiter. */
function skipSpace(bytes: Uint8Array, from: number, end: number, delimiter: number): number {
  let at = from;
  while (at < end && bytes[at] !== delimiter) {
    const size = spaceAt(bytes, at, end);
    if (size === 0) break;
    at += size;
  }
  return at;
}

/**
 * Whether a record has nothing but empty cells and white space, like the lines of delimiters that spreadsheets leave under
 * a table.
 */
function isBlank(bytes: Uint8Array, start: number, end: number, delimiter: number): boolean {
  let quoted = false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === delimiter && !quoted) continue;
    if (byte === QUOTE) {
      // A doubled quote inside quotes is text. The cutter has seen that the others are right.
      if (quoted && i + 1 < end && bytes[i + 1] === QUOTE) return false;
      quoted = !quoted;
      continue;
    }
    if (byte > QUOTE && byte < 0x80) return false;
    const size = byte === SPACE || byte === LF || byte === CR ? 1 : spaceAt(bytes, i, end);
    if (size === 0) return false;
    i += size - 1;
  }
  return true;
}
