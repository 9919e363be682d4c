/** People as files: everybody who fits, in a form that imports again as it is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import Papa from "papaparse";
import { peopleFile } from "../../src/report/people.ts";
import { writeWorkbook } from "../../src/report/workbook.ts";
import { createApp } from "../../src/http/app.ts";
import type { StoredUser } from "../../src/store/people/users.ts";
import { crowd, csv, HEADER, type Importing, importing, type Person, said } from "../support/imports.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { readAll } from "../support/workbook-parts.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const FORMATS = {
  csv: "text/csv; charset=utf-8",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ndjson: "application/x-ndjson",
} as const;
type Format = keyof typeof FORMATS;

const FIELDS: readonly (readonly [key: string, declaration: object])[] = [
  ["Cost centre", { type: "text" }],
  ["note", { type: "text", max_length: 5000 }],
  ["score", { type: "number" }],
  ["born", { type: "date" }],
  ["driver", { type: "boolean" }],
  ["size", { type: "select", options: ["S", "1-2", "'5"] }],
  ["teams", { type: "multi_select", options: ["Red", "Blue", "MAR10", "'7", "=x"] }],
  ["site", { type: "url" }],
];

async function declareFields({ ask }: Importing): Promise<void> {
  for (const [key, json] of FIELDS) {
    const { status } = await ask(`/v1/custom-fields/${encodeURIComponent(key)}`, { method: "PUT", json });
    assert.equal(status, 201, key);
  }
}

/** People with values that a spreadsheet or a reader could change. */
const ODD: readonly Record<string, unknown>[] = [
  { employee_id: "000123", email: "ana@acme.test", first_name: "=1+1", last_name: "'t Hart", title: "MAR10" },
  {
    employee_id: "''x",
    email: "bo@acme.test",
    first_name: "''x",
    last_name: "''=1+1",
    title: "1-2",
    manager_id: "000123",
  },
  {
    employee_id: "12E3",
    email: "cy@acme.test",
    first_name: "＝1",
    last_name: "@x",
    phone: "+49 30 1234",
    on_leave: true,
  },
  {
    employee_id: "1234567890123",
    email: "di@acme.test",
    first_name: "a,b;c|d",
    last_name: '"q"',
    mobile_phone: "030 12",
  },
  { email: "boss@acme.test", first_name: "No", last_name: "Id", employment_status: "Full time" },
  { email: "eve@acme.test", first_name: "Eve", last_name: "Below", manager_email: "boss@acme.test" },
  {
    employee_id: "7",
    email: "old@acme.test",
    first_name: "Old",
    last_name: "Left",
    is_active: "no",
    manager_id: "000123",
  },
  { employee_id: "8", email: "gone@acme.test", first_name: "G", last_name: "L", deactivation_date: "2020-02-29" },
  { employee_id: "9", email: "soon@acme.test", first_name: "S", last_name: "L", deactivation_date: "2030-02-28" },
  {
    employee_id: "10",
    email: "full@acme.test",
    first_name: "Full",
    last_name: "Fields",
    preferred_name: "-",
    username: "DEC1",
    department_name: 'R & D, "north"',
    location: "0049",
    hire_date: "2024-02-29",
    timezone: "Europe/Berlin",
    language: "pt-BR",
    "Cost centre": "'000",
    note: "first line\n=second line\n\nlast",
    score: -12.5,
    born: "1990-01-31",
    driver: false,
    size: "1-2",
    teams: ["Red", "Blue"],
    site: "https://example.com/a,b",
  },
  {
    employee_id: "11",
    email: "t@acme.test",
    first_name: "T",
    last_name: "T",
    teams: ["MAR10"],
    score: 1e21,
    driver: true,
  },
  { employee_id: "12", email: "u@acme.test", first_name: "U", last_name: "U", teams: ["''7", "=x"], size: "''5" },
  { employee_id: "13", email: "v@acme.test", first_name: "V", last_name: "V", teams: ["Blue", "MAR10", "''7"] },
];

