/**
 * How the bytes of a cell read in the encodings that they could have, for somebody to choose: nobody but a person who knows
 * the name can. No I/O. No clock.
 */
import { WINDOWS_1252 } from "../model/charset.ts";
import { encodeWindows1252 } from "./windows-1252.ts";

/** In the order of how common they are, which decides between equals. */
const CANDIDATES = [
  WINDOWS_1252,
  "windows-1250",
  "macintosh",
  "windows-1251",
  "shift_jis",
  "gb18030",
  "big5",
  "euc-kr",
  "windows-1253",
  "windows-1254",
  "ibm866",
];
const MULTI_BYTE = new Set(["shift_jis", "gb18030", "big5", "euc-kr"]);

const MAX_READINGS = 3, MAX_CHARACTERS = 40;
/** Readings that are less likely than this are not shown where there are others. */
const MAX_PENALTY = 3;

const WIDE = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/gu;
const SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u,
];

/** Such as `"José" in windows-1252 or windows-1250, "JosÈ" in macintosh`. Null: no encoding gives a text. */
export function likelyReadings(cell: Uint8Array): string | null {
  const byText = new Map<string, { names: string[]; penalty: number }>();
  for (const name of CANDIDATES) {
    const text = decodeAs(cell, name)?.trim();
    if (text === undefined || text === "") continue;
    const known = byText.get(text);
    if (known !== undefined) known.names.push(name);
    else {byText.set(text, {
        names: [name],
        penalty: penaltyOf(text, MULTI_BYTE.has(name)),
      });}
  }
  const readings = [...byText].sort(([, a], [, b]) => a.penalty - b.penalty);
  const likely = readings.filter(([, { penalty }], i) => i < 2 || penalty <= MAX_PENALTY).slice(0, MAX_READINGS);
  if (likely.length === 0) return null;
  return likely.map(([text, { names }]) => `"${shortened(text)}" in ${names.slice(0, 2).join(" or ")}`).join(", ");
}

/** Null: the bytes are no text in that encoding, or the runtime does not know it. */
export function decodeAs(bytes: Uint8Array, name: string): string | null {
  if (name === WINDOWS_1252) {
    const utf8 = encodeWindows1252(bytes);
    return utf8 === null ? null : new TextDecoder().decode(utf8);
  }
  try {
    const text = new TextDecoder(name, { fatal: true }).decode(bytes);
    return isText(text) ? text : null;
  } catch {
    return null;
  }
}

/**
 * Some runtimes give control characters for bytes that an encoding does not define, although decoding is strict. A text
 * that has them was written in another encoding.
 */
export function isText(text: string): boolean {
  return !/[\0\u0080-\u009f]/.test(text);
}

/** How little a text looks like what people write, from 0: symbols, alphabets that are mixed, capitals inside a word. */
function penaltyOf(text: string, isMultiByte: boolean): number {
  const times = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
  const symbols = times(/[^\p{L}\p{M}\p{N}\p{Zs}\x20-\x7e]|\p{Co}|[\u02b0-\u02ff]/gu);
  const scripts = SCRIPTS.filter((script) => script.test(text)).length;
  // No language of the Latin alphabet has three letters with marks in a row.
  const marked = times(/[\u00c0-\u024f]{3,}/gu);
  // Letters of these encodings have two bytes: of one wide letter, half was probably a letter of its own.
  const isStray = isMultiByte && (times(WIDE) < 2 || times(/[A-Za-z]/g) > 0);
  return 2 * symbols + 3 * Math.max(0, scripts - 1) +
    2 * times(/\p{Ll}\p{Lu}/gu) + 3 * marked + (isStray ? 4 : 0);
}

function shortened(text: string): string {
  const characters = [...text.replace(/[\s\p{Cc}]+/gu, " ")];
  return characters.length <= MAX_CHARACTERS ? characters.join("") : `${characters.slice(0, MAX_CHARACTERS).join("")}…`;
}
