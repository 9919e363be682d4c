/**
 * JSON objects walked as bytes: where each one ends, and which keys it has, without parsing it.
 *
 * The keys of all objects make up the input's columns, in the order of their first appearance. Most objects have the
 * keys of the one before in the same order, so a key is compared with the expected one and decoded only when it
 * differs. No I/O. No clock.
 */
import { Fault } from "../model/errors.ts";
import { decodeUtf8 } from "./utf8.ts";

/** Deepest nesting. People's data never goes deeper, and every parser and the database can handle it. */
const MAX_DEPTH = 32;

const QUOTE = 0x22, BACKSLASH = 0x5c, COMMA = 0x2c;

/** Different sets of keys that are remembered. More are only missed by warnings. */
const MAX_SHAPES = 1000;

/** The object being walked, for messages: its number, where it begins, and where `bytes[0]` is in the input. */
export interface Place {
  readonly record: number;
  readonly start: number;
  readonly offset: number;
}

export interface Keyring {
  /** Keys of all objects walked so far. Grows; is never reordered. */
  readonly columns: string[];
  readonly maxColumns: number;
  readonly ordinals: Map<string, number>;
  /** The bytes of each key as last seen, with its escapes. */
  readonly spelled: Uint8Array[];
  /** The key that followed each key last time. */
  readonly following: number[];
  /** The first key of the last object. */
  first: number;
  /** The walk in which each key was seen last. */
  readonly seenIn: number[];
  walks: number;
  /** The sets of keys that objects have had, each by the ordinals of its keys. Grows; is never reordered. */
  readonly shapes: (readonly number[])[];
  /** Hashes of the keys of these objects, in their order. */
  readonly shapesSeen: Set<number>;
  /** The hash of the current object's keys, and that of the last object. */
  shape: number;
  lastShape: number;
}

export function createKeyring(maxColumns: number): Keyring {
  return {
    columns: [],
    maxColumns,
    ordinals: new Map(),
    spelled: [],
    following: [],
    first: 0,
    seenIn: [],
    walks: 0,
    shapes: [],
    shapesSeen: new Set(),
    shape: 0,
    lastShape: 0,
  };
}

/**
 * The end of the object that begins at `bytes[place.start]`, or -1 when it goes on after `to`. Notes its keys. With
 * `oneLine`, a line end inside the object is a Fault.
 */
export function walkObject(keys: Keyring, bytes: Uint8Array, to: number, place: Place, oneLine: boolean): number {
  keys.walks++;
  keys.shape = 0;
  let depth = 0;
  let keyNext = false;
  let key = -1;
  for (let i = place.start; i < to; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) {
      const start = i + 1;
      i = endOfString(bytes, start, to, place);
      if (i < 0) return -1;
      if (keyNext && depth === 1) {
        key = noteKey(keys, bytes, start, i, key, place);
        keyNext = false;
      }
    } else if (byte === COMMA) keyNext = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > MAX_DEPTH) throw jsonFault(place, i, `it has more than ${MAX_DEPTH} levels inside one another`);
      keyNext = byte === 0x7b;
    } else if (byte === 0x7d || byte === 0x5d) {
      keyNext = false;
      if (--depth > 0) continue;
      if (keys.shape !== keys.lastShape) noteShape(keys);
      return i + 1;
    } else if (byte < 0x20 && oneLine && (byte === 0x0a || byte === 0x0d)) {
      throw jsonFault(place, i, "the line ends inside it, but a record should be on one line");
    }
  }
  return -1;
}

/** The closing quote of the string whose text begins at `start`, or -1 when it is not there yet. */
function endOfString(bytes: Uint8Array, start: number, to: number, place: Place): number {
  for (let i = start; i < to; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) return i;
    if (byte === BACKSLASH) i++;
    else if (byte < 0x20) throw jsonFault(place, i, "a string goes over the end of its line, or is not closed");
  }
  return -1;
}

/**
 * Notes the key `bytes[start, end)` of the current object, after the key `before` (-1 for none), and returns its
 * ordinal.
 */
