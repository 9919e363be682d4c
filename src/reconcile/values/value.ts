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

/** A usable value that may not be what was meant: it is used, with a warning. */
export interface Doubtful {
  readonly value: Exclude<Value, null>;
  /** Its `because` follows `"…" was used as email, but ` in the message. */
  readonly doubt: Refusal;
}

/** Reads one cell that is present (never undefined). Never throws. */
export type Reader = (cell: Cell) => Value | Refusal | Doubtful;

export function refuse(code: IssueCode, because: string, suggestion: string): Refusal {
  return { code, because, suggestion };
}

export function isRefusal(result: Value | Refusal | Doubtful): result is Refusal {
  return typeof result === "object" && result !== null && "because" in result;
}

export function isDoubtful(result: Value | Refusal | Doubtful): result is Doubtful {
  return typeof result === "object" && result !== null && "doubt" in result;
}

/** The result for a caller that has no place for warnings. */
export function withoutDoubt(result: Value | Refusal | Doubtful): Value | Refusal {
  return isDoubtful(result) ? result.value : result;
}
