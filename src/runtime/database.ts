/**
 * Opens the database on Deno and Node, which is a file or a libSQL server, and brings its tables up to date. Each thread
 * opens its own connection to a file, because pragmas belong to a connection.
 */
import { drizzle } from "drizzle-orm/sqlite-proxy";
import { migrate } from "drizzle-orm/sqlite-proxy/migrator";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Database, DatabaseFile, Gate } from "../store/database.ts";
import { createEngineDatabase, type Engine, toRows } from "../store/engine.ts";
import { createLeaseWatch, type LeaseWatch } from "../store/lease-watch.ts";
import { SCHEMA } from "../store/runs/staging.ts";
import { type DatabaseTrouble, isBusy } from "../store/trouble.ts";
import type { Fault } from "../model/errors.ts";
import { ownFile } from "./own-files.ts";
import {
  createSchemaCheck,
  lastMigration,
  newerSchema,
  ownSchema,
  type Run,
  schemaCheckQuery,
  versionQuery,
} from "./schema-version.ts";
import { openSqlite, pathOf, type SqliteFile } from "./sqlite.ts";
import { sleep } from "../std/sleep.ts";
import { MAX_WAIT_MS, patiently, PAUSE_MS, whenFree } from "./when-free.ts";

export interface OpenOptions {
  readonly url: string;
  readonly authToken: string | null;
  /**
   * `main` answers requests, and leaves checkpoints to the runner. `runner` carries runs, and makes checkpoints between its
   * writes, because a write that makes one would block others for longer. `alone` does everything. `reader` writes
   * nothing.
   */
  readonly role: "main" | "runner" | "alone" | "reader";
  readonly gate?: Gate;
  /** Called after each write of `alone`. The callee makes checkpoints; the connection does so only if they come late. */
  readonly wrote?: () => void;
  /** How long a server that is away is asked again, in milliseconds; absent: as long as the role allows. */
  readonly patienceMs?: number;
  /** Called when a server is away, before it is asked again. */
  readonly onRetry?: (trouble: DatabaseTrouble) => void;
  /** Decides whether leases in a file are over; absent: by this process's monotonic clock. */
  readonly watch?: LeaseWatch;
}

export interface OpenDatabase {
  readonly db: Database;
  /** Moves the log into the file, as far as readers allow. Does nothing on a server. */
  checkpoint(): Promise<void>;
  /** Why this version must no longer use the database: a later one has brought it up to date. Null: it may. */
  newer(): Promise<Fault | null>;
  /** Attaches another file as SCHEMA; null detaches it. Returns whether its tables are attached. */
  attach(file: string | null): Promise<boolean>;
}

/** KiB of pages in memory, and the log's size in pages at which a commit makes a checkpoint (0: never; null: read-only). */
const ROLES = {
  reader: { cacheKib: 8 * 1024, checkpointPages: null },
  main: { cacheKib: 8 * 1024, checkpointPages: 0 },
  runner: { cacheKib: 16 * 1024, checkpointPages: 65536 },
  alone: { cacheKib: 32 * 1024, checkpointPages: 16384 },
  assisted: { cacheKib: 8 * 1024, checkpointPages: 65536 },
} as const;

/** In a request each quote of a page may take two bytes, and a blob takes four for three: below 1 MiB in any case. */
const SERVER_VALUE_BYTES = 480 * 1024;

/**
 * How long a server that is away is asked again: a request's sender waits, a run has attempts, and a command has only this.
 */
const PATIENCE_MS = { reader: 2_000, main: 2_000, runner: 5_000, alone: 30_000 } as const;

/** KiB of pages in memory while new people are copied from an attached file: they are spread all over the indexes. */
const ATTACHED_CACHE_KIB = 48 * 1024;

/** The log's file is truncated to this size; otherwise it would stay as large as the largest run made it. */
const LOG_BYTES_LEFT = 8 * 1024 * 1024;

const MIGRATIONS = fileURLToPath(ownFile("migrations"));

export async function openDatabase(options: OpenOptions): Promise<OpenDatabase> {
  if (!isEmbedded(options.url)) {
    const { openServer } = await loadServers();
    const check = { query: schemaCheckQuery(), why: newerSchema };
    const { engine, close } = openServer({ patienceMs: PATIENCE_MS[options.role], ...options, check });
    return {
      db: createEngineDatabase(engine, { close, valueBytes: SERVER_VALUE_BYTES }),
      checkpoint: () => Promise.resolve(),
      newer: () => newerSchema((text, values = []) => engine.all({ text, values })),
      attach: () => Promise.resolve(false),
    };
  }
  const role = ROLES[options.wrote === undefined ? options.role : "assisted"];
  const file = await whenFree(() =>
    openSqlite(options.url, pragmas(role), { readOnly: role.checkpointPages === null, begun: createSchemaCheck() })
  );
  return {
    db: createEngineDatabase(fileEngine(file, options.wrote), {
      gate: options.gate,
      file: openFile(options.url, file, options.gate),
      watch: options.watch ?? createLeaseWatch(),
      close: file.close,
    }),
    checkpoint: () => Promise.resolve(void file.all("pragma wal_checkpoint(passive)")),
    newer: () => whenFree(() => newerSchema(runIn(file))),
    attach: createAttach(file, role.cacheKib),
  };
}

/** Most hubs keep a file, and need not hold a client for servers in memory. */
const loadServers = () => import("./libsql.ts");

export function isEmbedded(url: string): boolean {
  return url.startsWith("file:");
}

export interface MigrateOptions {
  readonly onRetry?: OpenOptions["onRetry"];
  /** Called after a few seconds of waiting for another process, and then about every minute. */
  readonly waiting?: (seconds: number) => void;
}

