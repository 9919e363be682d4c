/** What a reading has shown so far: the people, and for how many of them each field was withheld. */
import type { FetchedRecord } from "../../src/connector.ts";
import { isNeeded, type Wanted } from "./fields.ts";
import { plain } from "./normalize.ts";

/** The reply broke off, or the data changed between two replies: everybody has to be read again. */
export class StaleRead extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "StaleRead";
  }
}

/** A person as BambooHR shows them, with the field names of reports. Hidden fields are absent, not empty. */
export interface Person {
  readonly id: string;
  readonly record: FetchedRecord;
}

export interface Page {
  readonly origin: string;
  readonly people: readonly Person[];
}

export interface Seen {
  readonly ids: Set<string>;
  active: number;
  inactive: number;
  /** Number of people, by the field's name in reports. */
  readonly withheld: Map<string, number>;
  /** Employment statuses that occurred. */
  readonly statuses: Set<string>;
}

export function createSeen(): Seen {
  return { ids: new Set(), active: 0, inactive: 0, withheld: new Map(), statuses: new Set() };
}

/** Notes the people, and returns those who were not seen before. */
export function takeNew(seen: Seen, people: readonly Person[], wanted: readonly Wanted[]): Person[] {
  return people.filter(({ id, record }) => {
    if (id === "" || seen.ids.has(id)) return false;
    seen.ids.add(id);
    for (const { name } of wanted) if (record[name] === undefined) seen.withheld.set(name, withheldOf(seen, name) + 1);
    const status = String(record.status ?? "").trim().toLowerCase();
    if (status === "active") seen.active++;
    if (status === "inactive") seen.inactive++;
    const employment = plain(record.employmentHistoryStatus);
    if (employment !== null) seen.statuses.add(employment);
    return true;
  });
}

/** For how many people the field was withheld. */
export function withheldOf(seen: Seen, name: string): number {
  return seen.withheld.get(name) ?? 0;
}

/** Fields that were withheld for everybody. */
export function hiddenFields(seen: Seen, wanted: readonly Wanted[]): Wanted[] {
  return wanted.filter(({ name }) => seen.ids.size > 0 && withheldOf(seen, name) === seen.ids.size);
}

/** Hidden fields without which the reading is useless. */
export function neededHidden(seen: Seen, wanted: readonly Wanted[], onlyStatuses: readonly string[] | null): Wanted[] {
  return hiddenFields(seen, wanted).filter((field) => isNeeded(field, onlyStatuses));
}

/** The id as text; "" when there is none. */
export function idOf(value: unknown): string {
  return typeof value === "string" ? value.trim() : typeof value === "number" ? String(value) : "";
}

/**
 * The cells of a row, by their names in reports. `names`: from those to the names in the row; null: the row has none.
 */
export function recordOf(
  row: Readonly<Record<string, unknown>>,
  names: ReadonlyMap<string, string | null>,
): FetchedRecord {
  const record: Record<string, string | number | boolean | object | null> = {};
  for (const [name, there] of names) {
    const cell = there === null ? undefined : row[there];
    if (cell !== undefined) record[name] = cell as string;
  }
  return record;
}
