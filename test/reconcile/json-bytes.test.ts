/** JSON written as bytes, and a page's entries read a few at a time: both what JSON.stringify and JSON.parse make of them. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  clearJson,
  createJsonBytes,
  writeByte,
  writeJson,
  writeValue,
} from "../../src/reconcile/columns/json-bytes.ts";
import { type Entry, readEntries } from "../../src/reconcile/columns/entry.ts";
import type { Stored } from "../../src/reconcile/image.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });
const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string());
const stored: fc.Arbitrary<Stored> = fc.oneof(
  text,
  fc.constant(null),
  fc.nat(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.dictionary(text, fc.oneof(text, fc.nat())),
  fc.array(text),
);

test("values come out as JSON.stringify has them, lone surrogates and large numbers, too", () => {
  const json = createJsonBytes();
  fc.assert(fc.property(fc.array(stored), (values) => {
    clearJson(json, 1024 * 1024);
    for (const value of values) writeValue(json, value);
    assert.equal(
      decoder.decode(json.bytes.subarray(0, json.used)),
      values.map((value) => JSON.stringify(value)).join(""),
    );
  }));
  clearJson(json, 1024 * 1024);
  // All that a text of one character can be.
  for (let unit = 0; unit < 0x10000; unit++) writeValue(json, String.fromCharCode(unit));
  const all = Array.from({ length: 0x10000 }, (_, unit) => JSON.stringify(String.fromCharCode(unit))).join("");
  assert.equal(decoder.decode(json.bytes.subarray(0, json.used)), all);
});

test("a buffer that grew keeps what was written, and is given back when it is too large", () => {
  const json = createJsonBytes();
  const long = "é".repeat(100_000);
  for (let i = 0; i < 5; i++) writeValue(json, long);
  writeJson(json, new TextEncoder().encode("[1]"));
  writeByte(json, 0x0a);
  assert.equal(decoder.decode(json.bytes.subarray(0, json.used)), `${JSON.stringify(long).repeat(5)}[1]\n`);
  clearJson(json, json.bytes.length);
  assert.ok(json.bytes.length > 900_000);
  clearJson(json, 1024);
  assert.ok(json.bytes.length < 100_000);
  assert.equal(json.used, 0);
});

test("a page's entries read in any number at once are those of the page, with lines between them or without", () => {
  const entries = fc.array(
    fc.array(fc.oneof(text, fc.nat(), fc.constant(null)), { minLength: 1 }) as fc.Arbitrary<Entry>,
    {
      minLength: 1,
    },
  );
  fc.assert(fc.property(entries, fc.integer({ min: 1, max: 12 }), (page, together) => {
    const lines = `[${page.map((entry) => `\n${JSON.stringify(entry)}`).join(",")}]`;
    const pieces = [...readEntries(lines, together)];
    assert.deepEqual(pieces.flat(), page);
    assert.deepEqual(pieces.map((piece) => piece.length).slice(0, -1), new Array(pieces.length - 1).fill(together));
    assert.deepEqual([...readEntries(JSON.stringify(page), together)], [page]);
  }));
});
