/**
 * The public module for connectors: what a connector is, and what it may use.
 *
 * A connector knows one kind of source. It fetches rows and normalizes them; the hub does all else.
 * Ours import only this module, as a stranger's do.
 */
import type { z } from "zod";
import type { Cell, Coverage, CustomField, Entity, Fields, Row, RowBlock, SourceRecord } from "./record.ts";

/** The input handed in for a run, as a stream of its bytes. May be opened more than once: planning may look twice. */
export interface DropSource {
  /** The name it was handed in under, such as `users.csv`. */
  readonly name: string;
  /** Media type without parameters, such as `text/csv`; `application/octet-stream` when nobody said. */
  readonly contentType: string;
  /** Received size in bytes. */
  readonly bytes: number;
  open(): ReadableStream<Uint8Array>;
}

/** How bytes become rows: a connection's reading settings with the hub's limits. Sizes in bytes. */
export interface ReadOptions {
  /** `auto`: UTF-8, or UTF-16 by its byte order mark; Windows-1252 only when declared. */
  readonly encoding: "auto" | "windows-1252";
  /** `auto`: told from the rows' shapes. */
  readonly delimiter: "auto" | "," | ";" | "\t" | "|";
  readonly maxRowBytes: number;
  readonly maxColumns: number;
  /** Decoded bytes of the whole input. */
  readonly maxBytes: number;
}

/** What reading the whole input showed; complete once the reader has returned. */
export interface ReadReport {
  /** The delimiter that the failure report will use too. */
  delimiter: "," | ";" | "\t" | "|" | null;
  /** False when the last line has no line end: nobody is missing from such a file. */
  endsWithLineEnd: boolean;
}

export interface FetchContext<Settings = unknown> {
  readonly settings: Settings;
  readonly entity: Entity;
  /** For connectors that are handed a file; null for those that fetch. */
  readonly drop: DropSource | null;
  /** The drop's rows, by its media type and the connection's reading settings. Only where there is a drop. */
  readDrop(): AsyncIterable<RowBlock>;
  readonly signal: AbortSignal;
}

export interface NormalizeContext {
  /** The field that each column stands for, by the connection's dictionary. */
  readonly fields: Fields;
  readonly customFields: readonly CustomField[];
}

export interface Connector<Settings = unknown> {
  /** Lower-case words joined by `-`; unique in the registry. */
  readonly name: string;
  /** SemVer. A new version makes the hub look at every row anew. */
  readonly version: string;
  readonly title: string;
  /** What a finished fetch means when nobody says otherwise. */
  readonly coverage: Coverage;
  /** Published as JSON Schema in the catalogue. */
  readonly settings: z.ZodType<Settings>;
  /** True: runs start when a drop is handed in. False: on a schedule or by hand. */
  readonly takesDrops: boolean;
  /** True: a bridge speaks with the source, and hands in what it finds. */
  readonly bridged?: boolean;
  /**
   * Yields the source's rows. Returning means that the read is complete; throwing, or stopping early, means that it is not.
   * May be called again within one run, and must then give the same rows for a drop.
   */
  fetch(context: FetchContext<Settings>): AsyncIterable<RowBlock>;
  /** One row to one record. Pure; never throws: values that cannot be used are for the hub to report. */
  normalize(row: Row, context: NormalizeContext): SourceRecord;
}

/** Checks a connector's types; returns it as it is. */
export function defineConnector<Settings>(connector: Connector<Settings>): Connector<Settings> {
  return connector;
}

/** The record that says what the row's cells say, for sources whose columns are resolved by the connection's dictionary. */
export function recordFromCells(row: Row, fields: Fields): SourceRecord {
  const record: Record<string, Cell> = {};
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i];
    const cell = row.cells[i];
    if (field != null && cell !== undefined) record[field] = cell;
  }
  return record;
}
