/**
 * New people taken apart while planning still goes on: half of applying them is reading JSON into columns, which needs
 * neither the lock nor the order of the database itself. What is staged is a copy of what the plan's pages hold, in a
 * file of its own that may be lost at any time: a page that is not there is taken apart when it is applied.
 */
import { HEAD, IMAGE } from "../reconcile/page.ts";

export interface Staging {
  /** Takes a page of creates, and waits while too many are on their way. Never fails; the body may be used again at once. */
  add(pageId: number, body: Uint8Array): Promise<void>;
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

const COLUMNS = ["id", "source_key", "digest", "canonical", "active", ...IMAGE];

/** Without types, as without indexes: values keep the kind that they have in JSON. */
export const CREATE_STAGED = `create table people (place integer primary key, ${COLUMNS.join(", ")})`;

/** Parameters: the page's id, and its body as bytes. */
export const INSERT_STAGED = `insert into people (place, ${COLUMNS.join(", ")})
  with r(k, v) as materialized (select key, value from json_each(cast(?2 as text)))
  select ?1 * ${PLACES} + k, v ->> 2, v ->> 7, v ->> 8, v ->> 9, v ->> 10,
    ${IMAGE.map((_, index) => `v ->> ${HEAD + index}`).join(", ")} from r`;
