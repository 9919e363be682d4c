/**
 * Every text by which one person can be recognized in what others wrote: ids, addresses and phone numbers, former ones
 * too, and the name. In doubt, a text counts as naming the person. No I/O.
 */
import { unprotect } from "../intake/apostrophe.ts";
import type { IssueRow } from "../reconcile/draft.ts";
import { foldEmail } from "../reconcile/fold.ts";
import { type Image, IMAGE_INDEX, type ImageColumn, type Stored } from "../reconcile/image.ts";
import { createPhones, isInternational, nationalPart } from "../reconcile/phones.ts";
import { readPhone } from "../reconcile/values/phone.ts";

const NAMING = ["employee_id", "email", "username", "phone", "mobile_phone"] as const;
/** A shorter run of digits is not a phone number. */
const MIN_DIGITS = 6;

/** How numbers are compared here: which country a connection had set is not known any more. */
const PHONES = createPhones(null);

type Columns = { readonly [column in ImageColumn]?: Stored };

export interface Traces {
  /** Adds a user's present or former columns. */
  add(columns: Columns): void;
  /** Adds the key of a source, in its comparable form. */
  addKey(connectionId: number, key: string): void;
  isKey(connectionId: number, key: unknown): boolean;
  /** Every text that names the person, as it was written and in its comparable form. */
  names(): string[];
  /** Whether the JSON may name the person: a quick test that saves parsing the rest. */
  mayName(json: string): boolean;
  /** Whether the text is one of the person's names or contains one. */
  isNamedIn(text: string): boolean;
  /** Whether the row is the person's or mentions them. */
  isIn(row: IssueRow): boolean;
  /** Whether the cells of a row have both names of the person. */
  isFullNameIn(row: IssueRow): boolean;
  /** Whether a section of a text file, of any format, mentions the person. */
  isInText(text: string): boolean;
  /** The columns of an input without the person's values, which a file without a header has there; null: it has none. */
  withoutNames(columns: readonly string[]): readonly string[] | null;
}

/** What names the person. All but `written` are in comparable form. */
interface Names {
  readonly exact: Set<string>;
  readonly written: Set<string>;
  /** Phone numbers, as they are compared without a country. */
  readonly digits: Set<string>;
  /** Their national parts. A number that is written without its country may be the other one. */
  readonly nationalParts: Map<string, "national" | "international">;
  readonly first: Set<string>;
  readonly last: Set<string>;
}

/** A user's columns by name. */
export function columnsOf(image: Image): { [column in ImageColumn]?: Stored } {
  return Object.fromEntries(Object.entries(IMAGE_INDEX).map(([column, index]) => [column, image[index]!]));
}

export function createTraces(): Traces {
  const names: Names = {
    exact: new Set(),
    written: new Set(),
    digits: new Set(),
    nationalParts: new Map(),
    first: new Set(),
    last: new Set(),
  };
  const keys = new Set<string>();
  return {
    add: (columns) => addColumns(names, columns),
    addKey(connectionId, key) {
      keys.add(`${connectionId} ${key}`);
      addName(names, key);
    },
    isKey: (connectionId, key) => keys.has(`${connectionId} ${key}`),
    names: () => [...new Set([...names.written, ...names.exact])],
    mayName: (json) => mayName(names, json),
    isNamedIn: (text) => isNamedIn(names, text),
    isIn: (row) => isIn(names, row),
    isFullNameIn: ({ cells }) => hasBothNames(names, textsIn(cells)),
    isInText: (text) => isInText(names, text),
    withoutNames: (columns) => withoutNames(names, columns),
  };
}

function addColumns(names: Names, columns: Columns): void {
  for (const column of NAMING) addName(names, columns[column]);
  if (typeof columns.first_name === "string") names.first.add(foldEmail(columns.first_name));
  if (typeof columns.last_name === "string") names.last.add(foldEmail(columns.last_name));
  for (const value of Object.values((columns.custom ?? {}) as Record<string, unknown>)) {
    if (typeof value === "string" && value.includes("@")) addName(names, value);
  }
}

