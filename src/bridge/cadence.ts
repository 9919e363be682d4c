/** When a connection is to be visited next. No clock. */
import { Cron } from "croner";
import type { When } from "../model/sftp.ts";

const MINUTE_MS = 60_000;

/**
 * The first moment after `after` (milliseconds since 1970) that is due. A day whose hour does not exist (clocks are put
 * forward) is due as soon as it is past; one that has it twice, at the first.
 */
export function nextDue(when: When, after: number): number {
  if (when.kind === "at_once") return after + MINUTE_MS;
  if (when.kind === "every") return after + when.minutes * MINUTE_MS;
  const [hour, minute] = when.at.split(":").map(Number);
  return daily(`${minute} ${hour} * * *`, when.timeZone).nextRun(new Date(after))!.getTime();
}

const DAILY = new Map<string, Cron>();

/** Read once: connections share their hours. There are 1440 of them in some hundred zones at most. */
function daily(pattern: string, timezone: string): Cron {
  const name = `${pattern} ${timezone}`;
  let cron = DAILY.get(name);
  if (cron === undefined) DAILY.set(name, cron = new Cron(pattern, { timezone, paused: true }));
  return cron;
}
