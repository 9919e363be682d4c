import assert from "node:assert/strict";
import { test } from "node:test";
import { readCsv } from "../../src/intake/csv.ts";
import { bytesOf, faultOf, readAll, utf16 } from "./bytes.ts";

const ROWS = "employee_id;email;title\nK1;ana@example.com;Lead, Sales\nK2;bo@example.com;Clerk\n";
const isHeader = (names: readonly string[]) => names.includes("employee_id");

test("a first line sep= sets the delimiter, is no row, and counts as a line", async () => {
  const spellings = ["sep=;", '"sep=;"', "SEP=;", "sep=;;;", '"sep=;";;', "sep=; "];
  for (const sep of spellings) {
    for (const end of ["\n", "\r\n", "\r"]) {
      const text = `${sep}${end}${ROWS.replaceAll("\n", end)}`;
      for (const bytes of [bytesOf(text), bytesOf(`\ufeff${text}`), utf16(text, false)]) {
        const read = await readAll(readCsv, bytes, { isHeader }, [1, 5]);
        assert.deepEqual(read.columns, ["employee_id", "email", "title"], sep);
        assert.deepEqual(read.cells[0], ["K1", "ana@example.com", "Lead, Sales"]);
        assert.deepEqual(read.lines, [3, 4]);
        assert.equal(read.report.delimiter, ";");
      }
    }
  }
});

test("a line sep= sets each of the delimiters, also where the rows or the connection would say another", async () => {
  for (const delimiter of [",", ";", "\t", "|"] as const) {
    const text = `sep=${delimiter}\na${delimiter}b;c,d\n1${delimiter}2;3,4\n`;
    const read = await readAll(readCsv, text, { delimiter: delimiter === "|" ? "," : "auto" });
    assert.equal(read.report.delimiter, delimiter);
    assert.equal(read.columns[0], "a");
  }
});

test("a line sep= that was written out again with another delimiter leaves it to the rows", async () => {
  const read = await readAll(readCsv, "sep=;,,\nemployee_id,email,title\nK1,ana@example.com,x;y\n");
  assert.deepEqual(read.columns, ["employee_id", "email", "title"]);
  assert.equal(read.report.delimiter, ",");
});

test("sep= elsewhere, or with anything else behind it, is text", async () => {
  assert.deepEqual((await readAll(readCsv, "a\nsep=;\n")).cells, [["sep=;"]]);
  assert.deepEqual((await readAll(readCsv, "sep=;,b\n1,2\n", { delimiter: "," })).columns, ["sep=;", "b"]);
  assert.equal(await faultOf(readCsv, "sep=;"), await faultOf(readCsv, ""));
});

const PREAMBLE = 'Active "Employee" Report; for Acme, Inc.\n"Run date: 2026-11-01, 06:00\n;;;\n';

test("lines above the header are left out when skip_lines says so, and still count", async () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const text = `${PREAMBLE}${ROWS}`.replaceAll("\n", end);
    for (const sizes of [[1], [3, 40], [65_536]]) {
      const read = await readAll(readCsv, text, { isHeader, skipLines: 3 }, sizes);
      assert.deepEqual(read.columns, ["employee_id", "email", "title"]);
      assert.deepEqual(read.lines, [5, 6]);
      assert.equal(read.cells.length, 2);
    }
  }
  const long = `${"x".repeat(400_000)}\n${ROWS}`;
  assert.deepEqual((await readAll(readCsv, long, { isHeader, skipLines: 1 })).lines, [3, 4]);
  assert.equal((await readAll(readCsv, `sep=;\n${PREAMBLE}${ROWS}`, { isHeader, skipLines: 4 })).lines[0], 6);
});

test("more lines than the file has leave nothing to read", async () => {
  assert.match(await faultOf(readCsv, ROWS, { skipLines: 9 }), /^input_empty: /);
  assert.match(
    await faultOf(readCsv, `${"x".repeat(600_000)}\n${ROWS}`, { skipLines: 1, maxRowBytes: 100_000 }),
    /^too_large: Line 1 is over the limit of 100000 bytes @1$/,
  );
});

test("a line below the first that looks like the header is named, with how to skip to it", async () => {
  const remedy = (line: number) =>
    `header_missing: The header is not on line 1, but line ${line} looks like it: set the connection's skip_lines to ` +
    `${line - 1}, or delete the lines above it @${line}`;
  assert.equal(await faultOf(readCsv, PREAMBLE + ROWS, { isHeader }), remedy(4));
  assert.equal(await faultOf(readCsv, `Report\n\n${ROWS}`, { isHeader }), remedy(3));
  // Prose above the header can be cut alike by two delimiters.
  assert.equal(await faultOf(readCsv, `Report; for Acme, Inc.\nRun; today, 6:00\n${ROWS}`, { isHeader }), remedy(3));
  assert.equal(await faultOf(readCsv, `Report,,\n${ROWS}`, { isHeader, delimiter: ";" }), remedy(2));
});

test("a header that is left out is named, too", async () => {
  assert.equal(
    await faultOf(readCsv, `Report\n${ROWS}`, { isHeader, skipLines: 3 }),
    "header_missing: Line 2 looks like the header, but the connection leaves it out: set its skip_lines to 1 @2",
  );
});

test("without a line that looks like the header, the columns are those of the first row", async () => {
  const read = await readAll(readCsv, "name,mail\nAna,ana@example.com\n", { isHeader });
  assert.deepEqual(read.columns, ["name", "mail"]);
  const far = `${"Report\n".repeat(30)}${ROWS}`;
  assert.deepEqual((await readAll(readCsv, far, { isHeader })).columns, ["Report"]);
});

test("a header that is repeated further down changes nothing", async () => {
  assert.equal((await readAll(readCsv, ROWS + ROWS, { isHeader })).cells.length, 5);
});
