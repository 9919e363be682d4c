/** What to do about an issue of a source that is fetched: it is corrected there, and nobody sends a file. Pure. */
import type { Issue, Piece } from "./record.ts";

/** Words of suggestions that suppose a file. */
const OF_FILES = /\b(?:sen[dt]|files?|spreadsheet|upload|export|report|rows?)\b/i;

/** `source`: its name. Of a suggestion that goes on after "and send" or "or send", what comes before that is kept. */
export function adviceAtSource(suggestion: string, source: string): string {
  if (!OF_FILES.test(suggestion)) return suggestion;
  const [, begin = "", word] = /^(.*?),? (and|or) send\b/i.exec(suggestion) ?? [];
  if (begin === "" || OF_FILES.test(begin)) return `Correct it in ${source}; the next sync takes it`;
  return word === "or"
    ? `${begin}, or correct it in ${source}; the next sync takes it`
    : `${begin}; the next sync takes it`;
}

export function issueAtSource(issue: Issue, source: string): Issue {
  const { suggestion, pieces, conflict } = issue;
  // Who a row is about is decided on the run's page, wherever the row comes from.
  if (conflict !== undefined || !OF_FILES.test(suggestion)) return issue;
  const advice: Piece[] = [adviceAtSource(suggestion, source)];
  return {
    ...issue,
    suggestion: advice.join(""),
    ...(pieces === undefined ? {} : { pieces: { ...pieces, suggestion: advice } }),
  };
}
