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
