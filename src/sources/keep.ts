/**
 * Records of a source to chunks of NDJSON, as they are kept in the fetch's drop. Holds one chunk in memory and no more.
 * No clock; what is done with a chunk is handed in.
 */
import type { FetchedRows } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import type { RowBlock } from "../model/record.ts";
import type { OriginMark } from "../store/connections/schema-sources.ts";

const CHUNK_BYTES = 1024 * 1024;
const MAX_RECORD_BYTES = 1024 * 1024;
const MAX_BYTES = 1024 * 1024 * 1024;
const MAX_MARKS = 5_000;
const MAX_ORIGIN = 300;
/** Rows of a block that are made into records together. */
const AT_ONCE = 250;

export interface Kept {
  readonly chunks: number;
  readonly bytes: number;
  readonly records: number;
  readonly origins: readonly OriginMark[];
}

export const NOTHING_KEPT: Kept = { chunks: 0, bytes: 0, records: 0, origins: [] };

export interface Keeper {
  /** Takes rows in; hands chunks on as they are full. Fails with `too_large`, or `source_unreadable` for what is no record. */
  add(rows: FetchedRows | RowBlock): Promise<void>;
  /** Hands on what is left, and gives what is kept by then. */
  flush(): Promise<Kept>;
  /** Forgets everything. */
  clear(): void;
  /** Records taken in so far. */
  readonly records: number;
}

/** `from`: what is kept already. `keep` is called in order, each time once the one before has ended. */
export function createKeeper(
  from: Kept,
  keep: (index: number, data: Uint8Array) => Promise<void>,
): Keeper {
  const encoder = new TextEncoder();
  let { chunks, bytes, records } = from;
  let origins = [...from.origins];
  let buffer = new Uint8Array(64 * 1024);
  let filled = 0;

  async function put(record: unknown): Promise<void> {
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      throw new Fault("source_unreadable", "The connector gave something that is no record");
    }
    const line = encoder.encode(`${JSON.stringify(record)}\n`);
    if (line.length > MAX_RECORD_BYTES) {
      throw new Fault(
        "too_large",
        `Record ${records + 1} of the source is over its limit of ${MAX_RECORD_BYTES} bytes`,
      );
    }
    if (bytes + filled + line.length > MAX_BYTES) {
      throw new Fault("too_large", "The source has more than a run may read: 1 GiB at most");
    }
    if (filled + line.length > CHUNK_BYTES) await handOn();
    if (filled + line.length > buffer.length) {
      const grown = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(buffer.length * 2, filled + line.length)));
      grown.set(buffer.subarray(0, filled));
      buffer = grown;
    }
    buffer.set(line, filled);
    filled += line.length;
    records++;
  }

  async function handOn(): Promise<void> {
    if (filled === 0) return;
    const data = buffer.slice(0, filled);
    bytes += filled;
    filled = 0;
    await keep(chunks++, data);
  }

  function mark(origin: string | null): void {
    const last = origins.at(-1);
    if (origins.length >= MAX_MARKS || (last === undefined ? origin === null : last[1] === origin)) return;
    origins.push([records + 1, origin === null ? null : origin.slice(0, MAX_ORIGIN)]);
  }

  return {
    async add(rows) {
      if ("records" in rows) {
        mark(rows.origin);
        for (const record of rows.records) await put(record);
        return;
      }
      for (let from = 0; from < rows.count; from += AT_ONCE) {
        const indexes = Array.from({ length: Math.min(AT_ONCE, rows.count - from) }, (_, i) => from + i);
        for (const row of rows.rows(indexes)) {
          mark(row.origin);
          if (row.cells.length !== row.columns.length) {
            throw new Fault("source_unreadable", `Record ${records + 1} of the source has another number of cells`);
          }
          await put(Object.fromEntries(row.columns.map((column, i) => [column, row.cells[i]])));
        }
      }
    },
    async flush() {
      await handOn();
      return { chunks, bytes, records, origins };
    },
    clear() {
      chunks =
        bytes =
        records =
        filled =
          0;
      origins = [];
    },
    get records() {
      return records;
    },
  };
}
