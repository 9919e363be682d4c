import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { digestBytes, digestCells, hashText, murmur3 } from "../../src/intake/digest.ts";
import type { Cell } from "../../src/model/record.ts";
import { bytesOf } from "./bytes.ts";

const SALT = new Int32Array([0x01020304, -5, 0x7fffffff, 0]);

function hex(words: Int32Array): string {
  return Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, "0")).join(" ");
}

function murmurOf(bytes: Uint8Array, seed = 0): Int32Array {
  const out = new Int32Array(4);
  murmur3(bytes, 0, bytes.length, seed, out, 0);
  return out;
}

function cellsDigest(cells: readonly Cell[], salt = SALT): string {
  const out = new Int32Array(4);
  digestCells(cells, salt, out, 0);
  return hex(out);
}

test("the hash has SMHasher's verification value for MurmurHash3_x86_128", () => {
  const hashes = new Uint8Array(256 * 16);
  const key = Uint8Array.from({ length: 256 }, (_, i) => i);
  const out = new Int32Array(4);
  for (let i = 0; i < 256; i++) {
    murmur3(key, 0, i, 256 - i, out, 0);
    hashes.set(new Uint8Array(out.buffer), i * 16);
  }
  murmur3(hashes, 0, hashes.length, 0, out, 0);
  assert.equal(out[0]! >>> 0, 0xb3ece62a);
});

test("the hash gives the known words for known texts", () => {
  assert.equal(hex(murmurOf(bytesOf(""))), "00000000 00000000 00000000 00000000");
  assert.equal(hex(murmurOf(bytesOf(""), 1)), "88c4adec 54d201b9 54d201b9 54d201b9");
  assert.equal(
    hex(murmurOf(bytesOf("The quick brown fox jumps over the lazy dog"))),
    "2f1583c3 ecee2c67 5d7bf66c e5e91d2c",
  );
});

test("a digest is the hash of the salt followed by the data, wherever the data lies", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 70 }),
      fc.nat(5),
      fc.int32Array({ minLength: 4, maxLength: 4 }),
      (data, gap, salt) => {
        const whole = new Uint8Array(16 + data.length);
        whole.set(new Uint8Array(salt.buffer, salt.byteOffset, 16));
        whole.set(data, 16);
        const among = new Uint8Array(gap + data.length + 3).fill(7);
        among.set(data, gap);
        const out = new Int32Array(6);
        digestBytes(among, gap, gap + data.length, salt, out, 2);
        assert.deepEqual(out.slice(2), murmurOf(whole));
      },
    ),
    { numRuns: 300 },
  );
});

test("equal bytes have equal digests, others have others", () => {
  const digest = (bytes: Uint8Array) => {
    const out = new Int32Array(4);
    digestBytes(bytes, 0, bytes.length, SALT, out, 0);
    return hex(out);
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), fc.nat(), (a, b, at) => {
      assert.equal(digest(a) === digest(b), a.length === b.length && a.every((byte, i) => byte === b[i]));
      if (a.length === 0) return;
      const other = a.slice();
      other[at % a.length]! ^= 1 + (at % 255);
      assert.notEqual(digest(a), digest(other));
    }),
    { numRuns: 300 },
  );
});

const cell: fc.Arbitrary<Cell> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.string({ maxLength: 4 }),
  fc.constantFrom(undefined, null, "", "\ud800", "\udfff", "1", 1, 0, true, false, "true", "é", "{}"),
  fc.double({ noNaN: true }),
  fc.record({ a: fc.nat(3) }),
);

test("cells have equal digests exactly when they are the same cells, null being the empty one", () => {
  const canonical = (cells: readonly Cell[]) =>
    cells.map((c) =>
      c === undefined
        ? "absent"
        : c === null
        ? 'string:""'
        : typeof c === "number"
        ? `number:${Object.is(c, -0) ? "-0" : c}`
        : `${typeof c}:${JSON.stringify(c)}`
    ).join("|");
  fc.assert(
    fc.property(fc.array(cell, { maxLength: 3 }), fc.array(cell, { maxLength: 3 }), (a, b) => {
      assert.equal(cellsDigest(a) === cellsDigest(b), canonical(a) === canonical(b));
    }),
    { numRuns: 2000 },
  );
  assert.notEqual(cellsDigest([undefined]), cellsDigest([""]));
  assert.equal(cellsDigest([null]), cellsDigest([""]));
  assert.notEqual(cellsDigest(["a", "b"]), cellsDigest(["ab"]));
  assert.notEqual(cellsDigest(["ab", "c"]), cellsDigest(["a", "bc"]));
  assert.notEqual(cellsDigest(["\ud800"]), cellsDigest(["\ud801"]));
});

test("another salt gives other digests", () => {
  assert.notEqual(cellsDigest(["ana@example.com"]), cellsDigest(["ana@example.com"], new Int32Array(4)));
});

test("a text longer than any before is hashed whole", () => {
  const out = new Int32Array(4);
  const long = "é".repeat(100_000);
  hashText(`${long}a`, SALT, out, 0);
  hashText(`${long}b`, SALT, out, 2);
  assert.notEqual(hex(out.slice(0, 2)), hex(out.slice(2)));
  hashText(`${long}a`, SALT, out, 2);
  assert.equal(hex(out.slice(0, 2)), hex(out.slice(2)));
});
