/**
 * Phone numbers: stored as written, at most 50 characters, when a person would read them as one number. How they are
 * compared is in phones.ts. No I/O. No clock.
 */

import { mangledNumber, readCell, tooLong } from "./text.ts";
import { type Reader, type Refusal, refuse } from "./value.ts";

const MAX_LENGTH = 50;
/**
 * Digits with spaces, ( ) [ ] - . / and dashes; a + only where the number begins, tel: before it, and an extension
 * behind it.
 */
const PHONE =
  /^(?:tel: ?)?[([]?\+?(?=[^ex#]*\d)[\d ()[\].\-/\u00a0\u2009\u202f\u2010-\u2014]+(?:[,;]? ?(?:ext(?:ension)?[.:=]?|x|#)[ .\u00a0]*\d{1,10})?$/i;
/** What people write between two numbers. A slash alone is also written after an area code. */
const BETWEEN = /\s*(?:[,;|&\n]|\b(?:or|and|und|oder|ou|et|y|o)\b)\s*/i;
/** A shorter run of digits is a part of a number. */
const MIN_DIGITS = 6;
/** ITU-T E.164. */
const MAX_DIGITS = 15;

export const readPhone: Reader = (cell) => {
  if (typeof cell === "number") {
    return refuse(
      "value_invalid",
      `phone numbers are text, so that nothing in front is lost: it must be "${cell}"`,
      "Put the number in double quotes",
    );
  }
  const text = readCell(cell, "refuse");
  if (typeof text !== "string") return text;
  const mangled = mangledNumber(text);
  if (mangled !== null) return mangled;
  if (text.length <= MAX_LENGTH && PHONE.test(text)) return isTwoBySlash(text) ? severalNumbers() : text;
  return tooLong(text, MAX_LENGTH) ?? refuseForm(text);
};

function refuseForm(text: string): Refusal {
  if (!/\d/.test(text)) {
    return refuse("value_invalid", "it needs digits, like +1 555 010 0199", "Write the number, or leave it empty");
  }
  if (text.split(BETWEEN).filter(isNumber).length > 1) return severalNumbers();
  return refuse(
    "value_invalid",
    "only digits, spaces, + ( ) [ ] - . / and an extension are allowed, like +1 555 010 0199 x7",
    "Keep one number, without other text",
  );
}

function severalNumbers(): Refusal {
  return refuse("value_invalid", "it has more than one number, and only one can be kept", "Keep one number");
}

function isNumber(text: string): boolean {
  return PHONE.test(text) && digitsIn(text) >= MIN_DIGITS;
}

/** Whether the two sides of a slash are a number each: too many digits for one number, or equally many. */
function isTwoBySlash(text: string): boolean {
  const [left, right, ...more] = text.split("/");
  if (right === undefined || more.length > 0) return false;
  const before = digitsIn(left!), after = digitsIn(right);
  return before >= MIN_DIGITS && after >= MIN_DIGITS && (before === after || before + after > MAX_DIGITS);
}

function digitsIn(text: string): number {
  return text.replace(/\D+/g, "").length;
}
