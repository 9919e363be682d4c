/**
 * Lists in pages: `?limit=&cursor=` in, `{data, next_cursor}` out. A cursor is a place, so writes do not move it.
 *
 * It carries a check of itself, so that a mistyped or changed one is refused. No secret is in the check: a cursor opens
 * nothing that the list would not show anyway, and should outlive a change of the master key.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";

/** The query parameters that every list has. */
export const PAGING = {
  limit: z.coerce.number("should be a number").int("should be a whole number").min(1, "should be at least 1")
    .max(200, "should be at most 200").default(50)
    .meta({ description: "Items a page" }),
  cursor: z.string().optional().meta({ description: "`next_cursor` of the page before; without it, the first page" }),
};

/** The number in a cursor of the list `name`; null without a cursor. */
export function readCursor(name: string, cursor: string | undefined): number | null {
  if (cursor === undefined || cursor === "") return null;
  let text = "";
  try {
    text = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    // Said below.
  }
  const place = text.startsWith(`${name}:`) ? Number(text.slice(name.length + 1).split(":")[0]) : NaN;
  // Compared as it was given: other texts can stand for the same bytes.
  if (Number.isSafeInteger(place) && place >= 0 && cursor === cursorAfter(name, place)) return place;
  throw new Fault("invalid_request", "The cursor is not from this list", {
    errors: [{ pointer: "?cursor", detail: "should be an unchanged next_cursor of this list" }],
  });
}

/** The cursor of the list `name` that goes on after `place`. */
export function cursorAfter(name: string, place: number): string {
  const input = `${name}:${place}`;
  const check = btoa(String.fromCharCode(...sha256(new TextEncoder().encode(`cursor ${input}`)).subarray(0, 6)));
  return btoa(`${input}:${check}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The page of up to `limit` rows, out of `limit + 1` that were asked for. */
export function page<Row, View>(
  name: string,
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => number,
  view: (row: Row) => View,
): { data: View[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit);
  return {
    data: shown.map(view),
    next_cursor: rows.length > limit ? cursorAfter(name, placeOf(shown.at(-1)!)) : null,
  };
}
