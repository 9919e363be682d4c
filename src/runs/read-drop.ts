/**
 * Reads a drop: its rows by the connector, and what its columns mean. Reading can begin anew any number of times; issues
 * of the header are collected once.
 */
import {
  type Connector,
  type DropSource,
  type FetchContext,
  type ReadOptions,
  type ReadReport,
  SourceFault,
} from "../connector.ts";
import { digestCells } from "../intake/digest.ts";
import { type Dictionary, getDictionary, type Preset as DictionaryPreset } from "../intake/dictionary.ts";
import { detectEntity, resolveHeader } from "../intake/header.ts";
import { readDrop } from "../intake/media.ts";
import type {
  CustomField,
  Entity,
  Fields,
  Issue,
  KeyField,
  Row,
  RowBlock,
  Salt,
  SourceRecord,
} from "../model/record.ts";
import type { Connection } from "../store/connections/connections.ts";
import type { OriginMark } from "../store/connections/schema-sources.ts";
import { fetchedBlocks } from "./fetched-rows.ts";
import { reportRows } from "../report/rows.ts";

export interface ReadingContext {
  readonly connection: Connection;
  readonly connector: Connector<never>;
  readonly drop: DropSource;
  /** Where the records of a source that was fetched came from; null for a drop that was handed in. */
  readonly origins: readonly OriginMark[] | null;
  readonly customFields: readonly CustomField[];
  /** ISO date in the organization's time zone. */
  readonly today: string;
  readonly signal: AbortSignal;
}

export interface Reading {
  readonly entity: Entity;
  /** A failure report, corrected and sent again: it holds only some of the people. */
  readonly isReport: boolean;
  /** Columns of the input as far as it has been read. */
  readonly columns: readonly string[];
  readonly report: ReadReport;
  /** The reading came to its end at least once. */
  readonly isRead: boolean;
  rows(): AsyncIterable<RowBlock>;
  fieldsOf(columns: readonly string[]): Fields;
  normalize(row: Row): SourceRecord;
  /** Warnings about the columns. */
  headerIssues(): readonly Issue[];
  /** Which key a connection without one takes from this input. */
  keyByColumns(): KeyField;
}

const DEFAULT_READ: Omit<ReadOptions, "encoding" | "delimiter"> = {
  maxRowBytes: 1024 * 1024,
  maxColumns: 500,
  maxBytes: 1024 * 1024 * 1024,
};

/** What a connector that is handed its input has no use for. */
const NO_SOURCE = {
  fetch: () => Promise.reject(new SourceFault("settings", "A connector that is handed its input has nothing to ask")),
  log: () => {},
  checkpoint: { resume: null, last: null, save: () => Promise.resolve() },
  startOver: () => Promise.resolve(),
  warn: () => {},
} satisfies Partial<FetchContext>;

/** Reads as much as shows the columns. Throws the reader's Faults. `entity`: as the sender named it; null: detected. */
export async function readDropOf(
  context: ReadingContext,
  entity: Entity | null,
  key: KeyField | null,
): Promise<Reading> {
  const { connection, connector, drop, customFields } = context;
  const settings = connector.settings.parse(connection.settings) as Record<string, unknown>;
  const options: ReadOptions = {
    ...DEFAULT_READ,
    encoding: settings.encoding === "windows-1252" ? "windows-1252" : "auto",
    delimiter: (settings.delimiter as ReadOptions["delimiter"] | undefined) ?? "auto",
  };
  const preset =
    (connection.preset === null || connection.preset === "custom" ? "default" : connection.preset) as DictionaryPreset;
  const dictionaries = { users: getDictionary(preset, "users"), departments: getDictionary(preset, "departments") };
  const header = {
    mapping: { ...connector.mapping, ...connection.mapping },
    customKeys: customFields.map((field) => field.key),
    exactNames: settings.exact_names === true,
  };
  let report: ReadReport = { delimiter: null, endsWithLineEnd: true };
  let isRead = false;
  let columns: readonly string[] = [];
  let known: Fields = [];
  let isReport = false;
  const issues = new Map<string, Issue>();
  let detected: Entity | null = entity;
  let dictionary: Dictionary | null = entity === null ? null : dictionaries[entity];

  function fieldsOf(next: readonly string[]): Fields {
    if (next === columns && known.length === next.length) return known;
    detected ??= detectEntity(next, dictionaries, header);
    dictionary ??= dictionaries[detected];
    const resolved = resolveHeader(next, dictionary, { ...header, key: detected === "users" ? key : "name" });
    isReport ||= resolved.isReport;
    for (const issue of resolved.issues) issues.set(`${issue.code} ${issue.value}`, issue);
    columns = next;
    return known = resolved.fields;
  }

  /** The rows as the connector reads them; those of a source that was fetched as they were kept. */
  function read(mine: ReadReport): AsyncIterable<RowBlock> {
    if (context.origins !== null) return fetchedBlocks(readDrop(drop, options, mine), context.origins);
    return connector.fetch({
      ...NO_SOURCE,
      settings: settings as never,
      mapping: { ...connector.mapping, ...connection.mapping },
      onlyStatuses: connection.policy.only_statuses ?? null,
      today: context.today,
      entity: detected ?? "users",
      drop,
      readDrop: () => readDrop(drop, options, mine),
      signal: context.signal,
    }) as AsyncIterable<RowBlock>;
  }

  async function* blocks(): AsyncGenerator<RowBlock, void> {
    const mine: ReadReport = { delimiter: null, endsWithLineEnd: true };
    report = mine;
    for await (const block of read(mine)) {
      context.signal.throwIfAborted();
      // An empty JSON array shows no columns, and that is no fault of its header.
      if (block.columns.length === 0 && block.count === 0) continue;
      const fields = fieldsOf(block.columns);
      yield isReport ? reportRows(block, fields) : block;
    }
    isRead = true;
  }

  for await (const block of blocks()) {
    if (block.count > 0) break;
  }
  isRead = false;

  return {
    get entity() {
      return detected ?? "users";
    },
    get isReport() {
      return isReport;
    },
    get columns() {
      return columns;
    },
    get report() {
      return report;
    },
    get isRead() {
      return isRead;
    },
    rows: blocks,
    fieldsOf,
    normalize: (row) => connector.normalize(row, { fields: known, customFields, today: context.today }),
    headerIssues: () => [...issues.values()],
    keyByColumns: () => (known.includes("employee_id") ? "employee_id" : "email"),
  };
}

/** A salt that is another as soon as anything in `parts` is: what a digest means, it means with all of these. */
export function saltOf(secret: string, parts: readonly unknown[]): Salt {
  const words = new Int32Array(4);
  for (let i = 0; i < 4; i++) words[i] = Number.parseInt(secret.slice(i * 8, i * 8 + 8), 16);
  const salt = new Int32Array(4);
  digestCells([JSON.stringify(parts)], words, salt, 0);
  return salt;
}
