import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readCsv } from "../../src/intake/csv.ts";
import { readNdjson } from "../../src/intake/ndjson.ts";
import { likelyReadings } from "../../src/intake/likely-readings.ts";
import { bytesOf, faultOf, readAll, utf16 } from "./bytes.ts";

const raw = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** A row in each encoding, as programs write it. */
const SAMPLES: readonly (readonly [charset: string, row: string, cells: readonly string[]])[] = [
  ["windows-1252", "Zo\xeb,\x80 5", ["Zoë", "€ 5"]],
  ["windows-1250", "Dvo\xf8\xe1k,\xa3\xf3d\x9f", ["Dvořák", "Łódź"]],
  ["windows-1251", "\xc8\xe2\xe0\xed,\xdf", ["Иван", "Я"]],
  ["iso-8859-15", "\xa4,\xbd", ["€", "œ"]],
  ["macintosh", "Zo\x91,\x9f", ["Zoë", "ü"]],
  ["koi8-r", "\xe9\xd7\xc1\xce,x", ["Иван", "x"]],
  ["shift_jis", "\x8e\x52\x93\x63,\x83\x5c", ["山田", "ソ"]],
  ["euc-jp", "\xbb\xb3\xc5\xc4,x", ["山田", "x"]],
  ["iso-2022-jp", "\x1b$B;3ED\x1b(B,x", ["山田", "x"]],
  ["gbk", "\xcd\xf5\xc3\xf4,x", ["王敏", "x"]],
  ["gb18030", "\xcd\xf5,\x81\x30\x86\x30", ["王", "¸"]],
  ["big5", "\xa4\xfd,x", ["王", "x"]],
  ["euc-kr", "\xb1\xe8,x", ["김", "x"]],
];

test("a text is read in the encoding that is declared for it, whatever its chunks", async () => {
  for (const [charset, row, cells] of SAMPLES) {
    for (const sizes of [[1], [2], [3, 5], [65_536]]) {
      const read = await readAll(readCsv, raw(`a,b\r\n1,2\r\n${row}\r\n`), { charset }, sizes);
      assert.deepEqual(read.cells, [["1", "2"], cells], charset);
      assert.deepEqual(read.lines, [2, 3]);
    }
  }
});

test("UTF-16 without a byte order mark is read when it is declared", async () => {
  const text = "a,b\nZoë,😀\n";
  for (const big of [true, false]) {
    const bytes = utf16(text, big).slice(2);
    const read = await readAll(readCsv, bytes, { charset: big ? "utf-16be" : "utf-16le" }, [3]);
    assert.deepEqual(read.cells, [["Zoë", "😀"]]);
  }
  const half = utf16("a,b\n\ud800x,2\n", false).slice(2);
  assert.match(
    await faultOf(readCsv, half, { charset: "utf-16le" }),
    /^encoding_invalid: .* at offset 8, on line 2, is not UTF-16/,
  );
});

test("a byte order mark counts more than what is declared", async () => {
  for (const bytes of [bytesOf("\ufeffa,b\né,€\n"), utf16("a,b\né,€\n", true), utf16("a,b\né,€\n", false)]) {
    for (const charset of ["shift_jis", "utf-16le", "utf-16be", "windows-1252"]) {
      assert.deepEqual((await readAll(readCsv, bytes, { charset })).cells, [["é", "€"]]);
    }
  }
});

test("JSON is read in a declared encoding, too", async () => {
  const read = await readAll(readNdjson, raw('{"a":"Zo\xeb"}\n'), { charset: "windows-1252" });
  assert.deepEqual(read.cells, [["Zoë"]]);
});

test("the place of an invalid byte is the same, whatever the chunks and the encoding", async () => {
  const bad = { "shift_jis": "\x8e,", "euc-kr": "\xb1\n", "windows-1252": "\x9d", "iso-8859-2": "\x80" };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(bad) as (keyof typeof bad)[]),
      fc.array(fc.constantFrom("a,b", "1,2", "\r\n", "\n", "\r", "x"), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      async (charset, parts, sizes) => {
        const before = `a,b\n${parts.join("")}`;
        const line = before.split(/\r\n|\r|\n/).length;
        const fault = await faultOf(readCsv, raw(`${before}${bad[charset]}z,z\n`), { charset, delimiter: "," }, sizes);
        const name = bad[charset].charCodeAt(0).toString(16).toUpperCase();
        const start = `encoding_invalid: Byte 0x${name} at offset ${before.length}, on line ${line}, is not ${charset}`;
        assert.equal(fault.slice(0, start.length), start);
      },
    ),
    { numRuns: 150 },
  );
});

test("a cell is shown in the encodings that it probably has, most likely first, and never as a recommendation", () => {
  const first = (bytes: string) => likelyReadings(raw(bytes))!;
  assert.match(first("M\xfcller"), /^"Müller" in windows-1252 or windows-1250, /);
  assert.match(first("Dvo\xf8\xe1k"), /"Dvoøák" in windows-1252.*, "Dvořák" in windows-1250/);
  assert.match(first("\x8e\x52\x93\x63 \x91\xbe\x98\x59"), /^"山田 太郎" in shift_jis, /);
  assert.match(first("\xcd\xf5\xc3\xf4"), /"王敏" in gb18030/);
  assert.match(first("\xc8\xe2\xe0\xed\xee\xe2"), /^"Иванов" in windows-1251/);
  assert.match(first("Zo\x91"), /^"Zoë" in macintosh/);
  for (const bytes of ["M\xfcller", "\xcd\xf5\xc3\xf4", "\x8e\x52\x93\x63"]) {
    const readings = first(bytes).match(/ in /g)!.length;
    assert.ok(readings >= 2 && readings <= 3, first(bytes));
  }
  assert.equal(likelyReadings(new Uint8Array(0)), null);
  assert.match(first(`\xe9${"x".repeat(300)}`), /^"é(x{39})…" in windows-1252/);
});
