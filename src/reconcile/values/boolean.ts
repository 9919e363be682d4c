/**
 * Yes and no, in the words of common exports; for a person's status also words for active and former employees. No I/O.
 * No clock.
 */

import { foldName } from "../fold.ts";
import { readCell } from "./text.ts";
import { type Reader, refuse } from "./value.ts";

const YES_NO = { yes: true, no: false, true: true, false: false, y: true, n: false, "1": true, "0": false };
const ACTIVE = {
  active: true,
  "on leave": true,
  inactive: false,
  terminated: false,
  leaver: false,
  archived: false,
  suspended: false,
};

/** Reads yes and no, and JSON's booleans, 1 and 0. */
export const readYesNo: Reader = createWordReader(YES_NO, "it must be yes or no", "Write yes or no");

/** Reads whether a person is active. Other words are refused, so that a typo makes nobody active. */
export const readActive: Reader = createWordReader(
  { ...YES_NO, ...ACTIVE },
  "it must be yes or no, or a word like active, on leave, inactive, terminated, leaver, archived or suspended",
  "Write yes for people who work here, no for people who have left",
);

/** Reads whether a person is archived: the opposite of active. */
export const readArchived: Reader = createWordReader(
  { ...YES_NO, archived: true, archive: true, active: false },
  "it must be yes or no",
  "Write yes for people who have left, no for people who work here",
);

function createWordReader(words: Readonly<Record<string, boolean>>, because: string, suggestion: string): Reader {
  const known = new Map(Object.entries(words));
  return (cell) => {
    if (typeof cell === "boolean") return cell;
    if (cell === 1 || cell === 0) return cell === 1;
    if (typeof cell === "number") return refuse("value_invalid", because, suggestion);
    const text = readCell(cell, "refuse");
    if (typeof text !== "string") return text;
    return known.get(text) ?? known.get(foldName(text).replace(/[_-]/g, " ")) ??
      refuse("value_invalid", because, suggestion);
  };
}
