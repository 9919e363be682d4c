/** A clock that tests move: what is due runs in its order, and everything that it sets off settles before the next. */
import type { Clock } from "../../src/bridge/remote/clock.ts";

export interface FakeClock extends Clock {
  /** Moves on, by way of all that is due. */
  advance(ms: number): Promise<void>;
  sleep(ms: number): Promise<void>;
}

export function createFakeClock(start: number): FakeClock {
  let now = start, number = 0;
  const tasks = new Map<number, { at: number; run: () => void }>();
  const clock: FakeClock = {
    now: () => now,
    elapsed: () => now - start,
    after(ms, run) {
      const id = number++;
      tasks.set(id, { at: now + Math.max(0, ms), run });
      return () => void tasks.delete(id);
    },
    sleep: (ms) => new Promise((done) => clock.after(ms, done)),
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        let next: [number, { at: number; run: () => void }] | undefined;
        for (const task of tasks) if (next === undefined || task[1].at < next[1].at) next = task;
        if (next === undefined || next[1].at > end) break;
        tasks.delete(next[0]);
        now = Math.max(now, next[1].at);
        next[1].run();
        await settle();
      }
      now = end;
    },
  };
  return clock;
}

/** Promises that wait for nothing but promises. */
async function settle(): Promise<void> {
  await new Promise((done) => setImmediate(done));
}
