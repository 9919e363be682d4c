/**
 * A thread beside a command's own, which would else pack, unpack and move the database's log into its file while nothing
 * else can be done. What comes while it is busy is done without it, so that neither waits for the other. A server keeps
 * its second processor for whoever asks it something.
 */
/// <reference lib="es2024.sharedmemory" />
import type { Worker } from "node:worker_threads";
import type { Packing } from "../../store/runs/drop-content.ts";
import {
  BUSY,
  BYTES,
  CHECKPOINT,
  DONE,
  FAILED,
  FREE,
  GUNZIP,
  GZIP,
  KIND,
  LENGTH,
  ROOM,
  STATE,
  STOPPED,
  WORDS,
} from "./beside-memory.ts";
import { changed } from "./gate.ts";
import { packing } from "../packing.ts";
import { endThread, exitOf } from "./supervise.ts";
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
  /** To be called after each write: moves the log, where it is time to. */
  wrote(): void;
  end(): Promise<void>;
}

export function createBeside(
  databaseUrl: string,
  { bytesAlone = BYTES_ALONE, checkpointEveryMs = CHECKPOINT_EVERY_MS } = {},
): Beside {
  let seen = 0, lastCheckpoint = 0;
  let thread: { worker: Worker; exited: Promise<void>; memory: SharedArrayBuffer; words: Int32Array } | null = null;
  let gone = false;

  function start(): NonNullable<typeof thread> {
    const memory = new SharedArrayBuffer(BYTES);
    const worker = startThread(new URL("./beside-thread.ts", import.meta.url), { memory, databaseUrl });
    worker.on("error", () => gone = true);
    const exited = exitOf(worker, () => gone = true);
    worker.unref();
    return { worker, exited, memory, words: new Int32Array(memory, 0, WORDS) };
  }

  /** What comes of the data in the thread; null where it has to be done without. */
  async function ask(kind: typeof GZIP | typeof GUNZIP, data: Uint8Array): Promise<Uint8Array | null> {
    seen += data.length;
    if (gone || seen < bytesAlone || data.length > ROOM) return null;
    const { memory, words } = thread ??= start();
    if (Atomics.load(words, STATE) !== FREE) return null;
    new Uint8Array(memory, WORDS * 4, data.length).set(data);
    words[LENGTH] = data.length;
    hand(words, kind);
    while (!gone && Atomics.load(words, STATE) === BUSY) await changed(words, STATE, BUSY);
    if (gone || Atomics.load(words, STATE) !== DONE) return null;
    const length = words[LENGTH]!;
    const made = length === FAILED ? null : new Uint8Array(memory, WORDS * 4 + ROOM, length).slice();
    Atomics.compareExchange(words, STATE, DONE, FREE);
    return made;
  }

  function hand(words: Int32Array, kind: number): void {
    words[KIND] = kind;
    Atomics.store(words, STATE, BUSY);
    Atomics.notify(words, STATE);
  }

  return {
    packing: {
      ...packing,
      gzip: async (data) => await ask(GZIP, data) ?? await packing.gzip(data),
      gunzip: async (data) => await ask(GUNZIP, data) ?? await packing.gunzip(data),
    },
    wrote() {
      if (thread === null || gone || performance.now() - lastCheckpoint < checkpointEveryMs) return;
      if (Atomics.load(thread.words, STATE) !== FREE) return;
      lastCheckpoint = performance.now();
      hand(thread.words, CHECKPOINT);
    },
    async end() {
      if (thread === null) return;
      const { worker, exited, words } = thread;
      thread = null;
      gone = true;
      Atomics.store(words, STATE, STOPPED);
      Atomics.notify(words, STATE);
      await endThread(worker, exited, { graceMs: GRACE_MS });
    },
  };
}