/**
 * Brings the tables up to date, whatever the database. A second start at the same time waits. Fails with `unavailable`,
 * and writes nothing, where a later version has made the tables.
 */
export async function migrateDatabase(
  url: string,
  authToken: string | null,
  { onRetry, waiting }: MigrateOptions = {},
): Promise<void> {
  if (isEmbedded(url)) return await migrateFile(url, waiting);
  const [{ openServer }, { migrateServer }] = await Promise.all([loadServers(), import("./migrate-server.ts")]);
  // One batch makes all tables of a first start, which takes longer than others.
  const { engine, close } = openServer({
    url,
    authToken,
    patienceMs: PATIENCE_MS.alone,
    answerMs: MAX_WAIT_MS,
    onRetry,
  });
  try {
    await migrateServer(engine, MIGRATIONS);
  } finally {
    close();
  }
}

/**
 * In one transaction that holds the write lock: killed, it leaves the tables as they were. Waits, for however long it
 * takes, while another process does so or writes.
 */
async function migrateFile(url: string, waiting: (seconds: number) => void = () => {}): Promise<void> {
  const onceFree = patiently(waiting);
  const file = await onceFree(() => openSqlite(url));
  const run = runIn(file);
  try {
    const last = await onceFree(() => lastMigration(run));
    // A start beside a hub that writes need not wait for it.
    if (last === ownSchema().last.when) return;
    // Before the pragmas, of which one writes to a file that was restored.
    await onceFree(() => requireKnown(run));
    for (const pragma of pragmas(ROLES.alone)) await onceFree(() => file.all(`pragma ${pragma}`));
    await onceFree(() => file.all("begin immediate"));
    await bringUpToDate(run);
    file.all("commit");
  } finally {
    // This also rolls back a transaction that was not committed.
    file.close();
  }
}

function runIn(file: SqliteFile): Run {
  // An error is the promise's, also where the statement does not wait.
  return async (text, values) => await file.all(text, values);
}

async function requireKnown(run: Run): Promise<void> {
  const newer = await newerSchema(run);
  if (newer !== null) throw newer;
}

/** `run` runs one statement in an open transaction. */
async function bringUpToDate(run: Run): Promise<void> {
  await requireKnown(run);
  const orm = drizzle(async (text, values, method) => toRows(method, await run(text, values)));
  const runAll = async (statements: string[]) => {
    for (const statement of statements) await run(statement);
  };
  await migrate(orm, runAll, { migrationsFolder: MIGRATIONS });
  const { text, values } = versionQuery(Date.now());
  await run(text, values);
}

/** Reads wait while another connection locks the whole file, which is rare and short. Callers retry writes. */
export function fileEngine(file: SqliteFile, wrote: () => void = () => {}): Engine {
  return {
    all: ({ text, values }) => whenFree(() => file.all(text, values)),
    batch: (queries) =>
      new Promise((resolve) => {
        resolve(file.batch(queries));
        wrote();
      }),
  };
}

/** How often truncating the log is tried while another thread reads or writes. */
const MAX_TRIES = 25;

function openFile(url: string, file: SqliteFile, gate: Gate | undefined): DatabaseFile {
  async function truncateLog(): Promise<boolean> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (tries > 0) await sleep(PAUSE_MS);
      // The first column shows whether another connection was in the way.
      if (unlessBusy(() => file.all("pragma wal_checkpoint(truncate)"))?.[0]?.[0] === 0) return true;
    }
    return false;
  }

  async function alone<T>(work: () => Promise<T>): Promise<T> {
    const leave = await gate?.enter();
    try {
      return await work();
    } finally {
      leave?.();
    }
  }

  const numberOf = (pragma: string) => Number(file.all(`pragma ${pragma}`)[0]![0]);

  return {
    async room() {
      const [size, pages, free] = await whenFree(() => ["page_size", "page_count", "freelist_count"].map(numberOf));
      return { free: free! * size!, total: pages! * size! };
    },
    truncateLog: () => alone(truncateLog),
    compact: () =>
      alone(async () => {
        // The new file is too large for memory and holds people's data, so it should be in the database's folder.
        const folder = dirname(pathOf(url)).replaceAll("'", "''");
        file.all(`pragma temp_store_directory = '${folder}'`);
        file.all("pragma temp_store = file");
        try {
          if (unlessBusy(() => file.all("vacuum")) === null) return false;
        } finally {
          file.all("pragma temp_store = memory");
        }
        return await truncateLog();
      }),
  };
}

/** Null: another connection locks the database. */
function unlessBusy<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (isBusy(error)) return null;
    throw error;
  }
}

function createAttach(file: SqliteFile, cacheKib: number): OpenDatabase["attach"] {
  let attached = false;
  return async (path) => {
    if (attached) {
      file.all(`detach database ${SCHEMA}`);
      file.all(`pragma main.cache_size = -${cacheKib}`);
    }
    attached = path !== null;
    if (path === null) return false;
    await whenFree(() => file.all(`attach database ? as ${SCHEMA}`, [path]));
    file.all(`pragma main.cache_size = -${ATTACHED_CACHE_KIB}`);
    return file.all(`select 1 from ${SCHEMA}.sqlite_master limit 1`).length > 0;
  };
}

function pragmas({ cacheKib, checkpointPages }: { cacheKib: number; checkpointPages: number | null }): string[] {
  if (checkpointPages === null) return ["query_only = on", "temp_store = memory", `cache_size = -${cacheKib}`];
  return [
    "journal_mode = wal",
    "synchronous = normal",
    "secure_delete = on",
    // Temporary tables hold people's data, and should not be in a folder that all users share.
    "temp_store = memory",
    `cache_size = -${cacheKib}`,
    `wal_autocheckpoint = ${checkpointPages}`,
    `journal_size_limit = ${LOG_BYTES_LEFT}`,
  ];
}
