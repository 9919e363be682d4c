/**
 * UTF-8 bytes of delimited text to records, on the bytes alone: quotes and line ends, nothing is decoded.
 *
 * RFC 4180: a cell that begins with a quote ends with one; a quote anywhere else is text. Line ends are CRLF, LF, CR or a
 * mixture. What cannot be told for sure is a Fault with the line where it began, never a guess. No I/O. No clock.
 */
import { Fault } from "../model/errors.ts";
import { nulFault } from "./encoding.ts";

/** More than these in one quoted cell, and a quote was left open. */
const MAX_BREAKS = 20;
const MAX_QUOTED_BYTES = 64 * 1024;

const LF = 0x0a, CR = 0x0d, QUOTE = 0x22, SPACE = 0x20, TAB = 0x09;

/** Records found in one window: record `i` is `bytes[starts[i], ends[i])`, without its line end, and begins on `lines[i]`. */
export interface Cuts {
  readonly count: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly lines: Int32Array;
  /** Where the first record begins that is not whole yet; `to`, when there is none. */
  readonly used: number;
  /** False: the last record of the input ended without a line end. */
  readonly closed: boolean;
}

export interface Cutter {
  /**
   * Cuts `bytes[from, to)`, which begins a record. `last`: the input ends at `to`. `offset`: where `bytes[0]` is in the
   * input, for messages. `max`: records at most. Lines are counted on from call to call.
   */
  cut(bytes: Uint8Array, from: number, to: number, last: boolean, offset: number, max?: number): Cuts;
}

/** `delimiter`: a byte; 0 for text of one column. */
export function createCutter(delimiter: number, maxRowBytes: number): Cutter {
  let line = 1;
  /** Line breaks inside quotes of the record at hand. */
  let breaks = 0;

  /** From an opening quote to what follows the cell, or -1 when that is not there yet. */
  function skipQuoted(bytes: Uint8Array, open: number, to: number, last: boolean): number {
    const before = breaks;
    const openLine = line + before;
    const limit = open + 1 + MAX_QUOTED_BYTES;
    for (let i = open + 1; i < to; i++) {
      const byte = bytes[i]!;
      if (byte > QUOTE) continue;
      if (i > limit) break;
      if (byte === QUOTE) {
        if (i + 1 >= to && !last) return -1;
        if (i + 1 < to && bytes[i + 1] === QUOTE) {
          i++;
          continue;
        }
        let after = i + 1;
        while (after < to && bytes[after] === SPACE) after++;
        if (after >= to) return last ? to : -1;
        const next = bytes[after]!;
        if (next === delimiter || next === LF || next === CR) return after;
        throw quoteFault(openLine, "there is text after its closing quote");
      } else if (byte === LF || byte === CR) {
        if (byte === CR && i + 1 < to && bytes[i + 1] === LF) i++;
        if (++breaks - before > MAX_BREAKS) throw quoteFault(openLine, `it goes on for over ${MAX_BREAKS} lines`);
      } else if (byte === 0) throw nulFault(bytes, i, to, offsetOfBytes, line + breaks);
    }
    if (to > limit) throw quoteFault(openLine, `it goes on for over ${MAX_QUOTED_BYTES / 1024} KiB`);
    if (!last) return -1;
    throw new Fault(
      "input_incomplete",
      `The input ends inside the quoted cell that opens on line ${openLine}: send the whole file`,
      { line: openLine },
    );
  }

  let offsetOfBytes = 0;
  return {
    cut(bytes, from, to, last, offset, max = Infinity) {
      offsetOfBytes = offset;
      const room = Math.min(max, 1024);
      let starts = new Int32Array(room), ends = new Int32Array(room), lines = new Int32Array(room);
      let count = 0;
      let start = from;
      let i = from;
      let closed = true;
      breaks = 0;
      while (count < max && start < to) {
        let byte = 0;
        for (; i < to; i++) {
          byte = bytes[i]!;
          if (byte > QUOTE) continue;
          if (byte === LF || byte === CR) break;
          if (byte === QUOTE) {
            if (i !== start && bytes[i - 1] !== delimiter) continue;
            const after = skipQuoted(bytes, i, to, last);
            if (after < 0) {
              i = to;
              break;
            }
            i = after - 1;
          } else if (byte === 0) throw nulFault(bytes, i, to, offset, line + breaks);
        }
        if (i - start > maxRowBytes) {
          throw new Fault("too_large", `The row on line ${line} is over its limit of ${maxRowBytes} bytes`, { line });
        }
        // At the end of a window, a record is not whole; nor is a CR that an LF may follow.
        if (!last && (i >= to || (byte === CR && i + 1 >= to))) break;
        if (!isBlank(bytes, start, i, delimiter)) {
          if (count === starts.length) {
            starts = grown(starts);
            ends = grown(ends);
            lines = grown(lines);
          }
          starts[count] = start;
          ends[count] = i;
          lines[count++] = line;
          closed = i < to;
        }
        line += breaks + 1;
        breaks = 0;
        i += byte === CR && i + 1 < to && bytes[i + 1] === LF ? 2 : 1;
        start = Math.min(i, to); // past the end, when the input ended without a line end
      }
      return { count, starts, ends, lines, used: start, closed };
    },
  };
}

function quoteFault(line: number, what: string): Fault {
  return new Fault(
    "quote_invalid",
    `The quoted cell that opens on line ${line} is broken: ${what}; a quote inside a quoted cell should be doubled`,
    { line },
  );
}

/** Nothing but empty cells: the lines of delimiters that spreadsheets leave under a table. */
function isBlank(bytes: Uint8Array, start: number, end: number, delimiter: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === delimiter || byte === SPACE || byte === TAB) continue;
    // An empty quoted cell; the cutter has seen that the quotes are right.
    if (byte !== QUOTE || bytes[i + 1] !== QUOTE || (i + 2 < end && bytes[i + 2] === QUOTE)) return false;
    if (i > start && bytes[i - 1] !== delimiter) return false;
    i++;
  }
  return true;
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
