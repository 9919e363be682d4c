/**
 * A second thread for a command: it compresses and decompresses, and moves the database's log into its file, which would
 * otherwise block the command. While it is busy, the main thread does this work itself, so neither waits for the other.
 * A server needs its second processor for requests, so it has no such thread.
 */
/// <reference lib="es2024.sharedmemory" />
import type { Packing } from "../../store/runs/drop-content.ts";
import { FAILED, KIND, openMemory, ROOM, STATE, WORD } from "./beside-memory.ts";
import { changed } from "./gate.ts";
import { packing } from "../packing.ts";
import { endThread, exitOf } from "./supervise.ts";
import { startThread } from "./thread.ts";

/** Bytes of work that do not justify starting a thread. */
const BYTES_ALONE = 4 * 1024 * 1024;
/** How long the log grows between two moves: a page that is written often is then moved once. */
const CHECKPOINT_EVERY_MS = 2_000;
/** How long the thread may take to end by itself. */
const GRACE_MS = 5_000;

export interface Beside {
  /** Uses both threads. */
  readonly packing: Packing;
  /** To be called after each write: moves the log when that is due. */
  wrote(): void;
  end(): Promise<void>;
}

export function createBeside(
  databaseUrl: string,
  { bytesAlone = BYTES_ALONE, checkpointEveryMs = CHECKPOINT_EVERY_MS } = {},
): Beside {
  let seen = 0, lastCheckpoint = 0;
  let thread: BesideThread | null = null;
  let hasEnded = false;

  /** The result of the thread; null: it has to be made without it. */
  async function ask(kind: number, data: Uint8Array): Promise<Uint8Array | null> {
    seen += data.length;
    if (hasEnded || seen < bytesAlone || data.length > ROOM) return null;
    thread ??= startBeside(databaseUrl);
    return await thread.ask(kind, data);
  }

  return {
    packing: {
      ...packing,
      gzip: async (data) => await ask(KIND.gzip, data) ?? await packing.gzip(data),
      gunzip: async (data) => await ask(KIND.gunzip, data) ?? await packing.gunzip(data),
    },
    wrote() {
      if (thread === null || performance.now() - lastCheckpoint < checkpointEveryMs) return;
      if (thread.checkpoint()) lastCheckpoint = performance.now();
    },
    async end() {
      if (thread === null) return;
      hasEnded = true;
      const ending = thread;
      thread = null;
      await ending.end();
    },
  };
}

interface BesideThread {
  /** Null: the thread is busy, has ended, or could not do it. */
  ask(kind: number, data: Uint8Array): Promise<Uint8Array | null>;
  /** Starts a checkpoint. False: the thread is busy or has ended. */
  checkpoint(): boolean;
  end(): Promise<void>;
}

function startBeside(databaseUrl: string): BesideThread {
  const { shared, words, input, output } = openMemory();
  const worker = startThread(new URL("./beside-thread.ts", import.meta.url), { memory: shared, databaseUrl });
  let isGone = false;
  worker.on("error", () => isGone = true);
  const exited = exitOf(worker, () => isGone = true);
  worker.unref();
  const isIn = (state: number) => !isGone && Atomics.load(words, WORD.state) === state;

  function begin(kind: number): void {
    words[WORD.kind] = kind;
    Atomics.store(words, WORD.state, STATE.busy);
    Atomics.notify(words, WORD.state);
  }

  return {
    async ask(kind, data) {
      if (!isIn(STATE.free)) return null;
      input.set(data);
      words[WORD.length] = data.length;
      begin(kind);
      while (isIn(STATE.busy)) await changed(words, WORD.state, STATE.busy);
      if (!isIn(STATE.done)) return null;
      const length = words[WORD.length]!;
      const made = length === FAILED ? null : output.slice(0, length);
      Atomics.compareExchange(words, WORD.state, STATE.done, STATE.free);
      return made;
    },
    checkpoint() {
      if (!isIn(STATE.free)) return false;
      begin(KIND.checkpoint);
      return true;
    },
    async end() {
      isGone = true;
      Atomics.store(words, WORD.state, STATE.stopped);
      Atomics.notify(words, WORD.state);
      await endThread(worker, exited, { graceMs: GRACE_MS });
    },
  };
}
