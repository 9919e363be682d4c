/**
 * The filter of rows by their cells (policy `only_rows`): whether a row is one to import. A column that an input does not
 * have filters nobody, which is reported of the input. Pure.
 */
import { cleanCell, cleanHeader, flawOf } from "../intake/clean.ts";
import { foldHeader } from "../intake/header.ts";
import type { RowCondition } from "../model/policy.ts";
import type { Cell, Row } from "../model/record.ts";
import { foldName } from "./fold.ts";

/** `unclear`: a cell that decides is empty or holds no value, and the list does not name the empty cell. */
export type RowVerdict = "wanted" | "filtered" | "unclear";

export interface RowFilter {
  /** What the conditions say of the row; null without conditions. `column`: of an unclear cell. */
  judge(row: Row): { readonly verdict: RowVerdict; readonly column: string } | null;
  /** Places of the columns that decide; rows with the same cells there, and in their fields, mean the same. */
  placesIn(columns: readonly string[]): readonly number[];
  /** Columns of the conditions that no input's columns given to `placesIn` had. */
  absent(): readonly string[];
}

interface Condition {
  readonly column: string;
  readonly folded: string;
  readonly values: ReadonlySet<string>;
  /** Whether the values are those to import; false: those to leave out. */
  readonly isToImport: boolean;
}

const WANTED = { verdict: "wanted", column: "" } as const;
const FILTERED = { verdict: "filtered", column: "" } as const;

export function createRowFilter(conditions: readonly RowCondition[]): RowFilter {
  const compiled = conditions.map(compile);
  const seen = new Set<string>();
  const places = new WeakMap<readonly string[], readonly number[]>();

  /** The column of each condition; -1: there is none. A name that is spelled so goes before one that is alike. */
  function find(columns: readonly string[]): readonly number[] {
    const known = places.get(columns);
    if (known !== undefined) return known;
    const cleaned = columns.map(cleanHeader);
    const found = compiled.map(({ column, folded }) => {
      const exact = cleaned.indexOf(column);
      return exact >= 0 ? exact : cleaned.findIndex((name) => foldHeader(name) === folded);
    });
    places.set(columns, found);
    return found;
  }

  return {
    judge(row) {
      if (compiled.length === 0) return null;
      const found = find(row.columns);
      let unclear: string | null = null;
      for (const [i, condition] of compiled.entries()) {
        const cell = row.cells[found[i]!];
        if (cell === undefined) continue;
        const verdict = judgeCell(cell, condition);
        if (verdict === "filtered") return FILTERED;
        if (verdict === "unclear") unclear ??= condition.column;
      }
      return unclear === null ? WANTED : { verdict: "unclear", column: unclear };
    },
    placesIn(columns) {
      const found = find(columns);
      for (const [i, place] of found.entries()) if (place >= 0) seen.add(compiled[i]!.column);
      return found.filter((place) => place >= 0);
    },
    absent: () => [...new Set(compiled.map(({ column }) => column))].filter((column) => !seen.has(column)),
  };
}

function compile(condition: RowCondition): Condition {
  const column = cleanHeader(condition.column);
  const isToImport = condition.is !== undefined;
  const values = new Set((condition.is ?? condition.is_not ?? []).map(foldName));
  return { column, folded: foldHeader(column), values, isToImport };
}

function judgeCell(cell: Cell, { values, isToImport }: Condition): RowVerdict {
  const value = valueOf(cell);
  const isNamed = value !== null && values.has(value);
  if (isNamed === isToImport) return "wanted";
  // An empty cell, like one whose value is lost, deactivates nobody unless the list speaks of it.
  if (isToImport && (value === null || value === "")) return "unclear";
  return "filtered";
}

/** The comparable value, "" where there is none, null where it is lost. */
function valueOf(cell: Cell): string | null {
  if (cell === null) return "";
  if (typeof cell === "object") return null;
  const text = cleanCell(String(cell), "text"), flaw = flawOf(text);
  return flaw === null ? foldName(text) : flaw === "placeholder_value" ? "" : null;
}
