/**
 * Replaces Node's DecompressionStream, which has no backpressure: it decompresses 16,384 pieces ahead of its reader (up to
 * Node 22 at least), which is hundreds of megabytes of an encrypted file. This one decompresses on demand, as Deno's does.
 */
import type { Transform } from "node:stream";
import { createGunzip, createInflate, createInflateRaw } from "node:zlib";

const FORMATS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  deflate: createInflate,
  "deflate-raw": createInflateRaw,
};

/** Replaces Node's DecompressionStream in this thread. Does nothing on Deno. */
export function installInflate(): void {
  if ("Deno" in globalThis) return;
  const DecompressionStream = function (format: string) {
    return createDecompression(format);
  };
  Object.assign(globalThis, { DecompressionStream });
}

/** Like `new DecompressionStream(format)`. */
export function createDecompression(format: string): TransformStream<Uint8Array, Uint8Array> {
  const inflate = FORMATS[format]?.();
  if (inflate === undefined) throw new TypeError(`Cannot unpack "${format}"`);
  let out: Uint8Array[] = [];
  let fail = (_error: Error) => {};
  inflate.on("data", (bytes: Uint8Array) => out.push(bytes));
  inflate.on("error", (error) => fail(error));
  const settled = (work: (done: () => void) => void, controller: TransformStreamDefaultController<Uint8Array>) =>
    new Promise<void>((resolve, reject) => {
      fail = reject;
      work(() => {
        for (const bytes of out) controller.enqueue(bytes);
        out = [];
        resolve();
      });
    });
  return new TransformStream<Uint8Array, Uint8Array>({
    transform: (bytes, controller) => settled((done) => inflate.write(bytes, () => done()), controller),
    flush: (controller) =>
      settled((done) => {
        inflate.once("end", done);
        inflate.end();
      }, controller),
  });
}
