/** Text whose letters were lost on its way: what is known of the person shows it. Pure. */
import { cleanCell } from "../intake/clean.ts";
import { BEYOND_ASCII } from "./fold.ts";

/** Encodings in which UTF-8 is read by mistake, and stored as what it then looks like. */
const MISTAKEN = ["windows-1252", "iso-8859-2", "windows-1250", "macintosh"] as const;
const UTF8 = new TextEncoder();

/**
 * Whether `value` is `current` with its letters outside ASCII as question marks, or encoded twice. Both are as cleaning
 * leaves them, which takes some of the characters out that a second encoding makes.
 */
export function isDamaged(value: string, current: string): boolean {
  if (!BEYOND_ASCII.test(current) || value === current) return false;
  return value.includes("?") && isQuestioned(value, current) ||
    BEYOND_ASCII.test(value) && MISTAKEN.some((encoding) => comparable(encodedTwice(current, encoding)) === value);
}

/** One question mark a letter, or one for each of its bytes, or only for the mark above it. */
function isQuestioned(value: string, current: string): boolean {
  const apart = current.normalize("NFD");
  return value === questioned(current, () => 1) || value === questioned(apart, () => 1) ||
    value === questioned(current, (letter) => UTF8.encode(letter).length);
}

function questioned(text: string, marks: (letter: string) => number): string {
  return text.replace(/[^\0-\x7f]/gu, (letter) => "?".repeat(marks(letter)));
}

function encodedTwice(text: string, encoding: string): string {
  return new TextDecoder(encoding).decode(UTF8.encode(text));
}

function comparable(text: string): string {
  return cleanCell(text, "text").normalize("NFC");
}
