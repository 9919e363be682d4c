/**
 * The words by which people are found: of a person, and of what somebody types. Text goes in, words come out that are
 * compared letter by letter. No I/O. No clock.
 */
import { foldForSearch } from "../../reconcile/fold.ts";

/** What a person is found by. Titles and departments are lists of their own, and would match thousands. */
export interface Searched {
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly preferredName: string | null;
  readonly username: string | null;
  readonly employeeId: string | null;
  readonly email: string | null;
}

/** UTF-16 units of a word that are looked at, in the index and in a search alike. */
const MAX_WORD = 40;
/** Words of one person; names come first. */
const MAX_WORDS = 24;
/** Words of one search: each costs about as much as a search of its own. */
export const MAX_SEARCHED = 8;

/** Letters and digits that stand together, folded, each once, in the order of their first place. */
export function wordsIn(text: string): string[] {
  const words = foldForSearch(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  // Half of a letter is none.
  return [...new Set(words.map((word) => word.slice(0, MAX_WORD).replace(/[\ud800-\udbff]$/, "")))];
}

/**
 * A person's words as the index keeps them. Each begins with its organization's number and an `x`: what is common in one
 * organization costs another nothing, and is never found there.
 */
export function indexedWords(organizationId: number, person: Searched): string {
  const { firstName, lastName, preferredName, employeeId, username, email } = person;
  const text = [firstName, lastName, preferredName, employeeId, username, email].filter((part) => part !== null);
  return wordsIn(text.join(" ")).slice(0, MAX_WORDS).map((word) => `${organizationId}x${word}`).join(" ");
}

/** The words of a search; one that begins another says nothing beside it. */
export function searchedWords(text: string): string[] {
  const words = wordsIn(text);
  return words.filter((word) => !words.some((other) => other !== word && other.startsWith(word)));
}

/** In FTS5's language: every word is, or begins, one of the person's. */
export function matchOf(organizationId: number, words: readonly string[]): string {
  return words.map((word) => `"${organizationId}x${word}"*`).join(" AND ");
}
