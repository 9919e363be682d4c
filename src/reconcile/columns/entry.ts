/**
 * Entries of pages: the form in which a plan is stored, applied, and read back. No I/O.
 *
 * A page's body is a JSON array of entries. An entry is an array, so that SQL can read it by place (`value ->> 2`) and
 * a million of them stay small. The tables here name the places, for TypeScript and for the SQL of
 * src/store/runs/entry-places.ts.
 */
import type { ChangeAction } from "../../model/change.ts";
import { IMAGE, type Image, IMAGE_INDEX, type ImageColumn, type Stored } from "../image.ts";
import type { UserChange } from "../planned-change.ts";
import { type JsonBytes, writeByte, writeValue } from "./json-bytes.ts";

/** Places of a change. After them comes the user as it will be: every column, changed or not. */
export const CHANGE = {
  action: 0,
  line: 1,
  userId: 2,
  version: 3,
  reason: 4,
  before: 5,
  previousPage: 6,
  key: 7,
  digest: 8,
  canonical: 9,
  active: 10,
} as const;
/** Place of the first of the user's columns. */
const HEAD = 11;

/** Place of one of the user's columns in a change. */
export function placeOf(column: ImageColumn): number {
  return HEAD + IMAGE_INDEX[column];
}

/** Places of a link: what a row changes of its link when it changes nothing else. */
export const LINK = {
  userId: 0,
  key: 1,
  digest: 2,
  canonical: 3,
  active: 4,
  withheld: 5,
  movedFrom: 6,
  byItself: 7,
} as const;
/** What the last record of a link says, at the place `active`. */
export const SAYS = { inactive: 0, active: 1, filtered: 2 } as const;
/** Places of a user who was seen, at a version: that they were set active by hand ends with it. */
export const SIGHTING = { userId: 0, version: 1 } as const;
/** Places of a new digest for a user's link; null: the row must be planned again. */
export const DIGEST = { userId: 0, digest: 1 } as const;
/**
 * Places of a link that is missing since a time and a count of full inputs; both null: it was seen again. `fromPart`: the run
 * of the part of a full input that does not have it, while other parts follow.
 */
export const MISSING = { key: 0, since: 1, fromInput: 2, fromPart: 3 } as const;
/** Places of a manager who was named and not found; without field and value, the manager is settled. */
export const PENDING = { userId: 0, connectionId: 1, field: 2, value: 3 } as const;

/**
 * The managers beside a page, one for each entry: a user's id, null for none, or one of these. An entry whose row must
 * be read again gets no digest.
 */
export const MANAGER = { stays: 0, staysAndLookAgain: -1 } as const;

export type Entry = unknown[];

/** What a row changes of its link, beside a change of its user or without one. */
export interface LinkChange {
  readonly userId: number;
  readonly key: string | null;
  readonly digest: string | null;
  readonly canonical: string | null;
  readonly active: boolean;
  /** Inactive only because a filter leaves the row out. */
  readonly filtered: boolean;
  readonly withheld: Readonly<Record<string, string>> | null;
  /** The key that linked the same user until now. */
  readonly movedFrom: string | null;
  /** Whether an input that came by itself had the user under that key. */
  readonly byItself: boolean;
}

const COMMA = 0x2c, CLOSE = 0x5d;

/** Nulls at the end of an entry are dropped: a place beyond its end is null, here as in SQL. */
export function encodeChange(change: UserChange): Entry {
  const entry: Entry = [
    change.action,
    change.line,
    change.userId,
    change.version,
    change.reason,
    change.before,
    change.previousPage,
    change.key,
    change.digest,
    change.canonical,
    saysOf(change),
    ...change.after,
  ];
  while (entry[entry.length - 1] === null) entry.pop();
  return entry;
}

export function encodeLink(change: LinkChange): Entry {
  const { userId, key, digest, canonical, withheld, movedFrom, byItself } = change;
  return [userId, key, digest, canonical, saysOf(change), withheld, movedFrom, byItself ? 1 : 0];
}

function saysOf({ active, filtered = false }: Pick<UserChange, "active" | "filtered">): number {
  return active ? SAYS.active : filtered ? SAYS.filtered : SAYS.inactive;
}

