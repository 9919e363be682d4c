/**
 * JSON to blocks of rows: an array of objects, or `{"users": […]}` or `{"departments": […]}` around one.
 *
 * The objects are cut out as bytes, 256 KiB or so at a time; only those that somebody asks for are parsed. A record's
 * line is its position, from 1. Byte positions in messages count in the text as UTF-8. No clock; no I/O but the stream.
 */
import type { ReadOptions, ReadReport } from "./reading.ts";
import { Fault } from "../model/errors.ts";
import type { RowBlock } from "../model/record.ts";
import { createElementBlock } from "./elements.ts";
import { nulFault, openText } from "./encoding.ts";
import type { ByteSource } from "./encoding.ts";
import { createKeyring, nameRecord } from "./keyring.ts";
import type { Place } from "./keyring.ts";
import { decodeUtf8 } from "./utf8.ts";
import { createWindows } from "./window.ts";
import type { Window } from "./window.ts";

/** No key around the records is longer; one that is not closed by then never will be. */
const MAX_KEY_BYTES = 4096;

/** What may stand next, outside of the records. */
type State =
  | "start"
  | "envelope key"
  | "colon"
  | "array"
  | "first record"
  | "record"
  | "comma"
  | "envelope end"
  | "end";

const EXPECTED: Readonly<Record<State, string>> = {
  start: 'an array of records, or {"users": […]} or {"departments": […]}',
  "envelope key": '"users" or "departments"',
  colon: '":"',
  array: 'an array of records: "["',
  "first record": 'a record, or "]"',
  record: "a record",
  comma: '"," or "]"',
  "envelope end": '"}"',
  end: "nothing more",
};

/** Yields the records; at least one block, so that an input without any is one of no columns and no rows. */
export async function* readJson(
  stream: ByteSource,
  options: ReadOptions,
  report: ReadReport,
): AsyncGenerator<RowBlock, void> {
  const text = await openText(stream, options);
  const windows = createWindows(text.chunks, text.offset);
  const keys = createKeyring(options.maxColumns);
  let state: State = "start";
  let enveloped = false;
  let read = 0;
  try {
    for (let window = await windows.next(0);;) {
      const starts: number[] = [];
      const ends: number[] = [];
      const { bytes, length, offset } = window;
      let used = 0;
      scan: while (used < length) {
        const byte = bytes[used]!;
        if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
          used++;
          continue;
        }
        switch (state) {
          case "first record":
          case "record": {
            if (byte === 0x5d && state === "first record") {
              state = enveloped ? "envelope end" : "end";
              break;
            }
            const place: Place = { record: read + starts.length + 1, start: used, offset };
            if (byte !== 0x7b) throw notAnObject(place, window);
            const end = keys.walk(bytes, length, place, false);
            refuseLong(place, end < 0 ? length : end, options.maxRowBytes);
            if (end < 0) break scan;
            starts.push(used);
            ends.push(end);
            used = end;
            state = "comma";
            continue;
          }
          case "comma":
            if (byte === 0x2c) state = "record";
            else if (byte === 0x5d) state = enveloped ? "envelope end" : "end";
            else throw unexpected(state, window, used);
            break;
          case "start":
            if (byte === 0x5b) state = "first record";
            else if (byte === 0x7b) state = "envelope key";
            else throw unexpected(state, window, used);
            enveloped = byte === 0x7b;
            break;
          case "envelope key": {
            if (byte !== 0x22) throw unexpected(state, window, used);
            const end = keyEnd(window, used);
            if (end < 0 && length - used > MAX_KEY_BYTES) throw unexpected(state, window, used);
            if (end < 0) break scan;
            const name = decodeUtf8(bytes, used + 1, end, offset, false, null);
            if (name !== "users" && name !== "departments") throw unknownKey(name);
            used = end;
            state = "colon";
            break;
          }
          case "colon":
            if (byte !== 0x3a) throw unexpected(state, window, used);
            state = "array";
            break;
          case "array":
            if (byte !== 0x5b) throw unexpected(state, window, used);
            state = "first record";
            break;
          case "envelope end": {
            if (byte === 0x7d) {
              state = "end";
              break;
            }
            // A second key: named, so that nobody thinks it was heeded.
            if (byte !== 0x2c) throw unexpected(state, window, used);
            const quote = bytes.indexOf(0x22, used);
            const end = quote < 0 || quote >= length ? -1 : keyEnd(window, quote);
            if (end < 0 && !window.last && length - used <= MAX_KEY_BYTES) break scan;
            if (end < 0) throw unexpected(state, window, used);
            throw unknownKey(decodeUtf8(bytes, quote + 1, end, offset, false, null));
          }
          case "end":
            throw unexpected(state, window, used);
        }
        used++;
      }
      if (window.last && state !== "end") throw brokenOff(state, read + starts.length, offset + length);
      report.endsWithLineEnd = true; // the closing bracket is the proof of the end
      if (starts.length > 0 || (window.last && read === 0)) {
        yield createElementBlock([...keys.columns], { bytes, offset, first: read + 1, starts, ends });
        read += starts.length;
      }
      if (window.last) return;
      window = await windows.next(used);
    }
  } finally {
    await windows.close();
  }
}

/** The closing quote of the key that opens at `start`, or -1 when the window ends before it. */
function keyEnd({ bytes, length }: Window, start: number): number {
  const end = bytes.indexOf(0x22, start + 1);
  return end >= length ? -1 : end;
}

/** Fails for a record that is longer than the limit, whether its end is known yet or not. */
export function refuseLong(place: Place, end: number, maxRowBytes: number): void {
  if (end - place.start <= maxRowBytes) return;
  throw new Fault("too_large", `${nameRecord(place)} is over its limit of ${maxRowBytes} bytes`, {
    line: place.record,
  });
}

/** Something other than `{` where a record should begin. */
export function notAnObject(place: Place, { bytes, length, offset }: Window): Fault {
  const byte = bytes[place.start]!;
  if (byte === 0) return nulFault(bytes, place.start, length, offset, place.record);
  const what = byte === 0x5d || byte === 0x2c ? "is missing after a comma" : "is not an object";
  return new Fault("json_invalid", `${nameRecord(place)} ${what}: it should be like {"email": "ana@example.com"}`, {
    line: place.record,
  });
}

function unexpected(state: State, { bytes, length, offset }: Window, at: number): Fault {
  const byte = bytes[at]!;
  if (byte === 0) return nulFault(bytes, at, length, offset, null);
  const shown = byte > 0x20 && byte < 0x7f
    ? `"${String.fromCharCode(byte)}"`
    : `byte 0x${byte.toString(16).toUpperCase()}`;
  return new Fault("json_invalid", `Cannot read ${shown} at byte ${offset + at}: ${EXPECTED[state]} should stand here`);
}

function unknownKey(name: string): Fault {
  const shown = name.slice(0, 100);
  return new Fault(
    "json_invalid",
    name === "users" || name === "departments"
      ? `The key "${shown}" is one too many: an input holds either users or departments, once`
      : `Unknown key "${shown}" around the records: only "users" or "departments" should stand there`,
  );
}

function brokenOff(state: State, records: number, at: number): Fault {
  if (state === "start") return new Fault("input_empty", `The input is empty: it should be ${EXPECTED.start}`);
  return new Fault(
    "input_incomplete",
    `The input ends at byte ${at}, after ${records} whole records, where ${EXPECTED[state]} should follow: ` +
      "send the whole file",
  );
}
