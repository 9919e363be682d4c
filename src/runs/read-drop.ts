/**
 * Reads a drop: the connector turns its bytes into rows, and its columns are resolved. The rows can be read any number of
 * times; warnings about the columns are collected once.
 */
import { type Connector, type DropSource, type FetchContext, SourceFault } from "../connector.ts";
import type { Installed } from "../hub.ts";
import { digestCells } from "../intake/digest.ts";
import type { HeaderOptions } from "../intake/header.ts";
import { isApart, readDrop } from "../intake/media.ts";
import type { ReadOptions, ReadReport } from "../intake/reading.ts";
import { charsetOf, charsetProblem, findCharset } from "../model/charset.ts";
import { Fault } from "../model/errors.ts";
import { type Traced, traceLayers, valuesOf } from "../model/layers.ts";
import type {
  CustomField,
  Entity,
  Issue,
  KeyField,
  ReadyBlock,
  Row,
  RowBlock,
  Salt,
  SourceRecord,
} from "../model/record.ts";
import type { RunInput } from "../model/run.ts";
import type { Connection } from "../store/connections/connections.ts";
import type { OriginMark } from "../store/connections/schema-sources.ts";
import { type Columns, createColumns } from "./columns.ts";
import { fetchedBlocks } from "./fetched-rows.ts";
import { createNormalizer, type RowFailed } from "./normalize.ts";
import { parseSettings, prepareSettings } from "./settings.ts";
import { reportRows } from "../report/rows.ts";

/** Incremented when the same bytes are read differently: digests of before, and what was applied, do not count then. */
export const READING_VERSION = 3;

export interface ReadingContext {
  readonly connection: Connection;
  readonly connector: Installed;
  readonly drop: DropSource;
  /** Where each record of a fetched source was read; null for a drop that was sent. */
  readonly origins: readonly OriginMark[] | null;
  readonly customFields: readonly CustomField[];
  /** ISO date in the organization's time zone. */
  readonly today: string;
  readonly signal: AbortSignal;
  readonly maxPackedBytes: number;
  /** Called where the connector failed to read a row, a few times. */
  readonly onRowFailed?: (failed: RowFailed) => void;
}

export interface Reading {
  /** As far as the input has been read. */
  readonly columns: Columns;
  readonly report: ReadReport;
  /** The input has been read to its end at least once. */
  readonly isRead: boolean;
  /** Rows that the sheet hides, once all have been read; null: none. */
  readonly hidden: NonNullable<ReadReport["hidden"]> | null;
  rows(): AsyncIterable<ReadyBlock>;
  /** Of a row that is not broken. */
  normalize(row: Row): SourceRecord;
  /** Warnings about what the connector makes of rows, each once. */
  connectorIssues(): readonly Issue[];
}

/** The most of what a row, and an input, may have. */
export const LIMITS = {
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
  expectTotal: () => {},
  // deno-lint-ignore require-yield
  async *read() {
    throw new SourceFault("settings", "A connector for drops reads its drop, and nothing else");
  },
  warn: () => {},
} satisfies Partial<FetchContext>;

/** Reads until the columns are known. Throws the reader's Faults. `entity`: as the sender named it; null: it is detected. */
export async function readDropOf(
  context: ReadingContext,
  entity: Entity | null,
  key: KeyField | null,
): Promise<Reading> {
  const { connection, connector, customFields, today, signal } = context;
  await prepareSettings(connector, connection.settings);
  const columns = columnsOf(context, entity, key, isApart(context.drop));
  const normalizer = createNormalizer(
    connector,
    {
      organizationId: connection.organizationId,
      settings: settingsOf(connection, connector) as never,
      customFields,
      today,
    },
    columns.resolve,
    context.onRowFailed,
  );
  const read = reader(context, columns.canBe);
  const reading = {
    columns,
    report: emptyReport(),
    isRead: false,
    hidden: null as Reading["hidden"],
    async *rows(): AsyncGenerator<ReadyBlock, void> {
      reading.report = emptyReport();
      for await (const block of read(columns.entity, reading.report)) {
        signal.throwIfAborted();
        // An empty JSON array has no columns, and that is not an error of its header.
        if (block.columns.length === 0 && block.count === 0) continue;
        const settled = columns.read(block);
        yield normalizer.judge(columns.isReport ? reportRows(settled, columns.fields) : settled);
      }
      reading.isRead = true;
      const { hidden } = reading.report;
      reading.hidden = hidden === undefined || hidden.count === 0 ? null : hidden;
    },
    normalize: normalizer.normalize,
    connectorIssues: normalizer.issues,
  };
  for await (const block of reading.rows()) {
    if (block.count > 0) break;
  }
  reading.isRead = false;
  return reading;
}

