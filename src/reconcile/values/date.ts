/**
 * Dates: a calendar day between 1900 and 2199, stored as YYYY-MM-DD. Forms that can be read in one way only are read
 * everywhere; a day and a month in front of a year, with slashes or dashes, only in the order that the connection
 * declares. No I/O. No clock: today is passed in where it matters.
 */

import { DATE_FORMATS, type DateFormat } from "../../model/value-settings.ts";
import { readCell } from "./text.ts";
import { type Reader, type Refusal, refuse } from "./value.ts";

/** A date as it is written: year, month and day as digits, before anything is checked. */
interface Written {
  readonly year: string;
  readonly month: string;
  readonly day: string;
}

const EXAMPLES: { readonly [format in DateFormat]: string } = {
  "YYYY-MM-DD": "2024-01-31",
  "DD/MM/YYYY": "31/01/2024",
  "MM/DD/YYYY": "01/31/2024",
};
const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
/** Long and short names, in lower case, with their numbers. */
const MONTH_NUMBERS: ReadonlyMap<string, string> = new Map([
  ...MONTHS.flatMap((name, place) =>
    [name, name.slice(0, 3)].map((word) => [word.toLowerCase(), String(place + 1)] as const)
  ),
  ["sept", "9"],
]);

/** Forms that can be read in one way only, and the order of their parts. */
const PLAIN_FORMS = [
  [/^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)$/, "YYYY-MM-DD"],
  [/^(?<day>\d\d?)\. ?(?<month>\d\d?)\. ?(?<year>\d{4})$/, "DD.MM.YYYY"],
  [/^(?<year>\d{4})\/(?<month>\d\d?)\/(?<day>\d\d?)$/, "YYYY/MM/DD"],
  [/^(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)$/, "YYYYMMDD"],
  [/^(?<day>\d\d?)([-/ ])(?<month>[a-z]{3,9})\.?\2(?<year>\d{4})$/i, "DD-MON-YYYY"],
] as const;
/** Two parts in front of a year. Slashed dates come from spreadsheets, which omit leading zeros. */
const ORDERED = /^(\d\d?)([/-])(\d\d?)\2(\d{4})$/;
const SHORT_YEAR = /^\d\d?([-/. ]|\. )(?:\d\d?|[a-z]{3,9}\.?)\1\d\d$/i;
/** Midnight, as databases and spreadsheets add it to a day. */
const MIDNIGHT = /(?:[T ]0?0:00(?::00(?:\.0+)?)?(?:Z| ?[+-]\d\d:?\d\d)?| 12:00(?::00)? AM)$/i;
/** The longest date with a midnight. */
const MAX_LENGTH = 50;
const NO_DATE = /^(?:0{4}-00?-00?|0{4}\/00?\/00?|0{8}|00?([-/.]|\. )00?\1(?:0{4}|00))$/;
const FIRST_YEAR = 1900, LAST_YEAR = 2199;
const ZERO = "0".charCodeAt(0), HYPHEN = "-".charCodeAt(0);

/** In which order the dates of a column can be read that have day and month in front of the year. */
export interface DateOrder {
  /** One fits the declared order alone. */
  fitsDeclared: boolean;
  /** One fits the other order alone. */
  fitsOther: boolean;
  /** Dates of the column fit the other order alone, and none the declared one: those that fit both are not used. */
  readonly isSuspect: boolean;
}

export interface DateReading {
  /** Any year from 2200 on is empty, too: sources mean by it that there is no end. */
  readonly openEnd?: boolean;
  /** What the column's dates show of their order is noted here. */
  readonly order?: DateOrder;
}

/** Reads days. A blank cell and 0000-00-00 are empty. */
export function createDateReader(format: DateFormat, { openEnd = false, order }: DateReading = {}): Reader {
  const should = `dates here are ${format}, like ${EXAMPLES[format]}`;
  const suggestion = `Write the date as ${format}`;
  // Cached: the people of a company were hired on the same few thousand days.
  const good = new Map<string, string>();
  return (cell) => {
    if (typeof cell === "number") return refuse("date_invalid", `it must be text; ${should}`, suggestion);
    const text = readCell(cell, "refuse");
    if (typeof text !== "string") return text;
    if (isDay(text)) return text;
    const known = good.get(text);
    if (known !== undefined) return known;
    const day = text.length > 8 && text.length <= MAX_LENGTH ? text.replace(MIDNIGHT, "") : text;
    if (NO_DATE.test(day)) return null;
    const [written, form] = readPlain(day) ?? readOrdered(day, format) ?? [null, format];
    if (order !== undefined && ORDERED.test(day)) {
      const fits = fitting(day, format), fitsOther = fitting(day, otherOrder(format));
      if (fits !== null && fitsOther === null) order.fitsDeclared = true;
      if (fits === null && fitsOther !== null) order.fitsOther = true;
      if (order.isSuspect && fits !== null && fitsOther !== null && fits !== fitsOther) return refuseOrder(format);
    }
    if (written === null) return refuseForm(day, format, should, suggestion);
    const refusal = check(written, form === format ? should : `it was read as ${form}`, suggestion);
    if (openEnd && refusal === null && Number(written.year) > LAST_YEAR) return null;
    if (refusal !== null || !isInRange(written)) return refusal ?? outOfRange();
    const date = `${written.year}-${written.month.padStart(2, "0")}-${written.day.padStart(2, "0")}`;
    if (good.size < 100_000) good.set(text, date);
    return date;
  };
}