function addName({ exact, written, digits, nationalParts }: Names, value: unknown): void {
  if (typeof value !== "string" || value.trim() === "") return;
  written.add(value);
  exact.add(foldEmail(value));
  const number = PHONES.fold(value), part = nationalPart(value);
  if (part.length < MIN_DIGITS || typeof readPhone(value) !== "string") return;
  digits.add(number);
  if (!isInternational(value)) nationalParts.set(part, "national");
  else if (!nationalParts.has(part)) nationalParts.set(part, "international");
}

function mayName({ exact, digits, first, last }: Names, json: string): boolean {
  const folded = foldEmail(json);
  const hasOne = (names: Set<string>) => [...names].some((name) => folded.includes(JSON.stringify(name).slice(1, -1)));
  // A phone number can be written in other ways, which only its digits show.
  return digits.size > 0 || hasOne(exact) || (hasOne(first) && hasOne(last));
}

/** Whether the text is one of the numbers, in any spelling. */
function isNumberOf({ digits, nationalParts }: Names, text: string): boolean {
  if (digits.size === 0) return false;
  if (digits.has(PHONES.fold(text))) return true;
  const spelled = nationalParts.get(nationalPart(text));
  return spelled === "national" || (spelled === "international" && !isInternational(text));
}

function isNamedIn(names: Names, text: string): boolean {
  const { exact } = names;
  const folded = fold(text);
  if (exact.has(folded) || isNumberOf(names, text)) return true;
  for (const name of exact) {
    if (name.includes("@") ? folded.includes(name) : folded.includes(`"${name}"`) || hasWord(folded, name)) return true;
  }
  return false;
}

function isIn(names: Names, { cells, issues, origin, key }: IssueRow): boolean {
  const texts = textsIn(cells);
  return hasBothNames(names, texts) || [
    ...texts,
    ...issues.flatMap(({ value, message, suggestion, pieces }) => textsIn([value, message, suggestion, pieces])),
    origin ?? "",
    key ?? "",
  ].some((text) => isNamedIn(names, text));
}

function isInText({ exact, nationalParts, first, last }: Names, text: string): boolean {
  const folded = foldEmail(unescaped(text));
  for (const name of exact) if (name.includes("@") ? folded.includes(name) : hasWord(folded, name)) return true;
  if (nationalParts.size > 0) {
    const numbers = folded.replace(/[\s()[\]+./\u2010-\u2014-]+/g, "");
    for (const number of nationalParts.keys()) if (numbers.includes(number)) return true;
  }
  return [...last].some((name) => wordsAt(folded, name).some((at) => hasNear(folded, at, first)));
}

function withoutNames(names: Names, columns: readonly string[]): readonly string[] | null {
  const isTheirRow = hasBothNames(names, columns);
  const left = columns.map((column, place) => isTheirRow || isNamedIn(names, column) ? `erased ${place + 1}` : column);
  return left.some((column, place) => column !== columns[place]) ? left : null;
}

function hasBothNames({ first, last }: Names, cells: readonly string[]): boolean {
  const folded = new Set(cells.map(fold));
  const hasOne = (names: Set<string>) => [...names].some((name) => folded.has(name));
  return hasOne(first) && hasOne(last);
}

function fold(text: string): string {
  return foldEmail(unprotect(text));
}

/** Whether the name is a word of the text. A short name is too common to tell. */
function hasWord(text: string, name: string): boolean {
  return name.length >= 4 && wordsAt(text, name, 1).length > 0;
}

/** Where the name is a word of the text: indexes, ascending, at most `most`. */
function wordsAt(text: string, name: string, most = Infinity): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(name); at >= 0 && found.length < most; at = text.indexOf(name, at + 1)) {
    const around = `${text[at - 1] ?? " "}${text[at + name.length] ?? " "}`;
    if (!/[\p{L}\p{N}]/u.test(around)) found.push(at);
  }
  return found;
}

/** Characters: cells of one row are rarely further apart. */
const NEAR = 200;

function hasNear(text: string, at: number, names: ReadonlySet<string>): boolean {
  const around = text.slice(Math.max(0, at - NEAR), at + NEAR);
  return [...names].some((name) => wordsAt(around, name, 1).length > 0);
}

/** JSON may escape any character by its code. */
function unescaped(text: string): string {
  if (!text.includes("\\u")) return text;
  return text.replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number") return [String(value)];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(textsIn) : [];
}
