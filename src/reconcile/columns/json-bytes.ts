/**
 * JSON written as UTF-8 at once, value by value, into one buffer that grows: texts for each entry, and bytes of those
 * texts, would be garbage by the million. No I/O.
 */

export interface JsonBytes {
  /** What has been written is `[0, used)` of it; another one after a write. */
  readonly bytes: Uint8Array;
  readonly used: number;
  /** A byte that is JSON's own, such as a bracket. */
  sign(byte: number): void;
  value(value: string | number | object | null): void;
  /** JSON that is written already. */
  copy(part: Uint8Array): void;
  /** Forgets what was written; beyond `keepBytes` the buffer, too. */
  clear(keepBytes: number): void;
}

const encoder = new TextEncoder();
const QUOTE = 0x22, BACKSLASH = 0x5c, SPACE = 0x20, ZERO = 0x30;
const NULL = encoder.encode("null");
const FIRST_BYTES = 64 * 1024;
/** From here on it grows once and for long: memory that nothing is written to is not there, and a copy of much is. */
const LARGE_BYTES = 4 * 1024 * 1024;
/** UTF-8 of a UTF-16 unit takes three bytes at most. */
const MOST_BYTES = 3;
/** Numbers whose digits are counted out with whole numbers alone. */
const MAX_PLAIN = 0x7fffffff;

export function createJsonBytes(): JsonBytes {
  let bytes = new Uint8Array(FIRST_BYTES);
  let used = 0;

  function reserve(more: number): void {
    if (used + more <= bytes.length) return;
    const factor = bytes.length < LARGE_BYTES ? 2 : 8;
    const larger = new Uint8Array(Math.max(bytes.length * factor, used + more));
    larger.set(bytes.subarray(0, used));
    bytes = larger;
  }

  function putText(text: string): void {
    reserve(text.length * MOST_BYTES + 2);
    const into = bytes;
    let at = used;
    into[at++] = QUOTE;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < SPACE || unit === QUOTE || unit === BACKSLASH || unit > 0x7ff) return putAny(text);
      if (unit < 0x80) into[at++] = unit;
      else {
        into[at++] = 0xc0 | (unit >>> 6);
        into[at++] = 0x80 | (unit & 0x3f);
      }
    }
    into[at++] = QUOTE;
    used = at;
  }

  function putWhole(value: number): void {
    reserve(10);
    let digits = 1;
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits++;
    for (let at = used + digits - 1, rest = value; at >= used; at--, rest = (rest / 10) | 0) {
      bytes[at] = ZERO + rest % 10;
    }
    used += digits;
  }

  /** What needs escaping, and what is rare. */
  function putAny(value: string | number | object): void {
    const text = JSON.stringify(value);
    reserve(text.length * MOST_BYTES);
    used += encoder.encodeInto(text, bytes.subarray(used)).written;
  }

  return {
    get bytes() {
      return bytes;
    },
    get used() {
      return used;
    },
    sign(byte) {
      reserve(1);
      bytes[used++] = byte;
    },
    value(value) {
      if (typeof value === "string") return putText(value);
      if (value === null) {
        reserve(NULL.length);
        bytes.set(NULL, used);
        used += NULL.length;
      } else if (typeof value === "number" && value >= 0 && value <= MAX_PLAIN && Number.isInteger(value)) {
        putWhole(value);
      } else putAny(value);
    },
    copy(part) {
      reserve(part.length);
      bytes.set(part, used);
      used += part.length;
    },
    clear(keepBytes) {
      used = 0;
      if (bytes.length > keepBytes) bytes = new Uint8Array(FIRST_BYTES);
    },
  };
}
