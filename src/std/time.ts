/** Lengths of time, and instants between the store (milliseconds since 1970) and the API (ISO 8601, UTC). No clock. */

export const MINUTE_MS = 60_000, HOUR_MS = 60 * MINUTE_MS, DAY_MS = 24 * HOUR_MS;

/** The instant as the API shows it, such as `2026-03-01T08:00:00.000Z`. */
export function toInstant(ms: number): string {
  return new Date(ms).toISOString();
}

/** As toInstant; null stays null. */
export function toInstantOrNull(ms: number | null): string | null {
  return ms === null ? null : toInstant(ms);
}

/** Parses a date, or an instant with an offset, to milliseconds; null: it is neither. A bare date is its midnight in UTC. */
export function parseInstant(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d))?$/.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

/** The date, as `YYYY-MM-DD`, in an IANA time zone at an instant. */
export function dateIn(timezone: string, ms: number): string {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone: timezone,
    calendar: "gregory",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(ms);
  const part = (type: string) => parts.find((each) => each.type === type)!.value;
  return `${part("year").padStart(4, "0")}-${part("month")}-${part("day")}`;
}

/** When the day (`2026-03-29`) begins in this zone; null: there is no such day. */
export function startOfDay(timezone: string, day: string): number | null {
  const asUtc = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : NaN;
  if (Number.isNaN(asUtc)) return null;
  // The offset is looked up at the first guess, and once more, as the clocks may change in between.
  const guess = asUtc - offsetAt(timezone, asUtc);
  return asUtc - offsetAt(timezone, guess);
}

/** When the day after this one begins. */
export function endOfDay(timezone: string, day: string): number | null {
  const start = parseInstant(day);
  return start === null ? null : startOfDay(timezone, dateIn("UTC", start + DAY_MS));
}

/** By how much the clocks of the zone are ahead of UTC at this time, in milliseconds. */
function offsetAt(timezone: string, ms: number): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(ms);
  const part = (type: string) => Number(parts.find((each) => each.type === type)!.value);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second")) - ms;
}
