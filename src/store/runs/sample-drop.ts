/** The columns of a stored drop, with a few values of each from its first rows. Reads only, and no further than those. */
import { foldHeader } from "../../intake/header.ts";
import { readDrop } from "../../intake/media.ts";
import type { ReadOptions } from "../../intake/reading.ts";
import type { Cell } from "../../model/record.ts";
import type { Database } from "../database.ts";
import { type ReadEnd, readStored } from "./stored-drop.ts";

export interface DropSampling {
  readonly dropId: number;
  readonly options: Omit<ReadOptions, "isHeader">;
  /** Folded names of columns that the connection knows: a line that has one can be the header. */
  readonly knownNames: readonly string[];
}

export interface SampledDrop extends ReadEnd<"read"> {
  readonly columns: readonly { readonly name: string; readonly samples: readonly string[] }[];
}

const SAMPLES = 3, SAMPLE_LENGTH = 100;
/** Rows that are looked at for values of a column that is mostly empty. */
const ROWS = 500;

export async function sampleDrop(
  db: Database,
  organizationId: number,
  { dropId, options, knownNames }: DropSampling,
): Promise<SampledDrop> {
  const known = new Set(knownNames), found = new Map<string, Set<string>>();
  const isHeader = (columns: readonly string[]) => columns.some((column) => known.has(foldHeader(column)));
  const read = await readStored(db, organizationId, dropId, async (drop) => {
    let left = ROWS;
    const report = { delimiter: null, endsWithLineEnd: true };
    for await (const block of readDrop(drop, { ...options, isHeader }, report)) {
      for (const name of block.columns) if (!found.has(name)) found.set(name, new Set());
      const rows = block.rows(Array.from({ length: Math.min(left, block.count) }, (_, place) => place));
      for (const { columns, cells } of rows) columns.forEach((name, i) => take(found.get(name), cells[i]));
      if ((left -= rows.length) <= 0) break;
    }
    return "read";
  });
  return { ...read, columns: [...found].map(([name, samples]) => ({ name, samples: [...samples] })) };
}

function take(samples: Set<string> | undefined, cell: Cell): void {
  if (samples === undefined || samples.size >= SAMPLES || cell === null || cell === undefined) return;
  const text = (typeof cell === "object" ? JSON.stringify(cell) : String(cell)).trim();
  if (text !== "") samples.add(text.slice(0, SAMPLE_LENGTH));
}
