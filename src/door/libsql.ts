/**
 * Opens the database of Deno and Node: an embedded file, or a libSQL server. Brings its tables up to date.
 *
 * Of an embedded file each thread opens one connection of its own: pragmas belong to a connection, and a pool would
 * open others without them.
 */
import { type Client, createClient, type InStatement, type Transaction } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { migrate } from "drizzle-orm/libsql/migrator";
import { fileURLToPath } from "node:url";
import { createDatabase, type Database, type Gate } from "../store/database.ts";
import { SCHEMA } from "../store/staging.ts";

export interface LibsqlOptions {
  readonly url: string;
  readonly authToken: string | null;
  /**
   * `main` answers requests: it leaves moving the log into the file to the runner. `runner` carries runs beside it.
   * `alone` does everything itself.
   */
  readonly role: "main" | "runner" | "alone";
  readonly gate?: Gate;
  /** Called after each write of `alone`, whose log somebody else then moves; the connection does it where that comes late. */
  readonly wrote?: () => void;
}

export interface LibsqlDatabase {
  readonly db: Database;
  /** Moves what the log holds into the file, as far as readers allow. Nothing to do on a server. */
  checkpoint(): Promise<void>;
  /** Makes the tables of another file readable as those of SCHEMA, or, null, no more. Whether they are there. */
  attach(file: string | null): Promise<boolean>;
}

/** KiB of pages in memory; with the log's size in pages at which a commit moves it into the file (0: never). */
const ROLES = {
  main: { cacheKib: 8 * 1024, checkpointPages: 0 },
  runner: { cacheKib: 16 * 1024, checkpointPages: 16384 },
  alone: { cacheKib: 32 * 1024, checkpointPages: 16384 },
  assisted: { cacheKib: 24 * 1024, checkpointPages: 65536 },
} as const;

/** KiB of pages in memory while a file of new people is attached: they are written to places all over the indexes. */
const ATTACHED_CACHE_KIB = 48 * 1024;

/** How long to wait for another process that brings the tables up to date, or mends the file after a crash. */
const MAX_WAIT_MS = 60_000;
const PAUSE_MS = 20;

export async function openLibsql(options: LibsqlOptions): Promise<LibsqlDatabase> {
  if (!isEmbedded(options.url)) {
    const client = createClient({ url: options.url, authToken: options.authToken ?? undefined });
    return {
      db: createDatabase(drizzle({ client: writing(client) }), { close: () => client.close() }),
      checkpoint: () => Promise.resolve(),
      attach: () => Promise.resolve(false),
    };
  }
  const connection = await openConnection(
    options.url,
    ROLES[options.wrote === undefined ? options.role : "assisted"],
    options.wrote,
  );
  return {
    db: createDatabase(drizzle({ client: connection.client }), { gate: options.gate, close: connection.close }),
    async checkpoint() {
      await connection.client.execute("pragma wal_checkpoint(passive)");
    },
    attach: connection.attach,
  };
}

export function isEmbedded(url: string): boolean {
  return url.startsWith("file:");
}

/**
 * Brings the tables up to date, in one transaction that locks out others: of two starts at once one does it and the
 * other finds it done.
 */
export async function migrateLibsql(url: string, authToken: string | null): Promise<void> {
  const client = createClient({ url, authToken: authToken ?? undefined, concurrency: 1 });
  try {
    if (isEmbedded(url)) await whenFree(() => client.executeMultiple(pragmas(ROLES.alone)));
    const transaction = await whenFree(() => begin(client, url));
    try {
      await migrate(drizzle({ client: within(transaction) }), {
        migrationsFolder: fileURLToPath(new URL("../../migrations", import.meta.url)),
      });
      await transaction.commit();
    } finally {
      transaction.close();
    }
  } finally {
    client.close();
  }
}

