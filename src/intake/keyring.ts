/**
 * JSON objects walked as bytes: where each one ends, and which keys it has, without parsing it.
 *
 * The keys of all objects make up the input's columns, in the order of their first appearance. Most objects have the keys
 * of the one before in the same order, so a key is compared with the expected one and decoded only when it differs.
 * No I/O. No clock.
 */
import { Fault } from "../model/errors.ts";
import { decodeUtf8 } from "./utf8.ts";

/** More levels inside one another than any person's data has, and few enough for every parser and the database. */
const MAX_DEPTH = 32;

const QUOTE = 0x22, BACKSLASH = 0x5c, COMMA = 0x2c;

/** The object under the walker, for its messages: which one, where it begins, where `bytes[0]` is in the input. */
export interface Place {
  readonly record: number;
  readonly start: number;
  readonly offset: number;
}

export interface Keyring {
  /** Grows while objects are walked; never reordered. */
  readonly columns: string[];
  /** The end of the object that begins at `bytes[place.start]`, or -1 when it goes on after `to`. `oneLine`: it must not be broken over lines. */
  walk(bytes: Uint8Array, to: number, place: Place, oneLine: boolean): number;
}

/** How messages name a record: `Record 3 (at byte 812)`. Bytes count from 0, in the input. */
export function nameRecord(place: Place): string {
  return `Record ${place.record} (at byte ${place.offset + place.start})`;
}

/** A position inside a record, as messages name it. */
export function jsonFault(place: Place, at: number, what: string): Fault {
  return new Fault("json_invalid", `${nameRecord(place)} is not valid JSON at byte ${place.offset + at}: ${what}`, {
    line: place.record,
  });
}

export function createKeyring(maxColumns: number): Keyring {
  const columns: string[] = [];
  const ordinals = new Map<string, number>();
  /** A key's bytes as last seen, escapes and all. */
  const spelled: Uint8Array[] = [];
  /** Which key came after this one the last time; the last place is for the first key. */
  const following: number[] = [];
  /** The walk in which each key was seen last. */
  const seenIn: number[] = [];
  let walks = 0;
  let first = 0;

  function see(bytes: Uint8Array, start: number, end: number, before: number, place: Place): number {
    const expected = before < 0 ? first : following[before]!;
    let ordinal = expected;
    if (expected >= columns.length || !same(spelled[expected]!, bytes, start, end)) {
      ordinal = find(bytes, start, end, place);
      if (before < 0) first = ordinal;
      else following[before] = ordinal;
    }
    if (seenIn[ordinal] === walks) {
      throw new Fault("json_invalid", `${nameRecord(place)} has the key "${columns[ordinal]}" twice: once is right`, {
        line: place.record,
      });
    }
    seenIn[ordinal] = walks;
    return ordinal;
  }

  function find(bytes: Uint8Array, start: number, end: number, place: Place): number {
    const raw = decodeUtf8(bytes, start, end, place.offset, false, place.record);
    let key: string;
    try {
      key = JSON.parse(`"${raw}"`);
    } catch {
      throw jsonFault(place, start, "the key has an escape that JSON does not know");
    }
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
      following.push(ordinal + 1);
    }
    spelled[ordinal] = bytes.slice(start, end);
    return ordinal;
  }

  return {
    columns,
    walk(bytes, to, place, oneLine) {
      walks++;
      let depth = 0;
      let keyNext = false;
      let key = -1;
      for (let i = place.start; i < to; i++) {
        const byte = bytes[i]!;
        if (byte === QUOTE) {
          const start = i + 1;
          for (i++; i < to; i++) {
            const inside = bytes[i]!;
            if (inside === QUOTE) break;
            if (inside === BACKSLASH) i++;
            else if (inside < 0x20) {
              throw jsonFault(place, i, "a string goes over the end of its line, or is not closed");
            }
          }
          if (i >= to) return -1;
          if (keyNext && depth === 1) {
            key = see(bytes, start, i, key, place);
            keyNext = false;
          }
        } else if (byte === COMMA) keyNext = true;
        else if (byte === 0x7b || byte === 0x5b) {
          if (++depth > MAX_DEPTH) throw jsonFault(place, i, `it has more than ${MAX_DEPTH} levels inside one another`);
          keyNext = byte === 0x7b;
        } else if (byte === 0x7d || byte === 0x5d) {
          keyNext = false;
          if (--depth === 0) return i + 1;
        } else if (byte < 0x20 && oneLine && (byte === 0x0a || byte === 0x0d)) {
          throw jsonFault(place, i, "the line ends inside it, but a record should be on one line");
        }
      }
      return -1;
    },
  };
}

function same(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}
