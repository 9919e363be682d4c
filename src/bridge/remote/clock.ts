/** Time for the poller: tests hand in one that they move themselves. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds of a clock that nobody sets. */
  elapsed(): number;
  /** Runs once, `ms` from now; gives what takes it back. */
  after(ms: number, run: () => void): () => void;
}

/** What setTimeout can wait; longer ends at once. */
const LONGEST_MS = 2 ** 31 - 1;

export function createClock(now: () => number): Clock {
  return {
    now,
    elapsed: () => performance.now(),
    after(ms, run) {
      const timer = setTimeout(run, Math.min(Math.max(ms, 0), LONGEST_MS));
      return () => clearTimeout(timer);
    },
  };
}
