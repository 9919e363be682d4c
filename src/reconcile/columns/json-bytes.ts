/**
 * JSON written value by value as UTF-8, into one buffer that grows: a string for each entry, and the bytes of that
 * string, would be garbage by the million. No I/O.
 */

export interface JsonBytes {
  /** `[0, used)` is written. Replaced when it grows. */
  bytes: Uint8Array<ArrayBuffer>;
  used: number;
}

const encoder = new TextEncoder();
const QUOTE = 0x22, BACKSLASH = 0x5c, SPACE = 0x20, ZERO = 0x30;
const NULL = encoder.encode("null");
const FIRST_BYTES = 64 * 1024;
/** A buffer of this size grows eightfold: unused memory costs nothing until it is written to, copying does. */
const LARGE_BYTES = 4 * 1024 * 1024;
/** UTF-8 of a UTF-16 unit takes three bytes at most. */
export const MAX_UNIT_BYTES = 3;
/** Larger numbers are left to JSON.stringify. */
const MAX_PLAIN = 0x7fffffff;

export function createJsonBytes(): JsonBytes {
  return { bytes: new Uint8Array(FIRST_BYTES), used: 0 };
}

/** Writes a byte of JSON's own, such as a bracket. */
export function writeByte(json: JsonBytes, byte: number): void {
  reserve(json, 1);
  json.bytes[json.used++] = byte;
}

export function writeValue(json: JsonBytes, value: string | number | object | null): void {
  if (typeof value === "string") writeString(json, value);
  else if (value === null) writeJson(json, NULL);
  else if (typeof value === "number" && value >= 0 && value <= MAX_PLAIN && Number.isInteger(value)) {
    writeWhole(json, value);
  } else writeText(json, JSON.stringify(value));
}

/** Writes bytes that are JSON already. */
export function writeJson(json: JsonBytes, part: Uint8Array): void {
  reserve(json, part.length);
  json.bytes.set(part, json.used);
  json.used += part.length;
}

/** Writes a text that is JSON already. */
export function writeText(json: JsonBytes, text: string): void {
  reserve(json, text.length * MAX_UNIT_BYTES);
  json.used += encoder.encodeInto(text, json.bytes.subarray(json.used)).written;
}

/** Forgets everything written, and the buffer if it is larger than `keepBytes`. */
export function clearJson(json: JsonBytes, keepBytes: number): void {
  json.used = 0;
  if (json.bytes.length > keepBytes) json.bytes = new Uint8Array(FIRST_BYTES);
}

function reserve(json: JsonBytes, more: number): void {
  const { bytes, used } = json;
  if (used + more <= bytes.length) return;
  const factor = bytes.length < LARGE_BYTES ? 2 : 8;
  json.bytes = new Uint8Array(Math.max(bytes.length * factor, used + more));
  json.bytes.set(bytes.subarray(0, used));
}

function writeString(json: JsonBytes, text: string): void {
  reserve(json, text.length * MAX_UNIT_BYTES + 2);
  const { bytes } = json;
  let at = json.used;
  bytes[at++] = QUOTE;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < SPACE || unit === QUOTE || unit === BACKSLASH || unit > 0x7ff) {
      return writeText(json, JSON.stringify(text));
    }
    if (unit < 0x80) bytes[at++] = unit;
    else {
      bytes[at++] = 0xc0 | (unit >>> 6);
      bytes[at++] = 0x80 | (unit & 0x3f);
    }
  }
  bytes[at++] = QUOTE;
  json.used = at;
}

/** Writes the digits of a whole number from 0 to MAX_PLAIN. */
function writeWhole(json: JsonBytes, value: number): void {
  reserve(json, 10);
  const { bytes, used } = json;
  let digits = 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++;
  for (let at = used + digits - 1, rest = value; at >= used; at--, rest = (rest / 10) | 0) {
    bytes[at] = ZERO + rest % 10;
  }
  json.used += digits;
}
