/**
 * The Hrana protocol over HTTP as JSON, versions 2 and 3 alike, on one file: what is asked in a pipeline, and what a server
 * answers. Each stream has a connection of its own to the file. It waits for nobody's lock, like a server under load.
 */
import { Buffer } from "node:buffer";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

type Value =
  | { type: "null" }
  | { type: "integer"; value: string }
  | { type: "float"; value: number }
  | { type: "text"; value: string }
  | { type: "blob"; base64: string };
type Stored = { sql?: string | null; sql_id?: number | null };
type Statement = Stored & {
  args?: Value[];
  named_args?: { name: string; value: Value }[];
  want_rows?: boolean;
};
type Condition =
  | { type: "ok" | "error"; step: number }
  | { type: "not"; cond: Condition }
  | { type: "and" | "or"; conds: Condition[] }
  | { type: "is_autocommit" };
type Step = { condition?: Condition | null; stmt: Statement };
type Asked =
  | { type: "execute"; stmt: Statement }
  | { type: "batch"; batch: { steps: Step[] } }
  | { type: "sequence" | "describe" } & Stored
  | { type: "store_sql"; sql_id: number; sql: string }
  | { type: "close_sql"; sql_id: number }
  | { type: "get_autocommit" }
  | { type: "close" };

/** The body of a request for a pipeline. */
export interface Pipeline {
  readonly baton?: string | null;
  readonly requests: readonly Asked[];
}

interface Stream {
  readonly database: DatabaseSync;
  readonly stored: Map<number, string>;
}

export interface Streams {
  /** Fails with EXPIRED if the baton's stream is gone. */
  answer(pipeline: Pipeline): unknown;
  /** How many streams have a baton. */
  readonly open: number;
  /** Rolls back and forgets all streams, as a server that starts again does. */
  end(): void;
}

export const EXPIRED = "STREAM_EXPIRED";

/** The SQL texts of a pipeline, in their order. */
export function textsOf({ requests }: Pipeline): string[] {
  return requests.flatMap((asked) => {
    if (asked.type === "execute") return asked.stmt.sql ?? [];
    if (asked.type === "batch") return asked.batch.steps.flatMap(({ stmt }) => stmt.sql ?? []);
    return "sql" in asked ? asked.sql ?? [] : [];
  });
}

/** `now`: the server's clock, in milliseconds since 1970; null: the machine's. */
export function createStreams(file: string, now: (() => number) | null = null): Streams {
  const streams = new Map<string, Stream>();
  /** Connections of streams that were closed: opening one reads all of the schema. */
  const spare: DatabaseSync[] = [];
  let batons = 0;

  function take(baton: string | null): Stream {
    if (baton === null) return { database: spare.pop() ?? openFile(file, now), stored: new Map() };
    const stream = streams.get(baton);
    if (stream === undefined) throw Object.assign(new Error("The stream has expired"), { code: EXPIRED });
    // A baton is good for one request.
    streams.delete(baton);
    return stream;
  }

  return {
    answer({ baton = null, requests }) {
      const stream = take(baton);
      const results = requests.map((asked) => result(stream, asked));
      if (requests.some(({ type }) => type === "close")) {
        if (stream.database.isTransaction) stream.database.exec("rollback");
        spare.push(stream.database);
        return { baton: null, base_url: null, results };
      }
      const next = `stream-${++batons}`;
      streams.set(next, stream);
      return { baton: next, base_url: null, results };
    },
    get open() {
      return streams.size;
    },
    end() {
      for (const { database } of streams.values()) database.close();
      for (const database of spare.splice(0)) database.close();
      streams.clear();
    },
  };
}

/** A server keeps a log beside its file, so that a commit need not wait for the disk several times. */
function openFile(file: string, now: (() => number) | null): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: 0 });
  // In place of SQLite's own function, which is how a hub asks for the server's time.
  if (now !== null) database.function("unixepoch", { varargs: true }, () => now() / 1000);
  database.exec("pragma journal_mode = wal; pragma synchronous = normal");
  return database;
}

function result(stream: Stream, asked: Asked): unknown {
  try {
    return { type: "ok", response: respond(stream, asked) };
  } catch (error) {
    return { type: "error", error: described(error) };
  }
}

