/**
 * A batch that stops itself. D1 has no transaction in which to look before writing, so a batch begins with a statement
 * that fails when something is no longer as it was read: then nothing of the batch is written, and its caller looks again.
 */
import { type SQL, sql } from "drizzle-orm";
import { causesOf } from "../std/causes.ts";

/** A column to select: where the condition does not hold, SQLite fails to parse `moved` as JSON, and so the batch fails. */
export function unlessMoved(condition: SQL): SQL {
  return sql`case when ${condition} then 1 else json('moved') end`;
}

/** Whether a batch failed by `unlessMoved`. */
export function hasMoved(error: unknown): boolean {
  return causesOf(error).some(({ message }) => /malformed JSON/i.test(message));
}
