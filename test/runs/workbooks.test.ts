/** Workbooks, and files that are packed, as they come to a hub: read like a CSV file, or refused with a reason. */
import assert from "node:assert/strict";
import { gzipSync, strToU8, zipSync } from "fflate";
import test from "node:test";
import { type Importing, importing } from "../support/imports.ts";
import { reportToSend } from "../../src/report/file.ts";
import { findRun } from "../../src/store/runs/runs.ts";
import { partsOf, readAll, textRow, workbookOf, zipOf } from "../support/workbook-parts.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const XLSX = { name: "people.xlsx", type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" };
const HEADER = textRow("employee_id", "email", "first_name", "last_name", "title", "hire_date");
const CSV = "employee_id,email,first_name,last_name\n000123,ana@acme.test,Ana,Novak\n";

const cell = (text: string, style = "") => `<c t="inlineStr"${style}><is><t>${text}</t></is></c>`;
const row = (id: string, email: string, title: string, hired = "<c/>") =>
  `<row>${id}${cell(email)}${cell("Ana")}${cell("Novak")}${cell(title)}${hired}</row>`;

function bytes(content: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(content);
}

async function people({ ask }: Importing) {
  const { data } = await (await ask("/v1/users")).json();
  return (data as { employee_id: string; title: string | null; hire_date: string | null }[])
    .map(({ employee_id, title, hire_date }) => [employee_id, title, hire_date]);
}

test("a workbook is read like a CSV file: ids with their zeros, dates by their format, empty cells as empty", () =>
  importing(async (world) => {
    const formats = ["000000", "dd/mm/yyyy"];
    const book = (title: string) =>
      bytes(workbookOf({
        sheets: {
          "About this report": textRow("Made on 1 March"),
          People: HEADER + row('<c s="1"><v>123</v></c>', "ana@acme.test", title, '<c s="2"><v>45351</v></c>') +
            row(cell("000124"), "bo@acme.test", "Clerk"),
        },
        formats,
      }));
    const first = await world.import(book("Lead"), XLSX);
    assert.deepEqual([first.status, first.counts.created, first.issues], ["succeeded", 2, []]);
    assert.deepEqual(await people(world), [["000123", "Lead", "2024-02-29"], ["000124", "Clerk", null]]);

    // What it holds decides, not what it is called.
    const again = await world.import(book(""), { name: "people.csv", type: "application/octet-stream" });
    assert.deepEqual([again.status, again.counts.updated, again.counts.unchanged], ["succeeded", 1, 1]);
    assert.deepEqual(await people(world), [["000123", null, "2024-02-29"], ["000124", "Clerk", null]]);
  }));

test("an error in a row has the line that the spreadsheet shows, and the report has its columns", () =>
  importing(async (world) => {
    const file = bytes(
      workbookOf({ sheets: { People: `${HEADER}<row r="7">${cell("7")}${cell("nobody")}${cell("Cy")}</row>` } }),
    );
    const run = await world.import(file, XLSX);
    assert.deepEqual(run.issues.map(({ code, line }) => [code, line]).slice(0, 2), [
      ["email_invalid", 7],
      ["required_field_missing", 7],
    ]);
    const report = await (await world.ask(`/v1/runs/${run.id}/failures.csv`)).text();
    assert.match(report, /^\ufeff?employee_id,email,first_name,last_name,title,hire_date,_severity,/);
  }));

test("a workbook gets its report as a workbook, which is corrected and sent again as a diff", () =>
  importing(async (world) => {
    await world.set("csv", { settings: { sheet: "Staff" } });
    const rows = row(cell("000123"), "ana@acme.test", "=1+1") + row(cell("000124"), "bo@", "MAR10");
    const first = await world.import(
      bytes(workbookOf({ sheets: { Notes: textRow("x"), Staff: HEADER + rows } })),
      XLSX,
    );
    assert.deepEqual([first.counts.created, first.counts.failed], [1, 1]);
    const found = await findRun(world.hub.db, world.hub.organization.id, world.number("run", first.id));
    const { file } = await reportToSend(world.hub, found!);
    assert.deepEqual([file!.name, file!.contentType], ["people.failures.xlsx", XLSX.type]);
    const sent = new Uint8Array(await new Response(await file!.open() as BodyInit).arrayBuffer());
    const own = await world.ask(`/v1/runs/${first.id}/failures.xlsx`);
    assert.equal(own.headers.get("content-type"), XLSX.type);
    assert.deepEqual(sent, new Uint8Array(await own.arrayBuffer()));
    const [header, failed, ...more] = readAll(sent, { sheet: "Staff" }).map(([, ...cells]) => cells);
    assert.deepEqual([failed!.slice(0, 5), failed!.at(-1), more], [
      ["000124", "bo@", "Ana", "Novak", "MAR10"],
      "3",
      [],
    ]);
    const corrected = failed!.map((text) => text === "bo@" ? "bo@acme.test" : text);
    const again = await world.import(
      bytes(workbookOf({ sheets: { Staff: textRow(...header!) + textRow(...corrected) } })),
      { ...XLSX, name: file!.name },
    );
    assert.deepEqual([again.status, again.coverage, again.counts.created, again.issues], ["succeeded", "diff", 1, []]);
    assert.deepEqual(await people(world), [["000123", "=1+1", null], ["000124", "MAR10", null]]);
  }));

