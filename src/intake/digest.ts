/**
 * Digests of bytes, cells and texts, by which equal ones are recognized without being compared.
 *
 * MurmurHash3_x86_128 (Austin Appleby, public domain) with sixteen secret bytes in front of the data. It recognizes and
 * does not protect: collisions cannot be constructed without the salt, and do not happen by chance at 128 bits. Hot
 * loops; nothing is allocated in them. No I/O. No clock.
 */
import type { Cell, Salt } from "../model/record.ts";

const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;

/** The published function, unsalted: four 32-bit words of `bytes[start, end)` at `out[at]`. */
export function murmur3(
  bytes: Uint8Array,
  start: number,
  end: number,
  seed: number,
  out: Int32Array,
  at: number,
): void {
  run(bytes, start, end, seed, seed, seed, seed, end - start, out, at);
}

/** Four 32-bit words at `out[at]`: the digest of the salt followed by `bytes[start, end)`. */
export function digestBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  salt: Salt,
  out: Int32Array,
  at: number,
): void {
  // The salt is exactly one block: this is one step of the loop in `run`, over words instead of bytes.
  let k1 = Math.imul(salt[0]!, C1);
  k1 = Math.imul((k1 << 15) | (k1 >>> 17), C2);
  let h1 = (k1 << 19) | (k1 >>> 13);
  h1 = (Math.imul(h1, 5) + 0x561ccd1b) | 0;
  let k2 = Math.imul(salt[1]!, C2);
  k2 = Math.imul((k2 << 16) | (k2 >>> 16), C3);
  let h2 = (k2 << 17) | (k2 >>> 15);
  h2 = (Math.imul(h2, 5) + 0x0bcaa747) | 0;
  let k3 = Math.imul(salt[2]!, C3);
  k3 = Math.imul((k3 << 17) | (k3 >>> 15), C4);
  let h3 = (k3 << 15) | (k3 >>> 17);
  h3 = (Math.imul(h3, 5) + 0x96cd1c35) | 0;
  let k4 = Math.imul(salt[3]!, C4);
  k4 = Math.imul((k4 << 18) | (k4 >>> 14), C1);
  let h4 = (((k4 << 13) | (k4 >>> 19)) + h1) | 0;
  h4 = (Math.imul(h4, 5) + 0x32ac3b17) | 0;
  run(bytes, start, end, h1, h2, h3, h4, end - start + 16, out, at);
}

function run(
  bytes: Uint8Array,
  start: number,
  end: number,
  h1: number,
  h2: number,
  h3: number,
  h4: number,
  length: number,
  out: Int32Array,
  at: number,
): void {
  let i = start;
  for (const whole = end - 15; i < whole; i += 16) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    k = Math.imul(k, C1);
    h1 ^= Math.imul((k << 15) | (k >>> 17), C2);
    h1 = (((h1 << 19) | (h1 >>> 13)) + h2) | 0;
    h1 = (Math.imul(h1, 5) + 0x561ccd1b) | 0;
    k = bytes[i + 4]! | (bytes[i + 5]! << 8) | (bytes[i + 6]! << 16) | (bytes[i + 7]! << 24);
    k = Math.imul(k, C2);
    h2 ^= Math.imul((k << 16) | (k >>> 16), C3);
    h2 = (((h2 << 17) | (h2 >>> 15)) + h3) | 0;
    h2 = (Math.imul(h2, 5) + 0x0bcaa747) | 0;
    k = bytes[i + 8]! | (bytes[i + 9]! << 8) | (bytes[i + 10]! << 16) | (bytes[i + 11]! << 24);
    k = Math.imul(k, C3);
    h3 ^= Math.imul((k << 17) | (k >>> 15), C4);
    h3 = (((h3 << 15) | (h3 >>> 17)) + h4) | 0;
    h3 = (Math.imul(h3, 5) + 0x96cd1c35) | 0;
    k = bytes[i + 12]! | (bytes[i + 13]! << 8) | (bytes[i + 14]! << 16) | (bytes[i + 15]! << 24);
    k = Math.imul(k, C4);
    h4 ^= Math.imul((k << 18) | (k >>> 14), C1);
    h4 = (((h4 << 13) | (h4 >>> 19)) + h1) | 0;
    h4 = (Math.imul(h4, 5) + 0x32ac3b17) | 0;
  }
  out[at] = h1;
  out[at + 1] = h2;
  out[at + 2] = h3;
  out[at + 3] = h4;
  mixRest(bytes, i, end, out, at);
  finish(length, out, at);
}

