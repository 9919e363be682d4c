/** Texts made by chance, so that nobody can find the real one by trying; one for each key, and none for two. */
import { randomInt } from "node:crypto";

export interface Invented {
  /** `make` is asked for another one until it gives one that is free; the number of its tries lets it make longer ones. */
  keep(key: string, make: (tries: number) => string, isFree: (made: string, tries: number) => boolean): string;
  /** Whether the text is no real word. */
  isNew(text: string): boolean;
  /** Whether no real word is a part of it; where that is too much to ask, no longer one. */
  sharesNothing(text: string, tries: number): boolean;
}

const CONSONANTS = "bdfgklmnprstvz", VOWELS = "aeiou";
const SHORTEST_SHARED = 3;

/** `real`: words of the real texts, in lower case. */
export function createInvented(real: ReadonlySet<string>): Invented {
  const made = new Map<string, string>(), taken = new Set<string>();
  return {
    keep(key, make, isFree) {
      let found = made.get(key);
      for (let tries = 0; found === undefined; tries++) {
        const next = make(tries);
        if (!taken.has(next) && isFree(next, tries)) found = next;
      }
      made.set(key, found);
      taken.add(found);
      return found;
    },
    isNew: (text) => !real.has(text),
    sharesNothing(text, tries) {
      for (let from = 0; from < text.length; from++) {
        for (let to = from + SHORTEST_SHARED + (tries >> 6); to <= text.length; to++) {
          if (real.has(text.slice(from, to))) return false;
        }
      }
      return true;
    },
  };
}

export function syllables(count: number): string {
  return Array.from({ length: count }, () => anyOf(CONSONANTS, 1) + anyOf(VOWELS, 1)).join("");
}

export function anyOf(letters: string, length: number): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]!).join("");
}
