/**
 * Columns that seem to say who has left, though nothing decides it: a column of employment statuses without a filter, or
 * a header that is known for such statuses and is not mapped. Pure.
 */
import { cleanCell } from "../intake/clean.ts";
import { foldHeader } from "../intake/header.ts";
import { foldWord } from "../model/value-settings.ts";
import type { Fields, Row } from "../model/record.ts";
import type { ColumnFacts } from "./column-facts.ts";
import type { ColumnNote } from "./column-notes.ts";
import { EMPLOYMENT, LEAVERS } from "./values/words.ts";

export interface StatusColumns {
  /** Place of the column that says who is active; -1: there is none. */
  readonly active: number;
  /** Places of columns that may hold employment statuses, where nothing else decides. */
  readonly unclear: readonly number[];
  /** Words of these columns by their cells: there are few of them, and many rows. */
  readonly words: Map<string, string>;
}

const MOST_WORDS = 1_000;

const HEADERS = new Set(
  [
    ...["status", "employee_status", "employment_status", "worker_status", "work_status", "job_status", "staff_status"],
    ...["user_status", "account_status", "person_status", "status_of_employment", "state_of_employment"],
    ...["employment_state", "employee_state", "emp_status", "hr_status", "employment_record_status"],
  ].map(foldHeader),
);
const WORDS = new Set(EMPLOYMENT.map(foldWord)), WORDS_OF_LEAVERS = new Set(LEAVERS.map(foldWord));
const STATUS_FIELDS: readonly string[] = ["is_active", "is_archived"];

/**
 * `mapping`: the headers that the connection maps by itself. `deciding`: those that it chooses its rows by. `isFiltered`:
 * only some employment statuses are imported.
 */
export function statusColumnsOf(
  names: readonly string[],
  fields: Fields,
  { mapping, deciding, isFiltered }: {
    readonly mapping: readonly string[];
    readonly deciding: readonly string[];
    readonly isFiltered: boolean;
  },
): StatusColumns {
  const active = fields.findIndex((field) => field !== null && STATUS_FIELDS.includes(field));
  if (active >= 0 || fields.includes("deactivation_date")) return { active, unclear: [], words: new Map() };
  const mapped = new Set(mapping.map(foldHeader)), choosing = new Set(deciding.map(foldHeader));
  const isUnclear = (name: string, place: number) => {
    const field = fields[place]!, header = foldHeader(name);
    if (choosing.has(header)) return false;
    if (field === "employment_status") return !isFiltered;
    return field === null && HEADERS.has(header) && !mapped.has(header);
  };
  return { active, unclear: names.flatMap((name, place) => isUnclear(name, place) ? [place] : []), words: new Map() };
}

/** Notes what the row has in these columns. */
export function noteStatusCells(facts: ColumnFacts, status: StatusColumns, { columns, cells }: Row): void {
  for (const place of status.unclear) {
    const word = wordIn(status, cells[place]);
    if (word !== "") facts.noteStatusCell(columns[place]!, WORDS.has(word));
  }
}

/** The word by which the row's person has left, as a note on its column; null: there is none. */
export function leaverIn(facts: ColumnFacts, status: StatusColumns, { columns, cells }: Row): ColumnNote | null {
  for (const place of status.unclear) {
    if (!WORDS_OF_LEAVERS.has(wordIn(status, cells[place])) || !facts.holdsStatuses(columns[place]!)) continue;
    return { code: "status_unclear", field: columns[place]!, value: String(cells[place]).trim() };
  }
  return null;
}

function wordIn({ words }: StatusColumns, cell: unknown): string {
  if (typeof cell !== "string") return "";
  let word = words.get(cell);
  if (word === undefined) {
    word = foldWord(cleanCell(cell, "exact"));
    if (words.size < MOST_WORDS) words.set(cell, word);
  }
  return word;
}
