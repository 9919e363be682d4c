/**
 * New people staged while planning still goes on: half of applying them is reading JSON into columns, which needs neither
 * the database's lock nor its order. What is staged is a copy of the plan's pages, in a separate file that may be lost at
 * any time: a page that is not staged is read when it is applied.
 */
import { CHANGE, type Entry, placeOf } from "../../reconcile/columns/entry.ts";
import { IMAGE, type ImageColumn } from "../../reconcile/image.ts";
import type { Insert } from "../engine.ts";

export interface Staging {
  /** Stages a stored page of creates. Never fails, and returns at once. */
  add(pageId: number): void;
  /** Removes a page that was rewritten or deleted. */
  remove(pageId: number): void;
  /** Waits until staging is finished; gives the ids of pages that can now be read from STAGED. */
  open(): Promise<ReadonlySet<number>>;
  /** Removes everything, in any state. */
  clear(): Promise<void>;
}

/** An entry is at `page id * PLACES + place in the page`. */
export const PLACES = 8_192;
/** The schema name of the attached file, and its table. */
export const SCHEMA = "staging";
export const STAGED = `${SCHEMA}.people`;

/** Places of an entry before its image, by their column. */
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

/** Without indexes. Numbers are bound as floats, which integer columns store as integers. */
export const CREATE_STAGED = `create table people (place integer primary key,
  ${[...Object.keys(HEAD_PLACES), ...IMAGE].map(columnOf).join(", ")})`;

/** Entries of a page, with the columns in which any of them has a value. `first`: the place in the page of the first. */
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

/** A value as SQL extracts it from JSON: an object is its text. */
function storedOf(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  return typeof value === "object" ? JSON.stringify(value) : value;
}
