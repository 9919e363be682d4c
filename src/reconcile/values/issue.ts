/**
 * Issues about one value: a cell and its problem go in, an issue with its message comes out. No I/O. No clock.
 */

import type { Cell, Issue, Severity } from "../../model/record.ts";
import type { Refusal } from "./value.ts";

/** Limit of a value in an issue, in code points; a message shows fewer. */
const MAX_VALUE = 200;
const MAX_SHOWN = 80;
/** What nobody sees, or takes for something else: named by its code point. */
const INVISIBLE =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u00a0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufffd\ud800-\udfff]/gu;
/** Letters of other alphabets, of which many look like Latin ones. */
const LOOK_ALIKE = /[\p{Script=Cyrillic}\p{Script=Greek}]/gu, LATIN = /\p{Script=Latin}/u;

/** The issue of a cell that was refused. */
export function refusedIssue(severity: Severity, field: string, cell: Cell, refusal: Refusal): Issue {
  return {
    severity,
    code: refusal.code,
    field,
    value: valueOf(cell),
    message: `Cannot use ${showCell(cell)} as ${field}: ${refusal.because}`,
    suggestion: refusal.suggestion,
  };
}

/** A cell for an issue: as in the source, cut to 200 code points; null for an absent cell. */
export function valueOf(cell: Cell): string | null {
  return cell === null || cell === undefined ? null : cut(textOf(cell), MAX_VALUE);
}

/**
 * A cell for a message: text trimmed and in double quotes, long ones cut. What is invisible in it, or looks like another
 * letter than it is, is named: `ana[U+200B]`.
 */
export function showCell(cell: Cell): string {
  if (cell === null || cell === undefined) return "nothing";
  if (typeof cell !== "string") {
    return Array.isArray(cell) ? "a list" : typeof cell === "object" ? "an object" : String(cell);
  }
  const text = cell.trim();
  const start = cut(text, MAX_SHOWN);
  const shown = start.replace(INVISIBLE, (character) => `[${codePoint(character)}]`);
  const marked = LATIN.test(start) ? shown.replace(LOOK_ALIKE, (letter) => `${letter}[${codePoint(letter)}]`) : shown;
  return `"${marked}${start.length < text.length ? "…" : ""}"`;
}

function textOf(cell: string | number | boolean | object): string {
  return typeof cell === "object" ? JSON.stringify(cell) ?? "" : String(cell);
}

function cut(text: string, codePoints: number): string {
  if (text.length <= codePoints) return text;
  return Array.from(text.slice(0, 2 * codePoints)).slice(0, codePoints).join("");
}

function codePoint(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}
