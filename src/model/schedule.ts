/**
 * When something is due next: a schedule or a time of day comes in, the next time goes out, in milliseconds since 1970.
 * No I/O. No clock.
 *
 * `croner` reads a cron expression in its time zone: a time that daylight saving skips is due right after it, and a time
 * that comes twice counts once, unless the expression means every hour. Intervals are in real time, which daylight saving
 * does not change.
 */
import { Cron } from "croner";
import type { ExpectedBy, Schedule } from "./connection.ts";
import { ladder } from "../std/retry.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../std/time.ts";

/** After how long a failing connection is tried again, by the number of failures in a row. */
export const RETRY_GAPS_MS = [5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS];
/** The same when the source refuses the credentials: frequent attempts would look like an attack. */
const REFUSED_GAPS_MS = [HOUR_MS, 24 * HOUR_MS];
/** A schedule with shorter intervals is replaced by the retries. */
const KEEPS_ITS_HOUR_MS = 12 * HOUR_MS;

/** What is wrong with the expression; null: it is valid. */
export function cronFault(expression: string): string | null {
  if (expression.trim().split(/\s+/).length !== 5) return 'should be five fields, like "0 3 * * *"';
  try {
    const next = createCron(expression, "UTC").nextRun(new Date(0));
    return next === null ? "should name a day that exists" : null;
  } catch (error) {
    const what = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : String(error);
    return `should be a cron expression, like "0 3 * * *": ${what}`;
  }
}

function createCron(expression: string, timezone: string): Cron {
  return new Cron(expression, { mode: "5-part", timezone });
}

/**
 * The schedule's first time after `after`; null: there is none. `timezone`: the default. `anchor`: the start of intervals,
 * which differs between connections so that they do not all fetch at once.
 */
export function nextMoment(schedule: Schedule, timezone: string, anchor: number, after: number): number | null {
  if ("every_minutes" in schedule) {
    const step = schedule.every_minutes * MINUTE_MS;
    return anchor + (Math.floor((after - anchor) / step) + 1) * step;
  }
  return createCron(schedule.cron, schedule.timezone ?? timezone).nextRun(new Date(after))?.getTime() ?? null;
}

/** What a connection's times are computed from, in a form that is equal while they stay the same. */
export function basisOf({ schedule }: { readonly schedule: Schedule | null }, timezone: string): string {
  return JSON.stringify([schedule, timezone]);
}

export interface Failing {
  /** How many in a row; 0: the last run did not fail. */
  readonly failures: number;
  /** Whether the source refuses the credentials, or the connection lacks a setting that only an admin can give. */
  readonly isRefused: boolean;
}

/**
 * When a connection fetches next, after a run of it has ended at `now`. While it fails, retries replace its schedule,
 * unless the schedule's times are far apart: a daily fetch keeps its hour. Without a schedule, there are only retries.
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
 * Makes a function that gives the first `time` (`HH:MM` in the time zone) after another time, on those days of the week,
 * or on all. A time that daylight saving skips is due right after it; one that comes twice counts once.
 */
export function daily(
  { time, timezone, days }: Pick<ExpectedBy, "time" | "days"> & { readonly timezone: string },
): (after: number) => number | null {
  const [hour, minute] = time.split(":").map(Number);
  const on = days === undefined ? "*" : days.map((day) => DAYS.indexOf(day)).join(",");
  const cron = createCron(`${minute} ${hour} * * ${on}`, timezone);
  return (after) => cron.nextRun(new Date(after))?.getTime() ?? null;
}

/** The first time after `after` by which an input is expected. */
export function nextExpected(expected: ExpectedBy, timezone: string, after: number): number | null {
  return daily({ ...expected, timezone: expected.timezone ?? timezone })(after);
}

/** The last time before `before` by which an input was expected; later inputs count for the next time. */
export function lastExpected(expected: ExpectedBy, timezone: string, before: number): number {
  // They are at most a week apart, so the search goes forward from more than a week before.
  let last = before - 8 * DAY_MS;
  const nextAfter = daily({ ...expected, timezone: expected.timezone ?? timezone });
  for (;;) {
    const next = nextAfter(last);
    if (next === null || next >= before) return last;
    last = next;
  }
}
