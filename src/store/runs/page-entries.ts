/** The entries of the page that is applied, as pieces of SQL. */
import { type SQL, sql } from "drizzle-orm";
import { MANAGER_SAYS_SOMETHING, MUST_LOOK_AGAIN } from "./entry-places.ts";
import type { OpenPage } from "./plans.ts";

/** Where and when a page is applied. */
export interface PageContext {
  readonly organizationId: number;
  readonly connectionId: number;
  /** For an input by hand, the connections whose people it edits; null: it came by itself. */
  readonly edits: readonly number[] | null;
  readonly now: number;
}

/** A table with an entry in each `value`, by its place `key`. */
export function eachEntry(page: OpenPage): SQL {
  return sql`json_each((select body from page_bodies where page_id = ${page.id}))`;
}

/** `with` the page's entries as `r(k, v)` and the managers beside them as `m(k, value)`. `without`: places left out, as JSON. */
export function withEntries(page: OpenPage, without: string | null): SQL {
  return sql`with r(k, v) as materialized (select key, value from ${eachEntry(page)}
      ${without === null ? sql`` : sql`where key not in (select value from json_each(${without}))`}),
    ${managersOf(page)}`;
}

/** `which`: managers that say something, or only those of entries whose row must be looked at again. */
export function managersOf(page: OpenPage, which: SQL = MANAGER_SAYS_SOMETHING): SQL {
  return sql`m(k, value) as materialized (select key, value
      from json_each(coalesce((select managers from page_managers where page_id = ${page.id}), '[]')) where ${which})`;
}

/** The digest, or null where the entry's manager could not be set: then the row must report that again next time. */
export function unlessLookedAtAgain(digest: SQL): SQL {
  return sql`case when m.${MUST_LOOK_AGAIN} then null else ${digest} end`;
}

/** In an update of a link: whether only files by hand have had its row so far. `edits`: as in PageContext. */
export function byHandAfter(edits: PageContext["edits"]): string {
  return edits === null ? "0" : "iif(links.user_id = excluded.user_id, links.by_hand, 1)";
}

/** Whether the input is an edit by hand of the user: automated connections know them. */
export function isEdit(edits: PageContext["edits"], userId: SQL): SQL {
  if (edits === null) return sql`false`;
  return sql`exists (select 1 from links l where l.user_id = ${userId} and l.by_hand = 0
    and +l.connection_id in (${sql.raw(edits.join(", "))}))`;
}
