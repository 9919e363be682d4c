/**
 * Public ids: a prefix and a number, `usr_0000000001f`. Sortable as text in the order of their numbers.
 *
 * Numbers are reserved from one sequence per kind (store/sequences.ts) before the batch that uses them.
 */

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const WIDTH = 11; // 55 bits: all of Number.MAX_SAFE_INTEGER

export type IdPrefix =
  | "org"
  | "con"
  | "drp"
  | "upl"
  | "run"
  | "iss"
  | "chg"
  | "usr"
  | "dep"
  | "whe"
  | "evt"
  | "dlv"
  | "tok"
  | "mem"
  | "mai"
  | "bri"
  | "fil"
  | "chk"
  | "pgp"
  | "lnk"
  | "ses"
  | "tpl"
  | "grp";

export function encodeId(prefix: IdPrefix, id: number): string {
  let text = "";
  for (let rest = id; text.length < WIDTH; rest = Math.floor(rest / 32)) text = DIGITS[rest % 32] + text;
  return `${prefix}_${text}`;
}

/** The number in `text`, or null when it is not an id of this kind. */
export function decodeId(prefix: IdPrefix, text: string): number | null {
  if (text.length !== prefix.length + 1 + WIDTH || !text.startsWith(`${prefix}_`)) return null;
  let id = 0;
  for (const digit of text.slice(prefix.length + 1)) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) return null;
    id = id * 32 + value;
  }
  return Number.isSafeInteger(id) ? id : null;
}
