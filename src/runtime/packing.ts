/** Packs drops with what Deno and Node have beyond the Web's own: several times faster, at the price of some bytes. */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers";
import { promisify } from "node:util";
import { gunzip, gunzipSync, gzip, gzipSync, type ZlibOptions } from "node:zlib";
import type { Packing } from "../store/runs/drop-content.ts";
import { createSweepAfter } from "./threads/memory.ts";
import { sleep } from "../std/sleep.ts";

/** On Deno the thread packs by itself, whichever is asked, and the way without a stream around it takes less. */
const pack: (data: Uint8Array, options: ZlibOptions) => Uint8Array | Promise<Uint8Array> = "Deno" in globalThis
  ? gzipSync
  : promisify<Uint8Array, ZlibOptions, Uint8Array>(gzip);

const unpack = promisify<Uint8Array, ZlibOptions, Uint8Array>(gunzip);

/** Chunks are of a megabyte: what comes out is put together from pieces of this size, which are better few. */
const PIECE_BYTES = 1024 * 1024;

/** For a process that has nobody to answer meanwhile. */
export const packing: Packing = {
  gzip: async (data) => await pack(data, howToPack(data)),
  gunzip: (data) => unpack(data, howToUnpack(data)),
  createSha256: () => createHash("sha256"),
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
};

/** What comes over the network may be slower than its work; the wait for it is no reason to rest for long. */
const MAX_REST_MS = 20;

/** Not while an upload comes in, when others wait for their turn already. */
const packed = createSweepAfter();

/** For one that answers requests: as much of its time is theirs as a body takes. */
export const sharedPacking: Packing = {
  ...packing,
  gzip(data) {
    packed(data.length);
    return packing.gzip(data);
  },
  breathe: (workedMs) => sleep(Math.min(workedMs, MAX_REST_MS)),
};

/** The same, for a thread that has nothing else to do. */
export const gzipNow = (data: Uint8Array): Uint8Array => gzipSync(data, howToPack(data));
export const gunzipNow = (data: Uint8Array): Uint8Array => gunzipSync(data, howToUnpack(data));

function howToPack(data: Uint8Array): ZlibOptions {
  return { level: 1, chunkSize: piece(data.length) };
}

function howToUnpack(data: Uint8Array): ZlibOptions {
  return { chunkSize: piece(data.length * 4) };
}

function piece(bytes: number): number {
  return Math.min(PIECE_BYTES, Math.max(1024, bytes));
}
