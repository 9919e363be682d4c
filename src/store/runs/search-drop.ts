/**
 * Looks for a person in the stored bytes of a drop, read again from the beginning: rows are matched by the cells that the
 * run took for ids, addresses and names. Reads only. Bounded in time; what was found by then is given.
 */
import { readDrop } from "../../intake/media.ts";
import type { ReadOptions } from "../../intake/reading.ts";
import type { RowCondition } from "../../model/policy.ts";
import type { Cell } from "../../model/record.ts";
import { createRowFilter, type RowVerdict } from "../../reconcile/row-filter.ts";
import type { Database } from "../database.ts";
import { type Asked, createRowTest } from "../people/asked.ts";
import type { openDrop } from "./drop-content.ts";
import { type ReadEnd, readStored } from "./stored-drop.ts";

export interface DropSearch {
  readonly dropId: number;
  readonly asked: Asked;
  /** The field of each column, by the column's name, as the run read them. */
  readonly fields: Readonly<Record<string, string | null>>;
  readonly options: Omit<ReadOptions, "isHeader">;
  /** The policy `only_rows`. */
  readonly conditions: readonly RowCondition[];
  readonly maxMs: number;
}

export interface DropRow {
  readonly line: number | null;
  readonly employmentStatus: string | null;
  /** What `only_rows` says of it; null: it has no conditions. */
  readonly verdict: RowVerdict | null;
}

/** `read`: all of it was. */
export interface SearchedDrop extends ReadEnd<"read" | "out_of_time"> {
  readonly rows: readonly DropRow[];
}

/** More rows of one person than anybody wants to read. */
const MAX_ROWS = 5;
/** Rows between two looks at the clock. */
const STEP = 2_000;

export async function searchDrop(db: Database, organizationId: number, search: DropSearch): Promise<SearchedDrop> {
  const rows: DropRow[] = [];
  const read = await readStored(db, organizationId, search.dropId, (drop) => readRows(rows, drop, search));
  return { ...read, rows };
}

async function readRows(
  found: DropRow[],
  drop: ReturnType<typeof openDrop>,
  { asked, fields, options, conditions, maxMs }: DropSearch,
): Promise<"read" | "out_of_time"> {
  const until = performance.now() + maxMs;
  const filter = createRowFilter(conditions);
  const isHeader = (columns: readonly string[]) => columns.some((column) => fields[column] != null);
  const report = { delimiter: null, endsWithLineEnd: true };
  for await (const block of readDrop(drop, { ...options, isHeader }, report)) {
    const own = block.columns.map((column) => fields[column] ?? null);
    const isAsked = createRowTest(asked, own);
    const status = own.indexOf("employment_status");
    for (let from = 0; from < block.count; from += STEP) {
      if (performance.now() > until) return "out_of_time";
      const places = Array.from({ length: Math.min(STEP, block.count - from) }, (_, i) => from + i);
      for (const row of block.rows(places)) {
        if (!isAsked(row.cells)) continue;
        const verdict = filter.judge(row)?.verdict ?? null;
        found.push({ line: row.line, employmentStatus: textOf(row.cells[status]), verdict });
        if (found.length === MAX_ROWS) return "read";
      }
    }
  }
  return "read";
}

function textOf(cell: Cell): string | null {
  return typeof cell === "string" && cell.trim() !== "" ? cell.trim() : null;
}
