/**
 * A batch that cancels itself. D1 has no transactions in which a read could come before a write, so a batch begins with a
 * statement that fails when something is no longer as it was read. Then nothing is written, and the caller reads again.
 */
import { type SQL, sql } from "drizzle-orm";
import { causesOf } from "../std/causes.ts";

/** A column to select: unless the condition holds, SQLite fails to parse `moved` as JSON, and so the batch fails. */
export function unlessMoved(condition: SQL): SQL {
  return sql`case when ${condition} then 1 else json('moved') end`;
}

/** Whether a batch failed because of `unlessMoved`. */
export function hasMoved(error: unknown): boolean {
  return causesOf(error).some(({ message }) => /malformed JSON/i.test(message));
}
