/**
 * The database as the store uses it: drizzle for building statements and reading, one atomic batch for every write.
 *
 * D1 has no interactive transactions, so none are used: what must hold together is in one `write`.
 */
import { getTableColumns, is, SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { BaseSQLiteDatabase, SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { BY_SERVER, type LeaseWatch } from "./lease-watch.ts";
import { isBusy, isFull } from "./trouble.ts";
import { retry } from "../std/retry.ts";

export type Statement = BatchItem<"sqlite">;

/** Admits one writer at a time; the main thread waits without blocking. */
export interface Gate {
  /** Resolves when it is this side's turn, with the function that ends the turn. */
  enter(): Promise<() => void>;
}

export interface Database {
  /** Builds statements and reads. A write must not be awaited here. */
  readonly orm: BaseSQLiteDatabase<"async", unknown>;
  /** A statement in SQL, for `write`; its result is not used. */
  run(query: SQL): Statement;
  /** A statement in SQL that returns rows, for `write`. */
  all(query: SQL): Statement;
  /** The rows of a query, each an array of its columns. */
  rows<T extends unknown[] = unknown[]>(query: SQL): Promise<T[]>;
  /**
   * Runs the statements in order as one transaction: all or none. Gives their results in the same order; for results by
   * name, see writeNamed. Waits for its turn, and retries while another process writes.
   */
  write(statements: readonly Statement[]): Promise<unknown[]>;
  /** Whether a write has just failed because the disk is full. Smaller writes may still succeed, which shows nothing. */
  isFull(): boolean;
  /** The database's file, if it is on this machine. */
  readonly file?: DatabaseFile;
  /** Decides whether leases in it are over. */
  readonly watch: LeaseWatch;
  /** Bytes of a value that is cut as the hub likes, such as a page of a plan; absent: up to D1's 2 MB. */
  readonly valueBytes?: number;
  close(): void;
}

/**
 * Removes the remains of deleted rows from a file. What removes them gives false while other processes use it; try again
 * then.
 */
export interface DatabaseFile {
  /** The file's bytes, and those of them that nothing uses. */
  room(): Promise<{ readonly free: number; readonly total: number }>;
  /** Moves the log into the file, and empties it. */
  truncateLog(): Promise<boolean>;
  /**
   * Writes the file anew without unused content, and leaves no log. Other writers wait for it, some seconds for a gigabyte,
   * and it needs room for a second file.
   */
  compact(): Promise<boolean>;
}

export interface DatabaseOptions {
  readonly gate?: Gate;
  readonly file?: DatabaseFile;
  /** Absent: the database has a clock, which all leases in it go by. */
  readonly watch?: LeaseWatch;
  readonly valueBytes?: number;
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
    watch: options.watch ?? BY_SERVER,
    valueBytes: options.valueBytes,
    close: options.close ?? (() => {}),
  };
}

/** The statements of one batch by name; a name may have several, or none. */
export type Named = Readonly<Record<string, Statement | readonly Statement[]>>;

/** The result of each name: the rows of its statement, or a list with the results of its statements. */
export type Results<T extends Named> = {
  readonly [Name in keyof T]: T[Name] extends { readonly _: { readonly result: infer Result } } ? Result : unknown[];
};

/** As `write`, in the order of the names, which must not be numbers; gives the results by name. */
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

/** A query with placeholders, built once for each database: building its SQL takes longer than running it. */
export function prepared<T>(build: (orm: Database["orm"]) => T): (db: Database) => T {
  const built = new WeakMap<Database["orm"], T>();
  return ({ orm }) => {
    const found = built.get(orm) ?? build(orm);
    built.set(orm, found);
    return found;
  };
}

/** `insert into …` one row, if `condition` holds when it runs. SQL among the values is evaluated then. */
export function insertIf<T extends SQLiteTable>(
  table: T,
  values: { readonly [Name in keyof T["$inferInsert"]]?: T["$inferInsert"][Name] | SQL },
  condition: SQL,
): SQL {
  const columns = getTableColumns(table) as Record<string, SQLiteColumn>;
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const names = given.map(([name]) => sql.identifier(columns[name]!.name));
  const selected = given.map(([name, value]) => isSqlOrNull(value) ? sql`${value}` : sql.param(value, columns[name]!));
  return sql`insert into ${table} (${sql.join(names, sql`, `)}) select ${
    sql.join(selected, sql`, `)
  } where ${condition}`;
}

function isSqlOrNull(value: unknown): boolean {
  return value === null || is(value, SQL);
}

/** For `column in …`: any number of values as one parameter. */
export function setOf(values: readonly (string | number)[]): SQL {
  return sql`(select value from json_each(${JSON.stringify(values)}))`;
}

/** For `(organization_id, id) in …`: any number of things as one parameter. */
export function pairs(things: readonly { organizationId: number; id: number }[]): SQL {
  const set = JSON.stringify(things.map(({ organizationId, id }) => [organizationId, id]));
  return sql`(select value ->> 0, value ->> 1 from json_each(${set}))`;
}

/** Longer than bridges wait before they send a report again. */
const FULL_MS = 10_000;

/** About 20 seconds of another process holding the database. */
const MAX_BUSY_ATTEMPTS = 200;

/** Doubled up to 100 ms, and randomized, so that two writers do not collide again. */
function busyPauseMs(failures: number): number {
  return Math.min(100, 5 * 2 ** Math.min(failures - 1, 5)) * (0.5 + Math.random());
}
