/**
 * Yes and no, in the words of common exports; for a person's status also words for active and former employees, and
 * those that a connection adds. No I/O. No clock.
 */

import { type ActiveWords, foldWord } from "../../model/value-settings.ts";
import { readCell } from "./text.ts";
import { type Reader, type Refusal, refuse } from "./value.ts";
import { ACTIVE, INACTIVE, NO, YES } from "./words.ts";

/** What each word means. Later entries win. */
type Words = readonly (readonly [words: readonly string[], means: boolean | Letter])[];

const YES_NO: Words = [[YES, true], [NO, false]];

/** Reads yes and no, and JSON's booleans, 1 and 0. */
export const readYesNo: Reader = createWordReader(YES_NO, "it must be yes or no", "Write yes or no");

/** Letters that stand for active, inactive, terminated and true, false: which, only their column shows. */
export const LETTERS = ["A", "I", "T", "F"] as const;
export type Letter = (typeof LETTERS)[number];

const ACTIVE_BECAUSE =
  "it must be yes or no, or a word like active, on leave, inactive, terminated, leaver, archived or suspended";
const ACTIVE_SUGGESTION =
  "Write yes for people who work here, no for people who have left, or add the word to the connection's active_words";

/** Reads a word of a person's status: whether they are active, or a letter. Unknown words are refused: a typo makes nobody active. */
export function createStatusReader({ active = [], inactive = [] }: ActiveWords): Reader {
  const letters = LETTERS.map((letter) => [[letter.toLowerCase()], letter] as const);
  const words: Words = [...letters, ...YES_NO, [ACTIVE, true], [INACTIVE, false], [active, true], [inactive, false]];
  return createWordReader(words, ACTIVE_BECAUSE, ACTIVE_SUGGESTION);
}

/** Reads the same where there is no column: A is active and I inactive, T and F could be anything. */
export function createActiveReader(words: ActiveWords): Reader {
  const read = createStatusReader(words);
  return (cell) => {
    const value = read(cell);
    if (value === "A" || value === "I") return value === "A";
    return typeof value === "string" ? refuseLetter() : value;
  };
}

/** The problem of a letter without a column that shows its meaning. */
export function refuseLetter(): Refusal {
  return refuse(
    "value_invalid",
    "a T or F is read only where its column shows what it means: with each other they are true and false, and a T " +
      "with A or I is terminated",
    ACTIVE_SUGGESTION,
  );
}

/** Reads whether a person is archived: the opposite of active. */
export function createArchivedReader({ active = [], inactive = [] }: ActiveWords): Reader {
  return createWordReader(
    [...YES_NO, [[...INACTIVE, "archive"], true], [ACTIVE, false], [inactive, true], [active, false]],
    "it must be yes or no, or a word like active or archived",
    "Write yes for people who have left, no for people who work here, or add the word to the connection's active_words",
  );
}

function createWordReader(words: Words, because: string, suggestion: string): Reader {
  const known = new Map(words.flatMap(([list, means]) => list.map((word) => [foldWord(word), means] as const)));
  return (cell) => {
    if (typeof cell === "boolean") return cell;
    if (cell === 1 || cell === 0) return cell === 1;
    if (typeof cell === "number") return refuse("value_invalid", because, suggestion);
    const text = readCell(cell, "refuse");
    if (typeof text !== "string") return text;
    return known.get(text) ?? known.get(foldWord(text)) ?? refuse("value_invalid", because, suggestion);
  };
}
