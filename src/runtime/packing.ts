/** Compresses drops with the zlib of Deno and Node: several times faster than the Web's streams, at some bytes more. */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers";
import { promisify } from "node:util";
import { gunzip, gunzipSync, gzip, gzipSync, type ZlibOptions } from "node:zlib";
import type { Packing } from "../store/runs/drop-content.ts";
import { createSweepAfter } from "./threads/memory.ts";
import { sleep } from "../std/sleep.ts";

/** Deno compresses in the calling thread in either case, and the synchronous function has less overhead. */
const pack: (data: Uint8Array, options: ZlibOptions) => Uint8Array | Promise<Uint8Array> = "Deno" in globalThis
  ? gzipSync
  : promisify<Uint8Array, ZlibOptions, Uint8Array>(gzip);

const unpack = promisify<Uint8Array, ZlibOptions, Uint8Array>(gunzip);

/** Chunks are of a megabyte, and their output is joined from pieces of this size: fewer are faster. */
const PIECE_BYTES = 1024 * 1024;

/** For a process that answers no requests. */
export const packing: Packing = {
  gzip: async (data) => await pack(data, howToPack(data)),
  gunzip: (data) => unpack(data, howToUnpack(data)),
  createSha256: () => createHash("sha256"),
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
};

/** The longest pause: time that was spent waiting for the network should not be given to others twice. */
const MAX_REST_MS = 20;

/** Collects garbage after an upload, not during it, when other requests wait already. */
const packed = createSweepAfter();

/** For a process that answers requests: after each chunk it pauses for as long as the chunk took. */
export const sharedPacking: Packing = {
  ...packing,
  gzip(data) {
    packed(data.length);
    return packing.gzip(data);
  },
  breathe: (workedMs) => sleep(Math.min(workedMs, MAX_REST_MS)),
};

/** For a thread that has nothing else to do. */
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
