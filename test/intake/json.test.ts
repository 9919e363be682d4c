import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readJson } from "../../src/intake/json.ts";
import { readNdjson } from "../../src/intake/ndjson.ts";
import type { Cell } from "../../src/model/record.ts";
import { bytesOf, OPTIONS, readAll, utf16 } from "./bytes.ts";

const value: fc.Arbitrary<Cell> = fc.oneof(
  fc.string({
    unit: fc.constantFrom("a", "é", "😀", '"', "\\", "{", "}", "[", "]", ",", ":", " ", "\n", "\u2028"),
    maxLength: 8,
  }),
  fc.constantFrom(null, true, false, 0, -1.5e-7, ""),
  fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Cell>,
);
const key = fc.constantFrom("email", "name", "constructor", "__proto__", 'a "quoted" \\ key', "é", "");
const records = fc.array(fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength: 5 }), {
  maxLength: 6,
});

type Records = (readonly [string, Cell])[][];

/** What the records should read as. */
function expected(all: Records) {
  const columns = [...new Set(all.flatMap((record) => record.map(([name]) => name)))];
  const cells = all.map((record) => columns.map((column) => record.find(([name]) => name === column)?.[1]));
  return { columns, cells: JSON.parse(JSON.stringify(cells)) };
}

function objectText(record: Records[number], space = ""): string {
  const members = record.map(([name, cell]) =>
    `${space}${JSON.stringify(name)}${space}:${space}${JSON.stringify(cell)}`
  );
  return `{${members.join(`${space},`)}${space}}`;
}

/** Absent cells as null, for comparison with what went through JSON. */
function plain(cells: readonly (readonly Cell[])[]) {
  return JSON.parse(JSON.stringify(cells.map((row) => row.map((cell) => cell ?? null))));
}

const chunks = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

test("JSON in any layout and cut into any chunks reads as its records", async () => {
  await fc.assert(
    fc.asyncProperty(
      records,
      chunks,
      fc.constantFrom("", " ", "\r\n\t"),
      fc.constantFrom("array", "users", "departments"),
      async (all, sizes, space, form) => {
        const list = `[${space}${all.map((record) => objectText(record, space)).join(`${space},${space}`)}]`;
        const text = `${space}${
          form === "array" ? list : `{${space}"${form}"${space}:${space}${list}${space}}`
        }${space}`;
        for (const bytes of [bytesOf(text), bytesOf(`\ufeff${text}`), utf16(text, false), utf16(text, true)]) {
          const read = await readAll(readJson, bytes, {}, sizes);
          assert.deepEqual(read.columns, expected(all).columns);
          assert.deepEqual(plain(read.cells), expected(all).cells);
          assert.deepEqual(read.lines, all.map((_, i) => i + 1));
          assert.equal(read.report.endsWithLineEnd, true);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("NDJSON with any line ends and cut into any chunks reads as its records", async () => {
  await fc.assert(
    fc.asyncProperty(records, chunks, fc.constantFrom("\n", "\r\n", "\r", " \n\n"), async (all, sizes, end) => {
      const text = all.map((record) => objectText(record) + end).join("");
      for (const bytes of [bytesOf(text), utf16(text, false)]) {
        const read = await readAll(readNdjson, bytes, {}, sizes);
        assert.deepEqual(read.columns, expected(all).columns);
        assert.deepEqual(plain(read.cells), expected(all).cells);
        assert.deepEqual(read.lines, all.map((_, i) => i + 1));
        assert.equal(read.report.endsWithLineEnd, true);
      }
    }),
    { numRuns: 150 },
  );
});

test("many windows of JSON read as their records, whatever the chunks", async () => {
  const all = Array.from(
    { length: 20_000 },
    (_, i) => ({ id: `${i}`, name: `Ünï "${i}" 名`, ...(i > 15_000 && { late: true }) }),
  );
  for (const sizes of [[1 << 20], [65_536], [4093, 1, 65_537]]) {
    const json = await readAll(readJson, JSON.stringify(all), {}, sizes);
    const ndjson = await readAll(readNdjson, all.map((one) => JSON.stringify(one)).join("\n"), {}, sizes);
    for (const read of [json, ndjson]) {
      assert.equal(read.cells.length, all.length);
      assert.deepEqual(read.columns, ["id", "name", "late"]);
      assert.deepEqual(read.cells[0], ["0", all[0]!.name]);
      assert.deepEqual(read.cells.at(-1), ["19999", all.at(-1)!.name, true]);
      assert.equal(read.lines.at(-1), 20_000);
    }
    assert.deepEqual(json.digests, ndjson.digests);
    assert.equal(ndjson.report.endsWithLineEnd, false);
  }
});

test("an absent key is an absent cell, null is an empty one, and the names that objects inherit are nothing", async () => {
  const { columns, cells } = await readAll(readJson, '[{"a":null},{"toString":"x"},{"a":"","__proto__":"y"}]');
  assert.deepEqual(columns, ["a", "toString", "__proto__"]);
  assert.deepEqual(cells, [[null, undefined, undefined], [undefined, "x", undefined], ["", undefined, "y"]]);
});

test("a key is the same however it is escaped", async () => {
  const { columns, cells } = await readAll(readJson, '[{"name":"1"},{"n\\u0061me":"2"},{"name":"3"}]');
  assert.deepEqual(columns, ["name"]);
  assert.deepEqual(cells, [["1"], ["2"], ["3"]]);
});

test("equal records have equal digests, and a changed one has another", async () => {
  const { digests } = await readAll(readJson, '[{"a":1}, {"a":1},{"a":2},{"a" :1}]');
  assert.equal(digests[0], digests[1]);
  assert.equal(new Set(digests).size, 3);
});

test("no records are one block without columns", async () => {
  for (const text of ["[]", '{"users":[]}', " [ ] \n"]) {
    const { columns, cells } = await readAll(readJson, text);
    assert.deepEqual([columns, cells], [[], []], text);
  }
  assert.deepEqual((await readAll(readNdjson, "\n\n")).cells, []);
});

test("only the records that are asked for are parsed", async () => {
  const stream = new Response('[{"a":"x"},{"a":nonsense},{"a":"z"}]').body!;
  const options = { ...OPTIONS, maxRowBytes: 100, maxColumns: 9, maxBytes: 1000 };
  for await (const block of readJson(stream, options, { delimiter: null, endsWithLineEnd: false })) {
    assert.deepEqual(block.rows([0, 2]).map((row) => row.cells), [["x"], ["z"]]);
    assert.throws(() => block.rows([1, 2]), { code: "json_invalid", line: 2 });
  }
});
