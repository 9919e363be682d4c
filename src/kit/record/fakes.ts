/** Invented texts in place of real ones: the same for the same, so what belongs together still does. */
import { randomInt, randomUUID } from "node:crypto";
import { createDates, DATE, type Dates, LOCAL_DATE } from "./dates.ts";
import { anyOf, createInvented, type Invented, syllables } from "./invented.ts";

export interface Fakes extends Pick<Dates, "time"> {
  /** Replaces each word, number, date and address in the text, and keeps what is between them. */
  text(text: string): string;
  /** Of a text of digits, which stays one; one of 16 digits is still a number that JavaScript can tell from the next. */
  digits(text: string): string;
  /** Of a text with `+` and digits, as phone numbers are written. */
  phone(text: string): string;
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
const COMPACT_DATE = /^((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/;
const PARTS = new RegExp([MAIL, ID, DATE, LOCAL_DATE, WORD].map(({ source }) => source).join("|"), "giu");
const LETTERS = "abcdefghijklmnopqrstuvwxyz", DIGITS = "0123456789";

export function createFakes({ real, ...when }: FakesOptions): Fakes {
  const invented = createInvented(real), dates = createDates(when);

  function digits(text: string): string {
    const date = COMPACT_DATE.exec(text);
    if (date !== null) return dates.dateOf(date[1]!, date[2]!, date[3]!).replaceAll("-", "");
    return digitsFor(text, invented);
  }

  function part(text: string): string {
    if (MAIL.test(text)) return mailFor(text, invented);
    if (ID.test(text)) return invented.keep(`id ${text.toLowerCase()}`, () => randomUUID(), invented.isNew);
    const date = DATE.exec(text);
    if (date !== null) {
      const [, year, month, day, mark, seconds = "", zone = ""] = date;
      const clock = mark === undefined ? "" : `${mark}12:00${seconds.replace(/\d/g, "0")}${zone}`;
      return dates.dateOf(year!, month!, day!) + clock;
    }
    const local = LOCAL_DATE.exec(text);
    if (local !== null) return dates.localDate(text, local);
    if (/^\d+$/.test(text)) return digits(text);
    return /\p{N}/u.test(text) ? opaqueFor(text, invented) : wordFor(text, invented);
  }

  return {
    text: (text) => text.replace(PARTS, (found) => part(found)),
    digits,
    phone(text) {
      const make = (tries: number) => `+1202555${anyOf(DIGITS, 4 + (tries >> 6))}`;
      return invented.keep(`phone ${text.replace(/\D/g, "")}`, make, invented.isNew);
    },
    time: dates.time,
  };
}

function wordFor(text: string, { keep, sharesNothing }: Invented): string {
  const lower = text.toLowerCase(), upper = text.toUpperCase();
  const isRegular = text === lower || text === upper || text === capitalized(lower);
  const made = keep(
    `word ${isRegular ? lower : text}`,
    (tries) => syllables(Math.min(4, Math.max(2, text.length >> 1)) + (tries >> 6)),
    sharesNothing,
  );
  if (text === lower) return made;
  return text === upper && text.length > 1 ? made.toUpperCase() : capitalized(made);
}

function digitsFor(text: string, { keep, isNew }: Invented): string {
  // Nobody is known by these.
  if (/^0*1?$/.test(text)) return text;
  return keep(`digits ${text}`, (tries) => {
    const length = (text.length < 4 ? 6 : text.length) + (tries >> 6);
    return (text[0] === "0" ? "0" : String(randomInt(1, 9))) + anyOf(DIGITS, length - 1);
  }, isNew);
}

function opaqueFor(text: string, { keep, isNew }: Invented): string {
  const make = () => anyOf(LETTERS, 1) + anyOf(LETTERS + DIGITS, Math.max(8, text.length) - 1);
  const made = keep(`opaque ${text}`, make, isNew);
  return text === text.toUpperCase() ? made.toUpperCase() : made;
}

function mailFor(text: string, { keep, sharesNothing }: Invented): string {
  const make = () => `${syllables(3)}.${syllables(3)}@example.com`;
  const made = keep(`mail ${text.toLowerCase()}`, make, sharesNothing);
  return text === text.toLowerCase() ? made : capitalized(made);
}

function capitalized(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1);
}
