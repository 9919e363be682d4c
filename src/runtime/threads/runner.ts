/**
 * The runner as the main thread sees it: a thread of its own that carries runs, so that requests are answered meanwhile.
 *
 * A thread that ends by itself is said in the log and started again. What it was carrying is picked up from the
 * database.
 */
import type { Hub } from "../../hub.ts";
import type { Worker } from "node:worker_threads";
import type { MainGate } from "./gate.ts";
import type { KeySource } from "../master-key.ts";
import { describeError } from "../log.ts";
import { startThread } from "./thread.ts";

/** What the thread is told at its start. */
export interface RunnerSettings {
  readonly databaseUrl: string;
  readonly databaseAuthToken: string | null;
  readonly keys: KeySource;
  /** As for loadRegistry. */
  readonly connectors: readonly string[];
  readonly base: string;
  readonly publicUrl: string;
  readonly retainDays: number;
  readonly allowHosts: string;
  /** Null or absent: no mail is queued. */
  readonly mailFrom?: string | null;
  /** Memory of the gate; null where a server holds the database. */
  readonly gate: SharedArrayBuffer | null;
}

/** What the thread says: a line for the log, or that a run has moved on. */
type FromThread =
  | { readonly event: string; readonly details?: Parameters<Hub["log"]>[1] }
  | { readonly moved: number };

export interface Runner {
  /** Says that a run may be waiting. */
  wake(): void;
  /** Lets the batch at hand be finished, then ends the thread. */
  stop(): Promise<void>;
}

/** How long the thread may take to come to a stop by itself. */
const GRACE_MS = 8_000;
/** Pause before a new thread: doubled with each that ended soon after its start. */
const MIN_PAUSE_MS = 1_000, MAX_PAUSE_MS = 60_000;
const SOON_MS = 600_000;

/** `file` is the thread's module; other than runner-thread.ts only in tests. */
export function startRunner(
  settings: RunnerSettings,
  options: {
    gate: MainGate | null;
    log: Hub["log"];
    moved?: (runId: number) => void;
    file?: URL;
    minPauseMs?: number;
    graceMs?: number;
  },
): Runner {
  const { gate, log, moved = () => {}, file = new URL("./runner-thread.ts", import.meta.url) } = options;
  const { minPauseMs = MIN_PAUSE_MS, graceMs = GRACE_MS } = options;
  const stopping = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  let thread: Worker | null = null;
  let ended: Promise<void> = Promise.resolve();
  let pauseMs = minPauseMs;
  let restart: ReturnType<typeof setTimeout> | undefined;

  function start(): void {
    const startedAt = performance.now();
    let reason: unknown = null;
    const started = startThread(file, { ...settings, stopping: stopping.buffer });
    thread = started;
    started.on("message", (message: FromThread) => {
      if ("moved" in message) moved(message.moved);
      else log(message.event, message.details);
    });
    started.on("error", (error) => reason = error);
    ended = new Promise((resolve) =>
      started.on("exit", () => {
        thread = null;
        gate?.runnerEnded();
        resolve();
        if (Atomics.load(stopping, 0) === 1) return;
        if (performance.now() - startedAt > SOON_MS) pauseMs = minPauseMs;
        log("runner.ended", { ...describeError(reason), restart_ms: pauseMs });
        restart = setTimeout(start, pauseMs);
        pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
      })
    );
  }

  start();
  return {
    wake: () => thread?.postMessage("wake"),
    async stop() {
      Atomics.store(stopping, 0, 1);
      clearTimeout(restart);
      thread?.postMessage("stop");
      let timer: ReturnType<typeof setTimeout> | undefined;
      await Promise.race([ended, new Promise<void>((resolve) => timer = setTimeout(resolve, graceMs))]);
      clearTimeout(timer);
      if (thread === null) return;
      // With the gate in hand the thread is in no batch, and what it has begun to plan is lost at worst.
      const leave = await gate?.enter();
      await thread.terminate();
      await ended;
      leave?.();
    },
  };
}
