/**
 * The bytes of a drop: written as they arrive, in gzip chunks of at most 1 MiB, and streamed back.
 *
 * Never holds more than one chunk of a drop, or one part of an upload, in memory.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { and, asc, eq, sql } from "drizzle-orm";
import type { DropSource } from "../../connector.ts";
import { type By, HUB } from "../../model/audit.ts";
import { Fault } from "../../model/errors.ts";
import { toHex } from "../../std/hex.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import { type Database, insertIf, writeNamed } from "../database.ts";
import { isStored, matches } from "../unchanged.ts";
import type { Drop } from "./drops.ts";
import { dropChunks, drops } from "./schema-drops.ts";
import { sleep } from "../../std/sleep.ts";
import { sizeInWords } from "../../std/size.ts";
import { MAX_FILE_BYTES } from "../../model/limits.ts";

const CHUNK_BYTES = 1024 * 1024;

/** Received bytes of a whole drop. */
export const MAX_DROP_BYTES = MAX_FILE_BYTES;
/** Received bytes of one part of an upload. */
export const MAX_PART_BYTES = 8 * 1024 * 1024;
/** Parts are numbered from 1. */
export const MAX_PARTS = 10_000;

export type Bytes = ReadableStream<Uint8Array>;

/** How bytes are packed and hashed while they are stored. */
export interface Packing {
  /** Any gzip of the data. */
  gzip(data: Uint8Array): Promise<Uint8Array>;
  gunzip(data: Uint8Array): Promise<Uint8Array>;
  createSha256(): { update(data: Uint8Array): unknown; digest(): Uint8Array };
  /** Yields to other work, after `workedMs` milliseconds of a body that may occupy the thread for long. */
  breathe(workedMs: number): Promise<void>;
}

/** Packing by what every runtime has. */
export const EVERYWHERE: Packing = {
  gzip: (data) => through(data, new CompressionStream("gzip")),
  gunzip: (data) => through(data, new DecompressionStream("gzip")),
  createSha256: () => sha256.create(),
  breathe: () => sleep(0),
};

/** Stores the body as the drop's only content. After an error, the caller must delete the unsealed drop. */
export async function writeContent(
  db: Database,
  dropId: number,
  body: Bytes,
  packing: Packing = EVERYWHERE,
): Promise<{ bytes: number; sha256: string }> {
  const hash = packing.createSha256();
  let bytes = 0;
  let chunk = 0;
  let packed: { bytes: number; body: Promise<Uint8Array> } | null = null;
  let began = performance.now();
  const store = async () => {
    if (packed === null) return;
    const values = { dropId, part: 1, chunk: chunk++, bytes: packed.bytes, body: await packed.body as Buffer };
    await db.write([db.orm.insert(dropChunks).values(values)]);
  };
  for await (const data of cutChunks(body, MAX_DROP_BYTES, "a drop", db.valueBytes)) {
    hash.update(data);
    bytes += data.length;
    // Packed while the next chunk is read.
    const next = { bytes: data.length, body: packing.gzip(data) };
    await store();
    packed = next;
    began = await rest(packing, began);
  }
  await store();
  return { bytes, sha256: toHex(hash.digest()) };
}

/** Stores or replaces one part of an upload; false when the upload no longer takes parts. */
export async function writePart(
  db: Database,
  dropId: number,
  part: number,
  body: Bytes,
  packing: Packing = EVERYWHERE,
  { by = HUB, now = 0 }: { by?: By; now?: number } = {},
): Promise<boolean> {
  const chunks: { bytes: number; body: Uint8Array }[] = [];
  let began = performance.now();
  for await (const data of cutChunks(body, MAX_PART_BYTES, "a part", db.valueBytes)) {
    chunks.push({ bytes: data.length, body: await packing.gzip(data) });
    began = await rest(packing, began);
  }
  const isOpen = { id: dropId, sealedAt: null, sha256: null };
  const open = isStored(drops, isOpen);
  const { stillOpen } = await writeNamed(db, {
    dropChunks: db.orm.delete(dropChunks).where(and(eq(dropChunks.dropId, dropId), eq(dropChunks.part, part), open)),
    chunks: chunks.map((chunk, index) =>
      db.run(insertIf(dropChunks, { dropId, part, chunk: index, bytes: chunk.bytes, body: chunk.body as Buffer }, open))
    ),
    audit: recordAudit(
      db,
      by,
      {
        organizationId: sql`(select organization_id from ${drops} where id = ${dropId})`,
        action: "upload.part_received",
        subjects: [encodeId("upl", dropId)],
      },
      now,
      open,
    ),
    stillOpen: db.orm.select({ id: drops.id }).from(drops).where(matches(drops, isOpen)),
  });
  return stillOpen.length > 0;
}

/** The numbers of the stored parts, ascending, and the bytes of all of them. */
export async function listParts(db: Database, dropId: number): Promise<{ parts: number[]; bytes: number }> {
  const rows = await db.orm.select({ part: dropChunks.part, bytes: sql<number>`sum(${dropChunks.bytes})` })
    .from(dropChunks).where(eq(dropChunks.dropId, dropId)).groupBy(dropChunks.part).orderBy(asc(dropChunks.part));
  return { parts: rows.map((row) => row.part), bytes: rows.reduce((sum, row) => sum + row.bytes, 0) };
}

/** SHA-256 and size of the stored content, by reading it. `step` is called at each chunk. */
export async function digestContent(
  db: Database,
  dropId: number,
  packing: Packing = EVERYWHERE,
  step: () => void = () => {},
): Promise<{ bytes: number; sha256: string }> {
  const hash = packing.createSha256();
  let bytes = 0;
  const reader = streamContent(db, dropId, packing).getReader();
  for (let began = performance.now();; began = await rest(packing, began)) {
    const { done, value } = await reader.read();
    if (done) return { bytes, sha256: toHex(hash.digest()) };
    hash.update(value);
    bytes += value.length;
    step();
  }
}

