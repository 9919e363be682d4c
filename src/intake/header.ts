/**
 * Headers to fields: the field of each column of an input, and warnings about the other columns.
 *
 * A connection's mapping counts first, then the field's own name, then another spelling of it, then an alias. Nothing
 * is guessed, and nothing is ignored silently: an unknown header, and one that lost its field to a better one, are
 * warnings of the whole input. No I/O.
 */
import { Fault } from "../model/errors.ts";
import { DEPARTMENT_FIELDS, type Fields, type Issue, USER_FIELDS } from "../model/record.ts";
import { issueOf } from "../model/wording.ts";
import { lowerCase } from "../std/lower-case.ts";
import { cleanHeader } from "./clean.ts";
import { BEFORE_NAMES, type Dictionary, OPPOSITES } from "./dictionary.ts";
import { nearest } from "./nearest.ts";

/** The failure report's own columns. An input that has one of them is a corrected report: a diff. */
export const REPORT_COLUMNS = [
  "_severity",
  "_codes",
  "_fields",
  "_message",
  "_suggestion",
  "_extra",
  "_absent",
  // The last one is never empty, so that a spreadsheet keeps the length of every row.
  "_line",
] as const;

export interface HeaderOptions {
  /** Header to field; headers compare exactly first, then like names. Null: the column is ignored without a warning. */
  readonly mapping: Readonly<Record<string, string | null>>;
  /** Keys of the organization's custom fields. */
  readonly customKeys: readonly string[];
  /** The field whose column is required. Null, for users: `employee_id` or `email`. Departments need `name`. */
  readonly key: string | null;
  /** Only mapped headers and exact names count. */
  readonly exactNames: boolean;
  /** What the last whole file called the column of each field. */
  readonly before: Readonly<Record<string, string>>;
}

export interface Header {
  readonly fields: Fields;
  readonly issues: readonly Issue[];
  /** Whether the input is a failure report, corrected and sent again. */
  readonly isReport: boolean;
}

/** Lower is better. Aliases rank from ALIAS upwards, by their position, and those before names from BEFORE_NAME. */
const MAPPED = 0, BEFORE_NAME = 1, EXACT = 100, RELAXED = 101, ALIAS = 102;

/** What people add to a header to say how its column is to be filled in; no part of its name. */
const DECORATION = /\*|:\s*$|[[(]\s*(?:required|mandatory|optional|read[ -]?only|upload only)\s*[\])]/gi;
/** Headers that a message lists, and their length in it. */
const MOST_LISTED = 20, MOST_LISTED_LENGTH = 60;

/** What a column is read as, and how well its name fits. */
export interface Reading {
  readonly field: string;
  readonly rank: number;
}

/** Throws Faults: `header_duplicate` for a used name that is there twice, `header_missing` without the key's column. */
export function resolveHeader(header: readonly string[], dictionary: Dictionary, options: HeaderOptions): Header {
  const columns = header.map(cleanHeader);
  const known = namesOf(dictionary, options.customKeys);
  const readings = columns.map((column) => isReportColumn(column) ? null : read(column, known, dictionary, options));
  const winners = findWinners(columns, readings);
  const won = new Set(winners.values());
  const fields = readings.map((reading, i) => (reading !== null && won.has(i) ? reading.field : null));

  refuseMissingKey(columns, fields, dictionary, options);
  const nearby = namesNearby(known.filter((name) => !winners.has(name)), dictionary, options);
  const issues: Issue[] = [];
  const isToReport = (column: string, i: number) =>
    fields[i] === null && !isReportColumn(column) && mappedTo(column, options) !== null;
  columns.forEach((column, i) => {
    // A name that is there more than once is reported once.
    if (!isToReport(column, i) || (column !== "" && columns.indexOf(column) < i)) return;
    const reading = readings[i]!;
    issues.push(
      reading === null
        ? unknown(columns, i, nearby)
        : unused(column, columns[winners.get(targetOf(reading))!]!, reading.field),
    );
  });
  return { fields, issues, isReport: columns.some(isReportColumn) };
}

