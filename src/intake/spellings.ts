/**
 * The fields of records, each of which spells its own keys: `Email` in one and `email` in another are the same field,
 * and no value is lost. Only where one record has two keys of a field, one of them counts, by the order of columns in a
 * table: mapped, exact, relaxed, alias. No I/O.
 */
import type { Cell, Fields, Issue, Row, RowBlock } from "../model/record.ts";
import { cleanHeader } from "./clean.ts";
import type { Dictionary } from "./dictionary.ts";
import {
  type Header,
  type HeaderOptions,
  isReportColumn,
  mappedTo,
  namesNearby,
  namesOf,
  read,
  type Reading,
  refuseMissingKey,
  targetOf,
  unknown,
  unused,
} from "./header.ts";
import { keyTwice } from "./record-issues.ts";

/** What the keys of records mean. */
export interface Spellings extends Header {
  /** Warnings about the keys of one record. */
  issuesOf(keys: readonly string[]): Issue[];
  /** The rows with each value in the column of its field. */
  settle(block: RowBlock): RowBlock;
}

/** Keys of one field, or of it and its opposite, by their places. The best is first. */
type Rivals = readonly number[];

/**
 * `columns`: the keys of all records. `shapes`: which of them are together in a record. Throws a Fault, `header_missing`,
 * if no record has the key, unless `needsKey` is false.
 */
export function resolveSpellings(
  keys: readonly string[],
  shapes: readonly (readonly number[])[],
  dictionary: Dictionary,
  options: HeaderOptions & { readonly needsKey: boolean },
): Spellings {
  const columns = keys.map(cleanHeader);
  const known = namesOf(dictionary, options.customKeys);
  const readings = columns.map((column) => isReportColumn(column) ? null : read(column, known, dictionary, options));
  const groups = groupRivals(readings);
  const homes = homesOf(readings);
  const fields = readings.map((
    reading,
    i,
  ) => (reading !== null && homes.get(reading.field) === i ? reading.field : null));
  if (options.needsKey) refuseMissingKey(columns, fields, dictionary, options);
  const nearby = namesNearby(known.filter((name) => !homes.has(name)), dictionary, options);
  const strangers = columns.map((column, i) =>
    readings[i] !== null || isReportColumn(column) || mappedTo(column, options) === null
      ? null
      : unknown(columns, i, nearby)
  );
  const lost = (has: (place: number) => boolean) =>
    groups.flatMap((rivals) => {
      const [winner, ...losers] = rivals.filter(has);
      // Two that are equally good are an error of their record.
      if (winner === undefined || losers.length === 0 || isTie(readings, winner, losers[0]!)) return [];
      return losers.map((place) => unused(columns[place]!, columns[winner]!, readings[place]!.field));
    });
  const places = new Map(keys.map((key, i) => [key, i]));
  return {
    fields,
    issues: [
      ...strangers.filter((issue) => issue !== null),
      ...groups.length === 0 ? [] : shapes.flatMap((shape) => lost((place) => shape.includes(place))),
    ],
    isReport: columns.some(isReportColumn),
    issuesOf(keys) {
      const own = new Set(keys.map((key) => places.get(key)));
      return [...strangers.filter((issue, i) => issue !== null && own.has(i)) as Issue[], ...lost((i) => own.has(i))];
    },
    settle: (block) => groups.length === 0 ? block : settledBlock(block, { columns, readings, fields, groups, homes }),
  };
}

/** The column of each field: that of its best spelling. */
function homesOf(readings: readonly (Reading | null)[]): Map<string, number> {
  const homes = new Map<string, number>();
  readings.forEach((reading, i) => {
    if (reading === null) return;
    const home = homes.get(reading.field);
    if (home === undefined || reading.rank < readings[home]!.rank) homes.set(reading.field, i);
  });
  return homes;
}

function groupRivals(readings: readonly (Reading | null)[]): Rivals[] {
  const byTarget = new Map<string, number[]>();
  readings.forEach((reading, i) => {
    if (reading === null) return;
    const target = targetOf(reading);
    byTarget.set(target, [...byTarget.get(target) ?? [], i]);
  });
  // The sort is stable: among equals the key that came first.
  const better = (a: Reading, b: Reading) =>
    a.rank - b.rank || Number(a.field !== targetOf(a)) - Number(b.field !== targetOf(b));
  return [...byTarget.values()].filter((places) => places.length > 1)
    .map((places) => places.sort((a, b) => better(readings[a]!, readings[b]!)));
}

function isTie(readings: readonly (Reading | null)[], one: number, other: number): boolean {
  const [a, b] = [readings[one]!, readings[other]!];
  return a.rank === b.rank && a.field === b.field;
}

interface Resolved {
  readonly columns: readonly string[];
  readonly readings: readonly (Reading | null)[];
  readonly fields: Fields;
  readonly groups: readonly Rivals[];
  readonly homes: ReadonlyMap<string, number>;
}

function settledBlock(block: RowBlock, resolved: Resolved): RowBlock {
  return {
    ...block,
    rows: (indexes) => block.rows(indexes).map((row) => (row.broken === undefined ? settleRow(row, resolved) : row)),
  };
}

/** A record with two keys of a field that are equally good is broken: neither is taken for the right one. */
function settleRow(row: Row, { columns, readings, fields, groups, homes }: Resolved): Row {
  let cells: Cell[] | null = null;
  for (const rivals of groups) {
    const [winner, second, ...others] = rivals.filter((place) => row.cells[place] !== undefined);
    if (winner === undefined) continue;
    const { field } = readings[winner]!;
    if (second !== undefined && isTie(readings, winner, second)) {
      return { ...row, broken: keyTwice(columns[winner]!, columns[second]!, field) };
    }
    const home = homes.get(field)!;
    // Losers stay for the report, except where they would be read as another field.
    const read = [second, ...others].filter((place) => place !== undefined && fields[place] !== null);
    if (home === winner && read.length === 0) continue;
    cells ??= [...row.cells];
    for (const place of read) cells[place!] = undefined;
    if (home === winner) continue;
    cells[home] = row.cells[winner];
    cells[winner] = undefined;
  }
  return cells === null ? row : { ...row, cells };
}
