/**
 * Text: every cell of a CSV file, and most cells of JSON. Cleans it, composes it (NFC), and refuses what is no text, and
 * what is no value. No I/O. No clock.
 */

import { cleanCell, type Flaw, flawOf } from "../../intake/clean.ts";
import type { Cell } from "../../model/record.ts";
import { BEYOND_ASCII } from "../fold.ts";
import { type Reader, type Refusal, refuse } from "./value.ts";

/** How line breaks and tabs inside a cell are treated. */
export type Breaks = "space" | "keep" | "refuse";

// deno-lint-ignore no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;
const BREAK = /[\t\r\n]/;
// With the flag u, this matches only lone surrogates, which UTF-8 cannot store.
const LONE_SURROGATE = /\p{Surrogate}/u;
/** A long number as spreadsheets shorten it. They always write the exponent's sign, so 1E5 is an id. */
const SHORTENED_NUMBER = /^[+-]?\d(?:[.,]\d+)?E\+\d{2,3}$/i;
/** A whole number as programs for numbers write it. */
const WITH_DECIMAL = /^\d+\.0$/;
/** What a spreadsheet makes of MAR10, and of JAN2020: 10-Mar, Jan-20. It always writes a month with one capital. */
const DATED =
  /^(?:\d{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d\d)$/;
const MAX_DATED = 6;

/** A cell that says nothing about its field. */
export const PLACEHOLDER: Refusal = refuse(
  "placeholder_value",
  "it is a placeholder, and says nothing",
  "Leave the cell empty if there is no value",
);
const FLAWED: { readonly [flaw in Flaw]: Refusal } = {
  placeholder_value: PLACEHOLDER,
  spreadsheet_error: refuse(
    "spreadsheet_error",
    "it is an error of the spreadsheet, and the value behind it is not in the file",
    "Correct the formula in the spreadsheet, and send the file again",
  ),
  text_damaged: refuse(
    "text_damaged",
    "letters of it were lost when it was saved or exported in another encoding",
    "Save or export the file as UTF-8, and send it again",
  ),
};

/** The text of a cell, as it is stored; null when it is empty. Refuses what spreadsheets and exports write for no value. */
export function readCell(cell: Cell, breaks: Breaks): string | null | Refusal {
  const text = readText(cell, breaks);
  return typeof text === "string" ? refuseFlaw(text) ?? text : text;
}

/** The refusal of a text that is no value; null: it is one. */
export function refuseFlaw(text: string): Refusal | null {
  const flaw = flawOf(text);
  return flaw === null ? null : FLAWED[flaw];
}

/** As readCell, for text in which a placeholder or an error can be meant. */
export function readText(cell: Cell, breaks: Breaks): string | null | Refusal {
  if (typeof cell !== "string") return cell === null || cell === undefined ? null : notText(cell);
  const text = cleanCell(cell, breaks === "refuse" ? "exact" : "text");
  if (text.length === 0) return null;
  return BEYOND_ASCII.test(text) ? readUnusual(text, breaks) : text;
}

function readUnusual(text: string, breaks: Breaks): string | Refusal {
  const control = CONTROL.exec(text);
  if (control) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    return refuse(
      "value_invalid",
      `it has an invisible control character (U+${code}) in it, and only visible text can be kept`,
      "Type the value again",
    );
  }
  if (LONE_SURROGATE.test(text)) {
    return refuse(
      "value_invalid",
      "it has half a character in it (an unpaired surrogate), and only whole ones can be kept",
      "Correct how the source cuts or encodes its text",
    );
  }
  if (BREAK.test(text)) {
    if (breaks === "refuse") {
      return refuse(
        "value_invalid",
        "it has a line break or a tab in it, and should be on one line",
        "Remove the line break",
      );
    }
    text = breaks === "space" ? text.replace(/[\t\r\n]+/g, " ").replace(/ {2,}/g, " ") : text.replace(/\r\n?/g, "\n");
  }
  return text.normalize("NFC");
}

function notText(cell: number | boolean | object): Refusal {
  if (typeof cell === "object") {
    return refuse("value_invalid", "it must be a single text", "Give the value as text in double quotes");
  }
  return refuse("value_invalid", `it must be text, like "${cell}"`, "Put the value in double quotes");
}

/** The problem of a text with more than `limit` code points; null when it fits. */
export function tooLong(text: string, limit: number): Refusal | null {
  // A code point is one or two code units: only text in between has to be counted.
  if (text.length <= limit) return null;
  const length = text.length > 2 * limit ? text.length : [...text].length;
  if (length <= limit) return null;
  return refuse(
    "too_long",
    `it has ${text.length > 2 * limit ? "more than " + 2 * limit : length} characters, and at most ${limit} fit`,
    `Shorten it to ${limit} characters`,
  );
}

/** Reads free text of at most `limit` code points; line breaks become spaces, or stay. */
export function createTextReader(limit: number, breaks: Breaks = "space"): Reader {
  return (cell) => {
    const text = readCell(cell, breaks);
    if (typeof text !== "string") return text;
    return text.length <= limit ? text : tooLong(text, limit) ?? text;
  };
}

/** Reads a name of a person, who may well be called Null. */
export function createNameReader(limit: number): Reader {
  return (cell) => {
    const text = readText(cell, "space");
    if (typeof text !== "string") return text;
    const flaw = refuseFlaw(text);
    if (flaw !== null && flaw !== PLACEHOLDER) return flaw;
    return text.length <= limit ? text : tooLong(text, limit) ?? text;
  };
}

/** Reads an id: text of at most 100 code points, case-sensitive, never a number. */
export const readId: Reader = (cell) => {
  if (typeof cell === "number") {
    return refuse(
      "value_invalid",
      `ids are text, so that zeros in front are kept: it must be "${cell}"`,
      "Put the id in double quotes",
    );
  }
  const text = readCell(cell, "refuse");
  if (typeof text !== "string") return text;
  return mangledNumber(text) ?? tooLong(text, 100) ?? text;
};

/** The problem of an id or a phone that a spreadsheet has taken for a number or a date, and changed; null: it has none. */
export function mangledNumber(text: string): Refusal | null {
  // The + is near the end: searching there first saves nearly every id the regular expression.
  if (text.length >= 5 && text.lastIndexOf("+") > 0 && SHORTENED_NUMBER.test(text)) {
    return refuse(
      "number_mangled",
      "a spreadsheet has shortened the number and lost its digits; it must be written out in full",
      "Set the column's format to text and enter the full number again",
    );
  }
  if (text.endsWith(".0") && WITH_DECIMAL.test(text)) {
    return refuse(
      "number_mangled",
      `a spreadsheet or a program has taken it for a number; it must be ${text.slice(0, -2)}, with any zeros in front`,
      "Set the column's format to text and enter the number again",
    );
  }
  if (text.length <= MAX_DATED && text.includes("-") && DATED.test(text)) {
    return refuse(
      "number_mangled",
      "a spreadsheet has taken it for a date, as it does with MAR10 or 10-3; it must be as it was before",
      "Set the column's format to text and enter the value again",
    );
  }
  return null;
}
