/**
 * Records of JSON and NDJSON: the input's bytes go in, blocks of rows come out, 256 KiB or so at a time.
 *
 * The format's scanner finds where each record begins; everything else is the same for both formats. Records are cut
 * out as bytes and parsed only on demand. No clock; no I/O but the stream.
 */
import type { ReadOptions } from "./reading.ts";
import { Fault } from "../model/errors.ts";
import type { RowBlock } from "../model/record.ts";
import { createElementBlock } from "./elements.ts";
import { type ByteSource, openText } from "./encoding.ts";
import { nulFault } from "./invalid-bytes.ts";
import { createKeyring, type Keyring, nameRecord, type Place, walkObject } from "./keyring.ts";
import { createWindows, type Window } from "./window.ts";

/** The records found in the current window. */
export interface Records {
  readonly keys: Keyring;
  readonly maxRowBytes: number;
  /** Whether a record must not be broken over lines. */
  readonly oneLine: boolean;
  /** Position of the window's first record in the input, from 1. */
  first: number;
  starts: number[];
  ends: number[];
}

/**
 * Takes the records of a window and returns where the first record begins that is not whole yet. In the last window,
 * throws when the input ends too early.
 */
export type Scan = (window: Window, records: Records) => number;

/** Yields at least one block: an input without records is one block without columns and rows. */
export async function* readRecords(
  stream: ByteSource,
  options: ReadOptions,
  oneLine: boolean,
  scan: Scan,
): AsyncGenerator<RowBlock, void> {
  const text = await openText(stream, options);
  const windows = createWindows(text.chunks, text.offset);
  const { maxColumns, maxRowBytes } = options;
  const records: Records = { keys: createKeyring(maxColumns), maxRowBytes, oneLine, first: 1, starts: [], ends: [] };
  try {
    for (let window = await windows.next(0);;) {
      const { bytes, offset, last } = window;
      records.starts = [];
      records.ends = [];
      const used = scan(window, records);
      const { first, starts, ends } = records;
      if (starts.length > 0 || (last && first === 1)) {
        yield createElementBlock([...records.keys.columns], { bytes, offset, first, starts, ends });
        records.first += starts.length;
      }
      if (last) return;
      window = await windows.next(used);
    }
  } finally {
    await windows.close();
  }
}

/** How many whole records the input had so far. */
export function countRecords({ first, starts }: Records): number {
  return first - 1 + starts.length;
}

/** Takes the record that begins at `start` and returns its end, or -1 when the window ends before it does. */
export function takeRecord(records: Records, window: Window, start: number): number {
  const { bytes, length, offset } = window;
  const place: Place = { record: countRecords(records) + 1, start, offset };
  if (bytes[start] !== 0x7b) throw notAnObject(place, window);
  const end = walkObject(records.keys, bytes, length, place, records.oneLine);
  if ((end < 0 ? length : end) - start > records.maxRowBytes) throw tooLong(place, records.maxRowBytes);
  if (end < 0) return -1;
  records.starts.push(start);
  records.ends.push(end);
  return end;
}

export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function tooLong(place: Place, maxRowBytes: number): Fault {
  return new Fault("too_large", `${nameRecord(place)} is over its limit of ${maxRowBytes} bytes`, {
    line: place.record,
  });
}

function notAnObject(place: Place, { bytes, length, offset }: Window): Fault {
  const byte = bytes[place.start]!;
  if (byte === 0) return nulFault(bytes, place.start, length, offset, place.record);
  const what = byte === 0x5d || byte === 0x2c ? "is missing after a comma" : "is not an object";
  return new Fault("json_invalid", `${nameRecord(place)} ${what}: it should be like {"email": "ana@example.com"}`, {
    line: place.record,
  });
}
