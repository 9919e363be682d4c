/**
 * Yes and no, in the words of common exports; for a person's status also words for active and former employees, and
 * those that a connection adds. No I/O. No clock.
 */

import { type ActiveWords, foldWord } from "../../model/value-settings.ts";
import { readCell } from "./text.ts";
import { type Reader, refuse } from "./value.ts";
import { ACTIVE, INACTIVE, NO, YES } from "./words.ts";

/** What each word means. Later entries win. */
type Words = readonly (readonly [words: readonly string[], means: boolean])[];

const YES_NO: Words = [[YES, true], [NO, false]];

/** Reads yes and no, and JSON's booleans, 1 and 0. */
export const readYesNo: Reader = createWordReader(YES_NO, "it must be yes or no", "Write yes or no");

/** Reads whether a person is active. Unknown words are refused, so that a typo makes nobody active. */
export function createActiveReader({ active = [], inactive = [] }: ActiveWords): Reader {
  return createWordReader(
    [
      ...YES_NO,
      [[...ACTIVE, "a"], true],
      [[...INACTIVE, "i"], false],
      [active, true],
      [inactive, false],
    ],
    "it must be yes or no, or a word like active, on leave, inactive, terminated, leaver, archived or suspended",
    "Write yes for people who work here, no for people who have left, or add the word to the connection's active_words",
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
