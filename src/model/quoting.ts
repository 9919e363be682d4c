/**
 * Errors of an input without quotes from it: in a file without a header, its place is taken by a person's row. No I/O.
 */
import { CODES, type IssueCode } from "./codes.ts";

/** Codes whose messages quote the input. */
const QUOTING: ReadonlySet<string> = new Set<IssueCode>([
  "encoding_invalid",
  "delimiter_ambiguous",
  "quote_invalid",
  "json_invalid",
  "workbook_invalid",
  "header_missing",
  "header_duplicate",
  "header_unknown",
  "header_unused",
  "column_vanished",
]);

/** The error for a reader who may not read the input: a message that quotes it is replaced by the code's text. */
export function withoutQuotes<E extends { readonly code: string; readonly message: string } | null | undefined>(
  error: E,
): E {
  if (error == null || !QUOTING.has(error.code)) return error;
  return { ...error, message: CODES[error.code as IssueCode].when };
}