test("the sheet that the connection names is read", () =>
  importing(async (world) => {
    await world.ask("/v1/connections/csv", { method: "PATCH", json: { settings: { sheet: "Leavers" } } });
    const sheets = {
      Staff: HEADER + row(cell("1"), "ana@acme.test", "Lead"),
      Leavers: HEADER + row(cell("2"), "bo@acme.test", "Clerk"),
    };
    await world.import(bytes(workbookOf({ sheets })), XLSX);
    assert.deepEqual(await people(world), [["2", "Clerk", null]]);
    const other = await world.import(bytes(workbookOf({ sheets: { Staff: sheets.Staff } })), XLSX);
    assert.deepEqual([other.status, other.error?.code], ["failed", "workbook_invalid"]);
    assert.match(other.error!.message, /no sheet "Leavers"; its sheets are "Staff"/);
  }));

test("gzip, and an archive with one file in it, are opened", () =>
  importing(async (world) => {
    const packed: [string, Uint8Array][] = [
      ["people.csv.gz", gzipSync(strToU8(CSV))],
      ["people.zip", zipSync({ "export/people.csv": strToU8(CSV), "__MACOSX/._people.csv": strToU8("x") })],
      [
        "people.xlsx.gz",
        gzipSync(workbookOf({ sheets: { People: HEADER + row(cell("000123"), "ana@acme.test", "") } })),
      ],
      ["people.zip", zipSync({ "people.json": strToU8('[{"employee_id":"000123","email":"ana@acme.test"}]') })],
    ];
    for (const [name, content] of packed) {
      const run = await world.import(bytes(content), { name, type: "application/octet-stream", coverage: "diff" });
      assert.deepEqual([run.status, run.counts.read, run.issues], ["succeeded", 1, []], name);
    }
    assert.equal((await people(world)).length, 1);
  }));

test(
  "what cannot be read fails its run, with what to do, and changes nobody",
  { skip: onlyInCheckOnDeno },
  () =>
    importing(async (world) => {
      const parts = partsOf({ sheets: { People: HEADER } });
      const encrypted = new Uint8Array(2048);
      encrypted.set([0xd0, 0xcf, 0x11, 0xe0]);
      encrypted.set(strToU8([..."EncryptedPackage"].join("\0")), 1024);
      const old = encrypted.slice(0, 1000);
      const refused: [Uint8Array, string, RegExp][] = [
        [encrypted, "workbook_invalid", /has a password: save it without one/],
        [old, "workbook_invalid", /save it as \.xlsx or CSV/],
        [zipOf({ ...parts, "xl/vbaProject.bin": "x" }), "workbook_invalid", /macros/],
        [
          zipSync({ "a.csv": strToU8(CSV), "b.csv": strToU8(CSV) }),
          "workbook_invalid",
          /2 files in it and should have one/,
        ],
        [
          zipSync({ mimetype: strToU8("application/vnd.oasis.opendocument.spreadsheet") }),
          "workbook_invalid",
          /OpenDocument/,
        ],
        [gzipSync(strToU8(CSV.repeat(1000))).subarray(0, 60), "input_incomplete", /cut off/],
        [gzipSync(gzipSync(gzipSync(strToU8(CSV)))), "workbook_invalid", /packed more than 2 times/],
        [zipOf({ ...parts, "xl/worksheets/sheet1.xml": new Uint8Array(100_000_000) }), "too_large", /times its size/],
        [workbookOf({ sheets: { People: "" } }), "input_empty", /"People" is empty/],
      ];
      for (const [content, code, message] of refused) {
        const run = await world.import(bytes(content), { name: "people", type: "application/octet-stream" });
        assert.deepEqual([run.status, run.error?.code], ["failed", code], String(message));
        assert.match(run.error!.message, message);
      }
      assert.deepEqual(await people(world), []);
    }),
);

test("an archive or a workbook beyond what is held in memory is refused before it is opened", () =>
  importing(async (world) => {
    const noise = crypto.getRandomValues(new Uint8Array(60_000));
    const file = bytes(zipSync({ "people.csv": noise }, { level: 0 }));
    const id = await world.handIn(file, { name: "people.zip", type: "application/zip" });
    await world.carry({}, { ...world.hub, maxPackedBytes: 50_000 });
    const run = await world.run(id);
    assert.deepEqual([run.status, run.error?.code], ["failed", "too_large"]);
    assert.match(run.error!.message, /over 50000 bytes, which is the limit: send it as CSV/);
  }));

test("hidden rows are read, which is said once with their numbers", () =>
  importing(async (world) => {
    const hidden = row(cell("2"), "bo@acme.test", "Clerk").replace("<row>", '<row hidden="1">');
    const book = bytes(workbookOf({ sheets: { People: HEADER + row(cell("1"), "ana@acme.test", "Lead") + hidden } }));
    for (const count of [2, 0]) {
      const run = await world.import(book, { ...XLSX, mode: count === 2 ? "auto" : "plan" });
      assert.equal(run.changes.length, count);
      assert.deepEqual(run.issues.map(({ code, line, message }) => [code, line, message]), [[
        "rows_hidden",
        null,
        "1 row of the sheet is hidden (line 3), by hand or by a filter: hidden rows are read like all others",
      ]]);
    }
  }));

test("rows above the header of a sheet are left out by skip_lines; without it the row that looks like it is named", () =>
  importing(async (world) => {
    const above = textRow("Active Employee Report") + textRow("Run date", "2026-11-01");
    const book = bytes(workbookOf({ sheets: { People: above + HEADER + row(cell("1"), "ana@acme.test", "Lead") } }));
    const refused = await world.import(book, XLSX);
    assert.deepEqual([refused.status, refused.error?.code], ["failed", "header_missing"]);
    assert.match(refused.error!.message, /line 3 looks like it: set the connection's skip_lines to 2/);
    await world.set("csv", { settings: { skip_lines: 2 } });
    const read = await world.import(book, XLSX);
    assert.deepEqual([read.status, read.changes.map(({ line }) => line)], ["succeeded", [4]]);
  }));
