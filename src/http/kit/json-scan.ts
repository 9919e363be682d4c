/**
 * Scans the text of a JSON body before it is parsed, for what a parser hides or is slow with: keys that occur twice, of
 * which it keeps the last, and structures that are too deep or have too many members.
 *
 * Takes a few milliseconds for each megabyte. Invalid JSON passes: the parser reports it.
 */
import { Fault, type FaultDetail } from "../../model/errors.ts";
import { pointerOf } from "../../std/json-pointer.ts";

export interface ShapeLimits {
  /** Levels of nesting. */
  readonly maxDepth: number;
  /** Members of one list or object. */
  readonly maxMembers: number;
  /** Different keys in the whole text. The parser creates an entry for each, so a million of them keep it busy. */
  readonly maxKeys: number;
}

/** A list or an object that the scan is inside of. */
interface Open {
  readonly isObject: boolean;
  /** Its number in the whole text, from 1. */
  readonly number: number;
  /** The key of the current value, as it is written. */
  key: string;
  /** Commas so far. */
  commas: number;
}

/** The keys found so far. */
interface Keys {
  readonly numbers: Map<string, number>;
  /** By depth and by the key's number: the latest object at that depth that has the key. One look-up for each key. */
  readonly seenIn: number[][];
  readonly max: number;
}

const QUOTE = 0x22, COMMA = 0x2c, BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b, CLOSE_LIST = 0x5d, OPEN_OBJECT = 0x7b, CLOSE_OBJECT = 0x7d;

/** Fails with `malformed_json`, `too_large` or `invalid_request` if the text breaks a limit or repeats a key. */
export function scanJson(text: string, { maxDepth, maxMembers, maxKeys }: ShapeLimits): void {
  const open: Open[] = [];
  const keys: Keys = { numbers: new Map(), seenIn: [], max: maxKeys };
  let number = 0;
  let top: Open | undefined;
  let isKeyNext = false;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE: {
        const end = closingQuote(text, i);
        if (end < 0) return;
        if (isKeyNext) {
          isKeyNext = false;
          top!.key = text.slice(i + 1, end);
          addKey(keys, open);
        }
        i = end;
        break;
      }
      case OPEN_LIST:
      case OPEN_OBJECT: {
        const isObject = text.charCodeAt(i) === OPEN_OBJECT;
        top = { isObject, number: ++number, key: "", commas: 0 };
        isKeyNext = isObject;
        if (open.push(top) > maxDepth) {
          throw new Fault("malformed_json", `The body is nested more than ${maxDepth} levels deep`);
        }
        break;
      }
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        open.pop();
        top = open.at(-1);
        isKeyNext = false;
        break;
      case COMMA:
        if (top === undefined) return;
        isKeyNext = top.isObject;
        if (++top.commas >= maxMembers) {
          throw new Fault("too_large", `A list or object in the body has more than ${maxMembers} members`);
        }
    }
  }
}

/** Adds the key of the innermost object. Fails if the object has it already. */
function addKey({ numbers, seenIn, max }: Keys, open: readonly Open[]): void {
  const object = open.at(-1)!;
  const key = readKey(object.key);
  if (key === "__proto__") throw refused(open, 'Unknown field "__proto__"');
  let number = numbers.get(key);
  if (number === undefined) {
    number = numbers.size;
    if (number >= max) throw new Fault("too_large", `The body has more than ${max} different keys`);
    numbers.set(key, number);
  }
  const seen = seenIn[open.length] ??= [];
  if (seen[number] === object.number) throw refused(open, `The key ${JSON.stringify(key)} occurs twice`);
  seen[number] = object.number;
}

/** The index of the quote that closes the string at `start`; -1 if there is none. */
function closingQuote(text: string, start: number): number {
  for (let end = start;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return -1;
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return end;
  }
}

/** The key with its escapes resolved. */
function readKey(written: string): string {
  if (!written.includes("\\")) return written;
  try {
    return JSON.parse(`"${written}"`);
  } catch {
    // Invalid; the parser reports it.
    return written;
  }
}

function refused(open: readonly Open[], detail: string): Fault {
  const pointer = pointerOf(open.map(({ isObject, key, commas }) => isObject ? readKey(key) : commas));
  const errors: FaultDetail[] = [{ pointer, detail }];
  return new Fault("invalid_request", `The request body is invalid: ${detail} (${pointer})`, { errors });
}
