/**
 * When something is due next: a schedule or a time of day in, the next moment out. Moments are milliseconds since 1970.
 * No I/O. No clock.
 *
 * A cron expression is read in its time zone by `croner`: an hour that a change of the clocks leaves out is made up for
 * right after it, and one that comes twice counts once, unless the expression means every hour. "Every so often" counts
 * in real time, which no change of the clocks touches.
 */
import { Cron } from "croner";
import type { ExpectedBy, Schedule } from "./connection.ts";
import { ladder } from "../std/retry.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../std/time.ts";

/** After how long a connection that fails is tried again, by how often it has failed in a row. */
export const RETRY_GAPS_MS = [5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS];
/** The same where the source refuses the credentials: they are not tried out on it. */
const REFUSED_GAPS_MS = [HOUR_MS, 24 * HOUR_MS];
/** A schedule with less between its moments gives way to the retries. */
const KEEPS_ITS_HOUR_MS = 12 * HOUR_MS;

/** What is wrong with the expression; null: nothing. */
export function cronFault(expression: string): string | null {
  if (expression.trim().split(/\s+/).length !== 5) return 'should be five fields, like "0 3 * * *"';
  try {
    const next = createCron(expression, "UTC").nextRun(new Date(0));
    return next === null ? "should name a day that there is" : null;
  } catch (error) {
    const what = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    return `should be a cron expression, like "0 3 * * *": ${what}`;
  }
}

function createCron(expression: string, timezone: string): Cron {
  return new Cron(expression, { mode: "5-part", timezone });
}

/**
 * The schedule's first moment after `after`; null: there is none any more. `timezone`: where it names none. `anchor`: where
 * "every so often" counts from, another for each connection, so that not all of them come at once.
 */
export function nextMoment(schedule: Schedule, timezone: string, anchor: number, after: number): number | null {
  if ("every_minutes" in schedule) {
    const step = schedule.every_minutes * MINUTE_MS;
    return anchor + (Math.floor((after - anchor) / step) + 1) * step;
  }
  return createCron(schedule.cron, schedule.timezone ?? timezone).nextRun(new Date(after))?.getTime() ?? null;
}

/** What a connection's moments are worked out from, in a form that is equal as long as they stand. */
export function basisOf({ schedule }: { readonly schedule: Schedule | null }, timezone: string): string {
  return JSON.stringify([schedule, timezone]);
}

export interface Failing {
  /** How often in a row by now; 0: the last run was well. */
  readonly failures: number;
  /** Whether the source refuses the credentials, or the connection lacks something that only an admin can give. */
  readonly isRefused: boolean;
}

/**
 * When a connection fetches next, after a run of it has ended at `now`. While it fails, retries come instead of the
 * moments of its schedule, unless those are far apart: what comes once a day keeps its hour. Without a schedule there
 * are only the retries.
 */
export function nextFetch(
  schedule: Schedule | null,
  timezone: string,
  anchor: number,
  { failures, isRefused }: Failing,
  now: number,
): { readonly at: number | null; readonly isRetry: boolean } {
  const at = schedule === null ? null : nextMoment(schedule, timezone, anchor, now);
  if (failures === 0) return { at, isRetry: false };
  const gaps = isRefused ? REFUSED_GAPS_MS : RETRY_GAPS_MS;
  const retryAt = now + ladder(gaps, failures);
  if (schedule === null || at === null || at > retryAt) return { at: retryAt, isRetry: true };
  const following = nextMoment(schedule, timezone, anchor, at);
  const isSeldom = following === null || following - at >= KEEPS_ITS_HOUR_MS;
  return isSeldom ? { at, isRetry: false } : { at: retryAt, isRetry: true };
}

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/**
 * The moments at which clocks in the time zone show `time` (`HH:MM`), on those days of the week, or on each: gives the
 * first one after a moment. A time that a change of the clocks leaves out is right after it; one that comes twice counts
 * once.
 */
export function daily(
  { time, timezone, days }: Pick<ExpectedBy, "time" | "days"> & { readonly timezone: string },
): (after: number) => number | null {
  const [hour, minute] = time.split(":").map(Number);
  const on = days === undefined ? "*" : days.map((day) => DAYS.indexOf(day)).join(",");
  const cron = createCron(`${minute} ${hour} * * ${on}`, timezone);
  return (after) => cron.nextRun(new Date(after))?.getTime() ?? null;
}

/** The first moment after `after` by which the feed should have come. */
export function nextExpected(expected: ExpectedBy, timezone: string, after: number): number | null {
  return daily({ ...expected, timezone: expected.timezone ?? timezone })(after);
}

/** The last moment before `before` by which the feed should have come: whatever came since then counts for the next. */
export function lastExpected(expected: ExpectedBy, timezone: string, before: number): number {
  // Never more than a week apart: the one before is found by going forward from far enough back.
  let last = before - 8 * DAY_MS;
  const nextAfter = daily({ ...expected, timezone: expected.timezone ?? timezone });
  for (;;) {
    const next = nextAfter(last);
    if (next === null || next >= before) return last;
    last = next;
  }
}
