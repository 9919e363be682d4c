/**
 * The fence around a lease: a batch that acts under a lease fails as a whole once somebody else has claimed it since. So
 * a process that was stopped for a while, or whose clock is wrong, cannot write what it no longer has the right to.
 *
 * D1 can raise errors in triggers only. So the condition is a value that SQLite cannot compute, on a file, a libSQL
 * server and D1 alike; no other statement overflows.
 */
import { type SQL, sql } from "drizzle-orm";
import { causesOf } from "../std/causes.ts";
import type { Database } from "./database.ts";

/** The value that `query` selects, such as the id of the leased row. If it selects no row, the batch fails (isFenced). */
export function fenced(query: SQL): SQL {
  return sql`coalesce((${query}), abs(-9223372036854775808))`;
}

/** The database for a request that acts under a lease: each of its writes fails unless `query` selects a row (isFenced). */
export function fencedDatabase(db: Database, query: SQL): Database {
  return {
    ...db,
    async write(statements) {
      if (statements.length === 0) return [];
      return (await db.write([db.run(sql`select ${fenced(query)}`), ...statements])).slice(1);
    },
  };
}

/** Whether a batch failed because of `fenced`. Nothing was written, and the caller should give its work up. */
export function isFenced(error: unknown): boolean {
  return /integer overflow/i.test(causesOf(error).at(-1)?.message ?? "");
}