/** The column of each field that has one: the best by its rank, and of equals the first. */
export function findBest(readings: readonly (Reading | null)[]): ReadonlyMap<string, number> {
  const winners = new Map<string, number>();
  const isBetter = (reading: Reading, other: Reading) =>
    reading.rank < other.rank ||
    (reading.rank === other.rank && reading.field !== other.field && reading.field === targetOf(reading));
  readings.forEach((reading, i) => {
    if (reading === null) return;
    const rival = winners.get(targetOf(reading));
    if (rival === undefined || isBetter(reading, readings[rival]!)) winners.set(targetOf(reading), i);
  });
  return winners;
}

/** As findBest. Throws when a field has two columns that are equally good. */
function findWinners(columns: readonly string[], readings: readonly (Reading | null)[]): ReadonlyMap<string, number> {
  const winners = findBest(readings);
  readings.forEach((reading, i) => {
    const best = reading === null ? i : winners.get(targetOf(reading))!;
    if (best === i) return;
    const other = readings[best]!;
    if (other.rank === reading!.rank && other.field === reading!.field) throw isTwice(columns, best, i, other.field);
  });
  return winners;
}

/** The field that a reading decides, whichever way round. */
export function targetOf({ field }: Reading): string {
  return OPPOSITES[field] ?? field;
}

function isTwice(columns: readonly string[], first: number, second: number, field: string): Fault {
  return new Fault(
    "header_duplicate",
    columns[first] === columns[second]
      ? `The header "${columns[first]}" is there twice, in columns ${first + 1} and ${second + 1}: ` +
        "each name that is used should be there once"
      : `Columns "${columns[first]}" and "${columns[second]}" are both "${field}": only one should be there`,
  );
}

/** Names that an unknown one may have been meant to be. `free`: fields that no column has. */
export function namesNearby(
  free: readonly string[],
  dictionary: Dictionary,
  { exactNames }: Pick<HeaderOptions, "exactNames">,
): readonly string[] {
  return exactNames ? free : [...free, ...free.flatMap((name) => dictionary.aliases[name] ?? [])];
}

/** Folds spellings of one name: case, spaces, `_ - .`, the form of Unicode and decorations do not matter. */
export function foldHeader(name: string): string {
  return lowerCase(name.normalize("NFC").replace(DECORATION, "")).replace(/[\s_.\-]+/g, "");
}

export function isReportColumn(column: string): boolean {
  return (REPORT_COLUMNS as readonly string[]).includes(column);
}

/** The fields that an input of the dictionary's entity can have. */
export function namesOf(dictionary: Dictionary, customKeys: readonly string[]): readonly string[] {
  return dictionary.entity === "departments" ? DEPARTMENT_FIELDS : [...USER_FIELDS, ...customKeys];
}

/** The field that a cleaned header names, and how well; null: none. */
export function read(
  column: string,
  known: readonly string[],
  dictionary: Dictionary,
  options: Pick<HeaderOptions, "mapping" | "exactNames">,
): Reading | null {
  if (column === "") return null;
  const { exactNames } = options;
  const folded = foldHeader(column);
  const mapped = mappedTo(column, options);
  if (mapped === null) return null;
  if (mapped !== undefined && (known.includes(mapped) || OPPOSITES[mapped] !== undefined)) {
    return { field: mapped, rank: MAPPED };
  }
  const exact = column.normalize("NFC");
  if (known.includes(exact)) return { field: exact, rank: EXACT };
  if (exactNames || folded === "") return null;
  const relaxed = known.find((name) => foldHeader(name) === folded);
  if (relaxed !== undefined) return { field: relaxed, rank: RELAXED };
  let best: Reading | null = null;
  for (const [field, headers] of Object.entries(dictionary.aliases)) {
    if (!known.includes(field) && OPPOSITES[field] === undefined) continue;
    const place = headers.findIndex((header) => foldHeader(header) === folded);
    if (place < 0) continue;
    const rank = (BEFORE_NAMES[field]?.includes(headers[place]!) ? BEFORE_NAME : ALIAS) + place;
    if (best === null || rank < best.rank) best = { field, rank };
  }
  return best;
}

