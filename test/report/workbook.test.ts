/** Workbooks as they are written, read back by the hub's own reader. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type SheetOut, writeWorkbook } from "../../src/report/workbook.ts";
import { readAll } from "../support/workbook-parts.ts";

async function written(sheets: readonly SheetOut[]): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of writeWorkbook(sheets)) pieces.push(piece);
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}

const people = (rows: readonly (readonly string[])[]): SheetOut => ({ name: "People", widths: [12, 30], rows });

test("every text comes back as it was, whatever a spreadsheet would make of it", async () => {
  const cells = [
    "000123",
    "=1+1",
    "MAR10",
    "1E5",
    "TRUE",
    " a ",
    "a\nb",
    "a\r\nb\tc",
    "\u0000\u0007\u001b",
    "_x0041_",
    "_x005F_",
    "<&>\"'",
    "Łuć 🙂 木",
    "'t Hart",
    "a".repeat(32_767),
  ];
  const rows = cells.map((cell, i) => [String(i), cell]);
  const read = readAll(await written([people([["id", "value"], ...rows])]));
  assert.deepEqual(read.slice(1).map(([, id, value]) => [id, value]), rows);
});

test("half a character and a text too long for a cell are written as what a spreadsheet takes", async () => {
  const read = readAll(await written([people([["id", "value"], ["1", "a\ud800b"], ["2", "x".repeat(40_000)]])]));
  assert.equal(read[1]![2], "a\ufffdb");
  assert.equal((read[2]![2] as string).length, 32_767);
});

test("several sheets, columns beyond Z, and the same bytes each time", async () => {
  const wide = Array.from({ length: 60 }, (_, i) => `c${i}`);
  const sheets: SheetOut[] = [people([["id"], ["1"]]), {
    name: "Fields & <more>",
    widths: [],
    rows: [wide, wide.toReversed()],
  }];
  const file = await written(sheets);
  assert.deepEqual(readAll(file, { sheet: "Fields & <more>" }), [[0, ...wide], [2, ...wide.toReversed()]]);
  assert.deepEqual(await written(sheets), file);
});

test("a name that no spreadsheet takes is refused", async () => {
  for (const name of ["", "a/b", "x".repeat(32)]) {
    await assert.rejects(written([{ name, widths: [], rows: [] }]), /cannot have the name/);
  }
});
