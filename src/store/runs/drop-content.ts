/**
 * The bytes of a drop: written as they arrive, in gzip chunks of at most 1 MiB, and streamed back.
 *
 * Never holds more than two chunks in memory. Parts below 1 are pieces that are not content yet (drop-pieces.ts).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { and, asc, eq, gte, sql } from "drizzle-orm";
import type { DropSource } from "../../connector.ts";
import { MAX_FILE_BYTES } from "../../model/limits.ts";
import { toHex } from "../../std/hex.ts";
import { sleep } from "../../std/sleep.ts";
import type { Database } from "../database.ts";
import { type Bytes, cutChunks } from "./cut-body.ts";
import type { Drop } from "./drops.ts";
import { dropChunks } from "./schema-drops.ts";

/** Received bytes of a whole drop. */
export const MAX_DROP_BYTES = MAX_FILE_BYTES;
/** Parts are numbered from here. */
export const FIRST_PART = 1;

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

/** Lets other work go on; gives the time at which the next chunk begins. */
export async function rest(packing: Packing, began: number): Promise<number> {
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
  const [row] = await db.orm.select({ chunk: dropChunks.chunk }).from(dropChunks)
    .where(and(eq(dropChunks.dropId, drop.id), gte(dropChunks.part, FIRST_PART))).limit(1);
  return row !== undefined;
}

function streamContent(db: Database, dropId: number, packing: Packing = EVERYWHERE): Bytes {
  let last = { part: FIRST_PART, chunk: -1 };
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

async function through(data: Uint8Array, transform: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const stream = new Blob([data as Uint8Array<ArrayBuffer>]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
