/** The failure report: what a person reads in it, and that it can be sent again as it is. */
import assert from "node:assert/strict";
import { OPTIONS } from "../intake/bytes.ts";
import { test } from "node:test";
import fc from "fast-check";
import Papa from "papaparse";
import { protect, unprotect } from "../../src/intake/apostrophe.ts";
import { readCsv } from "../../src/intake/csv.ts";
import { getDictionary } from "../../src/intake/dictionary.ts";
import { resolveHeader } from "../../src/intake/header.ts";
import type { Issue, Row } from "../../src/model/record.ts";
import {
  failureCsv,
  failureJson,
  failureWorkbook,
  hasReportRows,
  type ReportInput,
  type ReportRow,
} from "../../src/report/report.ts";
import { readAll } from "../support/workbook-parts.ts";
import { rounds } from "../support/rounds.ts";

const EMAIL: Issue = {
  severity: "error",
  code: "email_invalid",
  field: "email",
  value: "ana@",
  message: 'Cannot use "ana@" as email: it needs a domain, like ana@acme.com',
  suggestion: "Add the domain",
};
const TITLE: Issue = {
  severity: "warning",
  code: "too_long",
  field: "title",
  value: "x",
  message: "Cannot use it as title: it is too long",
  suggestion: "Shorten it",
};
const OWN = "_severity,_codes,_fields,_message,_suggestion,_extra,_absent,_line";
const row = (cells: ReportRow["cells"], more: Partial<ReportRow> = {}): ReportRow => ({
  n: 0,
  line: 2,
  origin: null,
  cells,
  issues: [EMAIL],
  ...more,
});

async function csv(rows: readonly ReportRow[], input: ReportInput): Promise<string> {
  // Without ignoreBOM the mark would be gone before anybody could see it.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    await new Response(failureCsv(rows, input)).arrayBuffer(),
  );
}

async function readBack(text: string): Promise<Row[]> {
  const rows: Row[] = [];
  const bytes = new Blob([text]).stream();
  for await (const block of readCsv(bytes, OPTIONS, { delimiter: null, endsWithLineEnd: false })) {
    rows.push(...block.rows(Array.from({ length: block.count }, (_, i) => i)));
  }
  return rows;
}

test("the report has the input's columns and cells, then its own", async () => {
  const text = await csv([row(["E1", "ana@"])], { columns: ["employee_id", "email"], delimiter: "," });
  assert.equal(
    text,
    `\ufeffemployee_id,email,${OWN}\r\n` +
      'E1,ana@,error,email_invalid,email,"Cannot use ""ana@"" as email: it needs a domain, like ana@acme.com",Add the domain,,,2\r\n',
  );
});

test("a row with several issues has one line that names them all", async () => {
  const text = await csv([row(["E1"], { issues: [TITLE, EMAIL, TITLE] })], { columns: ["id"], delimiter: ";" });
  const [, line] = Papa.parse<string[]>(text, { delimiter: ";" }).data;
  assert.deepEqual(line, [
    "E1",
    "error",
    "too_long, email_invalid",
    "title, email",
    `${TITLE.message}; ${EMAIL.message}`,
    "Shorten it; Add the domain",
    "",
    "",
    "2",
  ]);
});

test("rows without an issue are left out, and rows with warnings only say so", async () => {
  const rows = [row(["E1"], { issues: [] }), row(["E2"], { issues: [TITLE] })];
  const { data } = Papa.parse<string[]>(await csv(rows, { columns: ["id"], delimiter: "," }), { skipEmptyLines: true });
  assert.deepEqual(data.slice(1).map((cells) => [cells[0], cells[1]]), [["E2", "warning"]]);
});

test("a short row is padded, surplus cells stand in _extra, and absent columns in _absent", async () => {
  const input = { columns: ["id", "email", "title"], delimiter: "," };
  const rows = [row(["E1"]), row(["E2", "b", "c", "d,1", "e"]), row(["E3", undefined, null]), row(["E4", "b", ""])];
  const { data } = Papa.parse<string[]>(await csv(rows, input), { skipEmptyLines: true });
  assert.ok(data.every((cells) => cells.length === 11));
  assert.deepEqual(data[1]!.slice(0, 3), ["E1", "", ""]);
  assert.deepEqual(data[0]!.slice(-3), ["_extra", "_absent", "_line"]);
  assert.deepEqual(data.slice(1).map((cells) => cells.slice(-3)), [
    ["", '["email","title"]', "2"],
    ['["d,1","e"]', "", "2"],
    ["", '["email"]', "2"],
    ["", "", "2"],
  ]);
});

