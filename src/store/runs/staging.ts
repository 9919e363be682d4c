/**
 * New people taken apart while planning still goes on: half of applying them is reading JSON into columns, which needs
 * neither the lock nor the order of the database itself. What is staged is a copy of what the plan's pages hold, in a
 * file of its own that may be lost at any time: a page that is not there is taken apart when it is applied.
 */
import { CHANGE, type Entry, placeOf } from "../../reconcile/columns/entry.ts";
import { IMAGE, type ImageColumn } from "../../reconcile/image.ts";
import type { Insert } from "../engine.ts";

export interface Staging {
  /** Takes a page of creates that is stored. Never fails, and keeps nobody waiting. */
  add(pageId: number): void;
  /** A page that has been rewritten, or is no more. */
  remove(pageId: number): void;
  /** Waits for what is on its way. The pages that can now be read as STAGED. */
  open(): Promise<ReadonlySet<number>>;
  /** Forgets everything, whatever state it is in. */
  clear(): Promise<void>;
}

/** Entries of a page have places of their own: `page id * PLACES + place in the page`. */
export const PLACES = 8_192;
/** The name under which the file is attached to the database, and the table in it. */
export const SCHEMA = "staging";
export const STAGED = `${SCHEMA}.people`;

/** Places of an entry that come before its image, by the column they are staged in. */
const HEAD_PLACES = {
  id: CHANGE.userId,
  source_key: CHANGE.key,
  digest: CHANGE.digest,
  canonical: CHANGE.canonical,
  active: CHANGE.active,
} as const;
const WHOLE_NUMBERS: ReadonlySet<string> = new Set<ImageColumn | "id" | "active">(
  ["id", "active", "department_id", "manager_id", "on_leave"],
);
const columnOf = (name: string) => WHOLE_NUMBERS.has(name) ? `${name} integer` : name;

/** Without indexes. Bound numbers come as floating ones, which whole numbers are stored from as what they are. */
export const CREATE_STAGED = `create table people (place integer primary key,
  ${[...Object.keys(HEAD_PLACES), ...IMAGE].map(columnOf).join(", ")})`;

/** Entries of a page, with the columns that any of them has a value in. `first`: the place in the page of the first. */
export function stagedRows(pageId: number, first: number, entries: readonly Entry[]): Insert {
  const image = IMAGE.map((column) => ({ column, place: placeOf(column) }))
    .filter(({ place }) => entries.some((entry) => (entry[place] ?? null) !== null));
  const places = [...Object.values(HEAD_PLACES), ...image.map(({ place }) => place)];
  const names = ["place", ...Object.keys(HEAD_PLACES), ...image.map(({ column }) => column)];
  const rows: unknown[][] = [];
  for (const [index, entry] of entries.entries()) {
    const row: unknown[] = [pageId * PLACES + first + index];
    for (const place of places) row.push(storedOf(entry[place]));
    rows.push(row);
  }
  return { into: `insert into people (${names.join(", ")})`, rows };
}

/** As SQL takes a value out of JSON: an object is its text. */
function storedOf(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  return typeof value === "object" ? JSON.stringify(value) : value;
}
