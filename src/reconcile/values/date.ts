/**
 * Dates: a calendar day between 1900 and 2199, read only in the form that the connection declares, stored as
 * YYYY-MM-DD. No I/O. No clock: today is passed in where it matters.
 */

import { readCell } from "./text.ts";
import { type Reader, type Refusal, refuse } from "./value.ts";

export const DATE_FORMATS = ["YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY"] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];

const EXAMPLES: { readonly [format in DateFormat]: string } = {
  "YYYY-MM-DD": "2024-01-31",
  "DD/MM/YYYY": "31/01/2024",
  "MM/DD/YYYY": "01/31/2024",
};
// The groups of year, month and day. Slashed dates come from spreadsheets, which omit leading zeros.
const FORMS: { readonly [format in DateFormat]: readonly [RegExp, number, number, number] } = {
  "YYYY-MM-DD": [/^(\d{4})-(\d\d)-(\d\d)$/, 1, 2, 3],
  "DD/MM/YYYY": [/^(\d\d?)\/(\d\d?)\/(\d{4})$/, 3, 2, 1],
  "MM/DD/YYYY": [/^(\d\d?)\/(\d\d?)\/(\d{4})$/, 3, 1, 2],
};
/** Midnight, as databases and spreadsheets add it to a day. */
const MIDNIGHT = /(?:[T ]0?0:00(?::00(?:\.0+)?)?(?:Z| ?[+-]\d\d:?\d\d)?| 12:00(?::00)? AM)$/i;
/** The longest date with a midnight. */
const MAX_LENGTH = 40;
const NO_DATE = /^(?:0000-00-00|00\/00\/0000)$/;
const ZERO = "0".charCodeAt(0), HYPHEN = "-".charCodeAt(0);
const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Reads days in one form; a blank cell and 0000-00-00 are empty. */
export function createDateReader(format: DateFormat): Reader {
  const [form, yearAt, monthAt, dayAt] = FORMS[format];
  const should = `dates here are ${format}, like ${EXAMPLES[format]}`;
  const suggestion = `Write the date as ${format}`;
  const asKept = format === "YYYY-MM-DD";
  // Cached: the people of a company were hired on the same few thousand days.
  const good = new Map<string, string>();
  return (cell) => {
    if (typeof cell === "number") return refuse("date_invalid", `it must be text; ${should}`, suggestion);
    const text = readCell(cell, "refuse");
    if (typeof text !== "string") return text;
    if (asKept && isDay(text)) return text;
    const known = good.get(text);
    if (known !== undefined) return known;
    const day = text.length > 10 && text.length <= MAX_LENGTH ? text.replace(MIDNIGHT, "") : text;
    if (NO_DATE.test(day)) return null;
    const parts = form.exec(day);
    if (!parts) return refuse("date_invalid", `${timeOf(text)}${should}`, otherForm(day, format) ?? suggestion);
    const year = Number(parts[yearAt]);
    const month = Number(parts[monthAt]);
    const refusal = check(year, month, Number(parts[dayAt]), should, suggestion);
    if (refusal) return refusal;
    const date = `${parts[yearAt]}-${parts[monthAt]!.padStart(2, "0")}-${parts[dayAt]!.padStart(2, "0")}`;
    if (good.size < 100_000) good.set(text, date);
    return date;
  };
}

/** Whether the text is a day in its stored form already. Fast, as most of a million rows are. */
function isDay(text: string): boolean {
  if (text.length !== 10 || text.charCodeAt(4) !== HYPHEN || text.charCodeAt(7) !== HYPHEN) return false;
  let value = 0;
  for (let i = 0; i < 10; i++) {
    if (i === 4 || i === 7) continue;
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return false;
    value = value * 10 + digit;
  }
  const year = Math.floor(value / 10_000), month = Math.floor(value / 100) % 100, day = value % 100;
  // The last days of a month need the full check.
  return year >= 1900 && year <= 2199 && month >= 1 && month <= 12 && day >= 1 && day <= 28;
}

function check(year: number, month: number, day: number, should: string, suggestion: string): Refusal | null {
  if (month < 1 || month > 12) return refuse("date_invalid", `there is no month ${month}; ${should}`, suggestion);
  const days = month === 2 && isLeap(year) ? 29 : DAYS[month - 1]!;
  if (day < 1 || day > days) {
    const because = `${MONTHS[month - 1]} ${year} has ${days} days and no day ${day}; ${should}`;
    return refuse("date_invalid", because, "Correct the day");
  }
  if (year < 1900 || year > 2199) {
    return refuse("date_invalid", "the year must be between 1900 and 2199", "For no date, leave the cell empty");
  }
  return null;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** The problem of a date with a time other than midnight, which cannot be stored. */
function timeOf(text: string): string {
  return /^\S+[T ]\d?\d:\d\d/.test(text) ? "it has a time, and only midnight can be left out; " : "";
}

/** The suggestion for a date in another form that can be declared; a slashed date can be in two of them. */
function otherForm(day: string, format: DateFormat): string | null {
  const fitting = DATE_FORMATS.filter((other) => {
    const [form, yearAt, monthAt, dayAt] = FORMS[other];
    const parts = other === format ? null : form.exec(day);
    return parts !== null &&
      check(Number(parts[yearAt]), Number(parts[monthAt]), Number(parts[dayAt]), "", "") === null;
  });
  if (fitting.length === 0) return null;
  return `Write the date as ${format}, or set the connection's date_format to ${fitting.join(" or ")}`;
}
