/**
 * Turns a source's records into chunks of NDJSON, as the fetch's drop stores them. Holds one chunk in memory at a time.
 * No clock, no I/O: the caller's `keep` stores each chunk.
 */
import type { FetchedRows } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import type { Row, RowBlock } from "../model/record.ts";
import { murmur3 } from "../intake/digest.ts";
import type { OriginMark } from "../store/connections/schema-sources.ts";
import { sizeInWords } from "../std/size.ts";

const CHUNK_BYTES = 1024 * 1024;
const MAX_RECORD_BYTES = 1024 * 1024;
const MAX_BYTES = 1024 * 1024 * 1024;
/** As many as a hub is made for, twice. Each takes some 100 bytes of memory while it is read. */
const MAX_RECORDS = 2_000_000;
/** Pages in a row without a new record. */
const MAX_BARREN = 10_000;
const MAX_MARKS = 5_000;
const MAX_ORIGIN = 300;
const OWN_ERROR = "The connector has an error of its own";
/** Rows of a block that are decoded together. */
const AT_ONCE = 250;

export interface Kept {
  readonly chunks: number;
  readonly bytes: number;
  readonly records: number;
  /** Records that came again with the same content, and were left out. */
  readonly repeated: number;
  /** Where each origin begins, in order. */
  readonly origins: readonly OriginMark[];
}

export const NOTHING_KEPT: Kept = { chunks: 0, bytes: 0, records: 0, repeated: 0, origins: [] };

export interface Keeper {
  /** Adds rows; stores each chunk when it is full. Fails with `too_large`, or `source_unreadable` for a non-record. */
  add(rows: FetchedRows | RowBlock): Promise<void>;
  /** Stores the last, partial chunk and returns everything that is stored by then. */
  flush(): Promise<Kept>;
  /** Forgets everything. */
  clear(): void;
  /** Notes a line that is stored already, with its line end. */
  remember(line: Uint8Array): void;
  /** Records added so far. */
  readonly records: number;
  /** Records that came again with the same content, and were not added. */
  readonly repeated: number;
}

export interface KeeperOptions {
  /** Called in order, each time after the call before has ended. */
  readonly keep: (index: number, data: Uint8Array) => Promise<void>;
  /** Removes the connection's secrets from the JSON of a record, or from an origin. */
  readonly hide?: (text: string) => string;
}

/** `from`: what is stored already. */
export function createKeeper(from: Kept, { keep, hide = (text) => text }: KeeperOptions): Keeper {
  const encoder = new TextEncoder();
  const chunks = createChunks(from, keep);
  const seen = createSeen();
  let { records, repeated } = from, barren = 0;
  let origins = [...from.origins];

  async function put(record: unknown): Promise<void> {
    if (typeof record !== "object" || record === null || Array.isArray(record)) {
      throw new Fault("connector_failed", `${OWN_ERROR}: record ${records + 1} is no object`);
    }
    const line = encoder.encode(`${hide(jsonOf(record, records + 1))}\n`);
    if (line.length > MAX_RECORD_BYTES) {
      const message = `Record ${records + 1} of the source is over its limit of ${sizeInWords(MAX_RECORD_BYTES)}`;
      throw new Fault("too_large", message);
    }
    if (!seen.add(line)) {
      repeated++;
      return;
    }
    if (records >= MAX_RECORDS) {
      throw new Fault("too_large", `The source has more than a run may read: ${MAX_RECORDS} records at most`);
    }
    await chunks.append(line);
    records++;
  }

  async function putAll(all: readonly unknown[]): Promise<void> {
    const before = records;
    for (const record of all) await put(record);
    barren = records > before ? 0 : barren + 1;
    if (barren <= MAX_BARREN) return;
    throw new Fault("connector_failed", `${OWN_ERROR}: it has yielded ${MAX_BARREN} pages in a row with no new record`);
  }

  function mark(given: unknown): void {
    if (given != null && typeof given !== "string") {
      throw new Fault("connector_failed", `${OWN_ERROR}: the origin of record ${records + 1} is no text`);
    }
    const origin = given == null ? null : hide(given).slice(0, MAX_ORIGIN);
    const last = origins.at(-1);
    if (origins.length >= MAX_MARKS || (last === undefined ? origin === null : last[1] === origin)) return;
    origins.push([records + 1, origin]);
  }

  return {
    async add(rows) {
      if (typeof rows !== "object" || rows === null || !("records" in rows || "rows" in rows)) {
        throw new Fault("connector_failed", `${OWN_ERROR}: it yields something that has no "records"`);
      }
      if ("records" in rows) {
        if (!Array.isArray(rows.records)) {
          throw new Fault("connector_failed", `${OWN_ERROR}: the "records" that it yields are no list`);
        }
        mark(rows.origin);
        return await putAll(rows.records);
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
      return { chunks: chunks.count, bytes: chunks.bytes, records, repeated, origins };
    },
    remember: (line) => void seen.add(line),
    clear() {
      chunks.clear();
      seen.clear();
      records = repeated = barren = 0;
      origins = [];
    },
    get records() {
      return records;
    },
    get repeated() {
      return repeated;
    },
  };
}

/** Fails for what JSON cannot say: a circle, a BigInt. */
function jsonOf(record: object, n: number): string {
  try {
    return JSON.stringify(record);
  } catch (cause) {
    throw new Fault("connector_failed", `${OWN_ERROR}: record ${n} cannot be written as JSON`, { cause });
  }
}

/** Digests of the lines so far, some 100 bytes of memory each. */
function createSeen() {
  const digests = new Set<string>();
  const words = new Int32Array(4), letters = new Uint16Array(words.buffer);
  return {
    /** False: the same line was there before. */
    add(line: Uint8Array): boolean {
      murmur3(line, 0, line.length, 0, words, 0);
      const before = digests.size;
      return digests.add(String.fromCharCode(...letters)).size > before;
    },
    clear: () => digests.clear(),
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
