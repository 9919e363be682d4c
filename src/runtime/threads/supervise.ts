/**
 * Keeps a thread running. In come its file, what it starts with and what to do with its messages; out come a way to send
 * it messages and a way to end it.
 *
 * A thread that ends by itself is started again after a pause, doubled each time unless it had run for long. One that is
 * asked to end gets a period of grace before it is terminated.
 */
import type { Worker } from "node:worker_threads";
import { endsWithin } from "../../std/sleep.ts";
import { startThread } from "./thread.ts";

export interface Supervision<Message> {
  readonly file: URL;
  readonly workerData: unknown;
  /** How long the thread may take to end by itself once it is sent "stop". */
  readonly graceMs: number;
  readonly minPauseMs?: number;
  readonly onMessage: (message: Message) => void;
  readonly onError?: (error: unknown) => void;
  /** At each end of a thread, asked for or not. False: start no other. */
  readonly onExit?: () => boolean | void;
  /** The thread ended by itself, for this reason if any is known, and another starts in `restartMs`. */
  readonly onRestart: (restartMs: number, reason: unknown) => void;
  /** Resolves when the thread can be terminated without harm; what it gives is called once the thread is gone. */
  readonly beforeTerminate?: () => Promise<() => void>;
}

export interface Supervised {
  /** Reaches the thread that runs at the moment; lost while there is none. */
  post(message: unknown): void;
  /** Resolves once the thread has ended; none is started any more. */
  stop(): Promise<void>;
}

const MIN_PAUSE_MS = 1_000, MAX_PAUSE_MS = 60_000;
/** A thread that ran for longer than this did not fail at its start: the pause is the shortest one again. */
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
    async stop() {
      isStopping = true;
      clearTimeout(restart);
      if (thread === null) return;
      thread.postMessage("stop");
      await endThread(thread, exited, supervision);
    },
  };
}

/** Resolves once the thread has ended and `onExit` was called. */
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
  { graceMs, beforeTerminate }: Pick<Supervision<never>, "graceMs" | "beforeTerminate">,
): Promise<void> {
  if (await endsWithin(exited, graceMs)) return;
  const afterwards = await beforeTerminate?.();
  await worker.terminate();
  await exited;
  afterwards?.();
}
