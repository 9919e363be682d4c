/** Cells of one record, on its bytes: how many there are, and where one is. No I/O. No clock. */
import { isCellStart } from "./white-space.ts";

const QUOTE = 0x22, LF = 0x0a, CR = 0x0d;

/** How many cells the record `bytes[start, end)` has. */
export function countCells(bytes: Uint8Array, start: number, end: number, delimiter: number): number {
  let cells = 1;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === delimiter) cells++;
    else if (byte === QUOTE && isCellStart(bytes, start, i, delimiter)) {
      i = closingQuote(bytes, i, end);
    }
  }
  return cells;
}

/** The bytes of the cell that `at` is in, without its quotes. */
export function cellAround(bytes: Uint8Array, start: number, end: number, at: number, delimiter: number): Uint8Array {
  let from = start;
  let i = start;
  for (; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === delimiter) {
      if (i >= at) break;
      from = i + 1;
    } else if (byte === QUOTE && isCellStart(bytes, start, i, delimiter)) {
      const open = i;
      i = closingQuote(bytes, i, end);
      if (at > open && at < i) return bytes.subarray(open + 1, i);
    }
  }
  return bytes.subarray(from, Math.min(i, end));
}

/** The line that `at` is on, without its line end. */
export function lineAround(bytes: Uint8Array, at: number, end = bytes.length): readonly [start: number, end: number] {
  const isEnd = (byte: number) => byte === LF || byte === CR;
  let from = at, to = at;
  while (from > 0 && !isEnd(bytes[from - 1]!)) from--;
  while (to < end && !isEnd(bytes[to]!)) to++;
  return [from, to];
}

/** The quote that closes the cell that opens at `open`; `end` where there is none. */
function closingQuote(bytes: Uint8Array, open: number, end: number): number {
  let i = open + 1;
  for (; i < end && (bytes[i] !== QUOTE || bytes[i + 1] === QUOTE); i++) {
    if (bytes[i] === QUOTE) i++;
  }
  return i;
}
