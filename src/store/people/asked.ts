/**
 * Whom somebody asks about: an id, an address or a name comes in, and rows and changes are compared with it. No I/O. No
 * clock.
 */
import { unprotect } from "../../intake/apostrophe.ts";
import type { Cell } from "../../model/record.ts";
import { foldEmail } from "../../reconcile/fold.ts";
import { createPhones } from "../../reconcile/phones.ts";
import { wordsIn } from "./search-words.ts";

export interface Asked {
  /** Ids, addresses and keys in their comparable form: each of them names the person. */
  readonly values: readonly string[];
  /** The words of a name, folded, all of which have to match by their beginning; empty: nobody asks by name. */
  readonly words: readonly string[];
}

/** Fields by which a row names its own person. */
const OWN = new Set(["employee_id", "source_id", "email", "username", "phone", "mobile_phone"]);
const NAMES = new Set(["first_name", "last_name", "preferred_name"]);
/** Shorter runs of digits are not phone numbers. */
const MIN_DIGITS = 6;
const SHORT = 4;

/** The forms in which links and users may have the text: as it is, folded, and as a phone number of the country. */
export function formsOf(text: string, phoneCountry: string | null): string[] {
  const trimmed = unprotect(text.trim().normalize("NFC"));
  const digits = /^[+\d][\d\s()./-]*$/.test(trimmed) ? createPhones(phoneCountry).fold(trimmed) : "";
  return [...new Set([trimmed, foldEmail(trimmed), ...(digits.length < MIN_DIGITS ? [] : [digits])])];
}

export function comparable(text: string): string {
  return foldEmail(unprotect(text.trim()));
}

/**
 * Whether a row is about the person. `fields`: of its cells, in their order; null: they are not known, and every cell may
 * be an id or a name.
 */
export function isAbout(
  asked: Asked,
  key: string | null,
  cells: readonly Cell[],
  fields: readonly (string | null)[] | null,
): boolean {
  if (key !== null && asked.values.includes(comparable(key))) return true;
  return createRowTest(asked, fields ?? cells.map(() => null), fields === null)(cells);
}

/** As isAbout, for many rows with the same fields. `isOpen`: every cell may be an id or a name. */
export function createRowTest(
  { values, words }: Asked,
  fields: readonly (string | null)[],
  isOpen = false,
): (cells: readonly Cell[]) => boolean {
  const known = new Set(values);
  const placesOf = (wanted: ReadonlySet<string>) =>
    fields.flatMap((field, place) => isOpen || (field !== null && wanted.has(field)) ? [place] : []);
  const ids = placesOf(OWN), names = words.length === 0 ? [] : placesOf(NAMES);
  return (cells) => {
    if (ids.some((place) => known.has(comparable(textOf(cells[place]))))) return true;
    if (names.length === 0) return false;
    const own = wordsIn(names.map((place) => textOf(cells[place])).join(" "));
    return words.every((word) => own.some((other) => other.startsWith(word)));
  };
}

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : typeof cell === "number" ? String(cell) : "";
}

/**
 * Pieces of JSON in lower case, one of which is in every text that `isAbout` accepts, but for letters with accents in
 * names. For a filter in SQL, which knows the lower case of ASCII alone.
 */
export function needlesOf({ values, words }: Asked): string[] {
  // What is short is in many texts: it has to be a cell.
  const ids = values.map((value) => value.length < SHORT && pieceOf(value) === value ? `"${value}"` : pieceOf(value));
  const longest = words.map(pieceOf).sort((a, b) => b.length - a.length).slice(0, 1);
  return [...new Set([...ids, ...longest].map((piece) => piece.toLowerCase()).filter((piece) => piece !== ""))];
}

/** The longest part that JSON writes in one way: it escapes some letters, and those beyond ASCII have several cases. */
function pieceOf(text: string): string {
  return text.split(/[^\x20\x21\x23-\x5b\x5d-\x7e]+/).sort((a, b) => b.length - a.length)[0]!;
}
