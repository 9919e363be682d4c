/**
 * A database file through the runtime's own SQLite: one connection, for one thread.
 *
 * Rows are arrays of their columns, integers are numbers (a larger one is an error), and blobs are copies. Everything is
 * synchronous, so no statement of another caller comes between those of a batch. Errors have SQLite's name of the result
 * as their `code`, such as `SQLITE_BUSY`.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { Insert, Query } from "../store/engine.ts";

type Row = unknown[];

export interface SqliteFile {
  /** The rows of one statement. */
  all(text: string, values?: readonly unknown[]): Row[];
  /** The rows of each statement. All or none are written, in one transaction. */
  batch(queries: readonly Query[]): Row[][];
  /** Inserts all rows or none, in one transaction. */
  bulk(inserts: Iterable<Insert>): void;
  /** Frees the connection's memory at once. May be called again. */
  close(): void;
}

/** Rows that one statement inserts. */
const ROWS_AT_ONCE = 16;

export interface SqliteOptions {
  readonly readOnly?: boolean;
  /** Called in each transaction of `batch`, before its first statement; an error rolls it back. */
  readonly begun?: (run: (text: string) => Row[]) => void;
}

/** Opens the file of a `file:` URL and runs `pragmas` on it. Makes the file if it does not exist, unless `readOnly`. */
export function openSqlite(url: string, pragmas: readonly string[] = [], options: SqliteOptions = {}): SqliteFile {
  const { readOnly = false, begun } = options;
  // With a timeout, SQLite would wait for locks itself and block the thread.
  const database = new DatabaseSync(pathOf(url), { timeout: 0, readOnly });
  const statements = createStatements(database);
  const { run } = statements;
  const file: SqliteFile = {
    all: (text, values = []) => named(() => run(text, values)),
    batch: (queries) =>
      transaction(database, run, () => {
        begun?.((text) => run(text, []));
        return queries.map(({ text, values }) => run(text, values));
      }),
    bulk: (inserts) =>
      transaction(database, run, () => {
        for (const insert of inserts) insertAll(run, insert);
      }),
    close() {
      statements.clear();
      if (database.isOpen) database.close();
    },
  };
  try {
    for (const pragma of pragmas) file.all(`pragma ${pragma}`);
  } catch (error) {
    file.close();
    throw error;
  }
  return file;
}

type Run = (text: string, values: readonly unknown[]) => Row[];

/** Prepared statements that are kept: more than any one job repeats, and few enough to take little memory. */
const MAX_KEPT = 200;
/** Characters and bytes beyond which a kept statement does not hold on to its last values. */
const MAX_HELD = 16 * 1024;

/**
 * Runs statements and keeps them prepared. They have to name their columns: after a change of the tables, Deno returns as
 * many columns for a kept `select *` as there were before.
 */
function createStatements(database: DatabaseSync): { readonly run: Run; clear(): void } {
  /** The least recently used first. */
  const kept = new Map<string, StatementSync>();

  function prepare(text: string): StatementSync {
    let statement = kept.get(text);
    if (statement !== undefined) {
      kept.delete(text);
    } else {
      statement = database.prepare(text);
      statement.setReturnArrays(true);
      if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value!);
    }
    kept.set(text, statement);
    return statement;
  }

  return {
    run(text, values) {
      const statement = prepare(text);
      const { bound, size } = bind(values);
      try {
        return statement.all(...bound) as unknown as Row[];
      } finally {
        // A new run without values, whose rows are never read, releases the bound ones.
        if (size > MAX_HELD) statement.iterate();
      }
    },
    clear: () => kept.clear(),
  };
}

/** Runs `work` in one transaction that holds the write lock from its beginning. */
function transaction<T>(database: DatabaseSync, run: Run, work: () => T): T {
  return named(() => {
    run("begin immediate", []);
    try {
      const result = work();
      run("commit", []);
      return result;
    } catch (error) {
      // After some errors, such as a full disk, SQLite has rolled back by itself.
      if (database.isTransaction) run("rollback", []);
      throw error;
    }
  });
}

function insertAll(run: Run, { into, rows }: Insert): void {
  if (rows.length === 0) return;
  const row = `(${rows[0]!.map(() => "?").join(", ")})`;
  const textOf = (count: number) => `${into} values ${new Array(count).fill(row).join(", ")}`;
  const text = textOf(ROWS_AT_ONCE);
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const values: unknown[] = [];
    const to = Math.min(rows.length, from + ROWS_AT_ONCE);
    for (let n = from; n < to; n++) for (const value of rows[n]!) values.push(value);
    run(to - from === ROWS_AT_ONCE ? text : textOf(to - from), values);
  }
}

/** The path of `file:relative`, `file:/absolute` or `file:///absolute`. */
export function pathOf(url: string): string {
  if (/^file:\/\//.test(url)) return fileURLToPath(url);
  const path = url.slice("file:".length);
  return path.includes("%") ? decodeURIComponent(path) : path;
}

/** Values as SQLite takes them, and their size in characters and bytes. */
function bind(values: readonly unknown[]): { bound: SQLInputValue[]; size: number } {
  let size = 0;
  const bound = values.map((value) => {
    if (typeof value === "string") {
      size += value.length;
      return value;
    }
    if (typeof value === "boolean") return value ? 1 : 0;
    if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError(`${value} cannot be stored`);
    if (value instanceof ArrayBuffer) value = new Uint8Array(value);
    if (ArrayBuffer.isView(value)) size += value.byteLength;
    return value as SQLInputValue;
  });
  return { bound, size };
}

/** Sets an SQLite error's `code` to the name of its result; the runtimes use one code for all of them. */
function named<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const number = (error as { errcode?: unknown }).errcode;
    if (error instanceof Error && typeof number === "number") {
      Object.assign(error, { name: "SqliteError", code: nameOf(number) });
    }
    throw error;
  }
}

/** Names of primary result codes (sqlite.org/rescode.html), from 1 on. The code is a result's low byte. */
const KINDS = ("ERROR INTERNAL PERM ABORT BUSY LOCKED NOMEM READONLY INTERRUPT IOERR CORRUPT NOTFOUND FULL CANTOPEN " +
  "PROTOCOL EMPTY SCHEMA TOOBIG CONSTRAINT MISMATCH MISUSE NOLFS AUTH FORMAT RANGE NOTADB").split(" ");
/** The log's index could not grow. Of all the ways in which a disk can be full, only this one has its own code. */
const IOERR_SHMSIZE = 4874;

function nameOf(number: number): string {
  if (number === IOERR_SHMSIZE) return "SQLITE_IOERR_SHMSIZE";
  return `SQLITE_${KINDS[(number & 0xff) - 1] ?? number}`;
}
