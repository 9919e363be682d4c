/**
 * JSON to blocks of rows: an array of objects, or `{"users": […]}` or `{"departments": […]}` around one.
 *
 * A record's line is its position, from 1. Byte positions in messages count in the text as UTF-8.
 */
import type { ReadOptions, ReadReport } from "./reading.ts";
import { Fault } from "../model/errors.ts";
import type { RowBlock } from "../model/record.ts";
import type { ByteSource } from "./encoding.ts";
import { nulFault } from "./invalid-bytes.ts";
import { countRecords, isSpace, readRecords, type Records, takeRecord } from "./records.ts";
import { decodeUtf8 } from "./utf8.ts";
import type { Window } from "./window.ts";

/** Longest key around the records. A longer one has lost its closing quote. */
const MAX_KEY_BYTES = 4096;

/** What may come next, outside of the records. */
const EXPECTED = {
  start: 'an array of records, or {"users": […]} or {"departments": […]}',
  "envelope key": '"users" or "departments"',
  colon: '":"',
  array: 'an array of records: "["',
  "first record": 'a record, or "]"',
  record: "a record",
  comma: '"," or "]"',
  "envelope end": '"}"',
  end: "the end of the input",
} as const;
type Expected = keyof typeof EXPECTED;

/** Everything around the records: the array, and the envelope around it if there is one. */
interface Frame {
  expected: Expected;
  afterArray: "envelope end" | "end";
}

/** Yields at least one block: an input without records is one block without columns and rows. */
export function readJson(
  stream: ByteSource,
  options: ReadOptions,
  report: ReadReport,
): AsyncGenerator<RowBlock, void> {
  const frame: Frame = { expected: "start", afterArray: "end" };
  return readRecords(stream, options, false, (window, records) => {
    const used = scan(window, frame, records);
    if (window.last && frame.expected !== "end") throw brokenOff(frame.expected, window, countRecords(records));
    report.endsWithLineEnd = true; // The closing bracket proves that the input is whole.
    return used;
  });
}

function scan(window: Window, frame: Frame, records: Records): number {
  let used = 0;
  while (used < window.length) {
    const end = isSpace(window.bytes[used]!) ? used + 1 : readNext(window, used, frame, records);
    if (end < 0) break;
    used = end;
  }
  return used;
}

/** Reads a record, or a part of the frame, and returns its end, or -1 when the window ends before it does. */
function readNext(window: Window, at: number, frame: Frame, records: Records): number {
  const byte = window.bytes[at]!;
  const { expected } = frame;
  if (expected === "record" || (expected === "first record" && byte !== 0x5d)) {
    const end = takeRecord(records, window, at);
    if (end >= 0) frame.expected = "comma";
    return end;
  }
  if (expected === "envelope key" && byte === 0x22) return readEnvelopeKey(window, at, frame);
  if (expected === "envelope end" && byte === 0x2c) return refuseSecondKey(window, at);
  const next = followUp(frame, byte);
  if (next === null) throw unexpected(expected, window, at);
  frame.expected = next;
  return at + 1;
}

/** What may come after a bracket, comma or colon of the frame; null when this byte is not the expected one. */
function followUp({ expected, afterArray }: Frame, byte: number): Expected | null {
  switch (expected) {
    case "start":
      return byte === 0x5b ? "first record" : byte === 0x7b ? "envelope key" : null;
    case "colon":
      return byte === 0x3a ? "array" : null;
    case "array":
      return byte === 0x5b ? "first record" : null;
    case "first record":
      return byte === 0x5d ? afterArray : null;
    case "comma":
      return byte === 0x2c ? "record" : byte === 0x5d ? afterArray : null;
    case "envelope end":
      return byte === 0x7d ? "end" : null;
    default:
      return null;
  }
}

function readEnvelopeKey(window: Window, quote: number, frame: Frame): number {
  const end = closingQuote(window, quote);
  if (end < 0 && window.length - quote > MAX_KEY_BYTES) throw unexpected(frame.expected, window, quote);
  if (end < 0) return -1;
  const name = keyAt(window, quote, end);
  if (name !== "users" && name !== "departments") throw unknownKey(name);
  frame.expected = "colon";
  frame.afterArray = "envelope end";
  return end + 1;
}

/** Throws a fault that names the second key of the envelope; returns -1 when the window ends before that key does. */
function refuseSecondKey(window: Window, comma: number): number {
  const quote = window.bytes.indexOf(0x22, comma);
  const end = quote < 0 || quote >= window.length ? -1 : closingQuote(window, quote);
  if (end >= 0) throw unknownKey(keyAt(window, quote, end));
  if (window.last || window.length - comma > MAX_KEY_BYTES) throw unexpected("envelope end", window, comma);
  return -1;
}

/** The closing quote of the key that opens at `quote`, or -1 when the window ends before it. */
function closingQuote({ bytes, length }: Window, quote: number): number {
  const end = bytes.indexOf(0x22, quote + 1);
  return end >= length ? -1 : end;
}

function keyAt({ bytes, offset }: Window, quote: number, end: number): string {
  return decodeUtf8(bytes, quote + 1, end, offset, false, null);
}

function unexpected(expected: Expected, { bytes, length, offset }: Window, at: number): Fault {
  const byte = bytes[at]!;
  if (byte === 0) return nulFault(bytes, at, length, offset, null);
  const shown = byte > 0x20 && byte < 0x7f
    ? `"${String.fromCharCode(byte)}"`
    : `byte 0x${byte.toString(16).toUpperCase()}`;
  return new Fault("json_invalid", `Cannot read ${shown} at byte ${offset + at}: expected ${EXPECTED[expected]}`);
}

function unknownKey(name: string): Fault {
  const shown = name.slice(0, 100);
  return new Fault(
    "json_invalid",
    name === "users" || name === "departments"
      ? `The key "${shown}" is one too many: an input holds either users or departments, once`
      : `Unknown key "${shown}" around the records: expected ${EXPECTED["envelope key"]}`,
  );
}

function brokenOff(expected: Expected, { offset, length }: Window, records: number): Fault {
  if (expected === "start") return new Fault("input_empty", `The input is empty: it should be ${EXPECTED.start}`);
  return new Fault(
    "input_incomplete",
    `The input ends at byte ${offset + length}, after ${records} whole records, where ${EXPECTED[expected]} should ` +
      "follow: send the whole file",
  );
}
