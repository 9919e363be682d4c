/** Workbooks that other programs wrote, and what they read of ours: openpyxl, XlsxWriter and LibreOffice. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Content, csv, type Importing, importing, said } from "../support/imports.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { without } from "../support/programs.ts";

const PYTHON = "/usr/bin/python3", OFFICE = "/usr/bin/soffice";
const XLSX = { name: "people.xlsx", type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" };
const MODULES = "/usr/lib/python3/dist-packages";
const noPython = without(`${MODULES}/openpyxl`, "python3-openpyxl") ||
  without(`${MODULES}/xlsxwriter`, "python3-xlsxwriter") || onlyInCheck;
const noOffice = without(OFFICE, "libreoffice-calc-nogui") || onlyInCheck;
const WANTED = [
  ["000123", "ana@example.com", "Ana Novák", "'t Lead", "2024-02-29", "+371 2012 3456"],
  ["000124", "bo@example.com", "Bo Lind", null, "2019-12-31", "49123456789"],
  ["000125", "cy@example.com", "Cy Ora", "Clerk & co <1>", "2021-05-06", null],
];

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "muster-books-"));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function bytesAt(path: string): Content {
  return new Uint8Array(readFileSync(path));
}

/** The workbook that a script of test/support/workbooks writes. */
function written(script: string, variant: string): Content {
  const path = fileURLToPath(new URL(`../support/workbooks/${script}`, import.meta.url));
  return inFolder((folder) => {
    execFileSync(PYTHON, [path, join(folder, "book.xlsx"), variant]);
    return bytesAt(join(folder, "book.xlsx"));
  });
}

/** The file, converted by LibreOffice. */
function converted(
  name: string,
  content: string | Uint8Array,
  target: string,
  filter: readonly string[] = [],
): Content {
  return inFolder((folder) => {
    writeFileSync(join(folder, name), content);
    const own = `-env:UserInstallation=file://${folder}/office`;
    const args = [
      own,
      "--headless",
      "--convert-to",
      target,
      ...filter,
      "--outdir",
      join(folder, "out"),
      join(folder, name),
    ];
    execFileSync(OFFICE, args, { stdio: "ignore", timeout: 120_000 });
    return bytesAt(join(folder, "out", name.replace(/\.\w+$/, `.${target.split(":")[0]}`)));
  });
}

async function people(world: Importing) {
  const all = await world.people();
  return all.sort((a, b) => (a.employee_id! < b.employee_id! ? -1 : 1)).map((each) => [
    each.employee_id,
    each.email,
    `${each.first_name} ${each.last_name}`,
    each.title,
    each.hire_date,
    each.phone,
  ]);
}

for (
  const [script, variant] of [["openpyxl-book.py", "1900"], ["openpyxl-book.py", "1904"], [
    "xlsxwriter-book.py",
    "shared",
  ], ["xlsxwriter-book.py", "inline"]] as const
) {
  test(
    `a workbook of ${script}, ${variant}, is read as it is shown`,
    { skip: noPython },
    () =>
      importing(async (world) => {
        const run = await world.import(written(script, variant), XLSX);
        assert.deepEqual([run.status, said(run)], ["succeeded", ["- rows_hidden"]]);
        assert.deepEqual(await people(world), WANTED);
      }),
  );
}

const TEXT = csv(
  "employee_id,email,first_name,last_name,title,hire_date,phone",
  "000123,ana@example.com,Ana,Novák,'t Lead,2024-02-29,+371 2012 3456",
  "000124,bo@example.com,Bo,Lind,,2019-12-31,49123456789",
  "000125,cy@example.com,Cy,Ora,Clerk & co <1>,2021-05-06,",
);
/** Comma, quote, UTF-8, from line 1; the ids as text and the dates as dates. */
const AS_TYPED = "--infilter=CSV:44,34,76,1,1/2/6/5";

test("a workbook that LibreOffice saved is read as it is shown", { skip: noOffice }, () =>
  importing(async (world) => {
    const run = await world.import(converted("people.csv", TEXT, "xlsx:Calc MS Excel 2007 XML", [AS_TYPED]), XLSX);
    assert.deepEqual([run.status, said(run)], ["succeeded", []]);
    assert.deepEqual(await people(world), WANTED);
  }));

test(
  "an .xls and an .ods of LibreOffice are refused by what they are, whatever their name",
  { skip: noOffice },
  () =>
    importing(async (world) => {
      for (const [target, named] of [["xls", /Excel or Word before 2007/], ["ods", /OpenDocument|\.ods/]] as const) {
        const content = converted("people.csv", TEXT, target, [AS_TYPED]);
        for (const options of [XLSX, { name: `people.${target}` }]) {
          const run = await world.import(content, options);
          assert.deepEqual([run.status, (await world.people()).length], ["failed", 0]);
          assert.match(run.error!.message, named);
        }
      }
    }),
);

test("people and templates as workbooks are opened by LibreOffice and openpyxl, with every zero", {
  skip: noOffice || noPython,
}, () =>
  importing(async (world) => {
    await world.import(TEXT);
    const book = async (path: string) => new Uint8Array(await (await world.ask(path)).arrayBuffer());
    const users = await book("/v1/users.xlsx");
    const shown = new TextDecoder().decode(converted("users.xlsx", users, "csv") as Uint8Array);
    const [header, ...rows] = shown.trim().split("\n").map((line) => line.split(","));
    for (const [i, [id, email, , title]] of WANTED.entries()) {
      const row = rows.find((cells) => cells[header!.indexOf("employee_id")] === id)!;
      assert.equal(row[header!.indexOf("email")], email);
      assert.equal(row[header!.indexOf("title")], title ?? "", String(i));
    }
    for (const path of ["/v1/users.xlsx", "/v1/templates/users.xlsx"]) {
      const content = await book(path);
      const cells = inFolder((folder) => {
        writeFileSync(join(folder, "book.xlsx"), content);
        const script = "import sys, json, openpyxl\nbook = openpyxl.load_workbook(sys.argv[1])\n" +
          "print(json.dumps([[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]))";
        return JSON.parse(String(execFileSync(PYTHON, ["-c", script, join(folder, "book.xlsx")]))) as unknown[][];
      });
      assert.ok(cells[0]!.includes("employee_id"), path);
      assert.ok(cells.length >= 3, path);
    }
  }));
