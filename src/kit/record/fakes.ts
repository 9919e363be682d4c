/**
 * Invented texts in place of real ones: the same for the same, so what belongs together still does, and another one for each
 * other. They are made by chance, so nobody can find the real one by trying.
 */
import { randomInt, randomUUID } from "node:crypto";
import { DAY_MS } from "../../std/time.ts";

export interface Fakes {
  /** Replaces each word, number, date and address in the text, and keeps what is between them. */
  text(text: string): string;
  /** Of a text of digits, which stays one; one of 16 digits is still a number that JavaScript can tell from the next. */
  digits(text: string): string;
  /** Of a text with `+` and digits, as phone numbers are written. */
  phone(text: string): string;
  /** Milliseconds since 1970. What has been stays past, what is to come stays to come. */
  time(ms: number): number;
}

export interface FakesOptions {
  /** Words of the real texts, in lower case: no invented one is equal to one. */
  readonly real: ReadonlySet<string>;
  /** When they were read, and when they will be played. Milliseconds since 1970. */
  readonly readAt: number;
  readonly playedAt: number;
}

export const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const MAIL = /[^\s@<>"',;:|()=&?/\\]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/u;
export const MAILS = new RegExp(MAIL, "gu");
const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;
/** ISO 8601: year, month, day, and a time with its zone. */
const DATE = /\b(\d{4})-(\d\d)-(\d\d)(?!\d)(?:([T ])\d\d:\d\d(:\d\d(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?/;
/** Day and month in either order. */
const LOCAL_DATE = /\b(\d{1,2})(?<mark>[./])(\d{1,2})\k<mark>(\d{4})\b/;
const COMPACT_DATE = /^((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/;
const PARTS = new RegExp([MAIL, ID, DATE, LOCAL_DATE, WORD].map(({ source }) => source).join("|"), "giu");

const CONSONANTS = "bdfgklmnprstvz", VOWELS = "aeiou", LETTERS = "abcdefghijklmnopqrstuvwxyz", DIGITS = "0123456789";
/** A date that means "never" says nothing of anybody. */
const NEVER_YEAR = 9000;
const MIN_SHIFT_DAYS = 30, MAX_SHIFT_DAYS = 700;
const SHORTEST_SHARED = 3;

export function createFakes({ real, readAt, playedAt }: FakesOptions): Fakes {
  const made = new Map<string, string>(), taken = new Set<string>();

  /** `make` is asked for another one until it gives one that is free; the number of its tries lets it make longer ones. */
  function keep(
    key: string,
    make: (tries: number) => string,
    isFree: (made: string, tries: number) => boolean,
  ): string {
    let found = made.get(key);
    for (let tries = 0; found === undefined; tries++) {
      const next = make(tries);
      if (!taken.has(next) && isFree(next, tries)) found = next;
    }
    made.set(key, found);
    taken.add(found);
    return found;
  }

  const isNew = (text: string) => !real.has(text);

  /** Whether no real word is a part of it; where that is too much to ask, no longer one. */
  function sharesNothing(text: string, tries: number): boolean {
    for (let from = 0; from < text.length; from++) {
      for (let to = from + SHORTEST_SHARED + (tries >> 6); to <= text.length; to++) {
        if (real.has(text.slice(from, to))) return false;
      }
    }
    return true;
  }

  function word(text: string): string {
    const lower = text.toLowerCase(), upper = text.toUpperCase();
    const capital = upper.slice(0, 1) + lower.slice(1);
    const isRegular = text === lower || text === upper || text === capital;
    const key = `word ${isRegular ? lower : text}`;
    const fake = keep(
      key,
      (tries) => syllables(Math.min(4, Math.max(2, text.length >> 1)) + (tries >> 6)),
      sharesNothing,
    );
    if (text === lower) return fake;
    return text === upper && text.length > 1 ? fake.toUpperCase() : capitalized(fake);
  }

  function digits(text: string): string {
    const date = COMPACT_DATE.exec(text);
    if (date !== null) return dateOf(date[1]!, date[2]!, date[3]!).replaceAll("-", "");
    // Nobody is known by these.
    if (/^0*1?$/.test(text)) return text;
    return keep(`digits ${text}`, (tries) => {
      const length = (text.length < 4 ? 6 : text.length) + (tries >> 6);
      return (text[0] === "0" ? "0" : String(randomInt(1, 9))) + anyOf(DIGITS, length - 1);
    }, isNew);
  }

  function opaque(text: string): string {
    const make = () => oneOf(LETTERS) + anyOf(LETTERS + DIGITS, Math.max(8, text.length) - 1);
    const fake = keep(`opaque ${text}`, make, isNew);
    return text === text.toUpperCase() ? fake.toUpperCase() : fake;
  }

  function time(ms: number): number {
    const fake = made.get(`time ${ms}`);
    if (fake !== undefined) return Number(fake);
    const shift = randomInt(MIN_SHIFT_DAYS, MAX_SHIFT_DAYS) * DAY_MS;
    const day = ms - (ms % DAY_MS);
    const other = ms < readAt ? Math.min(day, playedAt) - shift : Math.max(day, playedAt) + shift;
    made.set(`time ${ms}`, String(other));
    return other;
  }

  function dateOf(year: string, month: string, day: string): string {
    const ms = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
    if (Number(year) >= NEVER_YEAR || year === "0000" || Number.isNaN(ms)) return `${year}-01-01`;
    return new Date(time(ms)).toISOString().slice(0, 10);
  }

  /** Day and month are at most 12, so both orders can be read. */
  function localDate(text: string, [, first, mark, second, year]: RegExpExecArray): string {
    const [fakeYear] = dateOf(year!, "06", "15").split("-");
    const part = (like: string) => String(randomInt(1, 13)).padStart(like.length, "0");
    const fake = made.get(`date ${text}`) ?? [part(first!), part(second!), fakeYear].join(mark);
    made.set(`date ${text}`, fake);
    return fake;
  }

  function mail(text: string): string {
    const fake = keep(`mail ${text.toLowerCase()}`, () => `${syllables(3)}.${syllables(3)}@example.com`, sharesNothing);
    return text === text.toLowerCase() ? fake : capitalized(fake);
  }

  function part(text: string): string {
    if (MAIL.test(text)) return mail(text);
    if (ID.test(text)) return keep(`id ${text.toLowerCase()}`, () => randomUUID(), isNew);
    const date = DATE.exec(text);
    if (date !== null) {
      const [, year, month, day, mark, seconds = "", zone = ""] = date;
      const clock = mark === undefined ? "" : `${mark}12:00${seconds.replace(/\d/g, "0")}${zone}`;
      return dateOf(year!, month!, day!) + clock;
    }
    const local = LOCAL_DATE.exec(text);
    if (local !== null) return localDate(text, local);
    if (/^\d+$/.test(text)) return digits(text);
    return /\p{N}/u.test(text) ? opaque(text) : word(text);
  }

  return {
    text: (text) => text.replace(PARTS, (found) => part(found)),
    digits,
    phone(text) {
      return keep(`phone ${text.replace(/\D/g, "")}`, (tries) => `+1202555${anyOf(DIGITS, 4 + (tries >> 6))}`, isNew);
    },
    time,
  };
}

function syllables(count: number): string {
  return Array.from({ length: count }, () => oneOf(CONSONANTS) + oneOf(VOWELS)).join("");
}

function capitalized(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}

function oneOf(letters: string): string {
  return letters[randomInt(letters.length)]!;
}

function anyOf(letters: string, length: number): string {
  return Array.from({ length }, () => oneOf(letters)).join("");
}
