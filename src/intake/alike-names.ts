/**
 * Names of files without what changes from one version to the next: digits, dates and times. A name goes in, text to
 * compare by comes out: `people_2026-11-29.csv` and `People 30 Nov 2026.csv` are both `people csv`. Pure.
 */

const MONTHS = "january february march april may june july august september october november december";
const DAYS = "monday tuesday wednesday thursday friday saturday sunday";
const DATE_WORDS: ReadonlySet<string> = new Set([
  ...`${MONTHS} ${DAYS}`.split(" ").flatMap((word) => [word, word.slice(0, 3)]),
  "sept",
]);

/** Letters that belong to the digits before them: `T` and `Z` of an ISO time, `am` and `pm`, `st` to `th` of a day. */
const BESIDE_DIGITS = /(?<=\d)\s?(?:t(?=\d)|z(?!\p{L})|[ap]m(?!\p{L})|(?:st|nd|rd|th)(?!\p{L}))/gu;

export function nameWithoutDates(name: string): string {
  const words = name.normalize("NFC").toLowerCase().replace(BESIDE_DIGITS, " ").match(/[\p{L}\p{M}]+/gu) ?? [];
  return words.filter((word) => !DATE_WORDS.has(word)).join(" ");
}
