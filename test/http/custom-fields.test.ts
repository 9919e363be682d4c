import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { getDictionary } from "../../src/intake/dictionary.ts";
import { resolveHeader } from "../../src/intake/header.ts";
import { getPreset } from "../../src/model/preset.ts";
import { encodeId } from "../../src/model/id.ts";
import { findOrganization } from "../../src/store/organizations.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { insertUser } from "../support/people.ts";
import { readAll } from "../support/workbook-parts.ts";

let hub: TestHub;
let ask: Ask;

before(async () => {
  hub = await createTestHub();
  ask = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());

const put = (key: string, json: unknown) =>
  ask(`/v1/custom-fields/${encodeURIComponent(key)}`, { method: "PUT", json });

test("a custom field is made, changed and listed; each time rows mean something else", async () => {
  const references = async () => (await findOrganization(hub.db, hub.organization.id))!.referenceVersion;
  const before = await references();
  const made = await put("Cost Centre", { type: "text", max_length: 10, label: "Cost centre" });
  assert.equal(made.status, 201);
  assert.equal((await put("Cost Centre", { type: "text", required: true })).status, 200);
  assert.equal(await references(), before + 2);
  assert.deepEqual((await (await ask("/v1/custom-fields")).json()).data, [
    { key: "Cost Centre", label: "Cost centre", type: "text", required: true, options: [], max_length: null },
  ]);
});

test("a name that every object has by itself is no key, and one that schemas would pass over is refused by name", async () => {
  for (const key of ["constructor", "toString", "valueOf", "hasOwnProperty"]) {
    const refused = await ask(`/v1/custom-fields/${key}`, { method: "PUT", json: { type: "text" } });
    assert.equal(refused.status, 409, key);
  }
  for (const name of ["__proto__", "__pr\\u006fto__"]) {
    const refused = await ask("/v1/connections", {
      body: `{"connector":"csv-upload","name":"Odd","mapping":{"Mail":"email","${name}":"title"}}`,
      headers: { "content-type": "application/json" },
    });
    assert.equal(refused.status, 400);
    assert.deepEqual((await refused.json()).errors, [{
      pointer: "/mapping/__proto__",
      detail: 'Unknown field "__proto__"',
    }]);
  }
});

test("a key that a header could not tell from another field, and options that make no sense, are refused", async () => {
  for (const key of ["email", "E-Mail", "first name", "cost_centre", "status"]) {
    assert.equal((await put(key, { type: "text" })).status, 409, key);
  }
  for (const key of ["_line", 'a"b', "a,b", "x".repeat(101)]) {
    assert.equal((await put(key, { type: "text" })).status, 400, key);
  }
  for (
    const field of [
      { type: "select" },
      { type: "text", options: ["a"] },
      { type: "select", options: ["a", "a"] },
      { type: "colour" },
      { type: "text", max_length: 0 },
    ]
  ) {
    assert.equal((await put("shirt", field)).status, 400, JSON.stringify(field));
  }
});

test("a field keeps its type while people have values in it; deleting it takes the values along", async () => {
  await put("Tür.nr", { type: "number" });
  const id = await insertUser(hub, { email: "ana@example.com", custom: { "Tür.nr": 7, "Cost Centre": "12" } });
  const other = await insertUser(hub, { email: "bo@example.com", custom: { "Cost Centre": "12" } });
  const refused = await put("Tür.nr", { type: "text" });
  assert.equal(refused.status, 409);
  assert.match((await refused.json()).detail, /has the type number and people have values in it/);

  assert.equal((await ask(`/v1/custom-fields/${encodeURIComponent("Tür.nr")}`, { method: "DELETE" })).status, 204);
  const left = await (await ask(`/v1/users/${encodeId("usr", id)}`)).json();
  assert.deepEqual([left.custom, left.version], [{ "Cost Centre": "12" }, 2]);
  assert.equal((await (await ask(`/v1/users/${encodeId("usr", other)}`)).json()).version, 1);
  assert.equal((await ask("/v1/custom-fields/nothing", { method: "DELETE" })).status, 404);
  assert.equal((await put("Tür.nr", { type: "text" })).status, 201);
});

test("templates have the preset's headers and then the organization's custom fields", async () => {
  const header = async (path: string) =>
    (await (await ask(path)).text()).replace("\ufeff", "").split("\r\n")[0]!.split(",");
  assert.deepEqual((await header("/v1/templates/users.csv")).slice(0, 4), [
    "employee_id",
    "email",
    "first_name",
    "last_name",
  ]);
  assert.ok((await header("/v1/templates/users.csv")).includes("Cost Centre"));
  assert.equal((await header("/v1/templates/users.csv?preset=ops-com"))[0], "unique_id");
  assert.ok((await header("/v1/templates/departments.csv")).includes("parent"));
  assert.equal((await ask("/v1/templates/users.csv?preset=none")).status, 400);
});

test("templates are workbooks, too, with the same columns", async () => {
  for (const entity of ["users", "departments"]) {
    const text = await (await ask(`/v1/templates/${entity}.csv`)).text();
    const answer = await ask(`/v1/templates/${entity}.xlsx`);
    assert.equal(answer.headers.get("content-disposition"), `attachment; filename="${entity}.xlsx"`);
    const [header] = readAll(new Uint8Array(await answer.arrayBuffer()));
    assert.deepEqual(header!.slice(1), text.replace("\ufeff", "").split("\r\n")[0]!.split(","));
    assert.equal((await ask(`/v1/templates/${entity}.xlsx?preset=none`)).status, 400);
  }
});

test("every header of every template is one that its preset knows", async () => {
  const customKeys = loadedKeys(await (await ask("/v1/custom-fields")).json());
  for (const preset of ["custom", "betterworks", "connecteam", "ops-com"] as const) {
    const text = await (await ask(`/v1/templates/users.csv?preset=${preset}`)).text();
    const columns = text.replace("\ufeff", "").split("\r\n")[0]!.split(",");
    const dictionary = getDictionary(preset === "custom" ? "default" : preset, "users");
    const { fields, issues } = resolveHeader(columns, dictionary, {
      mapping: {},
      customKeys,
      key: getPreset(preset).key,
      exactNames: false,
      before: {},
    });
    assert.deepEqual(issues, [], preset);
    assert.ok(fields.every((field) => field !== null), preset);
  }
});

test("a preset's own fields are made with its first connection, beside what the organization has, and once", async () => {
  const own = await createTestHub();
  try {
    const admin = createAsk(own, await createTestToken(own));
    const fields = async () =>
      (await (await admin("/v1/custom-fields")).json()).data as { key: string; type: string; label: string }[];
    const connect = (slug: string, preset: string | null) =>
      admin("/v1/connections", { json: { connector: "csv-upload", name: slug, slug, preset } });
    // The American name of one, and another spelling of another one, which is of another type.
    await admin("/v1/custom-fields/state", { method: "PUT", json: { type: "select", options: ["MA", "NY"] } });
    await admin("/v1/custom-fields/Student%20No", { method: "PUT", json: { type: "number", label: "Number" } });
    for (const preset of ["betterworks", "connecteam", "custom"]) {
      assert.equal((await connect(preset, preset)).status, 201);
    }
    assert.equal((await fields()).length, 2);
    assert.equal((await connect("csv", "ops-com")).status, 409);
    assert.equal((await fields()).length, 2, "nothing is made with a connection that is not");

    assert.equal((await connect("ops", "ops-com")).status, 201);
    const made = await fields();
    const keys = made.map(({ key }) => key);
    for (const key of ["street", "city", "postal_code", "date_of_birth"]) assert.ok(keys.includes(key), key);
    for (const key of ["province", "student_no"]) assert.ok(!keys.includes(key), key);
    assert.deepEqual(made.find(({ key }) => key === "Student No")!.type, "number");
    const { data } = await (await admin("/v1/audit?action=custom_field.set")).json();
    assert.ok(data[0].subjects.includes("custom_field:street"));

    // One that an admin has deleted is not made again but with a connection that gets the preset.
    assert.equal((await admin("/v1/custom-fields/city", { method: "DELETE" })).status, 204);
    assert.equal((await admin("/v1/connections/ops", { method: "PATCH", json: { preset: "ops-com" } })).status, 200);
    assert.equal((await fields()).length, made.length - 1);
    assert.equal((await admin("/v1/connections/csv", { method: "PATCH", json: { preset: "ops-com" } })).status, 200);
    assert.deepEqual(await fields(), made);
  } finally {
    own.close();
  }
});

function loadedKeys({ data }: { data: { key: string }[] }): string[] {
  return data.map(({ key }) => key);
}
