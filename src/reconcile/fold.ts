/**
 * Comparable forms: the spelling under which two values are the same to the hub. Values go in, text to compare by
 * comes out. Every form is idempotent. No I/O. No clock.
 */

import { lowerCase } from "../std/lower-case.ts";

/** Anything but printable ASCII. Text without it needs no normalization and has no control characters. */
export const BEYOND_ASCII = /[^ -~]/;

/** The stored form of text: trimmed, in NFC. */
export function clean(text: string): string {
  const trimmed = text.trim();
  return BEYOND_ASCII.test(trimmed) ? trimmed.normalize("NFC") : trimmed;
}

/**
 * The comparable form of names of departments, statuses and options: trimmed, spaces collapsed, lower case, NFC. İ, I and
 * ı are one letter.
 */
export function foldName(text: string): string {
  return lower(clean(text).replace(/\s+/g, " "));
}

/** The stored and comparable form of an email: trimmed, lower case, NFC. İ, I and ı are one letter. */
export function foldEmail(text: string): string {
  return lower(clean(text));
}

/** Letters with a mark that normalization does not separate. */
const OTHER_LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ħ: "h",
  ı: "i",
};

/** Lower case, without accents and other marks: people search for names as they can type them. */
export function foldForSearch(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text.toLowerCase();
  return text.toLowerCase().normalize("NFKD").replace(/\p{M}+/gu, "").toLowerCase()
    .replace(/[ßæœøłđðþħı]/g, (letter) => OTHER_LETTERS[letter]!).normalize("NFC");
}

/**
 * The digits of a phone number as written, without a leading + and anything between them. An extension makes another
 * phone, so it is separated by an `x`: `+1 (555) 010-0199 ext. 7` is `15550100199x7`, and differs from 155501001997.
 */
export function phoneDigits(text: string): string {
  const extension = text.search(/[x#]/i);
  if (extension < 0) return text.replace(/\D+/g, "");
  return `${text.slice(0, extension).replace(/\D+/g, "")}x${text.slice(extension).replace(/\D+/g, "")}`;
}

// Lower case can come apart into letters and marks that compose again.
function lower(text: string): string {
  const lowered = lowerCase(text);
  return BEYOND_ASCII.test(lowered) ? lowered.normalize("NFC") : lowered;
}
