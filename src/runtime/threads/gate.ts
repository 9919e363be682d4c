/**
 * The gate between the main thread and the runner thread: one of them writes at a time.
 *
 * The embedded database is synchronous: if the main thread waited for the runner's lock inside SQLite, all requests would
 * be blocked. So both threads enter this gate before they write. The runner blocks until it may; the main thread waits
 * without blocking and goes first, except that a waiting runner has its turn after a number of the main thread's.
 */
/// <reference lib="es2024.sharedmemory" />
import { clearImmediate, setImmediate } from "node:timers";
import type { Gate } from "../../store/database.ts";
import { endsWithin } from "../../std/sleep.ts";
import { createLane } from "../../std/lanes.ts";

/** Values of STATE: free; held by the main thread; held by the runner; reserved for the runner. */
const FREE = 0, MAIN = 1, RUNNER = 2, PROMISED = 3;
/** Words of the shared memory. */
const STATE = 0, MAIN_WAITS = 1, RUNNER_WAITS = 2;
/** Turns of the main thread after which a waiting runner has the next. */
const MAX_TURNS = 16;
/** The longest delay by a lost wake-up. */
const LOOK_AGAIN_MS = 50;

export function createGateMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
}

/** The main thread's side. Its own writers enter in order. */
export interface MainGate extends Gate {
  /** To be called when the runner thread has ended for whatever reason: frees a gate that it held. */
  runnerEnded(): void;
}

export function createMainGate(memory: SharedArrayBuffer): MainGate {
  const words = new Int32Array(memory);
  const inTurn = createLane(1);
  let turns = 0;
  /** Set while the gate is still held after a turn. */
  let kept: ReturnType<typeof setImmediate> | null = null;

  async function take(): Promise<void> {
    if (kept !== null) {
      clearImmediate(kept);
      kept = null;
      return;
    }
    Atomics.store(words, MAIN_WAITS, 1);
    for (;;) {
      const state = Atomics.compareExchange(words, STATE, FREE, MAIN);
      if (state === FREE) break;
      await changed(words, STATE, state);
    }
    Atomics.store(words, MAIN_WAITS, 0);
    Atomics.notify(words, MAIN_WAITS);
  }

  function leave(): void {
    turns = Atomics.load(words, RUNNER_WAITS) === 1 ? turns + 1 : 0;
    if (turns >= MAX_TURNS) {
      turns = 0;
      open(PROMISED);
    } else {
      // A request often writes more than once, and its next write should not have to wait for another batch.
      kept = setImmediate(() => {
        kept = null;
        open(FREE);
      });
    }
  }

  function open(state: typeof FREE | typeof PROMISED): void {
    Atomics.store(words, STATE, state);
    Atomics.notify(words, STATE);
    // A runner that lets the main thread go first waits on this word.
    if (state === PROMISED) Atomics.notify(words, MAIN_WAITS);
  }

  return {
    async enter() {
      const done = await inTurn.take("main");
      await take();
      return () => {
        leave();
        done();
      };
    },
    runnerEnded() {
      Atomics.store(words, RUNNER_WAITS, 0);
      for (const state of [RUNNER, PROMISED]) Atomics.compareExchange(words, STATE, state, FREE);
      Atomics.notify(words, STATE);
    },
  };
}

/** The runner thread's side, whose `enter` blocks the thread. */
export function createRunnerGate(memory: SharedArrayBuffer): Gate {
  const words = new Int32Array(memory);

  function take(): void {
    for (;;) {
      if (Atomics.compareExchange(words, STATE, PROMISED, RUNNER) === PROMISED) return;
      if (Atomics.load(words, MAIN_WAITS) === 1) {
        Atomics.wait(words, MAIN_WAITS, 1, LOOK_AGAIN_MS);
        continue;
      }
      const state = Atomics.compareExchange(words, STATE, FREE, RUNNER);
      if (state === FREE) return;
      if (state !== PROMISED) Atomics.wait(words, STATE, state, LOOK_AGAIN_MS);
    }
  }

  return {
    enter() {
      Atomics.store(words, RUNNER_WAITS, 1);
      take();
      Atomics.store(words, RUNNER_WAITS, 0);
      return Promise.resolve(() => {
        Atomics.store(words, STATE, FREE);
        Atomics.notify(words, STATE);
      });
    },
  };
}

/** Resolves when the word at `index` may no longer be `value`. Does not block. */
export async function changed(words: Int32Array, index: number, value: number): Promise<void> {
  const wait = Atomics.waitAsync(words, index, value, LOOK_AGAIN_MS);
  if (!wait.async) return;
  // The timer keeps the process alive; waitAsync alone would not.
  await endsWithin(wait.value, LOOK_AGAIN_MS);
}
