/**
 * Turns a source's records into chunks of NDJSON, as the fetch's drop stores them. Holds one chunk in memory at a time.
 * No clock, no I/O: the caller's `keep` stores each chunk.
 */
import type { FetchedRows } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import type { Row, RowBlock } from "../model/record.ts";
import type { OriginMark } from "../store/connections/schema-sources.ts";
import { sizeInWords } from "../std/size.ts";

const CHUNK_BYTES = 1024 * 1024;
const MAX_RECORD_BYTES = 1024 * 1024;
const MAX_BYTES = 1024 * 1024 * 1024;
const MAX_MARKS = 5_000;
const MAX_ORIGIN = 300;
/** Rows of a block that are decoded together. */
const AT_ONCE = 250;

export interface Kept {
  readonly chunks: number;
  readonly bytes: number;
  readonly records: number;
  /** Where each origin begins, in order. */
  readonly origins: readonly OriginMark[];
}

export const NOTHING_KEPT: Kept = { chunks: 0, bytes: 0, records: 0, origins: [] };

export interface Keeper {
  /** Adds rows; stores each chunk when it is full. Fails with `too_large`, or `source_unreadable` for a non-record. */
  add(rows: FetchedRows | RowBlock): Promise<void>;
  /** Stores the last, partial chunk and returns everything that is stored by then. */
  flush(): Promise<Kept>;
  /** Forgets everything. */
  clear(): void;
  /** Records added so far. */
  readonly records: number;
}

/** `from`: what is stored already. `keep` is called in order, each time after the call before has ended. */
export function createKeeper(from: Kept, keep: (index: number, data: Uint8Array) => Promise<void>): Keeper {
  const encoder = new TextEncoder();
  const chunks = createChunks(from, keep);
  let { records } = from;
  let origins = [...from.origins];

  async function put(record: unknown): Promise<void> {
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      throw new Fault("source_unreadable", "The connector yielded something that is not a record");
    }
    const line = encoder.encode(`${JSON.stringify(record)}\n`);
    if (line.length > MAX_RECORD_BYTES) {
      const message = `Record ${records + 1} of the source is over its limit of ${sizeInWords(MAX_RECORD_BYTES)}`;
      throw new Fault("too_large", message);
    }
    await chunks.append(line);
    records++;
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
      for (const row of rowsOf(rows)) {
        mark(row.origin);
        if (row.cells.length !== row.columns.length) {
          const message = `Record ${
            records + 1
          } of the source has ${row.cells.length} cells, not ${row.columns.length}`;
          throw new Fault("source_unreadable", message);
        }
        await put(Object.fromEntries(row.columns.map((column, i) => [column, row.cells[i]])));
      }
    },
    async flush() {
      await chunks.flush();
      return { chunks: chunks.count, bytes: chunks.bytes, records, origins };
    },
    clear() {
      chunks.clear();
      records = 0;
      origins = [];
    },
    get records() {
      return records;
    },
  };
}

function* rowsOf(block: RowBlock): Generator<Row, void> {
  for (let from = 0; from < block.count; from += AT_ONCE) {
    yield* block.rows(Array.from({ length: Math.min(AT_ONCE, block.count - from) }, (_, i) => from + i));
  }
}

/** Gathers lines into chunks. A chunk ends at a line's end. */
function createChunks(from: Pick<Kept, "chunks" | "bytes">, keep: (index: number, data: Uint8Array) => Promise<void>) {
  let { chunks: count, bytes } = from;
  let buffer = new Uint8Array(64 * 1024);
  let filled = 0;

  async function flush(): Promise<void> {
    if (filled === 0) return;
    const data = buffer.slice(0, filled);
    bytes += filled;
    filled = 0;
    await keep(count++, data);
  }

  return {
    flush,
    async append(line: Uint8Array): Promise<void> {
      if (bytes + filled + line.length > MAX_BYTES) {
        throw new Fault("too_large", "The source has more than a run may read: 1 GiB at most");
      }
      if (filled + line.length > CHUNK_BYTES) await flush();
      if (filled + line.length > buffer.length) {
        const grown = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(buffer.length * 2, filled + line.length)));
        grown.set(buffer.subarray(0, filled));
        buffer = grown;
      }
      buffer.set(line, filled);
      filled += line.length;
    },
    clear() {
      count = bytes = filled = 0;
    },
    get count() {
      return count;
    },
    get bytes() {
      return bytes;
    },
  };
}