/** The field that the connection maps the column to; null: it is to be ignored; undefined: it is not mapped. */
export function mappedTo(
  column: string,
  { mapping, exactNames }: Pick<HeaderOptions, "mapping" | "exactNames">,
): string | null | undefined {
  if (Object.hasOwn(mapping, column)) return mapping[column];
  if (exactNames) return undefined;
  const folded = foldHeader(column);
  return Object.entries(mapping).find(([header]) => foldHeader(header) === folded)?.[1];
}

export function refuseMissingKey(
  columns: readonly string[],
  fields: Fields,
  dictionary: Dictionary,
  options: HeaderOptions,
): void {
  const keys = dictionary.entity === "departments"
    ? ["name"]
    : options.key === null
    ? ["employee_id", "email"]
    : [options.key];
  if (keys.some((key) => fields.includes(key))) return;
  const mapped = Object.entries(options.mapping).filter(([, field]) => field !== null && keys.includes(field)).map((
    [header],
  ) => header);
  const aliases = options.exactNames ? [] : keys.flatMap((key) => dictionary.aliases[key] ?? []);
  const would = [...new Set([...mapped, ...keys, ...aliases])].map((name) => `"${name}"`);
  throw new Fault(
    "header_missing",
    `There is no column for ${keys.map((key) => `"${key}"`).join(" or ")}, the key: ` +
      `one of these headers should be there: ${would.join(", ")}; ${listHeaders(columns)}` +
      keys.flatMap((key) =>
        options.before[key] === undefined ? [] : `; the last file called it "${options.before[key]}"`
      )
        .join("") +
      (columns.includes("name")
        ? '; if its rows are departments, call that column "department", or send it with entity=departments'
        : ""),
  );
}

function listHeaders(columns: readonly string[]): string {
  const named = columns.filter((column) => column !== "");
  if (named.length === 0) return "the first row has no headers at all";
  const shown = named.slice(0, MOST_LISTED).map((column) => `"${column.slice(0, MOST_LISTED_LENGTH)}"`).join(", ");
  const more = named.length > MOST_LISTED ? ` and ${named.length - MOST_LISTED} more` : "";
  return `the headers here are ${shown}${more}`;
}

export function unknown(columns: readonly string[], index: number, names: readonly string[]): Issue {
  const column = columns[index]!;
  if (column === "") {
    return issueOf(
      { severity: "warning", code: "header_unknown", field: null, value: null },
      [`Column ${index + 1} has no header: it is not processed`],
      "Give the column a header, or remove it",
    );
  }
  const near = nearest(foldHeader(column), names, foldHeader);
  const places = columns.flatMap((name, i) => name === column ? [i + 1] : []);
  const where = places.length === 1 ? "its column is" : `its columns ${places.join(" and ")} are`;
  return issueOf(
    { severity: "warning", code: "header_unknown", field: null, value: column.slice(0, 200) },
    [
      `Unknown header "${column.slice(0, 200)}": ${where} not processed` +
      (near === null ? "" : `; perhaps it should be "${near}"`),
    ],
    near === null ? "Remove the column, or map its header in the connection" : `Rename it to "${near}"`,
  );
}

export function unused(column: string, winner: string, field: string): Issue {
  return issueOf(
    { severity: "warning", code: "header_unused", field, value: column.slice(0, 200) },
    [`Header "${column.slice(0, 200)}" is not used: "${winner.slice(0, 200)}" is "${field}" already`],
    "Remove one of the two columns",
  );
}
