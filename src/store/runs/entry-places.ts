/** Entries of pages in SQL: the places that reconcile/columns/entry.ts names, as pieces of a query. */
import { type SQL, sql } from "drizzle-orm";
import { CHANGE, DIGEST, LINK, MANAGER, MISSING, PENDING, placeOf } from "../../reconcile/columns/entry.ts";
import type { ImageColumn } from "../../reconcile/image.ts";

/** A place of a planned change in the JSON value `entry`: `v ->> 2` is its user. */
export function ofChange(entry: string, place: keyof typeof CHANGE): SQL {
  return sql.raw(`${entry} ->> ${CHANGE[place]}`);
}

/** The column as the change leaves it. */
export function afterChange(entry: string, column: ImageColumn): SQL {
  return sql.raw(`${entry} ->> ${placeOf(column)}`);
}

/** Whether the change is of an existing user and changes one of these columns. */
export function changesOneOf(entry: string, columns: Iterable<ImageColumn>): SQL {
  return sql.raw(
    [...columns].map((column) => `json_type(${entry}, '$[${CHANGE.before}].${column}') is not null`).join(" or "),
  );
}

export function ofLink(entry: string, place: keyof typeof LINK): SQL {
  return sql.raw(`${entry} ->> ${LINK[place]}`);
}

/** The JSON that a link keeps of withheld values, as text. */
export function withheldOf(entry: string): SQL {
  return sql.raw(`${entry} -> ${LINK.withheld} ->> '$'`);
}

export function ofDigest(entry: string, place: keyof typeof DIGEST): SQL {
  return sql.raw(`${entry} ->> ${DIGEST[place]}`);
}

export function ofMissing(entry: string, place: keyof typeof MISSING): SQL {
  return sql.raw(`${entry} ->> ${MISSING[place]}`);
}

export function ofPending(entry: string, place: keyof typeof PENDING): SQL {
  return sql.raw(`${entry} ->> ${PENDING[place]}`);
}

/** Conditions on a manager beside a page (MANAGER). */
export const MANAGER_SAYS_SOMETHING = sql.raw(`value is null or value <> ${MANAGER.stays}`);
export const MUST_LOOK_AGAIN = sql.raw(`value = ${MANAGER.staysAndLookAgain}`);
