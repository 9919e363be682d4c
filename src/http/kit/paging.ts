/**
 * Lists in pages: `?limit=&cursor=` in, `{data, next_cursor}` out. A cursor names a place, so writes do not move it.
 *
 * A cursor carries a checksum, so that a mistyped or changed one is refused. The checksum has no secret in it: a cursor
 * opens nothing that the list would not show anyway, and stays valid when the master key changes.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { Context } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import type { Database } from "../../store/database.ts";
import type { Env } from "./env.ts";
import { query } from "./validate.ts";

/** The query parameters that every list has. */
export const PAGING = {
  limit: z.coerce.number("should be a number").int("should be a whole number").min(1, "should be at least 1")
    .max(200, "should be at most 200").default(50)
    .meta({ description: "Items a page" }),
  cursor: z.string().optional().meta({ description: "`next_cursor` of the page before; without it, the first page" }),
};

/** Checks the query of a list that has no filters. */
export const PAGED = query(z.strictObject(PAGING));

type PagedContext = Context<Env, string, { out: { query: { readonly limit: number; readonly cursor?: string } } }>;

/** Where a page begins: behind `after` in a list that ascends, in front of `before` in one that descends. */
export interface Place {
  readonly after: number;
  readonly before: number | null;
  readonly limit: number;
}

/** Answers with a page of the list `name`. `load` is asked for one row more, which shows that there is a next page. */
export function answerList<Row, View>(
  c: PagedContext,
  name: string,
  load: (db: Database, organizationId: number, place: Place) => Promise<readonly Row[]>,
  placeOf: (row: Row) => number,
  view: (row: Row) => View,
): Promise<Response> {
  return answerListed(c, name, async ({ limit, ...place }) => {
    const rows = await load(c.get("hub").db, c.get("organization").id, { ...place, limit: limit + 1 });
    const shown = rows.slice(0, limit);
    return { data: shown.map(view), next: rows.length > limit ? placeOf(shown.at(-1)!) : null };
  });
}

/** The same for a `load` that knows itself where the next page begins. */
export async function answerListed<View>(
  c: PagedContext,
  name: string,
  load: (place: Place) => Promise<{ readonly data: readonly View[]; readonly next: number | null }>,
): Promise<Response> {
  const { limit, cursor } = c.req.valid("query");
  const before = readCursor(name, cursor);
  const { data, next } = await load({ before, after: before ?? 0, limit });
  return c.json({ data, next_cursor: next === null ? null : cursorAfter(name, next) });
}

/** The place that a cursor of the list `name` carries; null without a cursor. */
export function readCursor(name: string, cursor: string | undefined): number | null {
  if (cursor === undefined || cursor === "") return null;
  let text = "";
  try {
    text = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    // Refused below.
  }
  const place = text.startsWith(`${name}:`) ? Number(text.slice(name.length + 1).split(":")[0]) : NaN;
  // Compared as text: several texts decode to the same bytes.
  if (Number.isSafeInteger(place) && place >= 0 && cursor === cursorAfter(name, place)) return place;
  throw new Fault("invalid_request", "The cursor is not from this list", {
    errors: [{ pointer: "?cursor", detail: "should be an unchanged next_cursor of this list" }],
  });
}

/** The cursor with which the list `name` continues after `place`. */
export function cursorAfter(name: string, place: number): string {
  const input = `${name}:${place}`;
  const check = btoa(String.fromCharCode(...sha256(new TextEncoder().encode(`cursor ${input}`)).subarray(0, 6)));
  return btoa(`${input}:${check}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