async function fill(world: Importing): Promise<void> {
  await declareFields(world);
  await world.connect("feed", { key: "email", limits: { deactivate: { enabled: false } } });
  // Nobody is created who has left already, so those who leave are there first.
  const present = ODD.map(({ is_active: _, deactivation_date: _d, ...record }) => record);
  for (const records of [present, ODD]) {
    const file = records.map((record) => `${JSON.stringify(record)}\n`).join("");
    const run = await world.import(file, { connection: "feed", name: "odd.ndjson", type: "application/x-ndjson" });
    assert.equal(run.counts.failed, 0, JSON.stringify(run.issues));
  }
  assert.equal((await world.people()).length, ODD.length);
}

async function download({ ask }: Importing, format: Format, query = ""): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await ask(`/v1/users.${format}${query}`);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), FORMATS[format]);
  assert.equal(answer.headers.get("content-disposition"), `attachment; filename*=UTF-8''users.${format}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** What is the same of a person in every organization. */
function essence(person: Person): object {
  const { id: _, version: _v, sources: _s, edited_by_hand: _e, department, manager, ...rest } = person;
  const { created_at: _c, updated_at: _u, ...same } = rest as typeof rest & { created_at: string; updated_at: string };
  return { ...same, department: department?.name ?? null, manager: manager && [manager.employee_id, manager.email] };
}

const byEmail = (a: Person, b: Person) => a.email! < b.email! ? -1 : 1;

for (const format of Object.keys(FORMATS) as Format[]) {
  test(`people come out as ${format} and import again as they are, here and into an empty organization`, async () => {
    let file: Uint8Array<ArrayBuffer> | null = null, people: Person[] = [];
    await importing(async (world) => {
      await fill(world);
      file = await download(world, format);
      people = await world.people();
      await world.connect("again", { key: "email" });
      for (const connection of ["feed", "again"]) {
        const run = await world.import(file, { connection, name: `users.${format}`, type: FORMATS[format] });
        assert.deepEqual([run.status, run.counts.read, run.counts.unchanged], ["succeeded", ODD.length, ODD.length]);
        assert.deepEqual([run.issues, run.changes], [[], []]);
      }
    });
    await importing(async (world) => {
      await declareFields(world);
      await world.connect("feed", { key: "email" });
      const run = await world.import(file!, { connection: "feed", name: `users.${format}`, type: FORMATS[format] });
      assert.deepEqual([run.status, run.counts.failed, said(run)], ["succeeded", 0, []]);
      // People who have left are not created anew.
      const present = people.filter(({ status }) => status === "active");
      assert.deepEqual([present.length, run.counts.created, run.counts.skipped], [ODD.length - 2, ODD.length - 2, 2]);
      assert.deepEqual((await world.people()).sort(byEmail).map(essence), present.sort(byEmail).map(essence));
    });
  });
}

test("the columns are those of the template, in CSV with a byte order mark and protected cells", () =>
  importing(async (world) => {
    await fill(world);
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await download(world, "csv"));
    assert.match(text, /^\ufeffemployee_id,/);
    const { data, errors } = Papa.parse<string[]>(text.slice(1), { skipEmptyLines: true, delimiter: "," });
    assert.deepEqual(errors, []);
    const template = await (await world.ask("/v1/templates/users.csv?examples=false")).text();
    assert.deepEqual(data[0], Papa.parse<string[]>(template.replace("\ufeff", "").trim()).data[0]);
    assert.ok(data.every((cells) => cells.length === data[0]!.length));
    assert.ok(data.flat().every((cell) => !/^[=+\-@\t\r＝]/.test(cell)));
    assert.deepEqual(data[1]!.slice(0, 2), ["'000123", "ana@acme.test"]);
    const [header, first] = readAll(await download(world, "xlsx"));
    assert.deepEqual(header!.slice(1), data[0]);
    assert.deepEqual(first!.slice(1, 8), ["000123", "ana@acme.test", "=1+1", "'t Hart", "", "", "MAR10"]);
  }));

test("the filters are those of the list", () =>
  importing(async (world) => {
    await world.import(csv(`${HEADER},department_name`, ...crowd(5, 1, (i) => i < 3 ? ",Sales" : ",Ops")));
    await world.edit(await world.person("E0001"), { status: "inactive" });
    const emails = async (query: string) =>
      new TextDecoder().decode(await download(world, "ndjson", query)).trim().split("\n")
        .filter((line) => line !== "").map((line) => JSON.parse(line).employee_id);
    const listed = async (query: string) =>
      (await (await world.ask(`/v1/users${query}`)).json()).data.map((each: Person) => each.employee_id);
    for (
      const query of [
        "",
        "?status=inactive",
        "?department=sales",
        "?department=nothing",
        "?email=P0002@acme.test",
        "?employee_id=E0003",
        "?q=First0004",
        "?status=active&department=Sales",
        "?updated_since=2030-01-01",
      ]
    ) assert.deepEqual(await emails(query), await listed(query), query);
    for (const query of ["?limit=5", "?status=all", "?q="]) {
      for (const format of Object.keys(FORMATS)) {
        assert.equal((await world.ask(`/v1/users.${format}${query}`)).status, 400, query);
      }
    }
  }));

test("it needs users:read, and the audit has who did it and no value", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ...crowd(2)));
    const lesser = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["runs:read", "users:write"] }));
    for (const format of Object.keys(FORMATS)) assert.equal((await lesser(`/v1/users.${format}`)).status, 403);
    const reader = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["users:read"] }));
    assert.equal((await reader("/v1/users.csv?email=p0001@acme.test")).status, 200);
    const { data } = await (await world.ask("/v1/audit?action=user.exported")).json();
    assert.equal(data.length, 1);
    assert.deepEqual([data[0].subjects.length, data[0].subjects[0].slice(0, 4)], [1, "org_"]);
    assert.ok(!JSON.stringify(data).includes("acme.test"));
  }));

test("a person who appears or goes while the file is read moves nobody else", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ...crowd(1500)));
    // Asked for without the check of answers, which would read all of it at once.
    const token = await createTestToken(world.hub);
    const { body } = await createApp(world.hub).request("/v1/users.ndjson", {
      headers: { authorization: `Bearer ${token}` },
    });
    const pieces = body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await pieces.read()).value!;
    assert.ok(text.split("\n").length < 300, "only the first page has been read");
    await world.edit(await world.person("E0001"), { status: "inactive", title: "Late" });
    await world.edit(await world.person("E1499"), { title: "Late" });
    await world.import(csv(HEADER, ...crowd(3, 2900)), { coverage: "diff" });
    for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) text += piece.value;
    const people = text.trim().split("\n").map((line) => JSON.parse(line));
    const ids = people.map(({ employee_id }) => employee_id);
    assert.equal(people.find(({ employee_id }) => employee_id === "E1499").title, "Late", "later pages are read later");
    assert.equal(new Set(ids).size, ids.length);
    for (const line of crowd(1500)) assert.ok(ids.includes(line.slice(0, 5)), line);
  }));

test("pages are read only as the file is", async () => {
  const world = { taken: 0, left: false };
  const user = {
    user: { employeeId: "1", status: "active", custom: { note: "x".repeat(2000) } },
    department: null,
    manager: null,
  } as unknown as StoredUser;
  const note = { key: "note", label: "note", type: "text", required: false, options: [], maxLength: 5000 } as const;
  for (const format of Object.keys(FORMATS) as Format[]) {
    world.taken = 0;
    world.left = false;
    const reader = peopleFile(format, pages(), [note]).getReader();
    await reader.read();
    assert.ok(world.taken < 50, `${format}: ${world.taken}`);
    await reader.cancel();
    assert.ok(world.left, format);
  }

  async function* pages() {
    try {
      while (true) {
        world.taken++;
        yield await Promise.resolve(Array(100).fill(user));
      }
    } finally {
      world.left = true;
    }
  }
});

test(
  "a file with more people than a sheet has rows for is never taken for whole",
  { skip: onlyInCheckOnDeno },
  async () => {
    const rows = Array(1_048_577).fill([]);
    await assert.rejects(async () => {
      for await (const _ of writeWorkbook([{ name: "People", widths: [], rows }]));
    }, /at most 1048576 rows: ask for CSV/);
  },
);
