/** Which numbers count pages and what is in them, so that they may stay, and which may be somebody's. */
import { isObject } from "../../std/is-object.ts";

export interface Counts {
  /** Takes the numbers of a body that are no counts for people's own. */
  note(value: unknown): void;
  /** `key`: the name under which the number is. */
  isCount(key: string, value: number): boolean;
}

/** Words of names that count pages and what is in them. */
const PAGING: ReadonlySet<string> = new Set(
  ("total count page pages size limit offset skip top start index next prev previous after before per items results " +
    "records last first current max").split(" "),
);
const COUNTING: ReadonlySet<string> = new Set(
  "total count page pages size limit offset skip top start next prev previous after before".split(" "),
);
const MAX_PAGING = 10_000_000;
/** A number that may be somebody's. */
export const MIN_ID = 1_000;

export function createCounts(): Counts {
  const ids = new Set<string>();

  function isCount(key: string, value: number): boolean {
    const parts = partsOf(key);
    const isPaging = parts.every((part) => PAGING.has(part)) && parts.some((part) => COUNTING.has(part));
    return isPaging && Number.isInteger(value) && value > 0 && value < MAX_PAGING &&
      !(value >= MIN_ID && ids.has(String(value)));
  }

  function noteIn(key: string, value: unknown): void {
    const isNumber = typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value));
    if (isNumber && !isCount(key, Number(value))) ids.add(String(value));
    else if (Array.isArray(value)) { for (const each of value) noteIn(key, each); }
    else if (isObject(value)) { for (const [name, each] of Object.entries(value)) noteIn(name, each); }
  }

  return { note: (value) => noteIn("", value), isCount };
}

/** `workEmail` and `work_email` are `work` and `email`. */
export function partsOf(name: string): string[] {
  return name.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((part) =>
    part !== ""
  );
}
