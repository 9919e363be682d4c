/**
 * Limits on the number of rows that hold for concurrent writes too: the statement that adds a row counts those there are.
 *
 * Only an error cancels a batch. So if there is no room, a column that must not be null gets null, and the whole batch
 * fails.
 */
import { type SQL, sql } from "drizzle-orm";
import { causesOf } from "../std/causes.ts";

export interface Room {
  /** How many rows there are: a query that gives a number. */
  readonly taken: SQL;
  readonly most: number;
}

/** The column's value while there is room. */
export function whileRoom(value: string, { taken, most }: Room): SQL<string> {
  return sql<string>`iif((${taken}) < ${most}, ${value}, null)`;
}

/** Whether a write failed because there was no room; `column`: the one with `whileRoom`, such as `runs.status`. */
export function isNoRoom(error: unknown, column: string): boolean {
  return causesOf(error).some(({ message }) => message.includes(`NOT NULL constraint failed: ${column}`));
}
