/** Unpacking as it is asked for, and what Node's own does instead. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { createDecompression } from "../../src/runtime/inflate.ts";

const skip = "Deno" in globalThis ? "Deno has its own" : false;
const PLAIN = new Uint8Array(8 * 1024 * 1024).fill(0x61);

function streamOf(bytes: Uint8Array, onPull: () => void): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      onPull();
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.subarray(at, at += 256));
    },
  }, { highWaterMark: 0 });
}

test("every format is unpacked to what it was", { skip }, async () => {
  for (
    const [format, pack] of [["gzip", gzipSync], ["deflate", deflateSync], ["deflate-raw", deflateRawSync]] as const
  ) {
    const unpacked = streamOf(pack(PLAIN), () => {}).pipeThrough(createDecompression(format));
    const bytes = new Uint8Array(await new Response(unpacked as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
    assert.equal(bytes.length, PLAIN.length, format);
    assert.ok(bytes.every((byte) => byte === 0x61));
  }
  assert.throws(() => createDecompression("brotli"), TypeError);
});

test("nothing is unpacked ahead of whoever reads", { skip }, async () => {
  let pulls = 0;
  const reader = streamOf(deflateSync(PLAIN), () => pulls++).pipeThrough(createDecompression("deflate")).getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(pulls <= 4, `${pulls} pieces were taken`);
  await reader.cancel();
});

test("what is damaged or cut off fails", { skip }, async () => {
  const packed = deflateSync(PLAIN);
  const changed = packed.slice();
  changed[20]! ^= 0xff;
  for (const bytes of [changed, packed.slice(0, -10), packed.slice(0, 40)]) {
    const unpacked = streamOf(bytes, () => {}).pipeThrough(createDecompression("deflate"));
    await assert.rejects(new Response(unpacked as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
  }
});
