/** When a connection is due next. No clock. */
import type { When } from "../model/sftp.ts";
import { MINUTE_MS } from "../std/time.ts";
import { daily } from "../model/schedule.ts";

/**
 * The first due moment after `after`, in milliseconds since 1970. On a day on which the hour does not exist (clocks go
 * forward), that is right after the gap; on a day that has the hour twice, its first time.
 */
export function nextDue(when: When, after: number): number {
  if (when.kind === "at_once") return after + MINUTE_MS;
  if (when.kind === "every") return after + when.minutes * MINUTE_MS;
  const name = `${when.at} ${when.timeZone}`;
  const next = DAILY.get(name) ?? daily({ time: when.at, timezone: when.timeZone });
  DAILY.set(name, next);
  return next(after)!;
}

/** Parsed once, since connections share their hours. There are at most 1440 in each of some hundred zones. */
const DAILY = new Map<string, (after: number) => number | null>();
