/**
 * Numbers that may be one, in two spellings: 20123456 and +371 20123456, as long as no country is set. Comparable forms
 * go in, and those that may be the same come out. No I/O.
 */
import { addTo } from "../std/add-to.ts";

/** What has a number, and the number. */
export interface Spelled<T> {
  /** Its comparable form. */
  readonly key: string;
  readonly isInternational: boolean;
  readonly of: T;
}

export interface Spellings<T> {
  add(number: Spelled<T>): void;
  /** Numbers in the other spelling that may be this one. */
  alike(number: Omit<Spelled<T>, "of">): readonly T[];
}

/** A shorter number, such as 112, is the end of too many others. */
const MIN_DIGITS = 6;

export function createSpellings<T>(): Spellings<T> {
  /** By their digits without zeros in front. */
  const national = new Map<string, T[]>();
  /** By their last digits. */
  const international = new Map<string, Spelled<T>[]>();
  return {
    add(number) {
      const digits = withoutZeros(number.key);
      if (lengthOf(digits) < MIN_DIGITS) return;
      if (number.isInternational) addTo(international, endOf(digits), number);
      else addTo(national, digits, number.of);
    },
    alike({ key, isInternational }) {
      const digits = withoutZeros(key);
      if (lengthOf(digits) < MIN_DIGITS) return [];
      if (!isInternational) {
        const found = international.get(endOf(digits)) ?? [];
        return found.filter((other) => other.key !== digits && other.key.endsWith(digits)).map(({ of }) => of);
      }
      const found: T[] = [];
      for (let at = 1; lengthOf(digits.slice(at)) >= MIN_DIGITS; at++) {
        found.push(...national.get(digits.slice(at)) ?? []);
      }
      return found;
    },
  };
}

function withoutZeros(key: string): string {
  return key.replace(/^0+/, "");
}

/** Digits before the extension. */
function lengthOf(digits: string): number {
  const extension = digits.indexOf("x");
  return extension < 0 ? digits.length : extension;
}

/** The last digits, with the extension. */
function endOf(digits: string): string {
  return digits.slice(lengthOf(digits) - MIN_DIGITS);
}
