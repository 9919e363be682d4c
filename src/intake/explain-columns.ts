/** What each column of an input is read as, and why: for people who decide where a column belongs. No I/O. */
import { cleanHeader } from "./clean.ts";
import type { Dictionary } from "./dictionary.ts";
import {
  findBest,
  foldHeader,
  isReportColumn,
  mappedTo,
  namesNearby,
  namesOf,
  read,
  type Reading,
  targetOf,
} from "./header.ts";
import { nearest } from "./nearest.ts";

/**
 * `mapping`: the connection says so. `connector`: its connector does. `name`: the column's name is known. `taken`: another
 * column is that field already. `report`: it is one of a failure report's own. `unknown`: the name is not known.
 */
export const COLUMN_REASONS = ["mapping", "connector", "name", "taken", "report", "unknown"] as const;

export interface ExplainedColumn {
  readonly column: string;
  /** Null: the column is not used. */
  readonly field: string | null;
  readonly because: (typeof COLUMN_REASONS)[number];
  /** The field that an unknown name may have been meant to be. */
  readonly suggestion: string | null;
}

export interface ColumnRules {
  readonly dictionary: Dictionary;
  /** Of the connection, and of its connector; the connection's counts first. */
  readonly mapping: Readonly<Record<string, string | null>>;
  readonly connectorMapping: Readonly<Record<string, string | null>>;
  readonly customKeys: readonly string[];
  readonly exactNames: boolean;
}

export function explainColumns(columns: readonly string[], rules: ColumnRules): ExplainedColumn[] {
  const { dictionary, exactNames } = rules;
  const mapping = { ...rules.connectorMapping, ...rules.mapping };
  const known = namesOf(dictionary, rules.customKeys), cleaned = columns.map(cleanHeader);
  const readings = cleaned.map((column) =>
    isReportColumn(column) ? null : read(column, known, dictionary, { mapping, exactNames })
  );
  const winners = findBest(readings);
  const nearby = namesNearby(known.filter((name) => !winners.has(name)), dictionary, { exactNames });
  return cleaned.map((column, i) => {
    const reading = readings[i]!;
    const isUsed = reading !== null && winners.get(targetOf(reading)) === i;
    const because = reasonOf(column, reading, isUsed, rules);
    return {
      column: columns[i]!,
      field: isUsed ? reading.field : null,
      because,
      suggestion: because === "unknown" && column !== "" ? fieldNear(column, nearby, known, rules) : null,
    };
  });
}

function reasonOf(
  column: string,
  reading: Reading | null,
  isUsed: boolean,
  { mapping, connectorMapping, exactNames }: ColumnRules,
): ExplainedColumn["because"] {
  if (isReportColumn(column)) return "report";
  if (reading !== null && !isUsed) return "taken";
  if (mappedTo(column, { mapping, exactNames }) !== undefined) return "mapping";
  if (mappedTo(column, { mapping: connectorMapping, exactNames }) !== undefined) return "connector";
  return isUsed ? "name" : "unknown";
}

function fieldNear(
  column: string,
  nearby: readonly string[],
  known: readonly string[],
  { dictionary, exactNames }: ColumnRules,
): string | null {
  const near = nearest(foldHeader(column), nearby, foldHeader);
  return near === null ? null : read(near, known, dictionary, { mapping: {}, exactNames })?.field ?? null;
}