function respond(stream: Stream, asked: Asked): unknown {
  switch (asked.type) {
    case "execute":
      return { type: "execute", result: execute(stream, asked.stmt) };
    case "batch":
      return { type: "batch", result: batch(stream, asked.batch.steps) };
    case "sequence":
      stream.database.exec(textOf(stream, asked));
      return { type: "sequence" };
    case "describe":
      return { type: "describe", result: describe(textOf(stream, asked), stream.database) };
    case "store_sql":
      stream.stored.set(asked.sql_id, asked.sql);
      return { type: "store_sql" };
    case "close_sql":
      stream.stored.delete(asked.sql_id);
      return { type: "close_sql" };
    case "get_autocommit":
      return { type: "get_autocommit", is_autocommit: !stream.database.isTransaction };
    case "close":
      return { type: "close" };
  }
}

function textOf({ stored }: Stream, { sql, sql_id }: Stored): string {
  const text = sql ?? stored.get(sql_id ?? -1);
  if (text === undefined) throw new Error(`There is no SQL text ${sql_id}`);
  return text;
}

function execute(stream: Stream, statement: Statement): unknown {
  const prepared = stream.database.prepare(textOf(stream, statement));
  prepared.setReturnArrays(true);
  prepared.setReadBigInts(true);
  const rows = rowsOf(prepared, statement);
  return {
    cols: prepared.columns().map(({ name, type }) => ({ name, decltype: type ?? null })),
    rows: statement.want_rows === false ? [] : rows.map((row) => row.map(shown)),
    affected_row_count: changesOf(stream.database),
    last_insert_rowid: null,
  };
}

function rowsOf(prepared: StatementSync, { args = [], named_args = [] }: Statement): unknown[][] {
  const named = Object.fromEntries(named_args.map(({ name, value }) => [name, valueOf(value)]));
  const positional = args.map(valueOf);
  const rows = named_args.length > 0 ? prepared.all(named, ...positional) : prepared.all(...positional);
  return rows as unknown as unknown[][];
}

function changesOf(database: DatabaseSync): number {
  return Number(Object.values(database.prepare("select changes()").get()!)[0]);
}

function describe(text: string, database: DatabaseSync): unknown {
  const prepared = database.prepare(text);
  const explained = database.prepare(`explain ${text}`).all() as { opcode: string }[];
  return {
    params: [],
    cols: prepared.columns().map(({ name, type }) => ({ name, decltype: type ?? null })),
    is_explain: /^\s*explain\b/i.test(text),
    is_readonly: !explained.some(({ opcode }) => opcode === "OpenWrite"),
  };
}

function batch(stream: Stream, steps: readonly Step[]): unknown {
  const results: unknown[] = [], errors: unknown[] = [];
  const holds = (condition: Condition): boolean => {
    switch (condition.type) {
      case "ok":
        return results[condition.step] != null;
      case "error":
        return errors[condition.step] != null;
      case "not":
        return !holds(condition.cond);
      case "and":
        return condition.conds.every(holds);
      case "or":
        return condition.conds.some(holds);
      case "is_autocommit":
        return !stream.database.isTransaction;
    }
  };
  for (const { condition = null, stmt } of steps) {
    let result: unknown = null, error: unknown = null;
    if (condition === null || holds(condition)) {
      try {
        result = execute(stream, stmt);
      } catch (thrown) {
        error = described(thrown);
      }
    }
    results.push(result);
    errors.push(error);
  }
  return { step_results: results, step_errors: errors };
}

function valueOf(value: Value): SQLInputValue {
  switch (value.type) {
    case "null":
      return null;
    case "integer":
      return BigInt(value.value);
    case "blob":
      return Buffer.from(value.base64, "base64");
    default:
      return value.value;
  }
}

function shown(value: unknown): Value {
  if (value === null) return { type: "null" };
  if (typeof value === "bigint") return { type: "integer", value: String(value) };
  if (typeof value === "number") return { type: "float", value };
  if (typeof value === "string") return { type: "text", value };
  return { type: "blob", base64: Buffer.from(value as Uint8Array).toString("base64").replace(/=+$/, "") };
}

/** SQLite's result codes that clients know by name; the low byte of a code is its kind. */
const NAMES: Readonly<Record<number, string>> = { 5: "SQLITE_BUSY", 13: "SQLITE_FULL", 19: "SQLITE_CONSTRAINT" };

function described(error: unknown): { message: string; code: string } {
  const { message, errcode = 1 } = error as { message: string; errcode?: number };
  return { message: `SQLite error: ${message}`, code: NAMES[errcode & 0xff] ?? "SQLITE_ERROR" };
}