/** `version`: of the user, as they were seen. */
export function encodeSighting(userId: number, version: number): Entry {
  return [userId, version];
}

/** `digest` null: the user's row must be planned again. */
export function encodeDigest(userId: number, digest: string | null): Entry {
  return [userId, digest];
}

/** `since` and `fromInput` null: the link was seen again. */
export function encodeMissing(
  key: string,
  since: number | null,
  fromInput: number | null,
  fromPart: number | null = null,
): Entry {
  return [key, since, fromInput, fromPart];
}

/** `field` and `value` null: the user's manager is settled. */
export function encodePending(userId: number, connectionId: number, field: string | null, value: string | null): Entry {
  return [userId, connectionId, field, value];
}

/**
 * Writes the entry of a new person from its key on, with the bracket that ends it. The part before the key is the same
 * for everybody, but for two numbers.
 */
export function writeTail(json: JsonBytes, change: UserChange): void {
  const { key, digest, canonical, after } = change;
  writeValue(json, key);
  writeByte(json, COMMA);
  writeValue(json, digest);
  writeByte(json, COMMA);
  writeValue(json, canonical);
  writeByte(json, COMMA);
  writeValue(json, saysOf(change));
  let length = after.length;
  while (length > 0 && after[length - 1] === null) length--;
  for (let place = 0; place < length; place++) {
    writeByte(json, COMMA);
    writeValue(json, after[place]!);
  }
  writeByte(json, CLOSE);
}

export function decodeChange(entry: Entry): UserChange {
  const after: Image = new Array(IMAGE.length).fill(null);
  for (let place = HEAD; place < entry.length; place++) after[place - HEAD] = entry[place] as Stored;
  return {
    action: entry[CHANGE.action] as ChangeAction,
    line: entry[CHANGE.line] as number | null,
    userId: userOfChange(entry),
    version: entry[CHANGE.version] as number,
    reason: entry[CHANGE.reason] as string | null,
    before: entry[CHANGE.before] as UserChange["before"],
    previousPage: entry[CHANGE.previousPage] as number | null,
    key: entry[CHANGE.key] as string | null,
    digest: entry[CHANGE.digest] as string | null,
    canonical: entry[CHANGE.canonical] as string | null,
    active: entry[CHANGE.active] === SAYS.active,
    ...entry[CHANGE.active] === SAYS.filtered ? { filtered: true } : {},
    after,
  };
}

export function userOfChange(entry: Entry): number {
  return entry[CHANGE.userId] as number;
}

/** Whether the change makes a new user. */
export function isCreation(entry: Entry): boolean {
  return entry[CHANGE.version] === 0;
}

/** The change with the manager that is stored beside its page. */
export function withPageManager(change: UserChange, manager: number | null | undefined): UserChange {
  if (manager === undefined || manager === MANAGER.stays || manager === MANAGER.staysAndLookAgain) return change;
  const was = change.before !== null && "manager_id" in change.before
    ? change.before.manager_id!
    : change.after[IMAGE_INDEX.manager_id]!;
  const after: Image = change.after.slice();
  after[IMAGE_INDEX.manager_id] = manager;
  return { ...change, after, before: change.before === null ? null : { ...change.before, manager_id: was } };
}

/**
 * Comes before each entry of a page of new people, so that a few can be read at a time: JSON has no other line ends.
 */
export const BETWEEN_ENTRIES = 0x0a;
const LINE_END = String.fromCharCode(BETWEEN_ENTRIES);

/**
 * A page's entries, `together` at a time where line ends separate them: a whole page would survive the garbage
 * collector's young generation.
 */
export function* readEntries(body: string, together: number): Generator<Entry[], void> {
  for (let from = body.startsWith(`[${LINE_END}`) ? 2 : 0; from < body.length;) {
    let to = from - 1;
    for (let entries = 0; entries < together && to < body.length; entries++) {
      to = body.indexOf(LINE_END, to + 1);
      if (to < 0) to = body.length;
    }
    // Without the comma or the bracket that follows; a page without lines is one piece.
    yield from === 0 ? JSON.parse(body) as Entry[] : JSON.parse(`[${body.slice(from, to - 1)}]`) as Entry[];
    from = to + 1;
  }
}
