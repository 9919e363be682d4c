/**
 * Starts the thread that carries runs, so that the main thread can answer requests. A thread that ends by itself is logged
 * and restarted; its runs go on from what the database has.
 */
import type { Hub } from "../../hub.ts";
import type { MainGate } from "./gate.ts";
import type { Config } from "../config.ts";
import type { KeySource } from "../master-key.ts";
import { describeError } from "../log.ts";
import type { ConnectorPart } from "../third-party.ts";
import { supervise } from "./supervise.ts";

/** The thread's settings. */
export interface RunnerSettings
  extends Pick<Config, "databaseUrl" | "databaseAuthToken" | "retainDays" | "allowHosts"> {
  readonly keys: KeySource;
  /** Connectors of others, as the main thread has loaded them. */
  readonly connectors: readonly ConnectorPart[];
  readonly publicUrl: string;
  /** Null or absent: no mail is queued. */
  readonly mailFrom?: string | null;
  /** Memory of the gate; null for a database on a server. */
  readonly gate: SharedArrayBuffer | null;
}

/** Messages from the thread: a line for the log, or the id of a run that has changed. */
type FromThread =
  | { readonly event: string; readonly details?: Parameters<Hub["log"]>[1] }
  | { readonly moved: number };

export interface Runner {
  /** Signals that a run may be waiting. */
  wake(): void;
  /** False: the thread has ended, and the next one is not started yet. */
  isRunning(): boolean;
  /** Ends the thread after the batch that it is writing. */
  stop(): Promise<void>;
}

/** How long the thread may take to end by itself. */
const GRACE_MS = 8_000;

/** `file` is the thread's module; tests use another one. */
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
    onLate: () => log("runner.terminated"),
    // While this thread holds the gate, the runner writes no batch: only a plan that it has begun is lost.
    beforeTerminate: gate === null ? undefined : () => gate.enter(),
  });
  return {
    wake: () => thread.post("wake"),
    isRunning: thread.isRunning,
    stop() {
      Atomics.store(stopping, 0, 1);
      return thread.stop();
    },
  };
}
