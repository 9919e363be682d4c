/**
 * Staging in a thread of its own, for a process that carries one run and has a processor to spare: a command. A server
 * keeps its second one for whoever asks it something.
 *
 * Pages pass through memory that both threads see, as a message of a megabyte takes longer than what is done with it.
 */
/// <reference lib="es2024.sharedmemory" />
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Worker } from "node:worker_threads";
import type { Staging } from "../store/staging.ts";
import { changed } from "./gate.ts";
import type { OpenDatabase } from "./database.ts";
import { isAlive } from "./owner.ts";
import { BODY, BYTES, FULL, LENGTH, PAGE, SLOTS, STATE, STOPPED, WORDS } from "./staging-memory.ts";
import { startThread } from "./thread.ts";

/** Pages of a run before a thread is worth its start. */
const PAGES_ALONE = 6;
/** How long the thread may take to come to an end by itself. */
const GRACE_MS = 5_000;

const NONE: ReadonlySet<number> = new Set();
const FILE = /^staging-(\d+)\.db/;

export function createStaging(
  folder: string,
  attach: OpenDatabase["attach"],
  { pagesAlone = PAGES_ALONE }: { pagesAlone?: number } = {},
): Staging {
  const file = join(folder, `staging-${process.pid}.db`);
  let pages = new Set<number>();
  let seen = 0, slot = 0;
  let thread: { worker: Worker; exited: Promise<void>; words: Int32Array; memory: SharedArrayBuffer } | null = null;
  let failed = false, ended = false;

  function start(): NonNullable<typeof thread> {
    removeLeftovers(folder);
    const memory = new SharedArrayBuffer(BYTES);
    const worker = startThread(new URL("./staging-thread.ts", import.meta.url), { memory, file });
    worker.on("error", () => failed = true);
    const exited = new Promise<void>((resolve) =>
      worker.on("exit", () => {
        failed = true;
        resolve();
      })
    );
    return { worker, exited, words: new Int32Array(memory), memory };
  }

  async function end(): Promise<void> {
    if (thread === null) return;
    const { worker, exited, words } = thread;
    thread = null;
    ended = true;
    for (let at = 0; at < SLOTS * WORDS; at += WORDS) {
      Atomics.store(words, at + STATE, STOPPED);
      Atomics.notify(words, at + STATE);
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([exited, new Promise<void>((resolve) => timer = setTimeout(resolve, GRACE_MS))]);
    clearTimeout(timer);
    await worker.terminate();
  }

  /** Whether the slot has become free; false: the thread has ended instead. */
  async function free(words: Int32Array, at: number): Promise<boolean> {
    while (!failed && Atomics.load(words, at) === FULL) await changed(words, at, FULL);
    return !failed;
  }

  return {
    async add(pageId, body) {
      if (failed || ++seen <= pagesAlone || body.length > BODY) return;
      thread ??= start();
      const { words, memory } = thread;
      const at = slot * WORDS;
      slot = (slot + 1) % SLOTS;
      if (!await free(words, at + STATE)) return;
      new Uint8Array(memory, SLOTS * WORDS * 4 + (at / WORDS) * BODY, body.length).set(body);
      words[at + LENGTH] = body.length;
      words[at + PAGE] = pageId;
      pages.add(pageId);
      Atomics.store(words, at + STATE, FULL);
      Atomics.notify(words, at + STATE);
    },
    remove(pageId) {
      pages.delete(pageId);
    },
    async open() {
      if (thread === null) return NONE;
      for (let at = 0; at < SLOTS * WORDS; at += WORDS) await free(thread.words, at + STATE);
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
      seen = slot = 0;
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
