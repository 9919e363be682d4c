/**
 * What one person can be found by in text that others wrote: ids, addresses and numbers of all times, and the name. In
 * doubt a text is theirs. No I/O.
 */
import { unprotect } from "../intake/apostrophe.ts";
import type { IssueRow } from "../reconcile/draft.ts";
import { foldEmail, phoneDigits } from "../reconcile/fold.ts";
import { type Image, IMAGE_INDEX, type ImageColumn, type Stored } from "../reconcile/image.ts";

const NAMING = ["employee_id", "email", "username", "phone", "mobile_phone"] as const;
/** A shorter run of digits is no phone number. */
const MIN_DIGITS = 6;

export interface Traces {
  /** Takes in what a user's columns are, or were. */
  add(columns: { readonly [column in ImageColumn]?: Stored }): void;
  /** The key of a source, in its comparable form. */
  addKey(connectionId: number, key: string): void;
  isKey(connectionId: number, key: unknown): boolean;
  /** Everything that they can be named by, as it was written and in its comparable form. */
  names(): string[];
  /** Whether the text may name them; a quick look, so that the others need not be taken apart. */
  mayName(json: string): boolean;
  /** Whether the text is one of their names, or has one in it. */
  isNamedIn(text: string): boolean;
  /** Whether the row is theirs, or speaks of them. */
  isIn(row: IssueRow): boolean;
  /** Whether a stretch of a file speaks of them: of any format that is text, taken apart into nothing. */
  isInText(text: string): boolean;
  /** The columns of an input without theirs: a file that has no header has somebody's values there. Null: none is. */
  withoutNames(columns: readonly string[]): readonly string[] | null;
}

/** A user's columns by name. */
export function columnsOf(image: Image): { [column in ImageColumn]?: Stored } {
  return Object.fromEntries(Object.entries(IMAGE_INDEX).map(([column, index]) => [column, image[index]!]));
}

export function createTraces(): Traces {
  const exact = new Set<string>();
  const written = new Set<string>();
  const digits = new Set<string>();
  const keys = new Set<string>();
  const first = new Set<string>(), last = new Set<string>();

  function addName(value: unknown): void {
    if (typeof value !== "string" || value.trim() === "") return;
    written.add(value);
    exact.add(foldEmail(value));
    const number = phoneDigits(value);
    if (number.length >= MIN_DIGITS && /^[\d\s()+.\-x]+$/i.test(value)) digits.add(number);
  }

  const fold = (text: string) => foldEmail(unprotect(text));
  const speaksOf = (text: string): boolean => {
    const folded = fold(text);
    if (exact.has(folded) || (digits.size > 0 && digits.has(phoneDigits(text)))) return true;
    for (const name of exact) {
      if (name.includes("@") ? folded.includes(name) : folded.includes(`"${name}"`) || hasWord(folded, name)) {
        return true;
      }
    }
    return false;
  };

  const hasBothNames = (cells: readonly string[]): boolean => {
    const folded = new Set(cells.map(fold));
    const has = (names: Set<string>) => [...names].some((name) => folded.has(name));
    return has(first) && has(last);
  };

  return {
    add(columns) {
      for (const column of NAMING) addName(columns[column]);
      if (typeof columns.first_name === "string") first.add(foldEmail(columns.first_name));
      if (typeof columns.last_name === "string") last.add(foldEmail(columns.last_name));
      for (const value of Object.values((columns.custom ?? {}) as Record<string, unknown>)) {
        if (typeof value === "string" && value.includes("@")) addName(value);
      }
    },
    addKey(connectionId, key) {
      keys.add(`${connectionId} ${key}`);
      addName(key);
    },
    isKey: (connectionId, key) => keys.has(`${connectionId} ${key}`),
    names: () => [...new Set([...written, ...exact])],
    mayName(json) {
      const folded = foldEmail(json);
      const among = (names: Iterable<string>) => {
        for (const name of names) if (folded.includes(JSON.stringify(name).slice(1, -1))) return true;
        return false;
      };
      // A phone number may be written in other ways, and then only its digits tell.
      return digits.size > 0 || among(exact) || (among(first) && among(last));
    },
    isNamedIn: speaksOf,
    isIn(row) {
      const cells = textsIn(row.cells);
      return cells.some(speaksOf) || hasBothNames(cells) ||
        row.issues.some(({ value, message, suggestion, pieces }) =>
          textsIn([value, message, suggestion, pieces]).some(speaksOf)
        ) ||
        speaksOf(row.origin ?? "") || speaksOf(row.key ?? "");
    },
    isInText(text) {
      const folded = foldEmail(unescaped(text));
      for (const name of exact) if (name.includes("@") ? folded.includes(name) : hasWord(folded, name)) return true;
      if (digits.size > 0) {
        const numbers = folded.replace(/[\s()+./-]+/g, "");
        for (const number of digits) if (numbers.includes(number)) return true;
      }
      return [...last].some((name) => wordsAt(folded, name).some((at) => hasNear(folded, at, first)));
    },
    withoutNames(columns) {
      const isTheirRow = hasBothNames(columns);
      const left = columns.map((column, place) => isTheirRow || speaksOf(column) ? `erased ${place + 1}` : column);
      return left.some((column, place) => column !== columns[place]) ? left : null;
    },
  };
}

/** Whether the name stands in the text by itself; a short one is too common for that. */
function hasWord(text: string, name: string): boolean {
  return name.length >= 4 && wordsAt(text, name, 1).length > 0;
}

/** Where the name stands in the text by itself. */
function wordsAt(text: string, name: string, most = Infinity): number[] {
  const found: number[] = [];
  for (let at = text.indexOf(name); at >= 0 && found.length < most; at = text.indexOf(name, at + 1)) {
    const around = `${text[at - 1] ?? " "}${text[at + name.length] ?? " "}`;
    if (!/[\p{L}\p{N}]/u.test(around)) found.push(at);
  }
  return found;
}

/** Cells of one row are rarely further apart. */
const NEAR = 200;

function hasNear(text: string, at: number, names: ReadonlySet<string>): boolean {
  const around = text.slice(Math.max(0, at - NEAR), at + NEAR);
  return [...names].some((name) => wordsAt(around, name, 1).length > 0);
}

/** JSON may write any character by its number. */
function unescaped(text: string): string {
  if (!text.includes("\\u")) return text;
  return text.replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number") return [String(value)];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(textsIn) : [];
}