/** One connection to an embedded file as drizzle's client: one thing after the other, and every batch a writer at once. */
async function openConnection(
  url: string,
  role: (typeof ROLES)[keyof typeof ROLES],
  wrote: () => void = () => {},
): Promise<{ client: Client; attach: LibsqlDatabase["attach"]; close: () => void }> {
  const client = createClient({ url, concurrency: 1 });
  await whenFree(() => client.executeMultiple(pragmas(role)));
  let last: Promise<unknown> = Promise.resolve();
  let attached: string | null = null;
  const attachNow = async (file: string) => {
    await client.execute({ sql: `attach database ? as ${SCHEMA}`, args: [file] });
    await client.execute(`pragma main.cache_size = -${ATTACHED_CACHE_KIB}`);
  };
  const attach = async (file: string | null) => {
    if (attached !== null) {
      await client.execute(`detach database ${SCHEMA}`);
      await client.execute(`pragma main.cache_size = -${role.cacheKib}`);
    }
    attached = null;
    if (file === null) return false;
    await attachNow(file);
    attached = file;
    const found = await client.execute(`select 1 from ${SCHEMA}.sqlite_master limit 1`);
    return found.rows.length > 0;
  };
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const result = last.then(action);
    last = result.catch(() => {});
    return result;
  };
  const reading = (statement: InStatement) =>
    whenFree(() => client.execute(statement), async () => {
      // A statement that was refused stays open and would spoil the next commit, so its connection goes.
      await client.reconnect();
      await client.executeMultiple(pragmas(role));
      if (attached !== null) await attachNow(attached);
    });
  const batch = async (statements: InStatement[]) => {
    const transaction = await begin(client, url);
    try {
      const results = await transaction.batch(statements);
      await transaction.commit();
      wrote();
      return results;
    } finally {
      transaction.close();
    }
  };
  return {
    client: {
      execute: (statement: InStatement) => inTurn(() => reading(statement)),
      batch: (statements: InStatement[]) => inTurn(() => batch(statements)),
    } as unknown as Client,
    attach: (file) => inTurn(() => attach(file)),
    close: () => client.close(),
  };
}

/**
 * A transaction that holds the write lock from its beginning: one that began as a reader can be refused half-way.
 *
 * On a file the lock is asked for by a script, because a refused statement of any other kind stays open, and the
 * connection could then commit nothing until it is collected.
 */
async function begin(client: Client, url: string): Promise<Transaction> {
  if (!isEmbedded(url)) return await client.transaction("write");
  const transaction = await client.transaction("deferred");
  try {
    await transaction.executeMultiple("commit; begin immediate");
    return transaction;
  } catch (error) {
    transaction.close();
    throw error;
  }
}

/** What stays of the log's file, which else remains as large as the largest run made it. */
const LOG_BYTES_LEFT = 8 * 1024 * 1024;

function pragmas({ cacheKib, checkpointPages }: { cacheKib: number; checkpointPages: number }): string {
  return `pragma busy_timeout = 0; pragma journal_mode = wal; pragma synchronous = normal;
    pragma secure_delete = on;
    pragma cache_size = -${cacheKib}; pragma wal_autocheckpoint = ${checkpointPages};
    pragma journal_size_limit = ${LOG_BYTES_LEFT}`;
}

/** The client of a server with batches that write from their beginning. */
function writing(client: Client): Client {
  return {
    execute: (statement: InStatement) => client.execute(statement),
    batch: (statements: InStatement[]) => client.batch(statements, "write"),
  } as unknown as Client;
}

/** A client whose every statement is part of the transaction. */
function within(transaction: Transaction): Client {
  return {
    execute: (statement: InStatement) => transaction.execute(statement),
    migrate: (statements: InStatement[]) => transaction.batch(statements),
  } as unknown as Client;
}

/** Tries again, without blocking, while another connection holds the database. */
async function whenFree<T>(action: () => Promise<T>, between = () => Promise.resolve()): Promise<T> {
  for (let waitedMs = 0;; waitedMs += PAUSE_MS) {
    try {
      return await action();
    } catch (error) {
      const busy = error instanceof Error && /SQLITE_BUSY|database is locked/.test(error.message);
      if (!busy || waitedMs >= MAX_WAIT_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      await between();
    }
  }
}
