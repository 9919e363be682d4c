/**
 * The database as the store sees it: drizzle for building and reading, one atomic batch for every write.
 *
 * D1 has no interactive transactions, so nothing here has: what must hold together travels in one `write`.
 */
import { type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { BaseSQLiteDatabase } from "drizzle-orm/sqlite-core";
import { isBusy, isFull } from "./trouble.ts";
import { retry } from "../std/retry.ts";

export type Statement = BatchItem<"sqlite">;

/** Lets one writer at a time through; the main thread waits without blocking. */
export interface Gate {
  /** Resolves when it is this side's turn; the function it gives ends the turn. */
  enter(): Promise<() => void>;
}

export interface Database {
  /** Builds statements and reads. Never awaited for a write. */
  readonly orm: BaseSQLiteDatabase<"async", unknown>;
  /** A statement in SQL, for `write`; its result is not used. */
  run(query: SQL): Statement;
  /** A statement in SQL that returns rows, for `write`. */
  all(query: SQL): Statement;
  /** Rows of a query as arrays of their columns. */
  rows<T extends unknown[] = unknown[]>(query: SQL): Promise<T[]>;
  /**
   * Runs the statements in order as one transaction: all or none. Gives their results in the same order; for results
   * by name, see writeNamed. Waits for its turn and tries again while another process writes.
   */
  write(statements: readonly Statement[]): Promise<unknown[]>;
  /** Whether a write found no room just now. Smaller ones may still be stored then, so those tell nothing. */
  isFull(): boolean;
  /** The database's file, where it is one of ours. */
  readonly file?: DatabaseFile;
  close(): void;
}

/** What a file keeps of rows that were deleted. Both give false when others are at it just now; to be tried again. */
export interface DatabaseFile {
  /** Moves the log into the file, and leaves none of it. */
  truncateLog(): Promise<boolean>;
  /**
   * Writes the file anew without what it does not need any more, and leaves no log. Keeps other writers waiting meanwhile,
   * some seconds for a gigabyte, and needs twice the file's room.
   */
  compact(): Promise<boolean>;
}

export interface DatabaseOptions {
  readonly gate?: Gate;
  readonly file?: DatabaseFile;
  readonly close?: () => void;
}

/** Wraps a drizzle database whose `batch` is atomic. */
export function createDatabase(
  orm: BaseSQLiteDatabase<"async", unknown> & { batch(items: never): Promise<unknown[]> },
  options: DatabaseOptions = {},
): Database {
  let fullAt = -Infinity;
  return {
    orm,
    run: (query) => orm.run(query) as Statement,
    all: (query) => orm.all(query) as Statement,
    isFull: () => performance.now() - fullAt < FULL_MS,
    rows: <T extends unknown[]>(query: SQL) => orm.values(query) as unknown as Promise<T[]>,
    async write(statements) {
      if (statements.length === 0) return [];
      const leave = await options.gate?.enter();
      try {
        return await retry(() => orm.batch(statements as never), (error, failures) => {
          if (isFull(error)) fullAt = performance.now();
          return failures <= MAX_BUSY_ATTEMPTS && isBusy(error) ? busyPauseMs(failures) : null;
        });
      } finally {
        leave?.();
      }
    },
    file: options.file,
    close: options.close ?? (() => {}),
  };
}

/** Statements of one batch by what they are about; a name may stand for several, or for none. */
export type Named = Readonly<Record<string, Statement | readonly Statement[]>>;

/** What each name's statement gives: rows where it returns some. Of a list of statements, a list of their results. */
export type Results<T extends Named> = {
  readonly [Name in keyof T]: T[Name] extends { readonly _: { readonly result: infer Result } } ? Result : unknown[];
};

/** As `write`, in the order of the names (which are no numbers); gives the results by name. */
export async function writeNamed<T extends Named>(db: Pick<Database, "write">, statements: T): Promise<Results<T>> {
  const results = await db.write(Object.values(statements).flat() as Statement[]);
  let next = 0;
  const take = (named: Statement | readonly Statement[]) =>
    isList(named) ? results.slice(next, next += named.length) : results[next++];
  return Object.fromEntries(Object.entries(statements).map(([name, named]) => [name, take(named)])) as Results<T>;
}

function isList(named: Statement | readonly Statement[]): named is readonly Statement[] {
  return Array.isArray(named);
}

/** A read with placeholders, built once for each database: building its SQL takes longer than running it. */
export function prepared<T>(build: (orm: Database["orm"]) => T): (db: Database) => T {
  const built = new WeakMap<Database["orm"], T>();
  return ({ orm }) => {
    const found = built.get(orm) ?? build(orm);
    built.set(orm, found);
    return found;
  };
}

/** For `column in …`: any number of values as one parameter. */
export function setOf(values: readonly (string | number)[]): SQL {
  return sql`(select value from json_each(${JSON.stringify(values)}))`;
}

/** For `(organization_id, id) in …`: a set of things, each with the organization that it belongs to. */
export function pairs(things: readonly { organizationId: number; id: number }[]): SQL {
  const set = JSON.stringify(things.map(({ organizationId, id }) => [organizationId, id]));
  return sql`(select value ->> 0, value ->> 1 from json_each(${set}))`;
}

/** Longer than bridges wait before they try again to say what they have to. */
const FULL_MS = 10_000;

/** About 20 seconds of another process holding the database. */
const MAX_BUSY_ATTEMPTS = 200;

/** Doubled up to 100 ms, and spread, so that two writers do not meet again. */
function busyPauseMs(failures: number): number {
  return Math.min(100, 5 * 2 ** Math.min(failures - 1, 5)) * (0.5 + Math.random());
}
