/**
 * A thread beside a command's own, which would else pack, unpack, cut records and move the database's log into its file
 * while nothing else can be done. What comes while it is busy is done without it, so that neither waits for the other. A server keeps
 * its second processor for whoever asks it something.
 */
/// <reference lib="es2024.sharedmemory" />
import type { Worker } from "node:worker_threads";
import type { Cutting } from "../intake/cut.ts";
import type { Packing } from "../store/drop-content.ts";
import { createCutting } from "./beside-cutting.ts";
import {
  type BesideMemory,
  BUSY,
  CHECKPOINT,
  createBesideMemory,
  DONE,
  FAILED,
  FREE,
  GUNZIP,
  GZIP,
  KIND,
  LENGTH,
  openBesideMemory,
  ROOM,
  STATE,
  STOPPED,
} from "./beside-memory.ts";
import { changed } from "./gate.ts";
import { packing } from "./packing.ts";
import { startThread } from "./thread.ts";

/** Bytes to pack or unpack before a thread is worth its start. */
const BYTES_ALONE = 4 * 1024 * 1024;
/** How long the log grows before it is moved again: a page that is written often moves once. */
const CHECKPOINT_EVERY_MS = 2_000;
/** How long the thread may take to come to an end by itself. */
const GRACE_MS = 5_000;

export interface Beside {
  /** Packs here and there at once. */
  readonly packing: Packing;
  /** Cuts the records of a drop that is large enough. */
  readonly cutting: Cutting;
  /** To be called after each write: moves the log, where it is time to. */
  wrote(): void;
  end(): Promise<void>;
}

export function createBeside(
  databaseUrl: string,
  { bytesAlone = BYTES_ALONE, checkpointEveryMs = CHECKPOINT_EVERY_MS } = {},
): Beside {
  let seen = 0, lastCheckpoint = 0;
  let thread: { worker: Worker; exited: Promise<void>; memory: BesideMemory } | null = null;
  let gone = false;

  function start(): NonNullable<typeof thread> {
    const memory = createBesideMemory();
    const worker = startThread(new URL("./beside-thread.ts", import.meta.url), { memory, databaseUrl });
    worker.on("error", () => gone = true);
    const exited = new Promise<void>((resolve) =>
      worker.on("exit", () => {
        gone = true;
        resolve();
      })
    );
    worker.unref();
    return { worker, exited, memory: openBesideMemory(memory) };
  }

  /** What comes of the data in the thread; null where it has to be done without. */
  async function ask(kind: typeof GZIP | typeof GUNZIP, data: Uint8Array): Promise<Uint8Array | null> {
    seen += data.length;
    if (gone || seen < bytesAlone || data.length > ROOM) return null;
    const { words, going, coming } = (thread ??= start()).memory;
    if (Atomics.load(words, STATE) !== FREE) return null;
    going.set(data);
    words[LENGTH] = data.length;
    hand(words, kind);
    while (!gone && Atomics.load(words, STATE) === BUSY) await changed(words, STATE, BUSY);
    if (gone || Atomics.load(words, STATE) !== DONE) return null;
    const length = words[LENGTH]!;
    const made = length === FAILED ? null : coming.slice(0, length);
    Atomics.compareExchange(words, STATE, DONE, FREE);
    return made;
  }

  function hand(words: Int32Array, kind: number): void {
    words[KIND] = kind;
    Atomics.store(words, STATE, BUSY);
    Atomics.notify(words, STATE);
  }

  const cutting = createCutting({
    memory: () => gone ? null : (thread ??= start()).memory,
    hand: (kind) => hand(thread!.memory.words, kind),
  });

  return {
    cutting: (dropId, bytes) => bytes < bytesAlone ? undefined : cutting(dropId),
    packing: {
      ...packing,
      gzip: async (data) => await ask(GZIP, data) ?? await packing.gzip(data),
      gunzip: async (data) => await ask(GUNZIP, data) ?? await packing.gunzip(data),
    },
    wrote() {
      if (thread === null || gone || performance.now() - lastCheckpoint < checkpointEveryMs) return;
      if (Atomics.load(thread.memory.words, STATE) !== FREE) return;
      lastCheckpoint = performance.now();
      hand(thread.memory.words, CHECKPOINT);
    },
    async end() {
      if (thread === null) return;
      const { worker, exited, memory: { words } } = thread;
      thread = null;
      gone = true;
      Atomics.store(words, STATE, STOPPED);
      Atomics.notify(words, STATE);
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([exited, new Promise<void>((resolve) => timer = setTimeout(resolve, GRACE_MS))]);
      clearTimeout(timer);
      await worker.terminate();
    },
  };
}
