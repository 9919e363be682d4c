/** Entries of pages in SQL: the places that reconcile/columns/entry.ts names, as pieces of a query. */
import { type SQL, sql } from "drizzle-orm";
import {
  CHANGE,
  DIGEST,
  LINK,
  MANAGER,
  MISSING,
  PENDING,
  placeOf,
  SAYS,
  SIGHTING,
} from "../../reconcile/columns/entry.ts";
import type { ImageColumn } from "../../reconcile/image.ts";

/** Reads a place of the entry in the JSON value `entry`: of a change `v`, `ofChange("v", "userId")` is its user. */
function placesOf<Place extends string>(places: Readonly<Record<Place, number>>): (entry: string, place: Place) => SQL {
  return (entry, place) => sql.raw(`${entry} ->> ${places[place]}`);
}

export const ofChange = placesOf(CHANGE);
export const ofLink = placesOf(LINK);
export const ofDigest = placesOf(DIGEST);
export const ofMissing = placesOf(MISSING);
export const ofPending = placesOf(PENDING);
export const ofSighting = placesOf(SIGHTING);

/** Of a value at the place `active`: the columns of a link that it means. */
export const isActive = (says: string) => `${says} = ${SAYS.active}`;
export const isFiltered = (says: string) => `${says} = ${SAYS.filtered}`;

/** The column after the change. */
export function afterChange(entry: string, column: ImageColumn): SQL {
  return sql.raw(`${entry} ->> ${placeOf(column)}`);
}

/** Whether the change is of an existing user and changes one of these columns. */
export function changesOneOf(entry: string, columns: Iterable<ImageColumn>): SQL {
  return sql.raw(
    [...columns].map((column) => `json_type(${entry}, '$[${CHANGE.before}].${column}') is not null`).join(" or "),
  );
}

/** The withheld values of a link as JSON text. */
export function withheldOf(entry: string): SQL {
  return sql.raw(`${entry} -> ${LINK.withheld} ->> '$'`);
}

/** Conditions on a manager beside a page (MANAGER). */
export const MANAGER_SAYS_SOMETHING = sql.raw(`value is null or value <> ${MANAGER.stays}`);
export const MUST_LOOK_AGAIN = sql.raw(`value = ${MANAGER.staysAndLookAgain}`);
