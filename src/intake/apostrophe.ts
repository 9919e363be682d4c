/**
 * The apostrophe that keeps a spreadsheet from changing a cell: `'000123`. Readers remove it, reports add it.
 *
 * Removing what was added gives the same text back, whatever it was. No I/O.
 */

const MONTH = "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|" +
  "oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const GAP = "[ ./,-]*", TIME = "(?: \\d{1,2}:.*)?";
/** `MAR10`, `DEC 1`, `SEP-7`, `March 10, 2024`: ids and codes like these become dates. */
const MONTH_FIRST = `${MONTH}${GAP}\\d{1,4}(?:[ ./,-]+\\d{1,4})?${TIME}$`;

// One apostrophe before a text that a spreadsheet would change; two where the text itself begins with one. Chinese and
// Japanese spreadsheets treat full-width signs like the usual ones.
const PROTECTED = new RegExp(`^'(?='*(?:[=+\\-@\\t\\r0-9＝＋－＠]|${MONTH_FIRST}))`, "i");
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;
const RETYPED = [
  /^0\d/, // loses its zeros
  /^(?:\D*\d){12}/, // more than eleven digits become 1.23457E+11
  /^\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?(?:[ T].*)?$/, // a date, or what looks like one
  new RegExp(`^\\d{1,4}${GAP}${MONTH}(?:${GAP}\\d{1,4})?${TIME}$`, "i"), // 10-Mar, 10 March 2024
  /^\d+(?:[.,]\d+)?[eE][+-]?\d+$/, // 12E3 becomes 12000
];
const NAMED_DATE = new RegExp(`^${MONTH_FIRST}`, "i");

/** A cell's own text. `'000123` is `000123`, and `'MAR10` is `MAR10`; `'t Hart` is itself. */
export function unprotect(text: string): string {
  return text.charCodeAt(0) === 0x27 && PROTECTED.test(text) ? text.slice(1) : text;
}

/**
 * The text as a cell that is read back as the same text, where nothing retypes it: in a workbook's cell of text, or in
 * JSON. Takes a cell's own text.
 */
export function keep(text: string): string {
  return unprotect(text) === text ? text : `'${text}`;
}

/**
 * The text as a cell that a spreadsheet shows and saves unchanged. Use `exact` for ids, phones and dates, where numbers
 * and dates would be changed too. Takes a cell's own text, so `protect(unprotect(cell))` for a cell as read.
 */
export function protect(text: string, kind: "text" | "exact" = "text"): string {
  if (FORMULA.test(text) || PROTECTED.test(text)) return `'${text}`;
  return kind === "exact" && isRetyped(text) ? `'${text}` : text;
}

function isRetyped(text: string): boolean {
  return /^\d/.test(text) ? RETYPED.some((form) => form.test(text)) : NAMED_DATE.test(text);
}
