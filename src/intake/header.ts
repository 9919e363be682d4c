/**
 * Headers to fields: the field of each column of an input, and warnings about the other columns.
 *
 * A connection's mapping counts first, then the field's own name, then another spelling of it, then an alias. Nothing
 * is guessed, and nothing is ignored silently: an unknown header, and one that lost its field to a better one, are
 * warnings of the whole input. No I/O.
 */
import { Fault } from "../model/errors.ts";
import { DEPARTMENT_FIELDS, type Entity, type Fields, type Issue, KEY_FIELDS, USER_FIELDS } from "../model/record.ts";
import { issueOf } from "../model/wording.ts";
import { type Dictionary, OPPOSITES } from "./dictionary.ts";
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
}

export interface Header {
  readonly fields: Fields;
  readonly issues: readonly Issue[];
  /** Whether the input is a failure report, corrected and sent again. */
  readonly isReport: boolean;
}

/** Lower is better. Aliases rank from ALIAS upwards, by their position. */
const MAPPED = 0, EXACT = 1, RELAXED = 2, ALIAS = 3;

interface Reading {
  readonly field: string;
  readonly rank: number;
}

/** Throws Faults: `header_duplicate` for the same name twice, `header_missing` without the key's column. */
export function resolveHeader(columns: readonly string[], dictionary: Dictionary, options: HeaderOptions): Header {
  refuseDuplicates(columns);
  const known = namesOf(dictionary, options.customKeys);
  const readings = columns.map((column) => isReportColumn(column) ? null : read(column, known, dictionary, options));
  const winners = new Map<string, number>();
  readings.forEach((reading, i) => {
    if (reading === null) return;
    const target = OPPOSITES[reading.field] ?? reading.field;
    const rival = winners.get(target);
    if (rival === undefined) {
      winners.set(target, i);
      return;
    }
    const other = readings[rival]!;
    if (other.rank === reading.rank && other.field === reading.field) {
      throw new Fault(
        "header_duplicate",
        `Columns "${columns[rival]}" and "${columns[i]}" are both "${reading.field}": only one should be there`,
      );
    }
    if (reading.rank < other.rank || (reading.rank === other.rank && reading.field === target)) winners.set(target, i);
  });
  const won = new Set(winners.values());
  const fields = readings.map((reading, i) => (reading !== null && won.has(i) ? reading.field : null));

  refuseMissingKey(fields, dictionary, options);
  const free = known.filter((name) => !winners.has(name));
  const nearby = options.exactNames ? free : [...free, ...free.flatMap((name) => dictionary.aliases[name] ?? [])];
  const issues: Issue[] = [];
  columns.forEach((column, i) => {
    if (fields[i] !== null || isReportColumn(column) || mappedTo(column, options) === null) return;
    const reading = readings[i]!;
    issues.push(
      reading === null
        ? unknown(column, i, nearby)
        : unused(column, columns[winners.get(OPPOSITES[reading.field] ?? reading.field)!]!, reading.field),
    );
  });
  return { fields, issues, isReport: columns.some(isReportColumn) };
}

/** The entity of an input, by its columns: departments have a name, and none of the keys of users. */
export function detectEntity(
  columns: readonly string[],
  dictionaries: { readonly users: Dictionary; readonly departments: Dictionary },
  options: Omit<HeaderOptions, "key">,
): Entity {
  const has = (dictionary: Dictionary, fields: readonly string[]) => {
    const known = namesOf(dictionary, options.customKeys);
    return columns.some((column) => {
      const reading = read(column, known, dictionary, options);
      return reading !== null && fields.includes(reading.field);
    });
  };
  if (has(dictionaries.users, KEY_FIELDS)) return "users";
  return has(dictionaries.departments, ["name"]) ? "departments" : "users";
}

/** Folds spellings of one name: case, spaces, `_ - .` and the form of Unicode do not matter. */
export function foldHeader(name: string): string {
  return name.normalize("NFC").toLowerCase().replace(/[\s_.\-]+/g, "");
}

function isReportColumn(column: string): boolean {
  return (REPORT_COLUMNS as readonly string[]).includes(column);
}

function namesOf(dictionary: Dictionary, customKeys: readonly string[]): readonly string[] {
  return dictionary.entity === "departments" ? DEPARTMENT_FIELDS : [...USER_FIELDS, ...customKeys];
}

function read(
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
    if (place >= 0 && (best === null || ALIAS + place < best.rank)) best = { field, rank: ALIAS + place };
  }
  return best;
}

/** The field that the connection maps the column to; null: it is to be ignored; undefined: it is not mapped. */
function mappedTo(
  column: string,
  { mapping, exactNames }: Pick<HeaderOptions, "mapping" | "exactNames">,
): string | null | undefined {
  if (Object.hasOwn(mapping, column)) return mapping[column];
  if (exactNames) return undefined;
  const folded = foldHeader(column);
  return Object.entries(mapping).find(([header]) => foldHeader(header) === folded)?.[1];
}

function refuseDuplicates(columns: readonly string[]): void {
  const places = new Map<string, number>();
  columns.forEach((column, i) => {
    const name = column.normalize("NFC");
    if (name === "") return;
    const before = places.get(name);
    if (before !== undefined) {
      throw new Fault(
        "header_duplicate",
        `The header "${column}" is there twice, in columns ${before + 1} and ${i + 1}: each name should be there once`,
      );
    }
    places.set(name, i);
  });
}

function refuseMissingKey(fields: Fields, dictionary: Dictionary, options: HeaderOptions): void {
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
      `one of these headers should be there: ${would.join(", ")}`,
  );
}

function unknown(column: string, index: number, names: readonly string[]): Issue {
  if (column === "") {
    return issueOf(
      { severity: "warning", code: "header_unknown", field: null, value: null },
      [`Column ${index + 1} has no header: it is not processed`],
      "Give the column a header, or remove it",
    );
  }
  const near = nearest(foldHeader(column), names, foldHeader);
  return issueOf(
    { severity: "warning", code: "header_unknown", field: null, value: column.slice(0, 200) },
    [
      `Unknown header "${column.slice(0, 200)}": its column is not processed` +
      (near === null ? "" : `; perhaps it should be "${near}"`),
    ],
    near === null ? "Remove the column, or map its header in the connection" : `Rename it to "${near}"`,
  );
}

function unused(column: string, winner: string, field: string): Issue {
  return issueOf(
    { severity: "warning", code: "header_unused", field, value: column.slice(0, 200) },
    [`Header "${column.slice(0, 200)}" is not used: "${winner.slice(0, 200)}" is "${field}" already`],
    "Remove one of the two columns",
  );
}
