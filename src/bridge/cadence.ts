/** When a connection is to be visited next. No clock. */
import type { When } from "../model/sftp.ts";
import { MINUTE_MS } from "../std/time.ts";
import { daily } from "../model/schedule.ts";

/**
 * The first moment after `after` (milliseconds since 1970) that is due. A day whose hour does not exist (clocks are put
 * forward) is due as soon as it is past; one that has it twice, at the first.
 */
export function nextDue(when: When, after: number): number {
  if (when.kind === "at_once") return after + MINUTE_MS;
  if (when.kind === "every") return after + when.minutes * MINUTE_MS;
  const name = `${when.at} ${when.timeZone}`;
  const next = DAILY.get(name) ?? daily({ time: when.at, timezone: when.timeZone });
  DAILY.set(name, next);
  return next(after)!;
}

/** Read once: connections share their hours. There are 1440 of them in some hundred zones at most. */
const DAILY = new Map<string, (after: number) => number | null>();
