/**
 * The apostrophe that keeps a spreadsheet's hands off a cell: `'000123`. Readers take it off, reports put it on.
 *
 * Taking off what was put on gives the text back, whatever it was. No I/O.
 */

// One apostrophe, in front of what a spreadsheet would retype. Where the text itself begins so, there are two. Where
// Chinese or Japanese is written, spreadsheets take the wide signs for the usual ones.
const PROTECTED = /^'(?='*[=+\-@\t\r0-9＝＋－＠])/;
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;
const RETYPED = [
  /^0\d/, // loses its zeros
  /^(?:\D*\d){12}/, // more than eleven digits become 1.23457E+11
  /^\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?(?:[ T].*)?$/, // a date, or what is taken for one
  /^\d+(?:[.,]\d+)?[eE][+-]?\d+$/, // 12E3 becomes 12000
];

/** A cell's own text. `'000123` is `000123`; `'t Hart` is itself. */
export function unprotect(text: string): string {
  return text.charCodeAt(0) === 0x27 && PROTECTED.test(text) ? text.slice(1) : text;
}

/**
 * The text as a cell that a spreadsheet shows and saves as it is. `exact` is for ids, phones and dates, where
 * numbers and dates would be retyped too. Takes a cell's own text, so `protect(unprotect(cell))` for a cell as read.
 */
export function protect(text: string, kind: "text" | "exact" = "text"): string {
  if (FORMULA.test(text) || PROTECTED.test(text)) return `'${text}`;
  return kind === "exact" && /^\d/.test(text) && RETYPED.some((form) => form.test(text)) ? `'${text}` : text;
}
