/**
 * How often work is begun again that did not end, and after which pauses. What kills its process each time has to end at
 * some point; what is only there when processes are killed for other reasons must not.
 */
import { MINUTE_MS } from "../std/time.ts";

export const MAX_ATTEMPTS = 10;
/** In less time than this, processes may die of something else. */
const MIN_TIME_MS = 5 * MINUTE_MS;
const FIRST_PAUSE_MS = 1_000;
/** After errors. */
export const LONGEST_PAUSE_MS = 300_000;
/** Within a minute the work of a dead process is taken over. */
const LONGEST_AFTER_DEATH_MS = 15_000;

/** Whether it has had all its attempts. `since`: when the first one began; all in milliseconds since 1970. */
export function isSpent(attempts: number, since: number | null, now: number): boolean {
  return attempts >= MAX_ATTEMPTS && since !== null && now - since >= MIN_TIME_MS;
}

/** How long after the begin of an attempt, in milliseconds, the next one may begin if its process dies. `attempts`: before it. */
export function pauseAfterDeathMs(attempts: number): number {
  return attempts === 0 ? 0 : doubled(attempts - 1, LONGEST_AFTER_DEATH_MS);
}

/** The pause after an attempt that ended with an error. `failures`: before it. */
export function pauseAfterErrorMs(failures: number): number {
  return doubled(failures, LONGEST_PAUSE_MS);
}

function doubled(times: number, longestMs: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(times, 20), longestMs);
}
