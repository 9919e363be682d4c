/**
 * Why an input could not be read, without what it says: a file without a header has somebody's row in its place. No I/O.
 */
import { CODES, type IssueCode } from "./codes.ts";

/** Codes whose messages quote the input. */
const QUOTING: ReadonlySet<string> = new Set<IssueCode>([
  "encoding_invalid",
  "delimiter_ambiguous",
  "quote_invalid",
  "json_invalid",
  "header_missing",
  "header_duplicate",
  "header_unknown",
  "header_unused",
  "column_vanished",
]);

/** The same error for whoever may not read the input: where it would quote it, what the code says. */
export function withoutQuotes<E extends { readonly code: string; readonly message: string } | null | undefined>(
  error: E,
): E {
  if (error == null || !QUOTING.has(error.code)) return error;
  return { ...error, message: CODES[error.code as IssueCode].when };
}
