/**
 * Reads a drop: the connector turns its bytes into rows, and its columns are resolved. The rows can be read any number of
 * times; warnings about the columns are collected once.
 */
import { type Connector, type DropSource, type FetchContext, SourceFault } from "../connector.ts";
import { digestCells } from "../intake/digest.ts";
import { readDrop } from "../intake/media.ts";
import type { ReadOptions, ReadReport } from "../intake/reading.ts";
import type { CustomField, Entity, KeyField, Row, RowBlock, Salt, SourceRecord } from "../model/record.ts";
import type { RunInput } from "../model/run.ts";
import type { Connection } from "../store/connections/connections.ts";
import type { OriginMark } from "../store/connections/schema-sources.ts";
import { type Columns, createColumns } from "./columns.ts";
import { fetchedBlocks } from "./fetched-rows.ts";
import { reportRows } from "../report/rows.ts";

export interface ReadingContext {
  readonly connection: Connection;
  readonly connector: Connector<never>;
  readonly drop: DropSource;
  /** Where each record of a fetched source was read; null for a drop that was sent. */
  readonly origins: readonly OriginMark[] | null;
  readonly customFields: readonly CustomField[];
  /** ISO date in the organization's time zone. */
  readonly today: string;
  readonly signal: AbortSignal;
  readonly maxPackedBytes: number;
}

export interface Reading {
  /** As far as the input has been read. */
  readonly columns: Columns;
  readonly report: ReadReport;
  /** The input has been read to its end at least once. */
  readonly isRead: boolean;
  rows(): AsyncIterable<RowBlock>;
  normalize(row: Row): SourceRecord;
}

const LIMITS = {
  maxRowBytes: 1024 * 1024,
  maxColumns: 500,
  maxBytes: 1024 * 1024 * 1024,
};

/** The parts of a context that a connector for drops has no use for. */
const NO_SOURCE = {
  fetch: () => Promise.reject(new SourceFault("settings", "A connector for drops has no source to ask")),
  log: () => {},
  checkpoint: { resume: null, last: null, save: () => Promise.resolve() },
  startOver: () => Promise.resolve(),
  warn: () => {},
} satisfies Partial<FetchContext>;

/** Reads until the columns are known. Throws the reader's Faults. `entity`: as the sender named it; null: it is detected. */
export async function readDropOf(
  context: ReadingContext,
  entity: Entity | null,
  key: KeyField | null,
): Promise<Reading> {
  const { connection, connector, customFields, today, signal } = context;
  const settings = connector.settings.parse(connection.settings) as Record<string, unknown>;
  const mapping = { ...connector.mapping, ...connection.mapping };
  const header = {
    mapping,
    customKeys: customFields.map((field) => field.key),
    exactNames: settings.exact_names === true,
  };
  const columns = createColumns({ preset: connection.preset, header, entity, key });
  const read = reader(context, settings, mapping, columns.canBe);
  const reading = {
    columns,
    report: emptyReport(),
    isRead: false,
    async *rows(): AsyncGenerator<RowBlock, void> {
      reading.report = emptyReport();
      for await (const block of read(columns.entity, reading.report)) {
        signal.throwIfAborted();
        // An empty JSON array has no columns, and that is not an error of its header.
        if (block.columns.length === 0 && block.count === 0) continue;
        const fields = columns.resolve(block.columns);
        yield columns.isReport ? reportRows(block, fields) : block;
      }
      reading.isRead = true;
    },
    normalize: (row: Row) => connector.normalize(row, { fields: columns.fields, customFields, today }),
  };
  for await (const block of reading.rows()) {
    if (block.count > 0) break;
  }
  reading.isRead = false;
  return reading;
}

/** What the failure report will have in common with the input. */
export function inputOf({ columns, report: { delimiter, sheet } }: Reading): RunInput {
  const input = { columns: [...columns.names], delimiter: delimiter ?? "," };
  if (sheet === undefined) return { ...input, format: "csv" };
  return { ...input, format: "xlsx", ...(sheet === null ? {} : { sheet }) };
}

function emptyReport(): ReadReport {
  return { delimiter: null, endsWithLineEnd: true };
}

/** Reads the rows once: those of a fetched source as they were stored, others by the connector. */
function reader(
  { connection, connector, drop, origins, today, signal, maxPackedBytes }: ReadingContext,
  settings: Record<string, unknown>,
  mapping: Readonly<Record<string, string | null>>,
  isHeader: ReadOptions["isHeader"],
): (entity: Entity, report: ReadReport) => AsyncIterable<RowBlock> {
  const options: ReadOptions = {
    ...LIMITS,
    maxPackedBytes,
    encoding: settings.encoding === "windows-1252" ? "windows-1252" : "auto",
    delimiter: (settings.delimiter as ReadOptions["delimiter"] | undefined) ?? "auto",
    sheet: (settings.sheet as string | undefined) ?? null,
    isHeader,
  };
  return (entity, report) => {
    if (origins !== null) return fetchedBlocks(readDrop(drop, options, report), origins);
    return connector.fetch({
      ...NO_SOURCE,
      settings: settings as never,
      mapping,
      onlyStatuses: connection.policy.only_statuses ?? null,
      today,
      entity,
      drop,
      readDrop: () => readDrop(drop, options, report),
      signal,
    }) as AsyncIterable<RowBlock>;
  };
}

/** A salt that changes with anything in `parts`: all of them decide what a digested row means. */
export function saltOf(secret: string, parts: readonly unknown[]): Salt {
  const words = new Int32Array(4);
  for (let i = 0; i < 4; i++) words[i] = Number.parseInt(secret.slice(i * 8, i * 8 + 8), 16);
  const salt = new Int32Array(4);
  digestCells([JSON.stringify(parts)], words, salt, 0);
  return salt;
}
