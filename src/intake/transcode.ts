/**
 * Other encodings to UTF-8, chunk by chunk. Chunks may be cut anywhere. Every byte is checked. No I/O. No clock.
 */
import { WINDOWS_1252 } from "../model/charset.ts";
import { Fault } from "../model/errors.ts";
import { concatBytes } from "../std/typed-arrays.ts";
import { cellAround, lineAround } from "./cells.ts";
import { mostFrequent } from "./delimiter.ts";
import { invalidBytes, nulFault } from "./invalid-bytes.ts";
import { isText } from "./likely-readings.ts";
import { encodeWindows1252 } from "./windows-1252.ts";

const encoder = new TextEncoder();

/** Counts physical lines: CRLF, LF or CR. */
interface Lines {
  number: number;
  afterCr: boolean;
}

/**
 * `chunks` begin after the byte order mark, at `start` of the input. Half of a surrogate pair and U+0000
 * are Faults that name their line and offset; half of a unit at the end is one that names its offset.
 */
export async function* fromUtf16(
  chunks: AsyncIterable<Uint8Array>,
  bigEndian: boolean,
  start: number,
): AsyncGenerator<Uint8Array, void> {
  const decoder = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true });
  const lines: Lines = { number: 1, afterCr: false };
  let offset = start;
  let rest = new Uint8Array(0);
  for await (const chunk of chunks) {
    const piece = concatBytes(rest, chunk);
    // Whole units and whole pairs only, so that each piece is valid or invalid by itself.
    let whole = piece.length & ~1;
    if (whole > 0 && (unitAt(piece, whole - 2, bigEndian) & 0xfc00) === 0xd800) whole -= 2;
    rest = piece.slice(whole);
    if (whole === 0) continue;
    checkUnits(piece, whole, bigEndian, offset, lines);
    if (bigEndian) { for (let i = 0; i < whole; i += 2) [piece[i], piece[i + 1]] = [piece[i + 1]!, piece[i]!]; }
    offset += whole;
    yield encoder.encode(decoder.decode(piece.subarray(0, whole)));
  }
  if (rest.length > 0) {
    throw new Fault("input_incomplete", `The input ends inside a character, at offset ${offset + rest.length}`);
  }
}

/** Throws for a unit of `bytes[0, end)` that cannot be in a text. `offset`: where the bytes are in the input. */
function checkUnits(bytes: Uint8Array, end: number, bigEndian: boolean, offset: number, lines: Lines): void {
  for (let i = 0; i < end; i += 2) {
    const unit = unitAt(bytes, i, bigEndian);
    if (unit === 0x0d || (unit === 0x0a && !lines.afterCr)) lines.number++;
    lines.afterCr = unit === 0x0d;
    if (unit === 0) {
      throw new Fault(
        "encoding_invalid",
        `Character U+0000 at offset ${
          offset + i
        }, on line ${lines.number}, is not text, it looks like a binary file: ` +
          `save the file as "CSV UTF-8"`,
        { line: lines.number },
      );
    }
    if ((unit & 0xf800) !== 0xd800) continue;
    const next = i + 2 < end ? unitAt(bytes, i + 2, bigEndian) : 0;
    if (unit >= 0xdc00 || (next & 0xfc00) !== 0xdc00) {
      throw new Fault(
        "encoding_invalid",
        `Half a character (0x${unit.toString(16).toUpperCase()}) at offset ${offset + i}, on line ${lines.number}, ` +
          `is not UTF-16: save the file as "CSV UTF-8"`,
        { line: lines.number },
      );
    }
    i += 2;
  }
}

function unitAt(bytes: Uint8Array, i: number, bigEndian: boolean): number {
  return bigEndian ? (bytes[i]! << 8) | bytes[i + 1]! : bytes[i]! | (bytes[i + 1]! << 8);
}

/** A line that is longer than this is not kept whole for a fault's message. */
const MAX_KEPT_BYTES = 64 * 1024;

/** Decodes text that goes on: null where it is not valid. Without bytes: whether it may end there. */
type Decode = (bytes?: Uint8Array) => Uint8Array | null;

/** How far the input was read: what a fault needs to name the place. */
interface Place extends Lines {
  /** Where the current line begins in the input, as far as it is kept. */
  offset: number;
  /** The bytes of the current line so far. */
  line: Uint8Array;
}

