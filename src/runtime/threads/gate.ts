/**
 * The gate between the main thread and the runner thread: one of them writes at a time.
 *
 * The embedded database is synchronous: a main thread that met the runner's lock inside SQLite would stand still, and
 * with it every request. So both ask here first. The runner sleeps until it may write; the main thread waits without
 * blocking and goes first, except that the runner gets a turn after every few of its own.
 */
/// <reference lib="es2024.sharedmemory" />
import { clearImmediate, setImmediate } from "node:timers";
import type { Gate } from "../../store/database.ts";
import { endsWithin } from "../../std/sleep.ts";
import { createLane } from "../../std/lanes.ts";

/** Who may write: nobody does, the main thread, the runner, or the runner as soon as it looks. */
const FREE = 0, MAIN = 1, RUNNER = 2, PROMISED = 3;
/** Words of the shared memory. */
const STATE = 0, MAIN_WAITS = 1, RUNNER_WAITS = 2;
/** Turns of the main thread after which a waiting runner has the next. */
const MAX_TURNS = 16;
/** A wake-up that got lost costs no more than this. */
const LOOK_AGAIN_MS = 50;

export function createGateMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT);
}

/** The main thread's side. Its own writers queue in the order they came. */
export interface MainGate extends Gate {
  /** To be called when the runner thread has ended, in whatever way: takes its turn from it. */
  runnerEnded(): void;
}

export function createMainGate(memory: SharedArrayBuffer): MainGate {
  const words = new Int32Array(memory);
  const inTurn = createLane(1);
  let turns = 0;
  /** Set while the gate is kept after a turn. */
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
      // A request mostly writes more than once: its next write should not have to wait for a whole batch again.
      kept = setImmediate(() => {
        kept = null;
        open(FREE);
      });
    }
  }

  function open(state: typeof FREE | typeof PROMISED): void {
    Atomics.store(words, STATE, state);
    Atomics.notify(words, STATE);
    // A runner that stands back for the main thread is asleep on this word.
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

/** The runner thread's side: `enter` blocks the thread. */
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
  // The timer keeps the process alive, which waitAsync alone does not.
  await endsWithin(wait.value, LOOK_AGAIN_MS);
}
