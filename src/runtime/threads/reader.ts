/**
 * Reads beside requests: a thread of its own, so that a search over a million people keeps nobody else waiting.
 *
 * One read at a time, by turns between organizations. A read that takes too long is given up: SQLite cannot be
 * interrupted here, so its thread is left to come to its end, and another one takes its place. A thread that ends by
 * itself fails what it was asked, and the next read has a new one.
 */
import type { Worker } from "node:worker_threads";
import { Fault } from "../../model/errors.ts";
import type { Hub } from "../../hub.ts";
import type { ArgumentsOf, Asker, HeavyRead, Reader, ResultOf } from "../../store/people/heavy-reads.ts";
import { describeError } from "../log.ts";
import type { AnsweredRead, AskedRead } from "./reader-thread.ts";
import { startThread } from "./thread.ts";

export interface OpenReader extends Reader {
  /** Fails what waits, and ends the threads. */
  stop(): Promise<void>;
}

export interface ReaderLimits {
  /** Of one read. */
  readonly maxMs: number;
  /** From being asked to the answer. */
  readonly maxWaitMs: number;
  /** Reads that wait: of one organization, and of all. */
  readonly maxWaitingOfOne: number;
  readonly maxWaiting: number;
}

export const READER_LIMITS: ReaderLimits = { maxMs: 5_000, maxWaitMs: 15_000, maxWaitingOfOne: 16, maxWaiting: 128 };
/** Threads that were given up and have not come to their end. With so many, reads wait for one of them. */
const MAX_LEFT = 2;
const RETRY_AFTER_S = 2;

interface Waiting {
  readonly name: HeavyRead;
  readonly args: readonly unknown[];
  readonly asker: Asker;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** `file` is the thread's module; other than reader-thread.ts only in tests. */
export function createReader(
  databaseUrl: string,
  options: { log: Hub["log"]; limits?: Partial<ReaderLimits>; file?: URL },
): OpenReader {
  const { log, file = new URL("./reader-thread.ts", import.meta.url) } = options;
  const limits = { ...READER_LIMITS, ...options.limits };
  /** By organization; whose turn it is comes first. */
  const queues = new Map<number, Waiting[]>();
  const left = new Set<Worker>();
  let waiting = 0, nextId = 1;
  let thread: { readonly worker: Worker; isReady: boolean } | null = null;
  let at: { readonly id: number; readonly job: Waiting } | null = null;
  let stopped = false;

  function start(): NonNullable<typeof thread> {
    const worker = startThread(file, { databaseUrl });
    const started = { worker, isReady: false };
    let reason: unknown = null;
    worker.on("message", (message: "ready" | AnsweredRead) => {
      if (thread !== started) return;
      if (message === "ready") started.isReady = true;
      else if (message.id === at?.id) settle(message);
      next();
    });
    worker.on("error", (error) => reason = error);
    worker.on("exit", () => {
      left.delete(worker);
      if (thread === started) {
        thread = null;
        log("reader.ended", describeError(reason));
        at?.job.reject(unavailable("The thread that reads beside requests has ended"));
        at = null;
      }
      if (!stopped) next();
    });
    return started;
  }

  function settle(answer: AnsweredRead): void {
    const { job } = at!;
    at = null;
    if ("result" in answer) return job.resolve(answer.result);
    const { message, code } = answer.error;
    job.reject(Object.assign(new Error(message), code === null ? {} : { name: "SqliteError", code }));
  }

  /** Begins the next read, if one waits and nothing is at work. */
  function next(): void {
    if (waiting === 0 || at !== null || (thread === null && left.size >= MAX_LEFT)) return;
    thread ??= start();
    if (!thread.isReady) return;
    const [turn, queue] = queues.entries().next().value!;
    const job = queue.shift()!;
    queues.delete(turn);
    if (queue.length > 0) queues.set(turn, queue);
    waiting--;
    at = { id: nextId++, job };
    const { id } = at;
    thread.worker.postMessage({ id, name: job.name, args: job.args } satisfies AskedRead);
    const timer = setTimeout(() => id === at?.id && giveUp(), limits.maxMs);
    const { resolve, reject } = job;
    at = {
      id,
      job: {
        ...job,
        resolve: (result) => (clearTimeout(timer), resolve(result)),
        reject: (error) => (clearTimeout(timer), reject(error)),
      },
    };
  }

  function giveUp(): void {
    const { job } = at!;
    const { worker } = thread!;
    at = thread = null;
    left.add(worker);
    void worker.terminate();
    log("reader.gave_up", { read: job.name, ms: limits.maxMs });
    job.reject(unavailable(`This took longer than ${limits.maxMs / 1000} seconds; it should be asked for less`));
    next();
  }

  /** Takes a read that waits out of its queue; one that has begun goes on, and nobody hears of it. */
  function drop(job: Waiting): void {
    const queue = queues.get(job.asker.turn);
    const place = queue?.indexOf(job) ?? -1;
    if (place < 0) return;
    queue!.splice(place, 1);
    if (queue!.length === 0) queues.delete(job.asker.turn);
    waiting--;
  }

  function add(job: Waiting): void {
    const queue = queues.get(job.asker.turn) ?? [];
    if (stopped) throw unavailable("The hub is stopping");
    if (queue.length >= limits.maxWaitingOfOne) {
      throw new Fault("rate_limited", `${queue.length} searches of this organization are waiting already`, {
        retryAfterS: RETRY_AFTER_S,
      });
    }
    if (waiting >= limits.maxWaiting) throw unavailable(`${waiting} searches are waiting already`);
    queue.push(job);
    queues.set(job.asker.turn, queue);
    waiting++;
    next();
  }

  return {
    read<K extends HeavyRead>(name: K, asker: Asker, ...args: ArgumentsOf<K>): Promise<ResultOf<K>> {
      return new Promise<unknown>((resolve, reject) => {
        const { signal } = asker;
        const end = () => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", gone);
        };
        const job: Waiting = {
          name,
          asker,
          args,
          resolve: (result) => (end(), resolve(result)),
          reject: (error) => (end(), reject(error)),
        };
        const fail = (error: unknown) => {
          drop(job);
          job.reject(error);
        };
        const gone = () => fail(unavailable("Nobody waits for the answer any more"));
        const timer = setTimeout(
          () => fail(unavailable(`The searches before this one took longer than ${limits.maxWaitMs / 1000} seconds`)),
          limits.maxWaitMs,
        );
        signal?.addEventListener("abort", gone);
        try {
          add(job);
        } catch (error) {
          job.reject(error);
        }
      }) as Promise<ResultOf<K>>;
    },
    async stop() {
      stopped = true;
      for (const job of [...queues.values()].flat()) job.reject(unavailable("The hub is stopping"));
      queues.clear();
      waiting = 0;
      at?.job.reject(unavailable("The hub is stopping"));
      at = null;
      const ending = thread;
      thread = null;
      await ending?.worker.terminate();
    },
  };
}

function unavailable(what: string): Fault {
  return new Fault("unavailable", what, { retryAfterS: RETRY_AFTER_S });
}
