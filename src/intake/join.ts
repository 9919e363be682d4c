/** Joins records of a window into one text, so that they are decoded and parsed in one go. No I/O. No clock. */
import { decodeUtf8 } from "./utf8.ts";

/** Record `i` is `bytes[starts[i], ends[i])`. */
export interface Slices {
  readonly bytes: Uint8Array;
  readonly starts: ArrayLike<number>;
  readonly ends: ArrayLike<number>;
}

// Shared: every use begins and ends within one synchronous call. Grows to the largest text seen.
let scratch = new Uint8Array(0);

/** The text of these records, each followed by `separator`. */
export function joinRecords(
  { bytes, starts, ends }: Slices,
  indexes: ArrayLike<number>,
  separator: number,
): string {
  let size = 0;
  for (let n = 0; n < indexes.length; n++) size += ends[indexes[n]!]! - starts[indexes[n]!]! + 1;
  if (scratch.length < size) scratch = new Uint8Array(size);
  let used = 0;
  for (let n = 0; n < indexes.length;) {
    const start = starts[indexes[n]!]!;
    let end = ends[indexes[n]!]!;
    // Records with only a separator between them are copied together.
    for (n++; n < indexes.length && bytes[end] === separator && starts[indexes[n]!] === end + 1; n++) {
      end = ends[indexes[n]!]!;
    }
    scratch.set(bytes.subarray(start, end), used);
    used += end - start;
    scratch[used++] = separator;
  }
  return decodeUtf8(scratch, 0, used, 0, false, null);
}
