/**
 * D1 under drizzle, with batches that take every statement. drizzle's own batch needs prepared statements, which
 * statements in SQL text are not, and fails on the first one with parameters.
 */
import { drizzle } from "drizzle-orm/d1";
import { createDatabase, type Database } from "./database.ts";

type D1 = Parameters<typeof drizzle>[0];

/** What all of drizzle's statements have once they are built; it is not in the public types. */
interface Built {
  getQuery(): { readonly sql: string; readonly params: readonly unknown[] };
  mapResult(result: unknown, isFromBatch: boolean): unknown;
}

/** The database of a D1 binding. A batch is one transaction there. */
export function createD1Database(client: D1): Database {
  const orm = drizzle(client);
  async function batch(items: readonly { _prepare(): Built }[]): Promise<unknown[]> {
    const built = items.map((item) => item._prepare());
    const results = await client.batch(built.map((statement) => {
      const { sql, params } = statement.getQuery();
      return client.prepare(sql).bind(...params);
    }) as never);
    return results.map((result: unknown, index: number) => built[index]!.mapResult(result, true));
  }
  return createDatabase(Object.assign(orm, { batch: batch as never }));
}
