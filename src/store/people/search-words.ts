/**
 * The words by which people are found: the words of a person, and the words of a search. Text comes in, and words go out
 * that are compared letter by letter. No I/O. No clock.
 */
import { foldForSearch } from "../../reconcile/fold.ts";

/** What a person is found by. Titles and departments would match thousands, and can be filtered by instead. */
export interface Searched {
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly preferredName: string | null;
  readonly username: string | null;
  readonly employeeId: string | null;
  readonly email: string | null;
}

/** UTF-16 units of a word that count, in the index and in a search alike. */
const MAX_WORD = 40;
/** Words of one person, names first. */
const MAX_WORDS = 24;
/** Words of one search: each costs about as much as a separate search. */
export const MAX_SEARCHED = 8;

/** Runs of letters and digits, folded, each once, in the order of their first place. */
export function wordsIn(text: string): string[] {
  const words = foldForSearch(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  // A cut must not leave half of a surrogate pair.
  return [...new Set(words.map((word) => word.slice(0, MAX_WORD).replace(/[\ud800-\udbff]$/, "")))];
}

/**
 * A person's words as the index has them. Each begins with its organization's number and an `x`, so that words of one
 * organization are never found, and cost nothing, in another.
 */
export function indexedWords(organizationId: number, person: Searched): string {
  const { firstName, lastName, preferredName, employeeId, username, email } = person;
  const text = [firstName, lastName, preferredName, employeeId, username, email].filter((part) => part !== null);
  return wordsIn(text.join(" ")).slice(0, MAX_WORDS).map((word) => `${organizationId}x${word}`).join(" ");
}

/** The words of a search, without those that are the beginning of another one: they add nothing. */
export function searchedWords(text: string): string[] {
  const words = wordsIn(text);
  return words.filter((word) => !words.some((other) => other !== word && other.startsWith(word)));
}

/** An FTS5 query: every word is, or begins, one of the person's words. */
export function matchOf(organizationId: number, words: readonly string[]): string {
  return words.map((word) => `"${organizationId}x${word}"*`).join(" AND ");
}
