/**
 * Phone numbers: stored as written, at most 50 characters; compared by phoneDigits. No I/O. No clock.
 */

import { readCell, shortenedNumber, tooLong } from "./text.ts";
import { type Reader, refuse } from "./value.ts";

const MAX_LENGTH = 50;
/** Digits, spaces, + ( ) - . and an extension after x, ext or ext.; a + only where the number begins. */
const PHONE = /^[(]?\+?(?=[^x]*\d)[\d ().\-\u00a0\u2009\u202f]+(?:(?:ext\.?|x)[ .\u00a0]*\d+)?$/i;

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
  if (text.length <= MAX_LENGTH && PHONE.test(text)) return text;
  const refusal = shortenedNumber(text) ?? tooLong(text, MAX_LENGTH);
  if (refusal) return refusal;
  if (!/\d/.test(text)) {
    return refuse("value_invalid", "it needs digits, like +1 555 010 0199", "Write the number, or leave it empty");
  }
  return refuse(
    "value_invalid",
    "only digits, spaces, + ( ) - . and an extension are allowed, like +1 555 010 0199 x7",
    "Keep one number, without other text",
  );
};
