/**
 * Runs heavy reads in a thread of its own, so that a search over a million people does not block other requests.
 *
 * One read runs at a time. SQLite cannot be interrupted here, so the thread of a read that takes too long is abandoned to
 * end when it can, and a new thread takes its place. When a thread ends by itself, its read fails and the next read
 * starts a new thread.
 */
import type { Worker } from "node:worker_threads";
import type { Hub } from "../../hub.ts";
import type { ArgumentsOf, Asker, HeavyRead, Reader, ResultOf } from "../../store/people/heavy-reads.ts";
import { describeError } from "../log.ts";
import { createReadQueue, type Job, type ReadQueue, unavailable } from "./read-queue.ts";
import type { AnsweredRead, AskedRead } from "./reader-thread.ts";
import { startThread } from "./thread.ts";

export interface OpenReader extends Reader {
  /** Fails all waiting reads, and ends the thread. */
  stop(): Promise<void>;
}

export interface ReaderLimits {
  /** Milliseconds that one read may run. */
  readonly maxMs: number;
  /** Milliseconds from the request to the result. */
  readonly maxWaitMs: number;
  /** Waiting reads of one organization, and of all. */
  readonly maxWaitingOfOne: number;
  readonly maxWaiting: number;
}

export const READER_LIMITS: ReaderLimits = { maxMs: 5_000, maxWaitMs: 15_000, maxWaitingOfOne: 16, maxWaiting: 128 };
/** Of drops that are read again: a search ends by itself after 10 seconds, unless a workbook keeps it from looking. */
export const DROP_READER_LIMITS: ReaderLimits = {
  maxMs: 12_000,
  maxWaitMs: 10_000,
  maxWaitingOfOne: 8,
  maxWaiting: 64,
};
/** Abandoned threads that have not ended yet. When there are as many, reads wait for one of them to end. */
const MAX_ABANDONED = 2;

interface State {
  readonly log: Hub["log"];
  readonly limits: ReaderLimits;
  readonly queue: ReadQueue;
  readonly startWorker: () => Worker;
  readonly abandoned: Set<Worker>;
  thread: { readonly worker: Worker; isReady: boolean } | null;
  running: { readonly id: number; readonly job: Job; readonly timer: ReturnType<typeof setTimeout> } | null;
  lastId: number;
  isStopped: boolean;
}

/** `authToken`: of a server. `file` is the thread's module; tests use another one. */
export function createReader(
  databaseUrl: string,
  options: { log: Hub["log"]; limits?: Partial<ReaderLimits>; authToken?: string | null; file?: URL },
): OpenReader {
  const { log, authToken = null, file = new URL("./reader-thread.ts", import.meta.url) } = options;
  const limits = { ...READER_LIMITS, ...options.limits };
  const state: State = {
    log,
    limits,
    queue: createReadQueue(limits.maxWaitingOfOne, limits.maxWaiting),
    startWorker: () => startThread(file, { databaseUrl, authToken }),
    abandoned: new Set(),
    thread: null,
    running: null,
    lastId: 0,
    isStopped: false,
  };
  return {
    read: <K extends HeavyRead>(name: K, asker: Asker, ...args: ArgumentsOf<K>) =>
      read(state, name, asker, args) as Promise<ResultOf<K>>,
    stop: () => stop(state),
  };
}

function read(state: State, name: HeavyRead, asker: Asker, args: readonly unknown[]): Promise<unknown> {
  const { queue, limits } = state;
  return new Promise((resolve, reject) => {
    const { signal } = asker;
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    const job: Job = {
      name,
      asker,
      args,
      resolve: (result) => (end(), resolve(result)),
      reject: (error) => (end(), reject(error)),
    };
    // A read that is running already goes on, and its result is ignored.
    const fail = (message: string) => {
      queue.remove(job);
      job.reject(unavailable(message));
    };
    const abort = () => fail("Nobody waits for the answer any more");
    const timer = setTimeout(
      () => fail(`The searches before this one took longer than ${limits.maxWaitMs / 1000} seconds`),
      limits.maxWaitMs,
    );
    signal?.addEventListener("abort", abort);
    try {
      if (state.isStopped) throw unavailable("The hub is stopping");
      queue.add(job);
      runNext(state);
    } catch (error) {
      job.reject(error);
    }
  });
}

/** Starts the next read if one waits and none is running. */
function runNext(state: State): void {
  const { queue, abandoned, limits } = state;
  if (queue.size === 0 || state.running !== null) return;
  if (state.thread === null && abandoned.size >= MAX_ABANDONED) return;
  state.thread ??= startReading(state);
  if (!state.thread.isReady) return;
  const job = queue.take()!;
  const id = ++state.lastId;
  state.thread.worker.postMessage({ id, name: job.name, args: job.args } satisfies AskedRead);
  state.running = { id, job, timer: setTimeout(() => abandon(state), limits.maxMs) };
}

function startReading(state: State): NonNullable<State["thread"]> {
  const worker = state.startWorker();
  const thread = { worker, isReady: false };
  let reason: unknown = null;
  worker.on("message", (message: "ready" | AnsweredRead) => {
    if (state.thread !== thread) return;
    if (message === "ready") thread.isReady = true;
    else if (message.id === state.running?.id) settle(takeRunning(state)!, message);
    runNext(state);
  });
  worker.on("error", (error) => reason = error);
  worker.on("exit", () => {
    state.abandoned.delete(worker);
    if (state.thread === thread) {
      state.thread = null;
      state.log("reader.ended", describeError(reason));
      takeRunning(state)?.reject(unavailable("The thread that reads beside requests has ended"));
    }
    if (!state.isStopped) runNext(state);
  });
  return thread;
}

function settle(job: Job, answer: AnsweredRead): void {
  if ("result" in answer) return job.resolve(answer.result);
  const { message, code } = answer.error;
  job.reject(Object.assign(new Error(message), code === null ? {} : { name: "SqliteError", code }));
}

/** The read that is running, which is no longer so; undefined: there is none. */
function takeRunning(state: State): Job | undefined {
  const { running } = state;
  clearTimeout(running?.timer);
  state.running = null;
  return running?.job;
}

function abandon(state: State): void {
  const { log, limits, abandoned } = state;
  const job = takeRunning(state)!;
  const { worker } = state.thread!;
  state.thread = null;
  abandoned.add(worker);
  void worker.terminate();
  log("reader.gave_up", { read: job.name, ms: limits.maxMs });
  job.reject(unavailable(`This took longer than ${limits.maxMs / 1000} seconds; it should be asked for less`));
  runNext(state);
}

async function stop(state: State): Promise<void> {
  const { thread, queue } = state;
  const stopping = unavailable("The hub is stopping");
  state.isStopped = true;
  for (let job = queue.take(); job !== undefined; job = queue.take()) job.reject(stopping);
  takeRunning(state)?.reject(stopping);
  state.thread = null;
  await thread?.worker.terminate();
}
