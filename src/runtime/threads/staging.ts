/**
 * Staging in a thread of its own, for a command, which carries one run and has a second processor to spare. A server
 * needs that one for requests.
 *
 * Only ids of pages are passed to the thread, through shared memory; it reads the pages from the database.
 */
/// <reference lib="es2024.sharedmemory" />
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Staging } from "../../store/runs/staging.ts";
import { changed } from "./gate.ts";
import type { OpenDatabase } from "../database.ts";
import { isAlive } from "../owner.ts";
import { BYTES, openMemory, ROOM, SENT, STAGED, STOPPED } from "./staging-memory.ts";
import { endThread, exitOf } from "./supervise.ts";
import { startThread } from "./thread.ts";

/** Pages of a run that do not justify starting a thread. */
const PAGES_ALONE = 2;
/** How long the thread may take to end by itself. */
const GRACE_MS = 5_000;

const NONE: ReadonlySet<number> = new Set();
const FILE = /^staging-(\d+)\.db/;

export function createStaging(
  folder: string,
  databaseUrl: string,
  attach: OpenDatabase["attach"],
  { pagesAlone = PAGES_ALONE }: { pagesAlone?: number } = {},
): Staging {
  const file = join(folder, `staging-${process.pid}.db`);
  let pages = new Set<number>();
  let seen = 0;
  let thread: StagingThread | null = null;
  let hasBegun = false;

  async function end(): Promise<void> {
    await thread?.end();
    thread = null;
  }

  return {
    add(pageId) {
      if (++seen <= pagesAlone || (hasBegun && thread === null)) return;
      if (!hasBegun) removeLeftovers(folder);
      hasBegun = true;
      thread ??= startStaging(databaseUrl, file);
      // Pages for which there is no room are taken apart when they are applied.
      if (thread.send(pageId)) pages.add(pageId);
    },
    remove(pageId) {
      pages.delete(pageId);
    },
    async open() {
      if (thread === null) return NONE;
      const isComplete = await thread.hasStagedAll();
      // The thread has the file open, and uses memory that applying needs.
      await end();
      return isComplete && await attach(file) ? pages : NONE;
    },
    async clear() {
      await end();
      if (hasBegun) {
        await attach(null);
        removeLeftovers(folder);
      }
      pages = new Set();
      seen = 0;
      hasBegun = false;
    },
  };
}
interface StagingThread {
  /** False: there is no room for the page, or the thread has failed. */
  send(pageId: number): boolean;
  /** Waits until all pages that were sent are staged. False: the thread has failed. */
  hasStagedAll(): Promise<boolean>;
  end(): Promise<void>;
}

function startStaging(databaseUrl: string, file: string): StagingThread {
  const memory = new SharedArrayBuffer(BYTES);
  const { words, ids } = openMemory(memory);
  const worker = startThread(new URL("./staging-thread.ts", import.meta.url), { memory, databaseUrl, file });
  let sent = 0, hasFailed = false;
  worker.on("error", () => hasFailed = true);
  const exited = exitOf(worker, () => hasFailed = true);
  return {
    send(pageId) {
      if (hasFailed || sent - Atomics.load(words, STAGED) >= ROOM) return false;
      ids[sent++ % ROOM] = pageId;
      Atomics.store(words, SENT, sent);
      Atomics.notify(words, SENT);
      return true;
    },
    async hasStagedAll() {
      for (let staged; !hasFailed && (staged = Atomics.load(words, STAGED)) < sent;) {
        await changed(words, STAGED, staged);
      }
      return !hasFailed;
    },
    async end() {
      Atomics.store(words, STOPPED, 1);
      Atomics.notify(words, SENT);
      await endThread(worker, exited, { graceMs: GRACE_MS });
    },
  };
}

/** Removes the files of processes that were killed: they hold copies of people. */
export function removeLeftovers(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const pid = entry.isFile() ? FILE.exec(entry.name)?.[1] : undefined;
    if (pid === undefined || (Number(pid) !== process.pid && isAlive(Number(pid)))) continue;
    rmSync(join(folder, entry.name), { force: true });
  }
}