test("an issue of the whole input is no row; a row has a place, though it has no line", async () => {
  const rows = [
    row([], { n: -1, line: null }),
    row(["E1"], { line: null, origin: "/employees?page=2" }),
    row(["E2"], { n: 4, line: null }),
  ];
  const { data } = Papa.parse<string[]>(await csv(rows, { columns: ["id"], delimiter: null }), {
    skipEmptyLines: true,
  });
  assert.deepEqual(data.slice(1).map((cells) => [cells[0], cells.at(-1)]), [["E1", "/employees?page=2"], ["E2", "5"]]);
  assert.equal((await new Response(failureJson(rows)).json()).length, 3);
  assert.deepEqual([await hasReportRows(rows), await hasReportRows(rows.slice(0, 1))], [true, false]);
});

test("the workbook has the CSV's rows as text, in the sheet that the input had", async () => {
  const cells = ["'000123", "=1+1", "'t Hart", "MAR10", "''0", "a\nb", "+49 30 1"];
  const columns = cells.map((_, i) => `c${i}`);
  const file = new Uint8Array(
    await new Response(failureWorkbook([row(cells)], { columns, delimiter: null, sheet: "Staff" })).arrayBuffer(),
  );
  const [header, first] = readAll(file, { sheet: "Staff" });
  assert.deepEqual(header!.slice(1), [...columns, ...OWN.split(",")]);
  assert.deepEqual(first!.slice(1, 8), ["000123", "=1+1", "'t Hart", "MAR10", "''0", "a\nb", "+49 30 1"]);
  assert.equal(first!.at(-1), "2");
  const odd = failureWorkbook([], { columns, delimiter: null, sheet: "a/b" });
  assert.deepEqual(readAll(new Uint8Array(await new Response(odd).arrayBuffer()), { sheet: "Report" }).length, 1);
});

test("records of JSON are written as a file would have them", async () => {
  const columns = ["employee_id", "title", "is_active", "shoe", "teams", "odd"];
  const rows = [row(["000123", null, true, 38, ["Red", "Blue"], { a: 1 }]), row(["1", undefined, false])];
  const { data } = Papa.parse<string[]>(await csv(rows, { columns, delimiter: null }));
  assert.deepEqual(data[1]!.slice(0, 6), ["'000123", "", "true", "38", "Red,Blue", '{"a":1}']);
  assert.deepEqual(data[2]!.slice(0, 6), ["1", "", "false", "", "", ""]);
});

test("cells that a spreadsheet would execute or retype are protected, once", async () => {
  const cells = ["000123", "'000123", "=1+1", "+49 30 1", "2024-01-31", "491234567890", "'t Hart", "12", "@x", "-"];
  const columns = cells.map((_, i) => `c${i}`);
  const { data } = Papa.parse<string[]>(await csv([row(cells)], { columns, delimiter: "," }));
  assert.deepEqual(data[1]!.slice(0, cells.length), [
    "'000123",
    "'000123",
    "'=1+1",
    "'+49 30 1",
    "'2024-01-31",
    "'491234567890",
    "'t Hart",
    "12",
    "'@x",
    "'-",
  ]);
});

test("a report sent again, and failed again, has its own columns once", async () => {
  const columns = ["_line", "id", "_message", "email", "_extra"];
  const text = await csv([row(["7", "E1", "old", "ana@", "x"])], { columns, delimiter: "," });
  const { data } = Papa.parse<string[]>(text);
  assert.deepEqual(data[0], ["id", "email", ...OWN.split(",")]);
  assert.deepEqual([...data[1]!.slice(0, 2), data[1]!.at(-1)], ["E1", "ana@", "2"]);
});

test("the header of a report is known for one, and its own columns are passed over in silence", async () => {
  const [first] = await readBack(await csv([row(["E1", "a@"])], { columns: ["employee_id", "email"], delimiter: "," }));
  const header = resolveHeader(first!.columns, getDictionary("default", "users"), {
    mapping: {},
    customKeys: [],
    key: "employee_id",
    exactNames: false,
    before: {},
  });
  assert.deepEqual(header.fields.slice(0, 2), ["employee_id", "email"]);
  assert.ok(header.fields.slice(2).every((field) => field === null));
  assert.deepEqual([header.isReport, header.issues], [true, []]);
});

