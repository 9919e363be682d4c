/**
 * A database file through the runtime's own SQLite: one connection, for one thread.
 *
 * In come statements as text with their values; out come rows as arrays of their columns, integers as numbers (larger
 * than those can hold is an error), blobs as bytes of their own. Everything here is synchronous, so nothing of another
 * caller comes between the statements of a batch. Errors carry SQLite's name of what happened as their `code`.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { Insert, Query } from "../store/engine.ts";

type Row = unknown[];

export interface SqliteFile {
  /** Rows of one statement. */
  all(text: string, values?: readonly unknown[]): Row[];
  /** The rows of each, in one transaction that holds the write lock from its beginning: all or nothing. */
  batch(queries: readonly Query[]): Row[][];
  /** All rows of all inserts, in one transaction: all or none. */
  bulk(inserts: Iterable<Insert>): void;
  /** May be called again. What the connection held is freed at once. */
  close(): void;
}

/**
 * Statements that stay prepared: more than any one job repeats, and few enough to weigh little. They name their columns:
 * after a change of the tables, Deno gives as many columns of a kept `select *` as there were before.
 */
const MAX_KEPT = 200;
/** Characters and bytes beyond which a kept statement does not hold on to the values it was last given. */
const MAX_HELD = 16 * 1024;

/** Rows that one statement inserts. */
const ROWS_AT_ONCE = 16;

/** Opens the file of a `file:` address, made if it is not there and may be written, and runs `pragmas` on it. */
export function openSqlite(url: string, pragmas: readonly string[] = [], { readOnly = false } = {}): SqliteFile {
  // SQLite's own waiting would block the thread, and every request with it.
  const database = new DatabaseSync(pathOf(url), { timeout: 0, readOnly });
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
    // Last in the map: the first is the one that has not been used for the longest time.
    kept.set(text, statement);
    return statement;
  }

  function run(text: string, values: readonly unknown[]): Row[] {
    const statement = prepare(text);
    const { bound, size } = bind(values);
    try {
      return statement.all(...bound) as unknown as Row[];
    } finally {
      // A new run, of which no row is asked for, lets go of what was bound.
      if (size > MAX_HELD) statement.iterate();
    }
  }

  const open: SqliteFile = {
    all: (text, values = []) => named(() => run(text, values)),
    batch: (queries) => named(() => transaction(() => queries.map(({ text, values }) => run(text, values)))),
    bulk: (inserts) => named(() => transaction(() => insertAll(inserts))),
    close() {
      kept.clear();
      if (database.isOpen) database.close();
    },
  };

  function insertAll(inserts: Iterable<Insert>): void {
    for (const { into, rows } of inserts) {
      if (rows.length === 0) continue;
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
  }

  function transaction<T>(work: () => T): T {
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
  }

  try {
    for (const pragma of pragmas) open.all(`pragma ${pragma}`);
  } catch (error) {
    open.close();
    throw error;
  }
  return open;
}

/** The path of `file:relative`, `file:/absolute` or `file:///absolute`. */
export function pathOf(url: string): string {
  if (/^file:\/\//.test(url)) return fileURLToPath(url);
  const path = url.slice("file:".length);
  return path.includes("%") ? decodeURIComponent(path) : path;
}

/** Values as SQLite takes them, and how many characters and bytes they are. */
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

/** Gives errors of SQLite's the name of their number as `code`; the runtimes have one code for all of them. */
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

/** sqlite.org/rescode.html: the low byte is the kind, in this order from 1 on. */
const KINDS = [
  "ERROR",
  "INTERNAL",
  "PERM",
  "ABORT",
  "BUSY",
  "LOCKED",
  "NOMEM",
  "READONLY",
  "INTERRUPT",
  "IOERR",
  "CORRUPT",
  "NOTFOUND",
  "FULL",
  "CANTOPEN",
  "PROTOCOL",
  "EMPTY",
  "SCHEMA",
  "TOOBIG",
  "CONSTRAINT",
  "MISMATCH",
  "MISUSE",
  "NOLFS",
  "AUTH",
  "FORMAT",
  "RANGE",
  "NOTADB",
];
/** The index of the log could not grow: the one way of being full that has a number of its own. */
const IOERR_SHMSIZE = 4874;

function nameOf(number: number): string {
  if (number === IOERR_SHMSIZE) return "SQLITE_IOERR_SHMSIZE";
  return `SQLITE_${KINDS[(number & 0xff) - 1] ?? number}`;
}