/** Mixes in the last, incomplete block, padded with zeros. A word without bytes is 0 and changes nothing. */
function mixRest(bytes: Uint8Array, start: number, end: number, out: Int32Array, at: number): void {
  let k1 = 0, k2 = 0, k3 = 0, k4 = 0;
  for (let i = start, n = 0; i < end; i++, n++) {
    const part = bytes[i]! << ((n & 3) << 3);
    if (n < 4) k1 |= part;
    else if (n < 8) k2 |= part;
    else if (n < 12) k3 |= part;
    else k4 |= part;
  }
  k4 = Math.imul(k4, C4);
  out[at + 3]! ^= Math.imul((k4 << 18) | (k4 >>> 14), C1);
  k3 = Math.imul(k3, C3);
  out[at + 2]! ^= Math.imul((k3 << 17) | (k3 >>> 15), C4);
  k2 = Math.imul(k2, C2);
  out[at + 1]! ^= Math.imul((k2 << 16) | (k2 >>> 16), C3);
  k1 = Math.imul(k1, C1);
  out[at]! ^= Math.imul((k1 << 15) | (k1 >>> 17), C2);
}

/** Mixes in the length, and each word into the others. */
function finish(length: number, out: Int32Array, at: number): void {
  let h2 = out[at + 1]! ^ length, h3 = out[at + 2]! ^ length, h4 = out[at + 3]! ^ length;
  let h1 = ((out[at]! ^ length) + h2 + h3 + h4) | 0;
  h2 = spread(h2 + h1);
  h3 = spread(h3 + h1);
  h4 = spread(h4 + h1);
  h1 = (spread(h1) + h2 + h3 + h4) | 0;
  out[at] = h1;
  out[at + 1] = h2 + h1;
  out[at + 2] = h3 + h1;
  out[at + 3] = h4 + h1;
}

function spread(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

// Shared: every use begins and ends within one synchronous call. Grows to the largest row seen.
let scratch = new Uint8Array(16 * 1024);
let used = 0;

const ABSENT = 0, EMPTY = 1, ASCII = 2, UNICODE = 3, NUMBER = 4, FALSE = 5, TRUE = 6, JSON_TEXT = 7;
const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/**
 * Four 32-bit words at `out[at]`: the digest of a row's cells. Different cells are different bytes: an absent cell is
 * not an empty one; null is "". Objects are compared by their JSON, including the order of keys. `order`: which cells,
 * and in which order; null: all of them, as they are.
 */
export function digestCells(
  cells: readonly Cell[],
  salt: Salt,
  out: Int32Array,
  at: number,
  order: readonly number[] | null = null,
): void {
  used = 0;
  const count = order === null ? cells.length : order.length;
  putWord(count);
  for (let i = 0; i < count; i++) putCell(cells[order === null ? i : order[i]!]);
  digestBytes(scratch, 0, used, salt, out, at);
}

const words = new Int32Array(4);

/** Two 32-bit words at `out[at]`: enough for a table in memory that confirms its hits, not enough to identify texts. */
export function hashText(text: string, salt: Salt, out: Int32Array, at: number): void {
  used = 0;
  putText(text);
  digestBytes(scratch, 0, used, salt, words, 0);
  out[at] = words[0]!;
  out[at + 1] = words[1]!;
}

function putCell(cell: Cell): void {
  if (typeof cell === "string") {
    if (cell === "") putByte(EMPTY);
    else putText(cell);
  } else if (cell === undefined) putByte(ABSENT);
  else if (cell === null) putByte(EMPTY);
  else if (typeof cell === "number") {
    putByte(NUMBER);
    float[0] = cell;
    for (let i = 0; i < 8; i++) putByte(floatBytes[i]!);
  } else if (typeof cell === "boolean") putByte(cell ? TRUE : FALSE);
  else {
    putByte(JSON_TEXT);
    putText(JSON.stringify(cell));
  }
}

/**
 * Kind, length, then one byte for each character, or two for all when one of them is not ASCII. UTF-8 would not do: it
 * encodes all lone surrogates alike.
 */
function putText(text: string): void {
  const start = used, length = text.length;
  reserve(5 + 2 * length);
  scratch[used++] = ASCII;
  putWord(length);
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) {
      scratch[start] = UNICODE;
      used = start + 5;
      for (let j = 0; j < length; j++) {
        const wide = text.charCodeAt(j);
        scratch[used++] = wide;
        scratch[used++] = wide >>> 8;
      }
      return;
    }
    scratch[used++] = unit;
  }
}

function putByte(byte: number): void {
  reserve(1);
  scratch[used++] = byte;
}

function putWord(word: number): void {
  reserve(4);
  scratch[used++] = word;
  scratch[used++] = word >>> 8;
  scratch[used++] = word >>> 16;
  scratch[used++] = word >>> 24;
}

function reserve(bytes: number): void {
  if (used + bytes <= scratch.length) return;
  const larger = new Uint8Array(Math.max(2 * scratch.length, used + bytes));
  larger.set(scratch.subarray(0, used));
  scratch = larger;
}