/** The columns of the connection's inputs. `entity` and `key` as in createColumns. */
export function columnsOf(
  { connection, connector, customFields }: Pick<ReadingContext, "connection" | "connector" | "customFields">,
  entity: Entity | null,
  key: KeyField | null,
  apart: boolean,
): Columns {
  const header = headerOf({ connection, connector, customFields });
  const deciding = (connection.policy.only_rows ?? []).map(({ column }) => column);
  return createColumns({ preset: connection.preset, header, entity, key, deciding, apart });
}

/** How the connection's headers are read. */
export function headerOf(
  { connection, connector, customFields }: Pick<ReadingContext, "connection" | "connector" | "customFields">,
): Omit<HeaderOptions, "key"> {
  return {
    mapping: mappingOf(connection, connector),
    customKeys: customFields.map((field) => field.key),
    exactNames: settingsOf(connection, connector).exact_names === true,
    before: connection.baseline.users?.headers ?? {},
  };
}

function settingsOf(connection: Connection, connector: Connector<never>): Record<string, unknown> {
  return valuesOf(traceSettings(connection, connector));
}

/** The connection's settings with its connector's defaults, and which of the two each one is. Fails if they are invalid. */
export function traceSettings(
  { settings }: Pick<Connection, "settings">,
  connector: Connector<never>,
): Traced<Record<string, unknown>> {
  const parsed = parseSettings(connector, settings) as Record<string, unknown>;
  const own = Object.keys(settings).map((name) => [name, parsed[name]]);
  return traceLayers<Record<string, unknown>>(["default", parsed], ["connection", Object.fromEntries(own)]);
}

function mappingOf(connection: Connection, connector: Connector<never>): Readonly<Record<string, string | null>> {
  return { ...connector.mapping, ...connection.mapping };
}

/** What the failure report will have in common with the input. */
export function inputOf({ columns, report: { delimiter, sheet } }: Reading): RunInput {
  const input = { columns: [...columns.names], fields: [...columns.fields], delimiter: delimiter ?? "," };
  if (sheet === undefined) return { ...input, format: "csv" };
  return { ...input, format: "xlsx", ...(sheet === null ? {} : { sheet }) };
}

function emptyReport(): ReadReport {
  return { delimiter: null, endsWithLineEnd: true };
}

/** Reads the rows once: those of a fetched source as they were stored, others by the connector. */
function reader(
  { connection, connector, drop, origins, today, signal, maxPackedBytes }: ReadingContext,
  isHeader: ReadOptions["isHeader"],
): (entity: Entity, report: ReadReport) => AsyncIterable<RowBlock> {
  const settings = settingsOf(connection, connector);
  const declared = optionsOf(settings, drop, { maxPackedBytes, isHeader });
  // What was fetched was stored by the hub itself, as UTF-8.
  const options = origins === null ? declared : { ...declared, charset: null };
  return (entity, report) => {
    if (origins !== null) return fetchedBlocks(readDrop(drop, options, report), origins);
    return connector.fetch({
      ...NO_SOURCE,
      settings: settings as never,
      mapping: mappingOf(connection, connector),
      onlyStatuses: connection.policy.only_statuses ?? null,
      today,
      entity,
      drop,
      readDrop: () => readDrop(drop, options, report),
      signal,
    }) as AsyncIterable<RowBlock>;
  };
}

/** How the bytes are read, by the settings of the connection, and by what is declared with the bytes. */
export function optionsOf(
  settings: Readonly<Record<string, unknown>>,
  source: Pick<DropSource, "contentType">,
  more: Pick<ReadOptions, "maxPackedBytes" | "isHeader">,
): ReadOptions {
  return {
    ...LIMITS,
    ...more,
    charset: charsetOfDrop(source, settings),
    delimiter: (settings.delimiter as ReadOptions["delimiter"] | undefined) ?? "auto",
    skipLines: (settings.skip_lines as number | undefined) ?? 0,
    sheet: (settings.sheet as string | undefined) ?? null,
    apart: isApart(source),
  };
}

/** The encoding that the sender declared, otherwise the connection's. Null: neither says. */
function charsetOfDrop(
  drop: Pick<DropSource, "contentType">,
  settings: Readonly<Record<string, unknown>>,
): string | null {
  const label = charsetOf(drop.contentType) ?? settings.charset;
  if (label === undefined) return null;
  const charset = findCharset(String(label));
  // The settings were checked, but perhaps by a hub that knows more encodings than this one.
  if (charset === null) throw new Fault("encoding_invalid", `The charset is ${charsetProblem(String(label))}`);
  return charset;
}

/** A salt that changes with anything in `parts`: all of them decide what a digested row means. */
export function saltOf(secret: string, parts: readonly unknown[]): Salt {
  const words = new Int32Array(4);
  for (let i = 0; i < 4; i++) words[i] = Number.parseInt(secret.slice(i * 8, i * 8 + 8), 16);
  const salt = new Int32Array(4);
  digestCells([JSON.stringify(parts)], words, salt, 0);
  return salt;
}
