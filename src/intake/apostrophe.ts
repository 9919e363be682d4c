/**
 * The apostrophe that keeps a spreadsheet from changing a cell: `'000123`. Readers remove it, reports add it.
 *
 * Removing what was added gives the same text back, whatever it was. No I/O.
 */

// One apostrophe before a text that a spreadsheet would change; two where the text itself begins with one. Chinese and
// Japanese spreadsheets treat full-width signs like the usual ones.
const PROTECTED = /^'(?='*[=+\-@\t\r0-9＝＋－＠])/;
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;
const RETYPED = [
  /^0\d/, // loses its zeros
  /^(?:\D*\d){12}/, // more than eleven digits become 1.23457E+11
  /^\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?(?:[ T].*)?$/, // a date, or what looks like one
  /^\d+(?:[.,]\d+)?[eE][+-]?\d+$/, // 12E3 becomes 12000
];

/** A cell's own text. `'000123` is `000123`; `'t Hart` is itself. */
export function unprotect(text: string): string {
  return text.charCodeAt(0) === 0x27 && PROTECTED.test(text) ? text.slice(1) : text;
}

/**
 * The text as a cell that a spreadsheet shows and saves unchanged. Use `exact` for ids, phones and dates, where numbers
 * and dates would be changed too. Takes a cell's own text, so `protect(unprotect(cell))` for a cell as read.
 */
export function protect(text: string, kind: "text" | "exact" = "text"): string {
  if (FORMULA.test(text) || PROTECTED.test(text)) return `'${text}`;
  return kind === "exact" && /^\d/.test(text) && RETYPED.some((form) => form.test(text)) ? `'${text}` : text;
}
