/**
 * Keeps a thread running. A thread that ends by itself is restarted after a pause, which doubles each time unless the
 * thread had run for long. A thread that is asked to end is terminated after a grace period.
 */
import type { Worker } from "node:worker_threads";
import { endsWithin } from "../../std/sleep.ts";
import { startThread } from "./thread.ts";

export interface Supervision<Message> {
  readonly file: URL;
  readonly workerData: unknown;
  /** How long the thread may take to end by itself after the message "stop". */
  readonly graceMs: number;
  readonly minPauseMs?: number;
  readonly onMessage: (message: Message) => void;
  readonly onError?: (error: unknown) => void;
  /** Called at each end of a thread, requested or not. If it returns false, no other is started. */
  readonly onExit?: () => boolean | void;
  /** The thread has ended by itself, with `reason` if there was an error, and another starts in `restartMs`. */
  readonly onRestart: (restartMs: number, reason: unknown) => void;
  /** The thread has not ended within its grace. */
  readonly onLate?: () => void;
  /** Resolves when the thread can safely be terminated. The result is called once it has ended. */
  readonly beforeTerminate?: () => Promise<() => void>;
}

export interface Supervised {
  /** Sends a message to the present thread; it is lost while there is none. */
  post(message: unknown): void;
  /** False: the thread has ended, and the next one is not started yet. */
  isRunning(): boolean;
  /** Resolves once the thread has ended. No other is started. */
  stop(): Promise<void>;
}

const MIN_PAUSE_MS = 1_000, MAX_PAUSE_MS = 60_000;
/** After a thread that ran for longer than this, the pause is the shortest one again. */
const LONG_RUN_MS = 600_000;

export function supervise<Message>(supervision: Supervision<Message>): Supervised {
  const { minPauseMs = MIN_PAUSE_MS } = supervision;
  let thread: Worker | null = null;
  let exited: Promise<void> = Promise.resolve();
  let isStopping = false;
  let pauseMs = minPauseMs;
  let restart: ReturnType<typeof setTimeout> | undefined;

  function start(): void {
    const startedAt = performance.now();
    let reason: unknown = null;
    const worker = startThread(supervision.file, supervision.workerData);
    thread = worker;
    worker.on("message", supervision.onMessage);
    worker.on("error", (error) => {
      reason = error;
      supervision.onError?.(error);
    });
    exited = exitOf(worker, () => {
      thread = null;
      const isWanted = supervision.onExit?.() !== false;
      if (isStopping || !isWanted) return;
      if (performance.now() - startedAt > LONG_RUN_MS) pauseMs = minPauseMs;
      supervision.onRestart(pauseMs, reason);
      restart = setTimeout(start, pauseMs);
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    });
  }

  start();
  return {
    post: (message) => thread?.postMessage(message),
    isRunning: () => thread !== null,
    async stop() {
      isStopping = true;
      clearTimeout(restart);
      if (thread === null) return;
      thread.postMessage("stop");
      await endThread(thread, exited, supervision);
    },
  };
}

/** Resolves once the thread has ended and `onExit` has been called. */
export function exitOf(worker: Worker, onExit: () => void): Promise<void> {
  return new Promise((resolve) =>
    worker.on("exit", () => {
      onExit();
      resolve();
    })
  );
}

/** Waits for a thread that was asked to end, and terminates it after `graceMs`. */
export async function endThread(
  worker: Worker,
  exited: Promise<void>,
  { graceMs, onLate, beforeTerminate }: Pick<Supervision<never>, "graceMs" | "onLate" | "beforeTerminate">,
): Promise<void> {
  if (await endsWithin(exited, graceMs)) return;
  onLate?.();
  const afterwards = await beforeTerminate?.();
  await worker.terminate();
  await exited;
  afterwards?.();
}