const TRICKY = [
  "",
  " ",
  '"',
  "a,b",
  "a;b",
  "a\tb",
  "a|b",
  "a\r\nb",
  "\n",
  "'000",
  "''0",
  "=1",
  "'=1",
  "'t",
  "007",
  "\ufeff",
];
const cell = fc.oneof(
  fc.constantFrom(...TRICKY),
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.array(fc.constantFrom(...`',;|"=+-@0a \t`), { maxLength: 5 }).map((characters) => characters.join("")),
);
const table = fc.integer({ min: 1, max: 4 }).chain((width) =>
  fc.record({
    columns: fc.uniqueArray(fc.stringMatching(/^[a-z ,;|"'=0-9]{0,5}[a-z]$/), {
      minLength: width,
      maxLength: width,
      selector: (name) => name.trim(),
    }),
    delimiter: fc.constantFrom(",", ";", "\t", "|"),
    rows: fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 5 }),
  })
);

test("RFC 4180 gives back every cell as it was, but for the apostrophe in front", async () => {
  await fc.assert(
    fc.asyncProperty(table, async ({ columns, delimiter, rows }) => {
      const text = await csv(rows.map((cells) => row(cells)), { columns, delimiter });
      const { data, errors } = Papa.parse<string[]>(text, { delimiter, newline: "\r\n", skipEmptyLines: true });
      assert.deepEqual(errors, []);
      assert.deepEqual(
        data.slice(1).map((cells) => cells.slice(0, columns.length).map(unprotect)),
        rows.map((cells) => cells.map(unprotect)),
      );
      for (const cells of data.slice(1)) {
        for (const written of cells) assert.doesNotMatch(written, /^[=+\-@\t\r]/);
      }
    }),
    { numRuns: rounds(300, 25) },
  );
});

test("the hub's own reader finds the delimiter, and gives back the columns and every value", async () => {
  await fc.assert(
    fc.asyncProperty(table, async ({ columns, delimiter, rows }) => {
      const read = await readBack(await csv(rows.map((cells) => row(cells)), { columns, delimiter }));
      assert.deepEqual(read[0]!.columns.slice(0, columns.length), columns.map((name) => unprotect(name.trim()).trim()));
      assert.deepEqual(
        read.map(({ cells }) => cells.slice(0, columns.length).map((text) => unprotect(text as string))),
        rows.map((cells) => cells.map(unprotect)),
      );
    }),
    { numRuns: rounds(300, 25) },
  );
});

test("a report of a report has the same cells", async () => {
  await fc.assert(
    fc.asyncProperty(table, async ({ columns, delimiter, rows }) => {
      const once = await csv(rows.map((cells) => row(cells)), { columns, delimiter });
      const { data } = Papa.parse<string[]>(once, { delimiter, newline: "\r\n", skipEmptyLines: true });
      const again = await csv(data.slice(1).map((cells) => row(cells)), { columns: data[0]!, delimiter });
      assert.equal(again, once);
    }),
    { numRuns: 100 },
  );
});

test("the JSON report has one object per issue", async () => {
  const rows = [row([], { line: null, issues: [TITLE] }), row(["E1"], { line: 812, issues: [EMAIL, TITLE] })];
  const issues = await new Response(failureJson(rows)).json();
  assert.deepEqual(issues, [{ line: null, ...TITLE }, { line: 812, ...EMAIL }, { line: 812, ...TITLE }]);
  assert.deepEqual(Object.keys(issues[1]!), ["line", "severity", "code", "field", "value", "message", "suggestion"]);
  assert.deepEqual(await new Response(failureJson([])).json(), []);
});

test("rows are taken only as fast as the report is read, and let go when its reader leaves", async () => {
  let taken = 0;
  let left = false;
  async function* endless(): AsyncGenerator<ReportRow> {
    try {
      while (true) {
        taken++;
        yield row(["x".repeat(1_000)]);
        await Promise.resolve();
      }
    } finally {
      left = true;
    }
  }
  const reader = failureCsv(endless(), { columns: ["id"], delimiter: "," }).getReader();
  await reader.read();
  assert.ok(taken < 500, String(taken));
  await reader.cancel();
  assert.ok(left);
});

test("a fault of the rows is the stream's", async () => {
  async function* broken(): AsyncGenerator<ReportRow> {
    yield row(["E1"]);
    throw await Promise.resolve(new Error("gone"));
  }
  await assert.rejects(new Response(failureCsv(broken(), { columns: ["id"], delimiter: "," })).text());
});

test("protection never changes what a cell says", () => {
  fc.assert(fc.property(cell, (text) => assert.equal(unprotect(protect(unprotect(text), "exact")), unprotect(text))));
});
