/** Templates: what HR people get to fill in, and what happens to one that is sent as it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import Papa from "papaparse";
import { getDictionary } from "../../src/intake/dictionary.ts";
import { resolveHeader } from "../../src/intake/header.ts";
import { PRESETS } from "../../src/model/preset.ts";
import { writeWorkbook } from "../../src/report/workbook.ts";
import { USER_TEMPLATES } from "../../src/model/templates.ts";
import { csv, HEADER, type Importing, importing } from "../support/imports.ts";
import { readAll } from "../support/workbook-parts.ts";

const NAMES = Object.keys(PRESETS) as (keyof typeof PRESETS)[];
const FIELDS: readonly (readonly [string, object])[] = [
  ["shoe_size", { label: "Shoe size", type: "number" }],
  ["team", { type: "select", options: ["Red", "Blue"], required: true }],
  ["skills", { type: "multi_select", options: ["C++", "=x", "1-2"] }],
  ["born", { type: "date" }],
  ["driver", { type: "boolean" }],
  ["home", { type: "email" }],
  ["desk", { type: "phone" }],
  ["site", { type: "url" }],
  ["motto", { type: "text", max_length: 80 }],
];

async function declare({ ask }: Importing): Promise<void> {
  for (const [key, json] of FIELDS) {
    assert.equal((await ask(`/v1/custom-fields/${key}`, { method: "PUT", json })).status, 201);
  }
}

async function bytesOf({ ask }: Importing, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await ask(path);
  assert.equal(answer.status, 200, path);
  return new Uint8Array(await answer.arrayBuffer());
}

test("an unchanged template of any preset creates nobody: each example row is refused by name", () =>
  importing(async (world) => {
    for (const preset of NAMES) {
      await world.connect(preset, { preset });
      for (const format of ["csv", "xlsx"] as const) {
        const file = await bytesOf(world, `/v1/templates/users.${format}?preset=${preset}`);
        const run = await world.import(file, { connection: preset, name: `users.${format}` });
        assert.deepEqual([run.status, run.counts.read, run.counts.failed], ["failed", 2, 2], `${preset} ${format}`);
        const refused = run.issues.filter(({ message }) => message.includes("the example row of the template"));
        assert.deepEqual(refused.map(({ line, code }) => `${line} ${code}`), ["2 value_invalid", "3 value_invalid"]);
      }
    }
    const departments = await bytesOf(world, "/v1/templates/departments.csv");
    const run = await world.import(departments, { entity: "departments" });
    assert.deepEqual([run.status, run.counts.failed], ["failed", 2]);
    assert.deepEqual([await world.people(), await world.departments()], [[], []]);
  }));

test("a person under an example that was forgotten is imported, and one who kept a part of it is not", () =>
  importing(async (world) => {
    const template = Papa.parse<string[]>(
      new TextDecoder().decode(await bytesOf(world, "/v1/templates/users.csv")).trim(),
    ).data;
    const own = template[0]!.map((name) =>
      ({ employee_id: "1", email: "ana@acme.test", first_name: "Ana", last_name: "Novak" })[name] ?? ""
    );
    const half = template[2]!.map((cell, i) => template[0]![i] === "employee_id" ? "2" : cell);
    const run = await world.import(Papa.unparse([...template.slice(0, 2), own, half]));
    assert.deepEqual([run.status, run.counts.created, run.counts.failed], ["partial", 1, 2]);
    assert.match(
      run.issues.at(-1)!.message,
      /^Cannot use "second\.example@example\.com" as email: this is the example row/,
    );
    assert.equal((await world.people()).length, 1);
  }));

test("the second sheet has a line for each column, custom fields with their options among them", () =>
  importing(async (world) => {
    await declare(world);
    for (const preset of NAMES) {
      const file = await bytesOf(world, `/v1/templates/users.xlsx?preset=${preset}`);
      const people = readAll(file, { sheet: "People" }), explained = readAll(file, { sheet: "Explanations" });
      assert.equal(people.length, 3);
      assert.deepEqual(explained[0]!.slice(1), ["Field", "What it may hold", "What an empty cell does", "Examples"]);
      assert.deepEqual(explained.slice(1).map(([, name]) => name), people[0]!.slice(1), preset);
      for (const [, name, holds, empty] of explained.slice(1)) assert.ok(holds && empty, `${preset} ${name}`);
      const team = explained.find(([, name]) => name === "team")!;
      assert.equal(team[2], "One of the field's options: Red; Blue");
      const csvFile = new TextDecoder().decode(await bytesOf(world, `/v1/templates/users.csv?preset=${preset}`));
      assert.equal(Papa.parse(csvFile.trim()).data.length, 3);
      const bare = new TextDecoder().decode(
        await bytesOf(world, `/v1/templates/users.csv?preset=${preset}&examples=false`),
      );
      assert.equal(bare, `${csvFile.split("\r\n")[0]!.replace("\ufeff", "")}\r\n`);
    }
    const departments = await bytesOf(world, "/v1/templates/departments.xlsx");
    assert.equal(readAll(departments, { sheet: "Explanations" }).length, 6);
    for (const path of ["users.csv", "users.xlsx", "departments.csv", "departments.xlsx"]) {
      assert.equal((await world.ask(`/v1/templates/${path}?examples=maybe`)).status, 400);
    }
  }));

test("the examples of every field are values that it takes", () =>
  importing(async (world) => {
    await declare(world);
    for (const preset of NAMES) {
      await world.connect(preset, { preset });
      const file = await bytesOf(world, `/v1/templates/users.xlsx?preset=${preset}`);
      const run = await world.import(file, { connection: preset, name: "users.xlsx", mode: "plan" });
      assert.deepEqual(run.issues.filter(({ message }) => !message.includes("the example row")), [], preset);
    }
  }));

test("a workbook that was filled in is read from its first sheet, in whatever order the sheets are asked for", () =>
  importing(async (world) => {
    const template = await bytesOf(world, "/v1/templates/users.xlsx");
    const rows = (sheet: string) => readAll(template, { sheet }).map(([, ...cells]) => cells);
    const [header] = rows("People");
    const filled = [
      header!,
      header!.map((name) =>
        ({ email: "ana@acme.test", first_name: "Ana", last_name: "N", employee_id: "1" })[name] ?? ""
      ),
    ];
    for (const order of [["People", "Explanations"], ["Explanations", "People"]]) {
      const sheets = order.map((name) => ({ name, widths: [], rows: name === "People" ? filled : rows(name) }));
      const pieces: Uint8Array[] = [];
      for await (const piece of writeWorkbook(sheets)) pieces.push(piece);
      const file = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
      const run = await world.import(file, { name: "filled.xlsx" });
      assert.deepEqual([run.status, run.counts.read, run.issues], ["succeeded", 1, []], String(order));
    }
    assert.equal((await world.people()).length, 1);
  }));

test("the field of each template's header is the one that its preset reads it as", () => {
  for (const preset of NAMES) {
    const columns = USER_TEMPLATES[preset];
    const { fields } = resolveHeader(
      columns.map(({ header }) => header),
      getDictionary(preset === "custom" ? "default" : preset, "users"),
      { mapping: {}, customKeys: [], key: PRESETS[preset].key, exactNames: false, before: {} },
    );
    assert.deepEqual(fields, columns.map(({ field }) => field), preset);
  }
});

test("somebody who only mentions an example is no example", () =>
  importing(async (world) => {
    const run = await world.import(csv(`${HEADER},manager_id`, "1,ana@acme.test,Ana,Example,EXAMPLE-1"));
    assert.deepEqual([run.status, run.counts.created], ["succeeded", 1]);
    assert.deepEqual(run.issues.map(({ code }) => code), ["manager_not_found"]);
  }));