/** Gives the time at which the next piece begins. */
async function rest(packing: Packing, began: number): Promise<number> {
  await packing.breathe(performance.now() - began);
  return performance.now();
}

/** The drop as connectors read it; may be opened more than once. */
export function openDrop(db: Database, drop: Drop, packing: Packing = EVERYWHERE): DropSource {
  return {
    name: drop.name,
    contentType: drop.contentType,
    bytes: drop.bytes,
    open: () => streamContent(db, drop.id, packing),
  };
}

/** Whether the content of a sealed drop is still there. An empty drop always is. */
export async function hasContent(db: Database, drop: Drop): Promise<boolean> {
  if (drop.bytes === 0) return true;
  const [row] = await db.orm.select({ chunk: dropChunks.chunk }).from(dropChunks).where(eq(dropChunks.dropId, drop.id))
    .limit(1);
  return row !== undefined;
}

function streamContent(db: Database, dropId: number, packing: Packing = EVERYWHERE): Bytes {
  let last = { part: -1, chunk: -1 };
  /** The next chunk's bytes; null at the end. */
  const load = async (): Promise<Uint8Array | null> => {
    // Without drizzle's mapping, which would make a Buffer of the body.
    const [row] = await db.orm.select({
      part: dropChunks.part,
      chunk: dropChunks.chunk,
      body: sql<ArrayBuffer | ArrayLike<number>>`${dropChunks.body}`,
    }).from(dropChunks).where(
      and(
        eq(dropChunks.dropId, dropId),
        sql`(${dropChunks.part}, ${dropChunks.chunk}) > (${last.part}, ${last.chunk})`,
      ),
    ).orderBy(asc(dropChunks.part), asc(dropChunks.chunk)).limit(1);
    if (row === undefined) return null;
    last = { part: row.part, chunk: row.chunk };
    return await packing.gunzip(new Uint8Array(row.body));
  };
  let next: Promise<Uint8Array | null> | null = null;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const data = await (next ?? load());
        if (data === null) return controller.close();
        next = load();
        // A reader that stops never awaits it.
        next.catch(() => {});
        if (data.length > 0) return controller.enqueue(data);
      }
    },
  }, { highWaterMark: 0 });
}

/** The body in chunks, each in a buffer that is valid until the next chunk but one is requested. */
async function* cutChunks(
  body: Bytes,
  maxBytes: number,
  what: string,
  chunkBytes = CHUNK_BYTES,
): AsyncGenerator<Uint8Array> {
  const read = openReader(body);
  let buffer = new Uint8Array(64 * 1024), spare = new Uint8Array(0);
  let filled = 0;
  let total = 0;
  try {
    for (;;) {
      if (filled === buffer.length) {
        const grown = new Uint8Array(Math.min(chunkBytes, buffer.length * 2));
        grown.set(buffer);
        buffer = grown;
      }
      const result = await read.into(buffer, filled).catch((cause: unknown) => {
        if (cause instanceof Fault) throw cause;
        throw new Fault("input_incomplete", "The body broke off before its end; nothing of it was taken", { cause });
      });
      buffer = result.buffer;
      if (result.bytes === 0) break;
      total += result.bytes;
      filled += result.bytes;
      if (total > maxBytes) throw tooLarge(what, maxBytes);
      if (filled === chunkBytes) {
        yield buffer;
        [buffer, spare] = [spare.length === chunkBytes ? spare : new Uint8Array(chunkBytes), buffer];
        filled = 0;
      }
    }
  } finally {
    await read.cancel().catch(() => {});
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

interface IntoReader {
  /** Reads some bytes into the buffer from index `from`; 0 at the end. Gives the buffer to continue with. */
  into(buffer: Uint8Array<ArrayBuffer>, from: number): Promise<{ bytes: number; buffer: Uint8Array<ArrayBuffer> }>;
  cancel(): Promise<void>;
}

/** Reads straight into the buffer if the stream can do that, so that no garbage is made for each piece. */
function openReader(body: Bytes): IntoReader {
  let direct: ReadableStreamBYOBReader;
  try {
    direct = body.getReader({ mode: "byob" });
  } catch {
    return openCopyingReader(body);
  }
  return {
    async into(buffer, from) {
      const { value } = await direct.read(buffer.subarray(from));
      // The stream takes the memory and returns it, unless it was cancelled.
      if (value === undefined) throw new Error("The stream was cancelled");
      return { bytes: value.length, buffer: new Uint8Array(value.buffer as ArrayBuffer) };
    },
    cancel: () => direct.cancel(),
  };
}

function openCopyingReader(body: Bytes): IntoReader {
  const reader = body.getReader();
  let rest = new Uint8Array(0) as Uint8Array;
  return {
    async into(buffer, from) {
      while (rest.length === 0) {
        const { done, value } = await reader.read();
        if (done) return { bytes: 0, buffer };
        rest = value;
      }
      const bytes = Math.min(rest.length, buffer.length - from);
      buffer.set(rest.subarray(0, bytes), from);
      rest = rest.subarray(bytes);
      return { bytes, buffer };
    },
    cancel: () => reader.cancel(),
  };
}

/** `too_large`, naming the limit in a unit that people use. */
export function tooLarge(what: string, maxBytes: number): Fault {
  return new Fault("too_large", `The body is larger than ${what} may be: ${sizeInWords(maxBytes)} at most`);
}

async function through(data: Uint8Array, transform: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const stream = new Blob([data as Uint8Array<ArrayBuffer>]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
