/**
 * Readers of values: one cell goes in, a usable value or its problem comes out.
 *
 * Readers are made once per run and called for every cell, so a good value costs no allocation beyond itself.
 * No I/O. No clock.
 */

import type { Cell } from "../../model/record.ts";
import type { IssueCode } from "../../model/codes.ts";

/** A usable value; null: the cell is empty. */
export type Value = string | number | boolean | readonly string[] | null;

/** The problem of a cell, without the parts of a message that all refusals share. */
export interface Refusal {
  readonly code: IssueCode;
  /** What is wrong and what would be right. Follows `Cannot use "…" as email: ` in the message. */
  readonly because: string;
  /** What to do, in a few words. */
  readonly suggestion: string;
}

/** Reads one cell that is present (never undefined). Never throws. */
export type Reader = (cell: Cell) => Value | Refusal;

export function refuse(code: IssueCode, because: string, suggestion: string): Refusal {
  return { code, because, suggestion };
}

export function isRefusal(result: Value | Refusal): result is Refusal {
  return typeof result === "object" && result !== null && "because" in result;
}