function noteKey(keys: Keyring, bytes: Uint8Array, start: number, end: number, before: number, place: Place): number {
  const { columns, following, seenIn, walks } = keys;
  let ordinal = before < 0 ? keys.first : following[before]!;
  if (ordinal >= columns.length || !isSame(keys.spelled[ordinal]!, bytes, start, end)) {
    ordinal = findKey(keys, bytes, start, end, place);
    if (before < 0) keys.first = ordinal;
    else following[before] = ordinal;
  }
  if (seenIn[ordinal] === walks) {
    throw new Fault("json_invalid", `${nameRecord(place)} has the key "${columns[ordinal]}" twice: once is right`, {
      line: place.record,
    });
  }
  seenIn[ordinal] = walks;
  keys.shape = (Math.imul(keys.shape, 31) + ordinal + 1) | 0;
  return ordinal;
}

/** Notes which keys the current object has, unless an object before had the same. */
function noteShape(keys: Keyring): void {
  const { shapes, shapesSeen, seenIn, walks, shape } = keys;
  keys.lastShape = shape;
  if (shapesSeen.has(shape) || shapes.length >= MAX_SHAPES) return;
  shapesSeen.add(shape);
  shapes.push(seenIn.flatMap((walk, ordinal) => (walk === walks ? [ordinal] : [])));
}

/** Decodes a key that is not the expected one. A new key becomes a column. */
function findKey(keys: Keyring, bytes: Uint8Array, start: number, end: number, place: Place): number {
  const { columns, maxColumns, ordinals } = keys;
  const key = decodeKey(bytes, start, end, place);
  let ordinal = ordinals.get(key);
  if (ordinal === undefined) {
    ordinal = columns.length;
    if (ordinal >= maxColumns) {
      throw new Fault("too_large", `${nameRecord(place)} brings the columns over their limit of ${maxColumns}`, {
        line: place.record,
      });
    }
    columns.push(key);
    ordinals.set(key, ordinal);
    keys.following.push(ordinal + 1);
  }
  keys.spelled[ordinal] = bytes.slice(start, end);
  return ordinal;
}

/** Forgets the keys behind the first `count`. */
export function forgetKeys({ columns, ordinals, spelled, following, seenIn }: Keyring, count: number): void {
  for (const key of columns.splice(count)) ordinals.delete(key);
  for (const list of [spelled, following, seenIn]) list.length = Math.min(list.length, count);
}

/** The end of the value that begins at `bytes[start]`, whatever it is, or -1 when it goes on after `to`. */
export function walkValue(bytes: Uint8Array, to: number, place: Place): number {
  let depth = 0;
  for (let i = place.start; i < to; i++) {
    const byte = bytes[i]!;
    if (byte === QUOTE) {
      i = endOfString(bytes, i + 1, to, place);
      if (i < 0) return -1;
      if (depth === 0) return i + 1;
    } else if (byte === 0x7b || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) {
      if (depth === 0) return i;
      if (--depth === 0) return i + 1;
    } else if (depth === 0 && (byte === COMMA || byte <= 0x20)) return i;
  }
  return -1;
}

function decodeKey(bytes: Uint8Array, start: number, end: number, place: Place): string {
  const raw = decodeUtf8(bytes, start, end, place.offset, false, place.record);
  try {
    return JSON.parse(`"${raw}"`);
  } catch {
    throw jsonFault(place, start, "the key has an escape that JSON does not know");
  }
}

function isSame(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}

/** How messages name a record: `Record 3 (at byte 812)`. Bytes count from 0, in the input. */
export function nameRecord(place: Place): string {
  return `Record ${place.record} (at byte ${place.offset + place.start})`;
}

/** An error of syntax at `bytes[at]`, inside a record. */
export function jsonFault(place: Place, at: number, what: string): Fault {
  return new Fault("json_invalid", `${nameRecord(place)} is not valid JSON at byte ${place.offset + at}: ${what}`, {
    line: place.record,
  });
}
