/** Waits, without blocking the thread, while another connection locks a database's file. */
import { retry } from "../std/retry.ts";
import { isBusy } from "../store/trouble.ts";

/** How long to wait for another process that locks the whole file, or recovers it after a crash. */
export const MAX_WAIT_MS = 60_000;
export const PAUSE_MS = 20;

export function whenFree<T>(action: () => T | Promise<T>): Promise<T> {
  return retry(action, (error, failures) => isBusy(error) && failures * PAUSE_MS <= MAX_WAIT_MS ? PAUSE_MS : null);
}

/** When it is first reported that a start waits, and how often afterwards. */
const SAY_AFTER_MS = 3_000, SAY_EVERY_MS = 60_000;

/** As whenFree, but without an end, and reported. */
export function patiently(waiting: (seconds: number) => void): <T>(action: () => T | Promise<T>) => Promise<T> {
  const since = performance.now();
  let sayAt = since + SAY_AFTER_MS;
  return (action) =>
    retry(action, (error) => {
      if (!isBusy(error)) return null;
      const now = performance.now();
      if (now >= sayAt) {
        waiting(Math.round((now - since) / 1000));
        sayAt = now + SAY_EVERY_MS;
      }
      return PAUSE_MS;
    });
}
