/**
 * Turns rows into records by the connector's `normalize`, or by the columns alone. A row for which the connector fails is
 * broken, as if its source had written it wrong, and the others go on. No I/O.
 *
 * Rows are normalized when they are decoded, so that a failure is part of the row; planning takes the record from there.
 */
import { type Connector, type NormalizeContext, recordFromCells } from "../connector.ts";
import type { ApartNormalizer, Installed, Normalized, RowsToNormalize } from "../hub.ts";
import {
  type CustomField,
  DEPARTMENT_FIELDS,
  type Fields,
  type Issue,
  type ReadyBlock,
  type Row,
  type RowBlock,
  type SourceRecord,
  USER_FIELDS,
} from "../model/record.ts";
import { issueOf } from "../model/wording.ts";
import { nameOf, placeOf } from "../std/place-of.ts";
import { NO_RECORDS, noRecordOf } from "./no-record.ts";

/** Where the connector failed: the row, the name of the error, and file and line of the connector. No data. */
export interface RowFailed {
  readonly line: number | null;
  readonly error: string;
  readonly at: string | null;
}

export interface Normalizer {
  /** The same rows, of which those that the connector fails to read are broken. */
  judge(block: RowBlock): ReadyBlock;
  normalize(row: Row): SourceRecord;
  issues(): readonly Issue[];
}

/** `organizationId`: whose rows they are, which the connector does not learn. */
type Context = Omit<NormalizeContext<never>, "fields"> & { readonly organizationId: number };

const MAX_NOTED = 10;
/** Fields that the hub does not have. */
const MAX_UNKNOWN = 100;

/** `resolve`: the fields of the columns. `onFailed` is called for the first few rows. */
export function createNormalizer(
  connector: Installed,
  { organizationId, ...context }: Context,
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
  const notes = createNotes(connector, context.customFields, onFailed);
  if (connector.isolated !== undefined) {
    return normalizeApart(connector.isolated.openNormalizer(String(organizationId)), context, resolve, notes);
  }
  const records = new WeakMap<Row, SourceRecord>();

  function read(row: Row): Row {
    if (!isReadable(row)) return row;
    try {
      const made: unknown = connector.normalize!(row, { ...context, fields: resolve(row.columns) });
      const none = noRecordOf(made);
      if (none === null) {
        notes.fields(made as SourceRecord);
        records.set(row, made as SourceRecord);
        return row;
      }
      const what = gives(NO_RECORDS[none]);
      return notes.failed(row, { line: row.line, error: what, at: null }, what);
    } catch (error) {
      const name = nameOf(error);
      return notes.failed(row, { line: row.line, error: name, at: placeOf(error) }, `fails with ${name}`);
    }
  }

  return {
    judge: (block) => ({ ...block, rows: (indexes) => block.rows(indexes).map(read) }),
    // A copy of a row that was judged is normalized once more.
    normalize: (row) => records.get(row) ?? records.get(read(row)) ?? {},
    issues: notes.issues,
  };
}

/** Rows that a connector in another process reads, so many at a time as are decoded together. */
function normalizeApart(
  apart: ApartNormalizer,
  context: Omit<Context, "organizationId">,
  resolve: (columns: readonly string[]) => Fields,
  notes: Notes,
): Normalizer {
  async function read(rows: readonly Row[]): Promise<readonly Row[]> {
    const readable = rows.filter(isReadable);
    if (readable.length === 0) return rows;
    const { columns } = readable[0]!;
    const made = await apart.normalize({
      columns,
      rows: readable.map(messageOf),
      context: { ...context, fields: resolve(columns) },
    });
    let next = 0;
    return rows.map((row) => isReadable(row) ? taken(row, made[next++]!) : row);
  }

  function taken(row: Row, made: Normalized): Row {
    if ("record" in made) {
      notes.fields(made.record);
      return { ...row, record: made.record };
    }
    const { name = "an error", gave } = made.threw;
    const what = gave === undefined ? `fails with ${name}` : gives(gave);
    const error = gave === undefined ? name : what;
    return notes.failed(row, { line: row.line, error, at: apart.placeOf(made.threw) }, what);
  }

  return {
    judge: (block) => ({ ...block, rows: (indexes) => read(block.rows(indexes)) }),
    normalize: (row) => row.record ?? {},
    issues: notes.issues,
  };
}

function messageOf({ line, origin, cells }: Row): RowsToNormalize["rows"][number] {
  const absent = cells.flatMap((cell, place) => cell === undefined ? [place] : []);
  return absent.length === 0 ? [line, origin, cells] : [line, origin, cells, absent];
}

/** What is noted of a connector's records. */
interface Notes {
  fields(record: SourceRecord): void;
  /** The row as broken. `what`: what the connector does, such as `fails with TypeError`. */
  failed(row: Row, failed: RowFailed, what: string): Row;
  issues(): readonly Issue[];
}

function createNotes(
  connector: Connector<never>,
  customFields: readonly CustomField[],
  onFailed: (failed: RowFailed) => void,
): Notes {
  const known = knownFields(customFields);
  const unknown = new Map<string, Issue>();
  let noted = 0;
  return {
    fields(record) {
      for (const field of Object.keys(record)) {
        if (unknown.size < MAX_UNKNOWN && !known.has(field) && !unknown.has(field)) {
          unknown.set(field, fieldUnknown(connector, field));
        }
      }
    },
    failed(row, failed, what) {
      if (noted++ < MAX_NOTED) onFailed(failed);
      return { ...row, broken: rowFailed(connector, `it ${what}`) };
    },
    issues: () => [...unknown.values()],
  };
}

function isReadable(row: Row): boolean {
  return row.broken === undefined && row.cells.length <= row.columns.length;
}

function knownFields(customFields: readonly CustomField[]): ReadonlySet<string> {
  return new Set<string>([...USER_FIELDS, ...DEPARTMENT_FIELDS, ...customFields.map(({ key }) => key)]);
}

function gives(what: string): string {
  return `gives ${what} instead of a record`;
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
