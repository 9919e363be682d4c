/**
 * The runner as the main thread sees it: a thread of its own that carries runs, so that requests are answered meanwhile.
 *
 * A thread that ends by itself is said in the log and started again. What it was carrying is picked up from the
 * database.
 */
import type { Hub } from "../../hub.ts";
import type { MainGate } from "./gate.ts";
import type { KeySource } from "../master-key.ts";
import { describeError } from "../log.ts";
import { supervise } from "./supervise.ts";

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
  const stopping = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const thread = supervise<FromThread>({
    file,
    workerData: { ...settings, stopping: stopping.buffer },
    graceMs: options.graceMs ?? GRACE_MS,
    minPauseMs: options.minPauseMs,
    onMessage(message) {
      if ("moved" in message) moved(message.moved);
      else log(message.event, message.details);
    },
    onExit: () => gate?.runnerEnded(),
    onRestart: (restartMs, reason) => log("runner.ended", { ...describeError(reason), restart_ms: restartMs }),
    // With the gate held, the thread is in no batch: only what it has begun to plan is lost.
    beforeTerminate: gate === null ? undefined : () => gate.enter(),
  });
  return {
    wake: () => thread.post("wake"),
    stop() {
      Atomics.store(stopping, 0, 1);
      return thread.stop();
    },
  };
}
