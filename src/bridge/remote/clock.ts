/** The poller's clock. Tests replace it by one that they move themselves. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds of a clock that only goes forward. */
  elapsed(): number;
  /** Runs once, `ms` from now. Returns what cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** The longest time that setTimeout can wait: with a longer one, it ends at once. */
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
