/** Invented dates and moments: the same for the same, and what has been stays past, what is to come stays to come. */
import { randomInt } from "node:crypto";
import { DAY_MS } from "../../std/time.ts";

export interface Dates {
  /** Milliseconds since 1970. */
  time(ms: number): number;
  /** Gives `YYYY-MM-DD`. */
  dateOf(year: string, month: string, day: string): string;
  /** Of a date that LOCAL_DATE found. Day and month are at most 12, so both orders can be read. */
  localDate(text: string, found: RegExpExecArray): string;
}

/** ISO 8601: year, month, day, and a time with its zone. */
export const DATE = /\b(\d{4})-(\d\d)-(\d\d)(?!\d)(?:([T ])\d\d:\d\d(:\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?/;
/** Day and month in either order. */
export const LOCAL_DATE = /\b(\d{1,2})(?<mark>[./])(\d{1,2})\k<mark>(\d{4})\b/;

/** A date that means "never" says nothing of anybody. */
const NEVER_YEAR = 9000;
const MIN_SHIFT_DAYS = 30, MAX_SHIFT_DAYS = 700;

/** When the real ones were read, and when the invented ones will be played. Milliseconds since 1970. */
export function createDates({ readAt, playedAt }: { readonly readAt: number; readonly playedAt: number }): Dates {
  const times = new Map<number, number>(), locals = new Map<string, string>();

  function time(ms: number): number {
    const known = times.get(ms);
    if (known !== undefined) return known;
    const shift = randomInt(MIN_SHIFT_DAYS, MAX_SHIFT_DAYS) * DAY_MS;
    const day = ms - (ms % DAY_MS);
    const made = ms < readAt ? Math.min(day, playedAt) - shift : Math.max(day, playedAt) + shift;
    times.set(ms, made);
    return made;
  }

  function dateOf(year: string, month: string, day: string): string {
    const ms = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
    if (Number(year) >= NEVER_YEAR || year === "0000" || Number.isNaN(ms)) return `${year}-01-01`;
    return new Date(time(ms)).toISOString().slice(0, 10);
  }

  return {
    time,
    dateOf,
    localDate(text, [, first, mark, second, year]) {
      const [madeYear] = dateOf(year!, "06", "15").split("-");
      const part = (like: string) => String(randomInt(1, 13)).padStart(like.length, "0");
      const made = locals.get(text) ?? [part(first!), part(second!), madeYear].join(mark);
      locals.set(text, made);
      return made;
    },
  };
}
