/**
 * What a cell with a number shows, as text: by the number as it is stored, and the format that the cell has. Pure.
 *
 * The stored text is never turned into a number where that could change its digits. An integer of more than 15 digits keeps
 * an exponent: a spreadsheet has lost its last digits, and the rules for ids and phones refuse it by that form.
 */

/** What a format makes of a number. `zeros`: digits to fill up with zeros to its length, like 000000. */
export type NumberFormat =
  | { readonly kind: "plain" | "date" | "time" | "duration" }
  | { readonly kind: "zeros"; readonly length: number };

export const PLAIN: NumberFormat = { kind: "plain" };

/** Formats that have a number and no code, as ECMA-376 lists them (part 1, 18.8.30); those of East Asian years among them. */
const DATES_BY_ID = [[14, 17], [22, 22], [27, 31], [34, 36], [50, 58]] as const;
const TIMES_BY_ID = [[18, 21], [32, 33], [45, 45], [47, 47]] as const;
const DURATION_ID = 46;

/** `code`: the format's own; null for one of those that are known by number alone. */
export function numberFormat(id: number, code: string | null): NumberFormat {
  if (code !== null) return byCode(code);
  const isIn = (ranges: readonly (readonly [number, number])[]) => ranges.some(([from, to]) => id >= from && id <= to);
  if (id === DURATION_ID) return { kind: "duration" };
  if (isIn(DATES_BY_ID)) return { kind: "date" };
  return isIn(TIMES_BY_ID) ? { kind: "time" } : PLAIN;
}

function byCode(code: string): NumberFormat {
  const first = code.split(";", 1)[0]!;
  // Quoted text, escaped characters, padding and filling; then colors, conditions and locales.
  const bare = first.replace(/"[^"]*"|\\.|_.|\*./g, "").replace(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, "");
  if (/^0{2,}$/.test(bare)) return { kind: "zeros", length: bare.length };
  if (/\[(?:h+|m+|s+)\]/i.test(bare)) return { kind: "duration" };
  if (/general/i.test(bare)) return PLAIN;
  if (/[yd]/i.test(bare)) return { kind: "date" };
  // Months stand alone, minutes beside hours or seconds.
  if (/[hs]/i.test(bare)) return { kind: "time" };
  return /m/i.test(bare) ? { kind: "date" } : PLAIN;
}

/** Days between the two systems' first days. */
const DAYS_TO_1904 = 1462;
const DAY_S = 86_400;
/** 1970-01-01 in the system of 1900, and the day before 10000-01-01. */
const EPOCH_DAY = 25_569, LAST_DAY = 2_958_465;

/** `raw`: the number as it is stored. What is not a number, or no such date, comes back as it is. */
export function numberText(raw: string, format: NumberFormat, since1904: boolean): string {
  const plain = plainNumber(raw);
  if (plain === null) return raw;
  switch (format.kind) {
    case "plain":
      return plain;
    case "zeros":
      return /^\d+$/.test(plain) ? plain.padStart(format.length, "0") : plain;
    case "duration":
      return durationText(Number(raw)) ?? plain;
    case "date":
    case "time":
      return dateText(Number(raw), format.kind, since1904) ?? plain;
  }
}

const NUMBER = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,3}))?$/;
const MAX_DIGITS = 15;

/** Without an exponent, and without zeros that say nothing; null: not a number. */
function plainNumber(raw: string): string | null {
  const found = NUMBER.exec(raw);
  if (found === null || found[2] === "" && found[3] === "") return null;
  const digits = found[2]! + found[3]!;
  const point = found[2]!.length + Number(found[4] ?? 0);
  const significant = digits.replace(/^0+/, "").replace(/0+$/, "");
  if (significant === "") return "0";
  const leading = digits.length - digits.replace(/^0+/, "").length;
  const whole = point - leading;
  const sign = found[1] === "-" ? "-" : "";
  if (whole > MAX_DIGITS) return `${sign}${significant[0]}.${significant.slice(1) || "0"}E+${whole - 1}`;
  // A spreadsheet shows 15 digits; what is behind them is noise of its arithmetic.
  const kept = significant.length > MAX_DIGITS ? rounded(sign, significant, whole) : null;
  if (kept !== null) return kept;
  if (whole <= 0) return `${sign}0.${"0".repeat(Math.min(-whole, 30))}${significant}`;
  if (significant.length <= whole) return `${sign}${significant.padEnd(whole, "0")}`;
  return `${sign}${significant.slice(0, whole)}.${significant.slice(whole)}`;
}

/** To 15 digits, by the text: the sixteenth decides. */
function rounded(sign: string, significant: string, whole: number): string {
  const up = significant.charCodeAt(MAX_DIGITS) >= 0x35;
  const digits = String(BigInt(significant.slice(0, MAX_DIGITS)) + (up ? 1n : 0n));
  const carried = digits.length - MAX_DIGITS;
  return plainNumber(`${sign}${digits}e${whole + carried - digits.length}`)!;
}

/** Days since the system's first day as a date, with the time where there is one; null: no such day. */
function dateText(serial: number, kind: "date" | "time", since1904: boolean): string | null {
  // To the second: a time of day is a fraction that binary numbers only come near.
  const seconds = Math.round(serial * DAY_S);
  const time = seconds % DAY_S;
  if (kind === "time" && seconds >= 0 && seconds < DAY_S) return clock(seconds);
  let day = Math.floor(seconds / DAY_S) + (since1904 ? DAYS_TO_1904 : 0);
  // The system of 1900 counts a 29 February that never was.
  if (day === 60 && !since1904) return null;
  if (day < 60) day++;
  if (seconds < 0 || day < 2 || day > LAST_DAY) return null;
  const date = new Date((day - EPOCH_DAY) * DAY_S * 1000).toISOString().slice(0, 10);
  return time === 0 ? date : `${date} ${clock(time)}`;
}

function durationText(days: number): string | null {
  const seconds = Math.round(days * DAY_S);
  if (seconds < 0 || !Number.isSafeInteger(seconds)) return null;
  return clock(seconds);
}

function clock(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
