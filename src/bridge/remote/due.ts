/** When a remote server is visited: on its schedule, sooner while a file waits, and on a ladder after a failure. No clock. */
import { nextDue } from "../cadence.ts";
import type { Trouble } from "../contract.ts";
import type { When } from "../../model/sftp.ts";
import { ladder } from "../../std/retry.ts";
import { HOUR_MS, MINUTE_MS } from "../../std/time.ts";
import { spread } from "../../std/spread.ts";

/** Pauses between visits of a server that fails, unless its schedule is quicker. */
const RETRY_MINUTES = [1, 5, 15, 30];
/** The same for troubles that only a person can end: some servers lock a log-in that is tried too often. */
const PATIENT_MINUTES = [5, 15, 30];
const PATIENT: ReadonlySet<Trouble["code"]> = new Set(["login_refused", "host_key_changed"]);

/** After this time, a file that waits has to wait for the next regular visit. */
const FOLLOWED_MS = HOUR_MS;

/**
 * The first moment after `after` at which the connection is visited on its schedule. Connections with the same interval are
 * spread over it by their ids, in the same way on every bridge.
 */
export function nextRegular(when: When, id: string, after: number): number {
  if (when.kind === "daily") return nextDue(when, after);
  const period = (when.kind === "every" ? when.minutes : 1) * MINUTE_MS;
  const phase = spread(id, period);
  return Math.floor((after - phase) / period + 1) * period + phase;
}

export interface Outcome {
  /** Null: all files that were whole were taken. */
  readonly trouble: Trouble["code"] | null;
  /** Failures in a row, including this one. */
  readonly failures: number;
  /** When a file that waits may be whole; null: none waits. */
  readonly wholeAt: number | null;
  /** The time of the last regular visit. */
  readonly regularAt: number;
}

/** The visit after one that ended at `now`. */
export function nextVisit(when: When, id: string, outcome: Outcome, now: number): number {
  const regular = nextRegular(when, id, now);
  if (outcome.trouble !== null) {
    const isPatient = PATIENT.has(outcome.trouble);
    const retry = now + ladder(isPatient ? PATIENT_MINUTES : RETRY_MINUTES, outcome.failures) * MINUTE_MS;
    // A schedule that is quicker than the ladder is kept, except for troubles that must not be retried as often.
    return isPatient && outcome.failures > 1 && when.kind !== "daily"
      ? Math.max(retry, regular)
      : Math.min(retry, regular);
  }
  const isFollowed = outcome.wholeAt !== null && now - outcome.regularAt < FOLLOWED_MS;
  return isFollowed ? Math.min(Math.max(outcome.wholeAt!, now + 1000), regular) : regular;
}