/** A date in one of the forms that are read everywhere. */
function readPlain(day: string): [Written, form: string] | null {
  for (const [form, name] of PLAIN_FORMS) {
    const parts = form.exec(day)?.groups;
    if (parts === undefined) continue;
    const month = /^\d/.test(parts.month!) ? parts.month! : MONTH_NUMBERS.get(parts.month!.toLowerCase());
    return month === undefined ? null : [{ year: parts.year!, month, day: parts.day! }, name];
  }
  return null;
}

/** A date with day and month in the declared order; null: there is none, or it is no such date. */
function readOrdered(day: string, format: DateFormat): [Written, form: string] | null {
  const parts = format === "YYYY-MM-DD" ? null : ORDERED.exec(day);
  if (parts === null) return null;
  const [, first, , second, year] = parts;
  const isDayFirst = format === "DD/MM/YYYY";
  return [{ year: year!, month: isDayFirst ? second! : first!, day: isDayFirst ? first! : second! }, format];
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
  return year >= FIRST_YEAR && year <= LAST_YEAR && month >= 1 && month <= 12 && day >= 1 && day <= 28;
}

/** What is wrong with the month or the day, whatever the year. */
function check(written: Written, should: string, suggestion: string): Refusal | null {
  const year = Number(written.year), month = Number(written.month), day = Number(written.day);
  if (month < 1 || month > 12) return refuse("date_invalid", `there is no month ${month}; ${should}`, suggestion);
  const days = month === 2 && isLeap(year) ? 29 : DAYS[month - 1]!;
  if (day >= 1 && day <= days) return null;
  const because = `${MONTHS[month - 1]} ${written.year} has ${days} days and no day ${day}; ${should}`;
  return refuse("date_invalid", because, "Correct the day");
}

function isInRange({ year }: Written): boolean {
  return Number(year) >= FIRST_YEAR && Number(year) <= LAST_YEAR;
}

function outOfRange(): Refusal {
  return refuse(
    "date_invalid",
    `the year must be between ${FIRST_YEAR} and ${LAST_YEAR}`,
    "For no date, leave the cell empty",
  );
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** The problem of a text that has none of the forms. */
function refuseForm(day: string, format: DateFormat, should: string, suggestion: string): Refusal {
  if (SHORT_YEAR.test(day)) {
    return refuse(
      "date_invalid",
      `its year has two digits and needs four; ${should}`,
      "Write the year with four digits",
    );
  }
  return refuse("date_invalid", `${timeOf(day)}${should}`, otherFormat(day, format) ?? suggestion);
}

/** The problem of a date with a time other than midnight, which cannot be stored. */
function timeOf(text: string): string {
  return /^\S+[T ]\d?\d:\d\d/.test(text) ? "it has a time, and only midnight can be left out; " : "";
}

/** The suggestion for a date that can be read once its order is declared; it can fit both orders. */
function otherFormat(day: string, format: DateFormat): string | null {
  const fit = DATE_FORMATS.filter((other) => other !== format && fitting(day, other) !== null);
  if (fit.length === 0) return null;
  return `Write the date as ${format}, or set the connection's date_format to ${fit.join(" or ")}`;
}

/** The day and month of a date in this order, as `day/month`; null: there is no such day. */
function fitting(day: string, format: DateFormat): string | null {
  const written = readOrdered(day, format)?.[0];
  if (written === undefined || check(written, "", "") !== null || !isInRange(written)) return null;
  return `${Number(written.day)}/${Number(written.month)}`;
}

/** The order that is not declared; without a declared one, none. */
export function otherOrder(format: DateFormat): DateFormat {
  return format === "DD/MM/YYYY" ? "MM/DD/YYYY" : format === "MM/DD/YYYY" ? "DD/MM/YYYY" : format;
}

/** The problem of a date that fits both orders, in a column that seems to have the other one. */
function refuseOrder(format: DateFormat): Refusal {
  const other = otherOrder(format);
  return refuse(
    "date_order_suspect",
    `it can be read as ${format} and as ${other}, and other dates of the column are ${other} for certain`,
    `Set the connection's date_format to ${other}, or write the dates as YYYY-MM-DD`,
  );
}
