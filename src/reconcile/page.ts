/**
 * Pages of changes: how a plan is stored, applied from, and read back as changes. No I/O.
 *
 * A page's body is a JSON array of entries; an entry is an array, so that SQL can take it apart by position
 * (`value ->> 2`) and a million of them stay small. The part after HEAD is the user as it will be: every column,
 * changed or not.
 */
import type { ChangeAction } from "../model/change.ts";
import type { JsonBytes } from "./json-bytes.ts";

/** Columns of `users` that an entry carries, in their order after HEAD: those that are mostly empty come last. */
export const IMAGE = [
  "employee_id",
  "email",
  "first_name",
  "last_name",
  "title",
  "department_id",
  "manager_id",
  "location",
  "phone",
  "hire_date",
  "employment_status",
  "on_leave",
  "status",
  "source_id",
  "preferred_name",
  "mobile_phone",
  "username",
  "deactivation_date",
  "timezone",
  "language",
  "custom",
  "field_sources",
  "edited_by_hand",
] as const;
export type ImageColumn = (typeof IMAGE)[number];

/** A stored value: text, number, 0 or 1, a JSON object or array, or null. */
export type Stored = string | number | null | Record<string, unknown> | readonly string[];

/** A user's columns as stored, in the order of IMAGE. */
export type Image = Stored[];

export const IMAGE_INDEX = Object.fromEntries(IMAGE.map((column, index) => [column, index])) as Record<
  ImageColumn,
  number
>;

/** How many places of an entry come before the image. */
export const HEAD = 11;
const COMMA = 0x2c, CLOSE = 0x5d;

/** One planned or applied change of a user. */
export interface UserChange {
  readonly action: ChangeAction;
  readonly line: number | null;
  readonly userId: number;
  /** The user's version that it was planned against; 0 for a create. */
  readonly version: number;
  /** Why, where it is not plain from the row: `missing`, `filtered`, `due`, `revert`, `hand`. */
  readonly reason: string | null;
  /** Changed columns with their values before; null for a create. */
  readonly before: Partial<Record<ImageColumn, Stored>> | null;
  /** The page with the user's change before this one. */
  readonly previousPage: number | null;
  /** The source key to link it by; null leaves links alone. */
  readonly key: string | null;
  /** Digests of the row for the link; null when it must be looked at each time. */
  readonly digest: string | null;
  readonly canonical: string | null;
  /** What the record said, for the link. */
  readonly active: boolean;
  readonly after: Image;
}

export type Entry = unknown[];

/** An entry without the nulls at its end: a place beyond it is null, here as in SQL. */
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
    change.active ? 1 : 0,
    ...change.after,
  ];
  while (entry[entry.length - 1] === null) entry.pop();
  return entry;
}

/**
 * Writes an entry from its key on, with the bracket that ends it, for a change of somebody new: what is before the key is
 * the same for all but two numbers.
 */
export function writeTail(json: JsonBytes, { key, digest, canonical, active, after }: UserChange): void {
  json.value(key);
  json.sign(COMMA);
  json.value(digest);
  json.sign(COMMA);
  json.value(canonical);
  json.sign(COMMA);
  json.value(active ? 1 : 0);
  let length = after.length;
  while (length > 0 && after[length - 1] === null) length--;
  for (let place = 0; place < length; place++) {
    json.sign(COMMA);
    json.value(after[place]!);
  }
  json.sign(CLOSE);
}

export function decodeChange(entry: Entry): UserChange {
  const after: Image = new Array(IMAGE.length).fill(null);
  for (let place = HEAD; place < entry.length; place++) after[place - HEAD] = entry[place] as Stored;
  return {
    action: entry[0] as ChangeAction,
    line: entry[1] as number | null,
    userId: entry[2] as number,
    version: entry[3] as number,
    reason: entry[4] as string | null,
    before: entry[5] as UserChange["before"],
    previousPage: entry[6] as number | null,
    key: entry[7] as string | null,
    digest: entry[8] as string | null,
    canonical: entry[9] as string | null,
    active: entry[10] === 1,
    after,
  };
}

/** Before each entry of a page of new people, so that it can be read a few at a time: JSON has no other line ends. */
export const BETWEEN_ENTRIES = 0x0a;
const LINE_END = String.fromCharCode(BETWEEN_ENTRIES);

/**
 * A page's entries, `together` at a time where lines tell them apart: a whole page of them would outlive a collection or
 * two, and be taken for long-lived.
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

/** One planned or applied change of a department. */
export interface DepartmentChange {
  readonly action: ChangeAction;
  readonly line: number | null;
  readonly departmentId: number;
  readonly version: number;
  readonly reason: string | null;
  readonly before: Partial<DepartmentImage> | null;
  readonly previousPage: number | null;
  readonly after: DepartmentImage;
}

export interface DepartmentImage {
  readonly name: string;
  readonly folded: string;
  readonly parent_id: number | null;
  readonly external_id: string | null;
  /** 0 or 1, as stored. */
  readonly active: number;
  readonly closing: number;
}
