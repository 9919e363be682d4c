/** Rows below a table that are no people: totals and remarks, as reports end with them. Pure. */
import { cleanCell } from "../intake/clean.ts";
import type { Cell } from "../model/record.ts";

/** How such a row begins, in the languages of common exports. */
const TOTAL =
  /^(?:(?:grand|sub|overall)[ -]?)?(?:totals?|totale|totaal|sum|summe|gesamt|anzahl|count|nombre|somma|suma|razem|celkem|summa)\b(?!@)/i;
const REMARK =
  /^(?:end of (?:report|file|list|data)|report generated|generated (?:on|by|at)|\d+ (?:rows?|records?|employees?|users?|people)\b)/i;
const NUMBER = /^[\d.,\s'%-]+$/;

/** Whether a row that cannot be used is a total or a remark: one text like that, and at most numbers beside it. */
export function isTotal(cells: readonly Cell[]): boolean {
  const filled = cells.flatMap((cell) => {
    const text = typeof cell === "string"
      ? cleanCell(cell, "exact")
      : cell === null || cell === undefined
      ? ""
      : String(cell);
    return text === "" ? [] : [text];
  });
  const [first = "", ...rest] = filled;
  return (TOTAL.test(first) || REMARK.test(first)) && rest.every((text) => NUMBER.test(text));
}
