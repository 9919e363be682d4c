/**
 * How long an organization keeps leavers and history: its settings, and what a daily pass does by the clock. No I/O, no
 * clock.
 *
 * What is erased cannot be brought back, and a clock can be wrong. So a pass decides something only if it follows another
 * within days, it erases no more people at once than a limit, and it deletes no more than a month of history.
 */
import { z } from "zod";
import { DAY_MS } from "../std/time.ts";

/** Less would erase people who are only missing from a source for a while, and reports that are still worked on. */
const MIN_MONTHS = 3;
const MONTHS = z.int().min(MIN_MONTHS).max(1200).nullable()
  .meta({ id: "Months", description: "Null: never", examples: [24] });

/** As it is set. Months: null means never; `max_at_once`: null means the limit of the guard of deactivations. */
export const RETENTION = z.strictObject({
  /** People are erased this long after they left. */
  leavers_months: MONTHS,
  /** Older changes and reports are deleted. */
  history_months: MONTHS,
  max_at_once: z.int().min(1).nullable(),
});

export type Retention = z.infer<typeof RETENTION>;

export const NO_RETENTION: Retention = { leavers_months: null, history_months: null, max_at_once: null };

/** The time between two passes. */
export const PASS_EVERY_MS = DAY_MS;
/** A pass that comes later than this after the one before only notes that it came. */
const MAX_GAP_MS = 3 * DAY_MS;

/** What is due: nothing yet, a pass that only notes that it came, or one that decides. `last`: the pass before. */
export function passDue(last: number | null, now: number): "none" | "note" | "decide" {
  if (last === null || now < last - PASS_EVERY_MS) return "note";
  if (now - last < PASS_EVERY_MS) return "none";
  return now - last > MAX_GAP_MS ? "note" : "decide";
}

/** The instant so many calendar months earlier (UTC). For a day that the month lacks, the end of the month's last day. */
export function monthsBefore(ms: number, months: number): number {
  const date = new Date(ms);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() - months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  if (day <= last) return date.setUTCDate(day);
  date.setUTCDate(last);
  // Any earlier time of that day could be before the one that the day before has led to.
  return date.setUTCHours(23, 59, 59, 999);
}

/** Who became inactive at this instant or before is due at `at`; null: nobody ever is. */
export function leaversDueAt({ leavers_months: months }: Retention, at: number): number | null {
  return months === null ? null : monthsBefore(at, months);
}

/** The most history that one pass deletes. */
const MOST_HISTORY_MS = 31 * DAY_MS;

/**
 * Up to where a pass deletes history; null: there is nothing to delete. `deleted`: up to where it was deleted before;
 * `oldest`: the instant of the oldest that is left.
 */
export function historyDueAt(
  { history_months: months }: Retention,
  now: number,
  { deleted, oldest }: { readonly deleted: number | null; readonly oldest: number | null },
): number | null {
  if (months === null || oldest === null) return null;
  const until = Math.min(monthsBefore(now, months), Math.max(deleted ?? oldest, oldest) + MOST_HISTORY_MS);
  return until <= oldest ? null : Math.max(until, deleted ?? until);
}
