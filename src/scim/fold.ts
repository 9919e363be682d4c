/** How texts are compared where case does not matter. No I/O. */

/** Fullwidth forms of ASCII, from U+FF01 on, by how far they are from it. */
const FULLWIDTH = /[\uFF01-\uFF5E]/g;
const FULLWIDTH_OFFSET = 0xFEE0;

export function foldText(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

/** As foldText, with widths mapped as in PRECIS (RFC 8265), so that no two people get names that look the same. */
export function foldUserName(text: string): string {
  const narrow = text.trim().replace(
    FULLWIDTH,
    (each) => String.fromCharCode(each.charCodeAt(0) - FULLWIDTH_OFFSET),
  );
  return foldText(narrow);
}
