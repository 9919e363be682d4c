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
import { createKeyring, forgetKeys, type Keyring, nameRecord, type Place, walkObject, walkValue } from "./keyring.ts";
import { decodeUtf8 } from "./utf8.ts";
import { createWindows, type Window } from "./window.ts";
import { sizeInWords } from "../std/size.ts";

/** The records found in the current window. */
export interface Records {
  readonly keys: Keyring;
  readonly maxRowBytes: number;
  /** Whether a record must not be broken over lines. */
  readonly oneLine: boolean;
  /** See ReadOptions. */
  readonly apart: boolean;
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
  const { maxColumns, maxRowBytes, apart = false } = options;
  const keys = createKeyring(maxColumns);
  const records: Records = { keys, maxRowBytes, oneLine, apart, first: 1, starts: [], ends: [] };
  const limits = apart ? { maxRowBytes, maxColumns } : null;
  try {
    for (let window = await windows.next(0);;) {
      const { bytes, offset, last } = window;
      records.starts = [];
      records.ends = [];
      const used = scan(window, records);
      const { first, starts, ends } = records;
      if (starts.length > 0 || (last && first === 1)) {
        const shapes = [...keys.shapes];
        yield createElementBlock([...keys.columns], shapes, { bytes, offset, first, starts, ends }, limits);
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
  const place: Place = { record: countRecords(records) + 1, start, offset: window.offset };
  const end = records.apart ? walkApart(records, window, place) : walkStrictly(records, window, place);
  if (end < 0) return -1;
  records.starts.push(start);
  records.ends.push(end);
  return end;
}

function walkStrictly({ keys, maxRowBytes, oneLine }: Records, window: Window, place: Place): number {
  const { bytes, length } = window;
  if (bytes[place.start] !== 0x7b) throw notAnObject(place, window);
  const end = walkObject(keys, bytes, length, place, oneLine);
  if ((end < 0 ? length : end) - place.start > maxRowBytes) throw tooLong(place, maxRowBytes);
  return end;
}

/** What is wrong with the record itself is found when it is parsed (elements.ts). */
function walkApart({ keys, oneLine }: Records, window: Window, place: Place): number {
  const { bytes, length } = window;
  const byte = bytes[place.start];
  if (byte === 0 || byte === 0x5d || byte === 0x2c) throw notAnObject(place, window);
  if (byte !== 0x7b) return walkValue(bytes, length, place);
  const before = keys.columns.length;
  try {
    return walkObject(keys, bytes, length, place, oneLine);
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.code !== "too_large") throw fault;
    forgetKeys(keys, before);
    const end = walkValue(bytes, length, place);
    // Its own keys alone are not too many: all of the records together have too many.
    if (end >= 0 && countKeys(window, place, end) <= keys.maxColumns) throw fault;
    return end;
  }
}

function countKeys({ bytes, offset }: Window, { start, record }: Place, end: number): number {
  try {
    return Object.keys(JSON.parse(decodeUtf8(bytes, start, end, offset, false, record))).length;
  } catch {
    return 0;
  }
}

export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function tooLong(place: Place, maxRowBytes: number): Fault {
  return new Fault("too_large", `${nameRecord(place)} is over its limit of ${sizeInWords(maxRowBytes)}`, {
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
