/**
 * A look over the text of a JSON body before it is parsed, at what parsing either hides or takes too long to find: keys
 * that come twice, of which a parser keeps the last, and things that are too deep or too many.
 *
 * Takes a few milliseconds for each megabyte. Texts that are no JSON pass: whoever parses them says what is wrong.
 */
import { Fault, type FaultDetail } from "../../model/errors.ts";

export interface ShapeLimits {
  /** Levels inside one another. */
  readonly maxDepth: number;
  /** Of any one list or object. */
  readonly maxMembers: number;
  /** Different keys in all of the text: each is a thing of its own to the parser, which a million of them keep busy. */
  readonly maxKeys: number;
}

/** A list or an object that is open where the scan is. */
interface Open {
  readonly isObject: boolean;
  /** Its number among all of the text, from 1. */
  readonly number: number;
  /** The key whose value is next, as it is written. */
  key: string;
  /** Commas so far. */
  commas: number;
}

const QUOTE = 0x22, COMMA = 0x2c, BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b, CLOSE_LIST = 0x5d, OPEN_OBJECT = 0x7b, CLOSE_OBJECT = 0x7d;

/** Fails with `malformed_json`, `too_large` or `invalid_request` where the text is not as it may be. */
export function scanJson(text: string, { maxDepth, maxMembers, maxKeys }: ShapeLimits): void {
  const open: Open[] = [];
  const known = new Map<string, number>();
  /** By depth and key: the latest object at that depth that has the key. One look-up a key, however many objects. */
  const seenIn: number[][] = [];
  let number = 0;
  let top: Open | undefined;
  let isKeyNext = false;

  function see(object: Open): void {
    const key = readKey(object.key);
    if (key === "__proto__") throw refused(open, 'Unknown field "__proto__"');
    let ordinal = known.get(key);
    if (ordinal === undefined) {
      ordinal = known.size;
      if (ordinal >= maxKeys) {
        throw new Fault("too_large", `The body has more than ${maxKeys} different keys`);
      }
      known.set(key, ordinal);
    }
    const seen = seenIn[open.length] ??= [];
    if (seen[ordinal] === object.number) throw refused(open, `The key ${JSON.stringify(key)} occurs twice`);
    seen[ordinal] = object.number;
  }

  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE: {
        const end = closingQuote(text, i);
        if (end < 0) return;
        if (isKeyNext) {
          isKeyNext = false;
          top!.key = text.slice(i + 1, end);
          see(top!);
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
          throw new Fault(
            "too_large",
            `A list or object in the body has more than ${maxMembers} members`,
          );
        }
    }
  }
}

/** Where the string that opens at `start` is closed; -1 where it is not. */
function closingQuote(text: string, start: number): number {
  for (let end = start;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return -1;
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return end;
  }
}

/** The key as it is meant: written with escapes, it is the same. */
function readKey(written: string): string {
  if (!written.includes("\\")) return written;
  try {
    return JSON.parse(`"${written}"`);
  } catch {
    // Whoever parses the text says so.
    return written;
  }
}

function refused(open: readonly Open[], detail: string): Fault {
  const pointer = open.map(({ isObject, key, commas }) => {
    const part = isObject ? readKey(key) : String(commas);
    return `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  }).join("");
  const errors: FaultDetail[] = [{ pointer, detail }];
  return new Fault("invalid_request", `The request body is invalid: ${detail} (${pointer})`, { errors });
}
