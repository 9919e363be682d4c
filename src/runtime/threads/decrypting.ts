/**
 * Decrypts in threads of their own, so that whoever carries runs goes on with others meanwhile. A thread that is silent
 * for too long is ended, whatever it does, and its message is refused.
 *
 * Chunks go in and come out through a window: what is in memory does not grow with the message.
 */
import type { Worker } from "node:worker_threads";
import type { SessionKey } from "openpgp";
import { Fault } from "../../model/errors.ts";
import type { Around } from "../../intake/decrypt-bounds.ts";
import { tooMuchWork } from "../../intake/decrypt-faults.ts";
import type { Decrypt, Reading } from "../../intake/decrypt-message.ts";
import { ALIVE_EVERY_MS, type FromDecrypt, type ToDecrypt } from "./decrypt-words.ts";
import { startThread } from "./thread.ts";

/** Beats without a word of a thread before it is ended. Beats are counted, and not time: we may have had none ourselves. */
const MAX_SILENT_BEATS = 20;
/** How long a thread is kept for the next message. */
const KEPT_MS = 5_000;
/** Node ends a thread that holds more; honest messages need a tenth of it. */
const LIMITS = { maxOldGenerationSizeMb: 512 };

interface Thread {
  readonly worker: Worker;
  hear: (message: FromDecrypt | null) => void;
  /** It has said something at least once. */
  spoke: boolean;
  /** It has ended; an error that it ended with, if there was one. */
  gone: boolean;
  cause: unknown;
}

/** Threads are started as they are needed, one for each message that is read at a time. */
export function createDecrypt(
  { silentBeats = MAX_SILENT_BEATS, beatMs = ALIVE_EVERY_MS, keptMs = KEPT_MS } = {},
): Decrypt {
  let kept: { thread: Thread; timer: ReturnType<typeof setTimeout> } | null = null;
  let jobs = 0;

  function take(): Thread {
    if (kept === null) return start();
    const { thread, timer } = kept;
    clearTimeout(timer);
    kept = null;
    return thread.gone ? start() : thread;
  }

  function giveBack(thread: Thread): void {
    thread.hear = () => {};
    if (kept !== null || thread.gone) return void thread.worker.terminate();
    const timer = setTimeout(() => {
      kept = null;
      void thread.worker.terminate();
    }, keptMs);
    (timer as unknown as { unref?(): void }).unref?.();
    thread.worker.unref();
    kept = { thread, timer };
  }

  return async function* (chunks: AsyncIterable<Uint8Array>, reading: Reading, { hear }: Around) {
    const thread = take();
    thread.worker.ref();
    const job = ++jobs;
    const post = (message: ToDecrypt, given: ArrayBuffer[] = []) => thread.worker.postMessage(message, given);
    const line = createLine(thread, job, beatMs);
    const give = (chunk: Uint8Array | null) => {
      // A copy: the chunk may be used again.
      const bytes = chunk === null ? null : new Uint8Array(chunk).buffer;
      post({ kind: "bytes", job, bytes }, bytes === null ? [] : [bytes]);
    };
    const feed = createFeed(chunks, give, line.wake);
    let isWell = true;
    try {
      post({ kind: "read", job, reading });
      for (;;) {
        const message = line.next();
        if (message === null) {
          if (feed.failed) throw feed.error;
          if (thread.gone && thread.spoke) throw tooMuchWork();
          if (thread.gone) throw new Error("The thread that decrypts has ended", { cause: thread.cause });
          if (line.silentBeats() > silentBeats) throw tooMuchWork();
          if (reading.proves) await hear?.();
          await line.more();
        } else if (message.kind === "want") feed.give();
        else if (message.kind === "out") {
          yield new Uint8Array(message.bytes, 0, message.length);
          post({ kind: "more", job });
        } else if (message.kind === "end") return message.sessionKeys as SessionKey[];
        else if (message.kind === "fault") {
          throw message.code === null ? new Error(message.message) : new Fault(message.code, message.message);
        }
      }
    } catch (error) {
      // What has got stuck in it is let go of with the thread.
      isWell = false;
      throw error;
    } finally {
      line.close();
      feed.close();
      if (isWell) {
        post({ kind: "stop", job });
        giveBack(thread);
      } else void thread.worker.terminate();
    }
  };
}

function start(): Thread {
  const worker = startThread(new URL("./decrypt-thread.ts", import.meta.url), null, LIMITS);
  const thread: Thread = { worker, hear: () => {}, spoke: false, gone: false, cause: null };
  worker.on("message", (message: FromDecrypt) => {
    thread.spoke = true;
    thread.hear(message);
  });
  worker.on("error", (error) => thread.cause = error);
  worker.on("exit", () => {
    thread.gone = true;
    thread.hear(null);
  });
  return thread;
}

/** What the thread says of one job, in order; a beat without a word wakes, too. */
function createLine(thread: Thread, job: number, beatMs: number) {
  const received: FromDecrypt[] = [];
  let silent = 0;
  let wake = () => {};
  thread.hear = (message) => {
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

/** Gives a chunk for each that is wanted, one after the other, and null at the end. */
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
