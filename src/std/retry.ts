/**
 * Trying again. In come an action and how long to pause after each failure; out comes the first result. Whether and how
 * long to wait is the caller's: nothing here knows an error, a clock or chance.
 */
import { sleep } from "./sleep.ts";

/**
 * `pauseAfter`: milliseconds before the next try, from the error and how often the action has failed by now (1 and up);
 * 0 tries again at once, null gives up with that error. The signal ends a pause, with its reason.
 */
export async function retry<T>(
  action: () => T | Promise<T>,
  pauseAfter: (error: unknown, failures: number) => number | null,
  signal?: AbortSignal,
): Promise<T> {
  for (let failures = 1;; failures++) {
    let pauseMs: number | null;
    try {
      return await action();
    } catch (error) {
      pauseMs = pauseAfter(error, failures);
      if (pauseMs === null) throw error;
    }
    if (pauseMs > 0) await sleep(pauseMs, signal);
  }
}

/** The gap after `failures` in a row (1 and up): each has its own, and all beyond the last have the last one. */
export function ladder(gaps: readonly number[], failures: number): number {
  return gaps[Math.min(failures, gaps.length) - 1]!;
}
