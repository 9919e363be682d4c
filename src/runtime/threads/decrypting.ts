/**
 * Decrypts in threads of their own, so that other runs go on in the meantime. A thread that sends nothing for too long is
 * terminated, whatever it does, and its message is refused.
 *
 * Chunks go in and come out through a window, so memory does not grow with the message.
 */
import type { Worker } from "node:worker_threads";
import type { SessionKey } from "openpgp";
import { Fault } from "../../model/errors.ts";
import { tooMuchWork } from "../../intake/decrypt-faults.ts";
import type { Decrypt } from "../../intake/decrypt-message.ts";
import { ALIVE_EVERY_MS, type FromDecrypt, type ToDecrypt } from "./decrypt-words.ts";
import { startThread } from "./thread.ts";

/** Beats without a message after which a thread is terminated. Not milliseconds: this thread may be blocked, too. */
const MAX_SILENT_BEATS = 20;
/** Milliseconds that an idle thread is kept for the next message. */
const KEPT_MS = 5_000;
/** Node terminates a thread that holds more; honest messages need a tenth of it. */
const LIMITS = { maxOldGenerationSizeMb: 512 };

interface Thread {
  readonly worker: Worker;
  /** Called with each message, and with null when the thread has ended. */
  onMessage: (message: FromDecrypt | null) => void;
  hasAnswered: boolean;
  hasEnded: boolean;
  /** The error that it ended with, if there was one. */
  cause: unknown;
}

/** Decrypts each message in a thread of its own; threads are started when they are needed. */
export function createDecrypt(
  { silentBeats = MAX_SILENT_BEATS, beatMs = ALIVE_EVERY_MS, keptMs = KEPT_MS } = {},
): Decrypt {
  const threads = createThreads(keptMs);
  let jobs = 0;
  return async function* (chunks, reading, { hear }) {
    const thread = threads.take();
    const job = ++jobs;
    const inbox = createInbox(thread, job, beatMs);
    const feed = createFeed(chunks, (chunk) => postChunk(thread, job, chunk), inbox.wake);
    let isReusable = true;
    try {
      post(thread, { kind: "read", job, reading });
      for (;;) {
        const message = inbox.next();
        if (message === null) {
          if (feed.failed) throw feed.error;
          throwIfEnded(thread);
          if (inbox.silentBeats() > silentBeats) throw tooMuchWork();
          if (reading.proves) await hear?.();
          await inbox.more();
        } else if (message.kind === "want") feed.give();
        else if (message.kind === "out") {
          yield new Uint8Array(message.bytes, 0, message.length);
          post(thread, { kind: "more", job });
        } else if (message.kind === "end") return message.sessionKeys as SessionKey[];
        else if (message.kind === "fault") {
          throw message.code === null ? new Error(message.message) : new Fault(message.code, message.message);
        }
      }
    } catch (error) {
      // The job may still hold memory in the thread, which is freed with it.
      isReusable = false;
      throw error;
    } finally {
      inbox.close();
      feed.close();
      if (isReusable) {
        post(thread, { kind: "stop", job });
        threads.giveBack(thread);
      } else void thread.worker.terminate();
    }
  };
}

function post({ worker }: Thread, message: ToDecrypt, transferred: ArrayBuffer[] = []): void {
  worker.postMessage(message, transferred);
}

function postChunk(thread: Thread, job: number, chunk: Uint8Array | null): void {
  // A copy, because the chunk's buffer may be used again.
  const bytes = chunk === null ? null : new Uint8Array(chunk).buffer;
  post(thread, { kind: "bytes", job, bytes }, bytes === null ? [] : [bytes]);
}

/** A thread that answered before it ended ran out of memory. */
function throwIfEnded({ hasEnded, hasAnswered, cause }: Thread): void {
  if (!hasEnded) return;
  throw hasAnswered ? tooMuchWork() : new Error("The thread that decrypts has ended", { cause });
}

/** Starts threads, and keeps one idle thread for a while. */
function createThreads(keptMs: number): { take(): Thread; giveBack(thread: Thread): void } {
  let kept: { readonly thread: Thread; readonly timer: ReturnType<typeof setTimeout> } | null = null;
  return {
    take() {
      const idle = kept;
      kept = null;
      if (idle !== null) clearTimeout(idle.timer);
      const thread = idle === null || idle.thread.hasEnded ? start() : idle.thread;
      thread.worker.ref();
      return thread;
    },
    giveBack(thread) {
      thread.onMessage = () => {};
      if (kept !== null || thread.hasEnded) return void thread.worker.terminate();
      const timer = setTimeout(() => {
        kept = null;
        void thread.worker.terminate();
      }, keptMs);
      (timer as unknown as { unref?(): void }).unref?.();
      thread.worker.unref();
      kept = { thread, timer };
    },
  };
}

function start(): Thread {
  const worker = startThread(new URL("./decrypt-thread.ts", import.meta.url), null, LIMITS);
  const thread: Thread = { worker, onMessage: () => {}, hasAnswered: false, hasEnded: false, cause: null };
  worker.on("message", (message: FromDecrypt) => {
    thread.hasAnswered = true;
    thread.onMessage(message);
  });
  worker.on("error", (error) => thread.cause = error);
  worker.on("exit", () => {
    thread.hasEnded = true;
    thread.onMessage(null);
  });
  return thread;
}

/** The thread's messages about one job, in order. A waiting reader is also woken at each beat. */
function createInbox(thread: Thread, job: number, beatMs: number) {
  const received: FromDecrypt[] = [];
  let silent = 0;
  let wake = () => {};
  thread.onMessage = (message) => {
    silent = 0;
    if (message !== null && message.job === job && message.kind !== "alive") received.push(message);
    wake();
  };
  const beat = setInterval(() => {
    silent++;
    wake();
  }, beatMs);
  return {
    next: () => received.shift() ?? null,
    silentBeats: () => silent,
    wake: () => wake(),
    more: () => received.length > 0 ? Promise.resolve() : new Promise<void>((resolve) => wake = resolve),
    close: () => clearInterval(beat),
  };
}

/** Passes on a chunk for each one that is requested, in order, and null at the end. */
function createFeed(chunks: AsyncIterable<Uint8Array>, give: (bytes: Uint8Array | null) => void, wake: () => void) {
  const input = chunks[Symbol.asyncIterator]();
  let giving: Promise<void> = Promise.resolve();
  let isOver = false;
  const feed = {
    failed: false,
    error: null as unknown,
    give() {
      giving = giving.then(async () => {
        if (isOver) return;
        const { done, value } = await input.next();
        if (isOver) return;
        isOver = done === true;
        give(done ? null : value);
      }).catch((error) => {
        isOver = feed.failed = true;
        feed.error = error;
        wake();
      });
    },
    close() {
      isOver = true;
      input.return?.()?.catch(() => {});
    },
  };
  return feed;
}
