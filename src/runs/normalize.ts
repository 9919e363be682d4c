/**
 * Turns rows into records by the connector's `normalize`, or by the columns alone. A row for which the connector fails is
 * broken, as if its source had written it wrong, and the others go on. No I/O.
 *
 * Rows are normalized when they are decoded, so that a failure is part of the row; planning takes the record from there.
 */
import { type Connector, type NormalizeContext, recordFromCells } from "../connector.ts";
import {
  type CustomField,
  DEPARTMENT_FIELDS,
  type Fields,
  type Issue,
  type Row,
  type RowBlock,
  type SourceRecord,
  USER_FIELDS,
} from "../model/record.ts";
import { issueOf } from "../model/wording.ts";
import { nameOf, placeOf } from "../std/place-of.ts";

/** Where the connector failed: the row, the name of the error, and file and line of the connector. No data. */
export interface RowFailed {
  readonly line: number | null;
  readonly error: string;
  readonly at: string | null;
}

export interface Normalizer {
  /** The same rows, of which those that the connector fails to read are broken. */
  judge(block: RowBlock): RowBlock;
  normalize(row: Row): SourceRecord;
  issues(): readonly Issue[];
}

type Context = Omit<NormalizeContext<never>, "fields">;

const MAX_NOTED = 10;

/** `resolve`: the fields of the columns. `onFailed` is called for the first few rows. */
export function createNormalizer(
  connector: Connector<never>,
  context: Context,
  resolve: (columns: readonly string[]) => Fields,
  onFailed: (failed: RowFailed) => void = () => {},
): Normalizer {
  if (connector.normalize === undefined) {
    return {
      judge: (block) => block,
      normalize: (row) => recordFromCells(row, resolve(row.columns)),
      issues: () => [],
    };
  }
  const known = knownFields(context.customFields);
  const unknown = new Map<string, Issue>();
  const records = new WeakMap<Row, SourceRecord>();
  let noted = 0;

  function read(row: Row): Row {
    if (row.broken !== undefined || row.cells.length > row.columns.length) return row;
    let why: string;
    try {
      const made: unknown = connector.normalize!(row, { ...context, fields: resolve(row.columns) });
      if (isRecord(made)) {
        for (const field of Object.keys(made)) {
          if (!known.has(field) && !unknown.has(field)) unknown.set(field, fieldUnknown(connector, field));
        }
        records.set(row, made);
        return row;
      }
      why = `it gives ${kindOf(made)} instead of a record`;
      if (noted++ < MAX_NOTED) onFailed({ line: row.line, error: why, at: null });
    } catch (error) {
      why = `it fails with ${nameOf(error)}`;
      if (noted++ < MAX_NOTED) onFailed({ line: row.line, error: nameOf(error), at: placeOf(error) });
    }
    return { ...row, broken: rowFailed(connector, why) };
  }

  return {
    judge: (block) => ({
      columns: block.columns,
      count: block.count,
      ...(block.shapes === undefined ? {} : { shapes: block.shapes }),
      digest: (index, salt, out, at) => block.digest(index, salt, out, at),
      rows: (indexes) => block.rows(indexes).map(read),
      line: (index) => block.line(index),
    }),
    // A copy of a row that was judged is normalized once more.
    normalize: (row) => records.get(row) ?? records.get(read(row)) ?? {},
    issues: () => [...unknown.values()],
  };
}

function knownFields(customFields: readonly CustomField[]): ReadonlySet<string> {
  return new Set<string>([...USER_FIELDS, ...DEPARTMENT_FIELDS, ...customFields.map(({ key }) => key)]);
}

function isRecord(value: unknown): value is SourceRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isThenable(value);
}

function isThenable(value: object): boolean {
  return "then" in value && typeof value.then === "function";
}

/** What came instead of a record, in words. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "object") return isThenable(value) ? "a promise" : "a list";
  return `a ${typeof value}`;
}

function rowFailed({ title }: Connector<never>, why: string): Issue {
  return issueOf(
    { severity: "error", code: "connector_row_failed", field: null, value: null },
    [`The connector "${title}" could not read this row: ${why}`],
    "Ask the people who maintain the connector; the hub's log has the place in its code",
  );
}

function fieldUnknown({ title }: Connector<never>, field: string): Issue {
  return issueOf(
    { severity: "warning", code: "connector_field_unknown", field: null, value: field.slice(0, 200) },
    [`The connector "${title}" gives the field "${field.slice(0, 100)}", which the hub does not have`],
    "Make a custom field with this key, or ask the people who maintain the connector",
  );
}
