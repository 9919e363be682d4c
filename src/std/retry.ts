/** Retries an action until it succeeds. The caller decides after which errors, and after how long. */
import { sleep } from "./sleep.ts";

/**
 * `pauseAfter`: milliseconds until the next attempt, by the error and the number of failures so far (1 and up); 0: at once;
 * null: rethrow the error. The signal ends a pause, with its reason.
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

/** The gap after this number of failures in a row (1 and up); after the last gap, it is repeated. */
export function ladder(gaps: readonly number[], failures: number): number {
  return gaps[Math.min(failures, gaps.length) - 1]!;
}
