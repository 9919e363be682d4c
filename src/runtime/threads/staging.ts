/**
 * Staging in a thread of its own, for a process that carries one run and has a processor to spare: a command. A server
 * keeps its second one for whoever asks it something.
 *
 * Only ids of pages pass to the thread, through memory that both see: it reads the pages from the database.
 */
/// <reference lib="es2024.sharedmemory" />
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Worker } from "node:worker_threads";
import type { Staging } from "../../store/runs/staging.ts";
import { changed } from "./gate.ts";
import type { OpenDatabase } from "../database.ts";
import { isAlive } from "../owner.ts";
import { BYTES, HANDED, openMemory, ROOM, STAGED, STOPPED } from "./staging-memory.ts";
import { endThread, exitOf } from "./supervise.ts";
import { startThread } from "./thread.ts";

/** Pages of a run before a thread is worth its start. */
const PAGES_ALONE = 2;
/** How long the thread may take to come to an end by itself. */
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
  let seen = 0, handed = 0;
  let thread: { worker: Worker; exited: Promise<void>; words: Int32Array; ids: Float64Array } | null = null;
  let failed = false, ended = false;

  function start(): NonNullable<typeof thread> {
    removeLeftovers(folder);
    const memory = new SharedArrayBuffer(BYTES);
    const worker = startThread(new URL("./staging-thread.ts", import.meta.url), { memory, databaseUrl, file });
    worker.on("error", () => failed = true);
    const exited = exitOf(worker, () => failed = true);
    return { worker, exited, ...openMemory(memory) };
  }

  async function end(): Promise<void> {
    if (thread === null) return;
    const { worker, exited, words } = thread;
    thread = null;
    ended = true;
    Atomics.store(words, STOPPED, 1);
    Atomics.notify(words, HANDED);
    await endThread(worker, exited, { graceMs: GRACE_MS });
  }

  return {
    add(pageId) {
      if (failed || ++seen <= pagesAlone) return;
      const { words, ids } = thread ??= start();
      // The few that find no room are taken apart when they are applied.
      if (handed - Atomics.load(words, STAGED) >= ROOM) return;
      ids[handed++ % ROOM] = pageId;
      pages.add(pageId);
      Atomics.store(words, HANDED, handed);
      Atomics.notify(words, HANDED);
    },
    remove(pageId) {
      pages.delete(pageId);
    },
    async open() {
      if (thread === null) return NONE;
      const { words } = thread;
      for (let staged; !failed && (staged = Atomics.load(words, STAGED)) < handed;) {
        await changed(words, STAGED, staged);
      }
      const isWhole = !failed;
      // It holds the file, and memory that applying can use.
      await end();
      return isWhole && await attach(file) ? pages : NONE;
    },
    async clear() {
      const began = thread !== null || ended;
      await end();
      if (began) {
        await attach(null);
        removeLeftovers(folder);
      }
      pages = new Set();
      seen = handed = 0;
      failed = ended = false;
    },
  };
}

/** What processes left that were killed: copies of people, which must not stay. */
export function removeLeftovers(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const pid = entry.isFile() ? FILE.exec(entry.name)?.[1] : undefined;
    if (pid === undefined || (Number(pid) !== process.pid && isAlive(Number(pid)))) continue;
    rmSync(join(folder, entry.name), { force: true });
  }
}
