/** Comparing texts in SQL without regard to case, beyond the letters that SQLite's `lower` knows. */
import { type SQL, sql } from "drizzle-orm";
import { foldText } from "../../scim/fold.ts";
import type { Operator } from "../../scim/filter.ts";
import { ScimError } from "../../scim/error.ts";

/** Letters beyond ASCII of one value. Each of them nests the expression once more. */
const MAX_LETTERS = 40;
const BEYOND_ASCII = /[^\0-\x7F]/gu;

/**
 * The column in lower case, as far as it matters for this value: where a letter of the value has a capital, that capital
 * is replaced. Other letters beyond ASCII differ from the value's anyhow.
 */
export function foldedFor(column: SQL, folded: string): SQL {
  const letters = [...new Set(folded.match(BEYOND_ASCII) ?? [])]
    .map((letter) => [letter.toUpperCase(), letter] as const)
    .filter(([capital, letter]) => capital !== letter && capital.toLowerCase() === letter);
  if (letters.length > MAX_LETTERS) {
    throw new ScimError("invalidFilter", `A value has more than ${MAX_LETTERS} different letters beyond ASCII`);
  }
  return letters.reduce(
    (made, [capital, letter]) => sql`replace(${made}, ${capital}, ${letter})`,
    sql`lower(${column})`,
  );
}

/** Whether the texts of the column are as the operator says. */
export function compareText(column: SQL, operator: Operator, value: string, isExact: boolean): SQL {
  const text = isExact ? value : foldText(value);
  return compare(isExact ? column : foldedFor(column, text), operator, text);
}

/** As compareText, for a column that is stored as it is compared. */
export function compareStored(column: SQL, operator: Operator, text: string): SQL {
  return compare(column, operator, text);
}

function compare(column: SQL, operator: Operator, text: string): SQL {
  const length = [...text].length;
  switch (operator) {
    case "co":
      return sql`instr(${column}, ${text}) > 0`;
    case "sw":
      return sql`substr(${column}, 1, ${length}) = ${text}`;
    case "ew":
      return length === 0 ? sql`${column} is not null` : sql`substr(${column}, -${sql.raw(String(length))}) = ${text}`;
    default:
      return ordered(column, operator, text);
  }
}

/** What has no value differs from every value. */
export function ordered(column: SQL, operator: Operator, value: string | number): SQL {
  switch (operator) {
    case "eq":
      return sql`${column} = ${value}`;
    case "ne":
      return sql`${column} is not ${value}`;
    case "gt":
      return sql`${column} > ${value}`;
    case "ge":
      return sql`${column} >= ${value}`;
    case "lt":
      return sql`${column} < ${value}`;
    case "le":
      return sql`${column} <= ${value}`;
    default:
      throw new ScimError("invalidFilter", `"${operator}" compares texts alone`);
  }
}
