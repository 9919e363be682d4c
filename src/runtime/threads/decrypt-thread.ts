/** A thread that decrypts, one message at a time. Of a message, only the window is in memory. */
import { parentPort } from "node:worker_threads";
import { Fault } from "../../model/errors.ts";
import { decryptMessage, type Reading } from "../../intake/decrypt-message.ts";
import { sleep } from "../../std/sleep.ts";
import { ALIVE_EVERY_MS, type FromDecrypt, type ToDecrypt, WINDOW } from "./decrypt-words.ts";
import { createByteSweep } from "./memory.ts";
import { installInflate } from "../inflate.ts";

/** Pieces are joined to batches of this size before they are sent. */
const BATCH_BYTES = 1024 * 1024;
/** How often to check that decryption makes progress. */
const LOOK_EVERY_MS = 250;

interface Job {
  readonly number: number;
  readonly input: (Uint8Array | null)[];
  /** How many batches may be sent before one is acknowledged. */
  credit: number;
  stopped: boolean;
  wake(): void;
}

installInflate();
const byteSweep = createByteSweep();
const port = parentPort!;
const say = (message: FromDecrypt) => port.postMessage(message);
let job: Job | null = null;

port.on("message", (message: ToDecrypt) => {
  if (message.kind === "read") return void carry(message.job, message.reading);
  if (job === null || job.number !== message.job) return;
  if (message.kind === "bytes") job.input.push(message.bytes === null ? null : new Uint8Array(message.bytes));
  else if (message.kind === "more") job.credit++;
  else job.stopped = true;
  const wake = job.wake;
  job.wake = () => {};
  wake();
});

async function carry(number: number, reading: Reading): Promise<void> {
  const mine: Job = job = { number, input: [], credit: WINDOW, stopped: false, wake: () => {} };
  const alive = setInterval(() => say({ kind: "alive", job: number }), ALIVE_EVERY_MS);
  const batch = createBatch(mine);
  const pause = (signal: AbortSignal) => sleep(LOOK_EVERY_MS, signal).catch(() => {});
  try {
    const bytes = decryptMessage(inputOf(mine), reading, { pause, elapsedMs: () => performance.now() });
    for (;;) {
      const { done, value } = await bytes.next();
      if (mine.stopped) return void await bytes.return([]);
      if (done) {
        await batch.flush();
        return say({ kind: "end", job: number, sessionKeys: value });
      }
      await batch.add(value);
    }
  } catch (error) {
    const code = error instanceof Fault ? error.code : null;
    say({ kind: "fault", job: number, code, message: error instanceof Error ? error.message : String(error) });
  } finally {
    clearInterval(alive);
  }
}

/** Requests as many chunks as the window holds, and one more for each that is used. */
async function* inputOf(mine: Job): AsyncGenerator<Uint8Array, void> {
  for (let i = 0; i < WINDOW; i++) say({ kind: "want", job: mine.number });
  for (;;) {
    await until(mine, () => mine.input.length > 0);
    if (mine.stopped) return;
    const chunk = mine.input.shift()!;
    if (chunk === null) return;
    byteSweep(chunk.length * 4);
    yield chunk;
    say({ kind: "want", job: mine.number });
  }
}

function createBatch(mine: Job) {
  let held = new Uint8Array(BATCH_BYTES);
  let used = 0;
  async function flush(): Promise<void> {
    if (used === 0) return;
    await until(mine, () => mine.credit > 0);
    if (mine.stopped) return;
    mine.credit--;
    const bytes = held.buffer;
    port.postMessage({ kind: "out", job: mine.number, bytes, length: used } satisfies FromDecrypt, [bytes]);
    held = new Uint8Array(BATCH_BYTES);
    used = 0;
  }
  return {
    flush,
    async add(bytes: Uint8Array): Promise<void> {
      for (let at = 0; at < bytes.length && !mine.stopped;) {
        const part = bytes.subarray(at, at + held.length - used);
        held.set(part, used);
        used += part.length;
        at += part.length;
        if (used === held.length) await flush();
      }
    },
  };
}

async function until(mine: Job, isTrue: () => boolean): Promise<void> {
  while (!mine.stopped && !isTrue()) await new Promise<void>((resolve) => mine.wake = wakeBoth(mine.wake, resolve));
}

/** Both input and output may be awaited at the same time. */
function wakeBoth(first: () => void, second: () => void): () => void {
  return () => {
    first();
    second();
  };
}
