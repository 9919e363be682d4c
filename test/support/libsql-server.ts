/**
 * A libSQL server as its HTTP clients see one: Hrana 2 as JSON (the protocol's own specification says what goes over the
 * wire), each stream with a connection of its own to one file. It waits for nobody's lock, like a server under load.
 */
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

type Value =
  | { type: "null" }
  | { type: "integer"; value: string }
  | { type: "float"; value: number }
  | { type: "text"; value: string }
  | { type: "blob"; base64: string };
type Stored = { sql?: string; sql_id?: number };
type Statement = Stored & { args?: Value[] };
type Condition = { type: "ok" | "error"; step: number } | { type: "not"; cond: Condition } | {
  type: "and" | "or";
  conds: Condition[];
} | { type: "is_autocommit" };
type Asked =
  | { type: "execute"; stmt: Statement }
  | { type: "batch"; batch: { steps: { condition?: Condition; stmt: Statement }[] } }
  | { type: "sequence" } & Stored
  | { type: "store_sql"; sql_id: number; sql: string }
  | { type: "close_sql"; sql_id: number }
  | { type: "get_autocommit" }
  | { type: "close" };

interface Stream {
  readonly database: DatabaseSync;
  readonly stored: Map<number, string>;
}

export interface LibsqlServer {
  readonly url: string;
  /** Requests without the token, each answered with 401. */
  readonly refused: { count: number };
  close(): Promise<void>;
}

export async function startLibsqlServer(file: string, token: string): Promise<LibsqlServer> {
  const streams = new Map<string, Stream>();
  const refused = { count: 0 };
  let batons = 0;

  function answer(stream: Stream, asked: Asked): unknown {
    try {
      return { type: "ok", response: respond(stream, asked) };
    } catch (error) {
      return { type: "error", error: described(error) };
    }
  }

  async function pipeline(request: IncomingMessage): Promise<unknown> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { baton, requests } = JSON.parse(Buffer.concat(chunks).toString()) as {
      baton?: string | null;
      requests: Asked[];
    };
    const stream: Stream = streams.get(baton ?? "") ??
      { database: new DatabaseSync(file, { timeout: 0 }), stored: new Map() };
    if (baton != null && !streams.delete(baton)) throw new Error(`There is no stream with the baton ${baton}`);
    const results = requests.map((asked) => answer(stream, asked));
    const isClosed = requests.some(({ type }) => type === "close");
    if (isClosed) {
      stream.database.close();
      return { baton: null, base_url: null, results };
    }
    const next = `stream ${++batons}`;
    streams.set(next, stream);
    return { baton: next, base_url: null, results };
  }

  const server = createServer(async (request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) {
      refused.count++;
      response.writeHead(401).end("no token");
    } else if (request.method === "POST" && request.url === "/v2/pipeline") {
      const body = JSON.stringify(await pipeline(request));
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    } else {
      // Only version 2, and that as JSON.
      response.writeHead(request.url === "/v2" ? 200 : 404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refused,
    async close() {
      for (const { database } of streams.values()) database.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
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
  return sql ?? stored.get(sql_id!)!;
}

function execute(stream: Stream, statement: Statement): unknown {
  const prepared = stream.database.prepare(textOf(stream, statement));
  prepared.setReturnArrays(true);
  prepared.setReadBigInts(true);
  const rows = prepared.all(...(statement.args ?? []).map(valueOf)) as unknown as unknown[][];
  return {
    cols: prepared.columns().map(({ name }) => ({ name, decltype: null })),
    rows: rows.map((row) => row.map(shown)),
    affected_row_count: 0,
    last_insert_rowid: null,
  };
}

function batch(stream: Stream, steps: { condition?: Condition; stmt: Statement }[]): unknown {
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
  for (const { condition, stmt } of steps) {
    let result: unknown = null, error: unknown = null;
    if (condition === undefined || condition === null || holds(condition)) {
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

function described(error: unknown): { message: string; code: string } {
  const { message, errcode = 1 } = error as { message: string; errcode?: number };
  const code = (errcode & 0xff) === 5 ? "SQLITE_BUSY" : (errcode & 0xff) === 13 ? "SQLITE_FULL" : "SQLITE_ERROR";
  return { message: `SQLite error: ${message}`, code };
}
