/** Whether two spellings are one person's name: without case, accents and punctuation. Pure. */

/** Letters that are also written as two, and letters with a mark that normalization does not separate. */
const AS_TWO: Readonly<Record<string, string>> = {
  ...{ ä: "ae", ö: "oe", ü: "ue", å: "aa", ø: "oe", æ: "ae", œ: "oe", ß: "ss", þ: "th" },
};
const PLAIN: Readonly<Record<string, string>> = {
  ...{ ø: "o", æ: "a", œ: "o", ß: "s", ł: "l", đ: "d", ð: "d", ħ: "h", ı: "i", þ: "t" },
};

/** A word of a name, as it is compared: without its marks, and with two letters for one. */
type Word = readonly [plain: string, asTwo: string];

/** The words of a name; none: it is not given, or of punctuation alone. */
function wordsOf(name: string): readonly Word[] {
  const text = name.normalize("NFC").toLowerCase().replaceAll("i\u0307", "i").replace(/[’'`´]/g, "");
  return [...text.matchAll(/[\p{L}\p{M}\p{N}]+/gu)].map(([word]) => [plainOf(word), asTwoOf(word)] as const);
}

function plainOf(word: string): string {
  return word.normalize("NFD").replace(/\p{M}+/gu, "").replace(/[øæœßłđðħıþ]/g, (letter) => PLAIN[letter]!);
}

function asTwoOf(word: string): string {
  return plainOf(word.replace(/[äöüåøæœßþ]/g, (letter) => AS_TWO[letter]!));
}

function areOne([plain, asTwo]: Word, [otherPlain, otherAsTwo]: Word): boolean {
  return plain === otherPlain || asTwo === otherAsTwo || plain === otherAsTwo || asTwo === otherPlain;
}

/** Whether all words of one are in the other, or both are the same once they are put together. */
function agree(words: readonly Word[], others: readonly Word[]): boolean {
  const [few, many] = words.length <= others.length ? [words, others] : [others, words];
  if (few.every((word) => many.some((other) => areOne(word, other)))) return true;
  const joined = (each: readonly Word[]): Word => [each.map(([p]) => p).join(""), each.map(([, t]) => t).join("")];
  return areOne(joined(words), joined(others));
}

export interface PersonName {
  readonly first: string | null;
  readonly last: string | null;
}

export interface NamesCompared {
  /** Null: one side does not give it. */
  readonly first: "same" | "differs" | null;
  readonly last: "same" | "differs" | null;
}

/**
 * Compares first and last names. Swapped ones are the same. Where one side has one name only, it counts as the first, and is
 * the same if its words are among those of the other's names.
 */
export function compareNames(a: PersonName, b: PersonName): NamesCompared {
  const [one, other] = [partsOf(a), partsOf(b)];
  if (one.first.length === 0 || other.first.length === 0) return { first: null, last: null };
  if (one.last.length === 0 || other.last.length === 0) {
    const isSame = agree([...one.first, ...one.last], [...other.first, ...other.last]);
    return { first: isSame ? "same" : "differs", last: null };
  }
  if (agree(one.first, other.last) && agree(one.last, other.first)) return { first: "same", last: "same" };
  return {
    first: agree(one.first, other.first) ? "same" : "differs",
    last: agree(one.last, other.last) ? "same" : "differs",
  };
}

/**
 * The forms by which a full name is looked up, whichever of the two names is first: with its letters as they are, and with
 * two for one. Names without a first and a last one have none.
 */
export function nameForms({ first, last }: PersonName): readonly string[] {
  const [given, family] = [wordsOf(first ?? ""), wordsOf(last ?? "")];
  if (given.length === 0 || family.length === 0) return [];
  const words = [...given, ...family];
  return [...new Set([0, 1].map((form) => words.map((word) => word[form]!).sort().join(" ")))];
}

function partsOf({ first, last }: PersonName): { first: readonly Word[]; last: readonly Word[] } {
  const [given, family] = [wordsOf(first ?? ""), wordsOf(last ?? "")];
  return given.length === 0 ? { first: family, last: [] } : { first: given, last: family };
}
