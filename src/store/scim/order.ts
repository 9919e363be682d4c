/** The order of a list in SQL, and the place behind one of its rows. */
import { type SQL, sql } from "drizzle-orm";
import type { Start } from "./people.ts";

export interface Asked {
  /** Null: all of them. */
  readonly condition: SQL | null;
  /** Of people: where the search begins; absent: at the resources. */
  readonly start?: Start;
  /** Null: in the order of ids. */
  readonly sort: { readonly by: SQL; readonly isDescending: boolean } | null;
}

/** Where a page begins. */
export interface PagePlace {
  readonly offset: number;
  readonly limit: number;
  /** The id of the row that it begins behind; null: it begins by the offset alone. */
  readonly after: number | null;
}

/** What has no value comes last when it ascends, and first when it descends; equal ones are in the order of ids. */
export function orderBy(id: SQL, sort: Asked["sort"]): SQL {
  if (sort === null) return id;
  const { by, isDescending } = sort;
  return isDescending ? sql`(${by}) is not null, ${by} desc, ${id} desc` : sql`(${by}) is null, ${by}, ${id}`;
}

/**
 * What comes behind the row with the id `after`. Its value is looked up, so that no cursor carries it: `valueOf` gives a
 * subquery for an expression of that row.
 */
export function isBehind(
  id: SQL,
  sort: Asked["sort"],
  after: number | null,
  valueOf: (expression: SQL, after: number) => SQL,
): SQL {
  if (after === null) return sql`1`;
  if (sort === null) return sql`${id} > ${after}`;
  const { by, isDescending } = sort;
  const rank = isDescending ? sql`((${by}) is not null)` : sql`((${by}) is null)`;
  const step = sql.raw(isDescending ? "<" : ">"), own = valueOf(by, after), ownRank = valueOf(rank, after);
  return sql`(${rank} > ${ownRank} or (${rank} = ${ownRank} and (
    (${by}) ${step} ${own} or ((${by}) is ${own} and ${id} ${step} ${after}))))`;
}
