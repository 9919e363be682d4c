/** When a connection is to be visited next. No clock. */
import type { When } from "./contract.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

/**
 * The first moment after `after` (milliseconds since 1970) that is due. A day whose hour does not exist (clocks are put
 * forward) is due at the first minute after it; one that has it twice, at the first.
 */
export function nextDue(when: When, after: number): number {
  if (when.kind === "at_once") return after + MINUTE_MS;
  if (when.kind === "every") return after + when.minutes * MINUTE_MS;
  const wanted = minutesOf(when.at);
  // Offsets from UTC are whole minutes, so local minutes begin with UTC's. Changes of clocks are an hour or two at most.
  const start = Math.floor(after / MINUTE_MS) * MINUTE_MS;
  const local = localMinutes(when.timeZone, start);
  const ahead = (wanted - local + DAY_MINUTES) % DAY_MINUTES;
  for (let day = 0; day < 3; day++) {
    const guess = start + (ahead + (day - 1) * DAY_MINUTES) * MINUTE_MS;
    for (let minute = -180; minute <= 180; minute++) {
      const at = guess + minute * MINUTE_MS;
      if (at <= after) continue;
      if (isFirstAtOrAfter(when.timeZone, at, wanted)) return at;
    }
  }
  return start + DAY_MINUTES * MINUTE_MS;
}

/** Whether the local day's clock reaches `wanted` at this minute, and had not before. */
function isFirstAtOrAfter(timeZone: string, at: number, wanted: number): boolean {
  const now = localMinutes(timeZone, at);
  if (now < wanted || now - wanted > 120) return false;
  const before = localMinutes(timeZone, at - MINUTE_MS);
  const reached = now === wanted ? before !== wanted : before < wanted;
  if (!reached) return false;
  // The hour that comes twice: the first of both counts.
  return !(now === wanted && localMinutes(timeZone, at - 60 * MINUTE_MS) === wanted);
}

function minutesOf(at: string): number {
  const [hour, minute] = at.split(":").map(Number);
  return hour! * 60 + minute!;
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

function localMinutes(timeZone: string, ms: number): number {
  let format = FORMATS.get(timeZone);
  if (format === undefined) {
    FORMATS.set(
      timeZone,
      format = new Intl.DateTimeFormat("en", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
    );
  }
  const parts = format.formatToParts(ms);
  const part = (type: string) => Number(parts.find((each) => each.type === type)!.value);
  return part("hour") * 60 + part("minute");
}
