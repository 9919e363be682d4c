import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCutter, cutRecords } from "../../src/intake/cut.ts";
import { tightenQuotes } from "../../src/intake/tighten-quotes.ts";
import { spaceAt } from "../../src/intake/white-space.ts";
import { bytesOf } from "./bytes.ts";

/** The records of a text that is seen through windows of these sizes, which begin where the last one was used up to. */
function cutThrough(text: string, delimiter: string, sizes: readonly number[]): { line: number; text: string }[] {
  const input = bytesOf(text);
  const cutter = createCutter(delimiter.charCodeAt(0), 1 << 20);
  const records: { line: number; text: string }[] = [];
  let offset = 0, turn = 0, size = sizes[0]!;
  for (;;) {
    const bytes = input.subarray(offset, offset + size);
    const last = offset + size >= input.length;
    const cuts = cutRecords(cutter, { bytes, length: bytes.length, offset, last }, 0);
    for (let i = 0; i < cuts.count; i++) {
      const record = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(cuts.starts[i], cuts.ends[i]));
      records.push({ line: cuts.lines[i]!, text: record });
    }
    if (last) return records;
    offset += cuts.used;
    // A record that is not whole is seen again, with more behind it.
    size = cuts.used > 0 ? sizes[++turn % sizes.length]! : size + sizes[++turn % sizes.length]!;
  }
}

/** Cells that are right by themselves: quoted ones with any white space around, and others. */
const space = fc.string({ unit: fc.constantFrom(" ", "\t", "\u00a0", "\u3000", "\u2009", "\ufeff"), maxLength: 2 });
const inner = fc.string({ unit: fc.constantFrom("a", "é", "名", '""', ",", "\r\n", "\n", "\r", " "), maxLength: 5 });
const cell = fc.oneof(
  fc.tuple(space, inner, space).map(([before, text, after]) => `${before}"${text}"${after}`),
  fc.constantFrom("", "x", 'x"', " y ", "\u00a0", "名", '5" pipe'),
);
const end = fc.constantFrom("\n", "\r\n", "\r", "\n\n", " \r\n");
const text = fc.array(fc.tuple(fc.array(cell, { minLength: 1, maxLength: 3 }), end), { maxLength: 6 })
  .map((rows) => rows.map(([cells, lineEnd]) => cells.join(",") + lineEnd).join(""));

test("records are the same through windows of any sizes", () => {
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }), (text, sizes) => {
      assert.deepEqual(cutThrough(text, ",", sizes), cutThrough(text, ",", [1 << 20]));
    }),
    { numRuns: 1000 },
  );
});

test("white space is what trim removes, and line ends aside", () => {
  for (let point = 1; point < 0x10000; point++) {
    if (point >= 0xd800 && point < 0xe000) continue;
    const char = String.fromCharCode(point);
    const bytes = bytesOf(char);
    const isSpace = char.trim() === "" && char !== "\n" && char !== "\r";
    assert.equal(spaceAt(bytes, 0, bytes.length), isSpace ? bytes.length : 0, point.toString(16));
  }
  assert.equal(spaceAt(Uint8Array.of(0xe2, 0x80), 0, 2), 0);
});

test("quotes are tightened around long cells with many quotes and line breaks", () => {
  const long = `${'""\n'.repeat(20)}${'""'.repeat(30_000)}`;
  assert.equal(tightenQuotes(` "${long}" , "b"\t\n`, ","), `"${long}","b"\n`);
  assert.equal(tightenQuotes('a, b "c" ,\u00a0""\n', ","), 'a, b "c" ,""\n');
  assert.equal(tightenQuotes('"a"\t "b" \n', "\t"), '"a"\t"b"\n');
  assert.equal(tightenQuotes(' "a, b" \n', null), '"a, b"\n');
});
