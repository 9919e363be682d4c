import assert from "node:assert/strict";
import { test } from "node:test";
import { sizeInWords, tooLargeInWords } from "../../src/std/size.ts";

const MIB = 1024 ** 2;

test("sizes are in units that people use, and what is over a limit never reads as the limit", () => {
  assert.deepEqual([1, 950, MIB - 1, MIB, 62.41 * MIB, 1024 * MIB, 1024 * MIB + 1].map(sizeInWords), [
    "1 byte",
    "950 bytes",
    "1048575 bytes",
    "1 MiB",
    "62.5 MiB",
    "1 GiB",
    "1.1 GiB",
  ]);
});

test("why a file is too large names its size and the limit, also where a program on the way takes less", () => {
  assert.equal(tooLargeInWords(62 * MIB, 50 * MIB), "has 62 MiB, and at most 50 MiB are taken");
  assert.equal(tooLargeInWords(null, 50 * MIB), "is too large: at most 50 MiB are taken");
  assert.equal(
    tooLargeInWords(9, 50 * MIB),
    "has 9 bytes, and was refused as too large on its way to the hub, which takes up to 50 MiB",
  );
});
