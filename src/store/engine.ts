/** drizzle over any engine that runs statements: it gives rows as arrays, and runs a batch as one transaction. */
import { drizzle } from "drizzle-orm/sqlite-proxy";
import { createDatabase, type Database, type DatabaseOptions } from "./database.ts";

/** A statement with its values. */
export interface Query {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface Insert {
  /** As `insert into t (a, b)`. */
  readonly into: string;
  /** Each with a value for every column. */
  readonly rows: readonly (readonly unknown[])[];
}

export interface Engine {
  /** Rows of one statement, each an array of its columns. */
  all(query: Query): Promise<unknown[][]>;
  /** The rows of each, in one transaction that writes from its beginning. */
  batch(queries: readonly Query[]): Promise<unknown[][][]>;
}

/** How drizzle wants the rows. */
type Method = "run" | "all" | "values" | "get";

export function createEngineDatabase(engine: Engine, options: DatabaseOptions = {}): Database {
  const orm = drizzle(
    async (text, values, method) => toRows(method, await engine.all({ text, values })),
    async (queries) => {
      const results = await engine.batch(queries.map(({ sql: text, params: values }) => ({ text, values })));
      return results.map((rows, index) => toRows(queries[index]!.method, rows));
    },
  );
  return createDatabase(orm, options);
}

/** As drizzle expects it: for `get`, the first row instead of all. */
export function toRows(method: Method, rows: unknown[][]): { rows: unknown[] } {
  return { rows: method === "get" ? rows[0]! : rows };
}