/**
 * `charset`: an encoding's own name, other than UTF-8 and UTF-16. Bytes that are not valid in it are a Fault that names line
 * and offset, and so are NUL and control characters of the C1 block: such a text has another encoding. `start`: where the
 * chunks begin in the input.
 */
export async function* fromCharset(
  chunks: AsyncIterable<Uint8Array>,
  charset: string,
  start = 0,
): AsyncGenerator<Uint8Array, void> {
  const decode = createDecode(charset);
  const place: Place = { number: 1, offset: start, line: new Uint8Array(0), afterCr: false };
  for await (const chunk of chunks) {
    const utf8 = chunk.includes(0) ? null : decode(chunk);
    if (utf8 === null) throw faultIn(concatBytes(place.line, chunk), charset, place);
    move(place, chunk);
    yield utf8;
  }
  if (decode() === null) {
    throw new Fault(
      "input_incomplete",
      `The input ends inside a character, at offset ${place.offset + place.line.length}`,
      { line: place.number },
    );
  }
}

function createDecode(charset: string): Decode {
  if (charset === WINDOWS_1252) return (bytes) => encodeWindows1252(bytes ?? new Uint8Array(0));
  const decoder = new TextDecoder(charset, { fatal: true, ignoreBOM: true });
  return (bytes) => {
    try {
      const text = decoder.decode(bytes, { stream: bytes !== undefined });
      return isText(text) ? encoder.encode(text) : null;
    } catch {
      return null;
    }
  };
}

function move(place: Place, chunk: Uint8Array): void {
  let lineStart = -1;
  for (let i = 0; i < chunk.length; i++) {
    const byte = chunk[i]!;
    if (byte === 0x0d || (byte === 0x0a && !place.afterCr)) place.number++;
    if (byte === 0x0d || byte === 0x0a) lineStart = i + 1;
    place.afterCr = byte === 0x0d;
  }
  const before = place.line.length;
  if (lineStart >= 0) {
    place.line = chunk.slice(lineStart);
    place.offset += before + lineStart;
  } else if (before + chunk.length > MAX_KEPT_BYTES) {
    place.line = new Uint8Array(0);
    place.offset += before + chunk.length;
  } else place.line = concatBytes(place.line, chunk);
}

/** Names the first place of `bytes` that is not valid. They begin where `place` says. */
function faultIn(bytes: Uint8Array, charset: string, place: Place): Fault {
  let line = place.number;
  // The second half of a CRLF, whose line is counted already.
  let from = place.afterCr && bytes[0] === 0x0a ? 1 : 0;
  for (;;) {
    const [, to] = lineAround(bytes, from);
    const isLast = to >= bytes.length;
    const at = from + firstInvalid(bytes.subarray(from, to), charset, isLast);
    if (at < to || isLast) {
      if (bytes[at] === 0) return nulFault(bytes, at, bytes.length, place.offset, line);
      const delimiter = mostFrequent(bytes.subarray(from, to))?.charCodeAt(0) ?? 0;
      const cell = cellAround(bytes, from, to, at, delimiter);
      const where = { offset: place.offset + at, line, isPhysical: true };
      return invalidBytes(bytes[Math.min(at, bytes.length - 1)]!, cell, charset, where);
    }
    from = to + (bytes[to] === 0x0d && bytes[to + 1] === 0x0a ? 2 : 1);
    line++;
  }
}

/** Where the first character begins that is not valid; the line's length when there is none. */
function firstInvalid(line: Uint8Array, charset: string, goesOn: boolean): number {
  const nul = line.indexOf(0);
  const isValid = (end: number, isWhole: boolean) => {
    if (nul >= 0 && nul < end) return false;
    const decode = createDecode(charset);
    return decode(line.subarray(0, end)) !== null && (!isWhole || decode() !== null);
  };
  if (isValid(line.length, !goesOn)) return line.length;
  // Once text is not valid, no more of it makes it valid: the shortest such text is found by halving.
  let valid = 0, invalid = line.length;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (isValid(middle, false)) valid = middle;
    else invalid = middle;
  }
  let at = isValid(invalid, false) ? invalid : valid;
  while (at > 0 && !isValid(at, true)) at--;
  return at;
}
