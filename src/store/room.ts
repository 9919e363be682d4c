/**
 * Limits on what is stored, which many at once cannot pass: the statement that adds something counts what there is.
 *
 * A batch ends early by an error alone. So where there is no room, a column that may not be null is given null: all of
 * the batch fails then, whatever else is in it.
 */
import { type SQL, sql } from "drizzle-orm";
import { causesOf } from "../std/causes.ts";

export interface Room {
  /** How many there are, as a query that gives a number. */
  readonly taken: SQL;
  readonly most: number;
}

/** The column's value while there is room. */
export function whileRoom(value: string, { taken, most }: Room): SQL<string> {
  return sql<string>`iif((${taken}) < ${most}, ${value}, null)`;
}

/** Whether a write failed because there was no room; `column`: the one that `whileRoom` is for, such as `runs.status`. */
export function isNoRoom(error: unknown, column: string): boolean {
  return causesOf(error).some(({ message }) => message.includes(`NOT NULL constraint failed: ${column}`));
}
