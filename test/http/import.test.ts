/** Users imported as JSON: each record is read and answered by itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SCOPES } from "../../src/model/scope.ts";
import { documentOfAll, resolve } from "../support/checked.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { type Importing, importing } from "../support/imports.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** The answer to an import whose run is carried meanwhile. */
async function push(world: Importing, users: unknown, query = ""): Promise<Json> {
  let done = false;
  const asked = world.ask(`/v1/users/import${query}`, { json: { users } }).finally(() => done = true);
  while (!done) {
    await world.carry();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const answer = await asked;
  assert.equal(answer.status, 200, await answer.clone().text());
  return await answer.json();
}

/** `result code code` of each record. */
function told(answer: Json): string[] {
  assert.notEqual(answer.results, null, JSON.stringify(answer.run.error));
  return answer.results.map(({ result, issues }: Json) =>
    [result, ...issues.map(({ code, value, field }: Json) => `${code}:${value ?? field ?? ""}`)].join(" ")
  );
}

const NAMES = { first_name: "Ana", last_name: "Lopez" };

test("records that spell a field differently lose no value", () =>
  importing(async (world) => {
    const answer = await push(world, [
      { employee_id: "1", Email: "ana@acme.test", ...NAMES },
      { employee_id: "2", email: "bo@acme.test", ...NAMES, job_title: "Lead" },
      { "Employee ID": "3", work_email: "cy@acme.test", First_Name: "Cy", surname: "Berg", title: "Chief" },
    ]);
    assert.deepEqual(told(answer), ["created", "created", "created"]);
    assert.deepEqual((await world.run(answer.run.id)).issues, []);
    const people = (await world.people()).map((each) => [each.employee_id, each.email, each.last_name, each.title]);
    assert.deepEqual(people.sort(), [
      ["1", "ana@acme.test", "Lopez", null],
      ["2", "bo@acme.test", "Lopez", "Lead"],
      ["3", "cy@acme.test", "Berg", "Chief"],
    ]);
    const again = await push(world, [
      { EMAIL: "ana@acme.test", employee_id: "1", ...NAMES },
      { employee_id: "2", Email: "bo@acme.test", ...NAMES, title: "Lead" },
      { employee_id: "3", email: "cy@acme.test", first_name: "Cy", last_name: "Berg", title: "Boss" },
    ]);
    assert.deepEqual(told(again), ["unchanged", "unchanged", "updated"]);
  }));

test("of two spellings in one record the better one counts, and the other is named; equal ones fail the record alone", () =>
  importing(async (world) => {
    const answer = await push(world, [
      { employee_id: "1", Email: "no@acme.test", email: "ana@acme.test", ...NAMES },
      { employee_id: "2", work_email: "no2@acme.test", Email: "bo@acme.test", ...NAMES },
      { employee_id: "3", EMAIL: "x@acme.test", Email: "y@acme.test", ...NAMES },
      { employee_id: "4", Email: "di@acme.test", ...NAMES },
    ]);
    assert.deepEqual(told(answer), [
      "created header_unused:Email",
      "created header_unused:work_email",
      "failed header_duplicate:EMAIL",
      "created",
    ]);
    assert.deepEqual((await world.people()).map(({ email }) => email).sort(), [
      "ana@acme.test",
      "bo@acme.test",
      "di@acme.test",
    ]);
  }));

test("a key that is unknown or ignored is named by the records that have it, also when nothing changes", () =>
  importing(async (world) => {
    await world.set("api", { mapping: { Note: null } });
    const users = [
      { employee_id: "1", email: "ana@acme.test", ...NAMES, shoe: 43, Note: "x" },
      { employee_id: "2", email: "bo@acme.test", ...NAMES },
      { employee_id: "3", email: "cy@acme.test", ...NAMES, titel: "Chief" },
    ];
    const issues = ["header_unknown:shoe", "", "header_unknown:titel"];
    assert.deepEqual(told(await push(world, users)), issues.map((issue) => `created ${issue}`.trim()));
    const answer = await push(world, [...users, { employee_id: "4", email: "di@acme.test", ...NAMES }]);
    assert.deepEqual(told(answer), [...issues.map((issue) => `unchanged ${issue}`.trim()), "created"]);
    assert.match(answer.results[2].issues[0].message, /perhaps it should be "title"/);
  }));

test("one record costs no other its result", () =>
  importing(async (world) => {
    const many = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`key${i}`, i]));
    const answer = await push(world, [
      { employee_id: "1", email: "ana@acme.test", ...NAMES },
      null,
      42,
      "ana@acme.test, [",
      [{ employee_id: "1" }],
      { employee_id: "2", email: "bo@acme.test", ...NAMES, title: "x".repeat(1024 * 1024) },
      { employee_id: 3, email: "cy@acme.test", ...NAMES },
      { employee_id: { a: 1 }, email: ["di@acme.test"], ...NAMES },
      {},
      { email: "eve@acme.test", ...NAMES },
      { employee_id: "5", email: "\ud83d@acme.test", ...NAMES },
      { employee_id: "6", email: "gil@acme.test", ...NAMES, ...many },
      { employee_id: "7", email: "hal@acme.test", first_name: "Hal", last_name: "Ek", is_active: "perhaps" },
      { employee_id: "8", email: "ida@acme.test", first_name: "Ida", last_name: "Ek" },
    ]);
    const results = told(answer);
    assert.equal(results[0], "created");
    assert.deepEqual(results.slice(1, 6), [
      ...Array(4).fill("failed json_invalid:"),
      "failed too_large:",
    ]);
    assert.match(results[6]!, /^failed .*:3/);
    assert.match(results[7]!, /^failed /);
    assert.match(results[8]!, /^failed required_field_missing:employee_id/);
    assert.match(results[9]!, /^failed required_field_missing:employee_id/);
    assert.equal(results[10], "failed json_invalid:");
    assert.equal(results[11], "failed too_large:");
    assert.match(results[12]!, /^failed /);
    assert.equal(results[13], "created");
    assert.match(answer.results[5].issues[0].message, /at most 1048576 bytes are allowed/);
    assert.match(answer.results[11].issues[0].message, /505 keys; at most 500 keys are allowed/);
    assert.deepEqual(answer.run.counts.failed, 12);
    assert.deepEqual((await world.people()).map(({ employee_id }) => employee_id).sort(), ["1", "8"]);
  }));

test("records of which none can be used have their results too", () =>
  importing(async (world) => {
    const answer = await push(world, [7, { first_name: "Ana" }]);
    assert.deepEqual(told(answer), ["failed json_invalid:", "failed required_field_missing:email"]);
  }));

test("the connection that is named reads the records, and nobody else is missing from them", () =>
  importing(async (world) => {
    await world.connect("ops", { preset: "ops-com", policy: { missing: "deactivate" } });
    const { id } = await (await world.ask("/v1/connections/ops")).json();
    const first = [
      { unique_id: "u1", Email: "ana@acme.test", ...NAMES, phone_cell: "+1 202 555 0101" },
      { unique_id: "u2", email: "bo@acme.test", ...NAMES },
    ];
    const answer = await push(world, first, `?connection=${id}`);
    assert.deepEqual(told(answer), ["created", "created"]);
    assert.deepEqual([answer.run.connection.slug, answer.run.coverage], ["ops", "diff"]);
    const ana = await world.person("ana@acme.test");
    assert.deepEqual(ana.sources.map(({ source_key }) => source_key), ["u1"]);
    assert.equal(ana.mobile_phone, "+1 202 555 0101");
    const more = await push(world, [{ unique_id: "u3", email: "cy@acme.test", ...NAMES }], "?connection=ops");
    assert.deepEqual(told(more), ["created"]);
    assert.deepEqual((await world.people()).map(({ status }) => status), ["active", "active", "active"]);
    assert.equal((await push(world, [])).run.connection.slug, "api");
  }));

test("a connection that is not there, fetches its own people, or was deleted, takes no records", () =>
  importing(async (world) => {
    const refusal = async (query: string) => {
      const { status, body } = await world.post(`/v1/users/import${query}`, { users: [] });
      return `${status} ${body.detail}`;
    };
    assert.equal(await refusal("?connection=hr"), '404 There is no connection "hr"');
    const bamboo = { connector: "bamboohr", settings: { subdomain: "acme" } };
    await world.connect("bamboo", bamboo);
    assert.match(await refusal("?connection=bamboo"), /^422 The connection "bamboo" fetches its source/);
    assert.equal((await world.ask("/v1/connections/api", { method: "DELETE" })).status, 204);
    assert.match(await refusal(""), /^409 The organization has no connection with the connector "rest-import"/);
  }));

test("more than 5000 records, or 500 different keys, are refused with the limit", () =>
  importing(async (world) => {
    const many = await world.post("/v1/users/import", { users: Array(5001).fill(1) });
    assert.deepEqual([many.status, many.body.code], [413, "too_large"]);
    assert.equal(many.body.detail, "The request has 5001 users; at most 5000 are allowed");
    const keys = Array.from({ length: 501 }, (_, i) => ({ employee_id: String(i), [`key${i}`]: 1 }));
    const wide = await world.post("/v1/users/import", { users: keys });
    assert.deepEqual([wide.status, wide.body.code], [413, "too_large"]);
    assert.equal(wide.body.detail, "The users have 502 different fields; at most 500 are allowed");
  }));

test("JSON and NDJSON files keep the values of every spelling, over blocks, and name a loser once", () =>
  importing(async (world) => {
    await world.connect("json");
    await world.connect("ndjson");
    // The records of the first spelling fill more than one block.
    const first = Array.from({ length: 700 }, (_, i) => ({
      employee_id: `E${i}`,
      Email: `p${i}@acme.test`,
      ...NAMES,
      Location: "x".repeat(250),
      "Employment status": "y".repeat(250),
    }));
    const second = Array.from({ length: 50 }, (_, i) => ({
      employee_id: `F${i}`,
      email: `q${i}@acme.test`,
      E_mail: "no@acme.test",
      ...NAMES,
      location: "here",
    }));
    const records = [...first, ...second];
    for (
      const [connection, type, content] of [
        ["json", "application/json", JSON.stringify({ users: records })],
        ["ndjson", "application/x-ndjson", records.map((record) => `${JSON.stringify(record)}\n`).join("")],
      ] as const
    ) {
      const run = await world.import(content, { connection, type, name: "people" });
      assert.equal(run.status, "succeeded", JSON.stringify(run.error));
      assert.deepEqual(run.issues.map(({ code, value, line }) => [code, value, line]), [[
        "header_unused",
        "E_mail",
        null,
      ]]);
      assert.equal(run.counts[connection === "json" ? "created" : "unchanged"], 750);
    }
    const people = await world.people();
    assert.equal(people.length, 750);
    for (const { email, employee_id, location } of people) {
      assert.equal(email, employee_id!.replace("E", "p").replace("F", "q") + "@acme.test");
      assert.equal(location, employee_id!.startsWith("E") ? "x".repeat(250) : "here");
    }
  }));

test("every operation refuses a query parameter that it does not have, by its name", () =>
  importing(async ({ hub }) => {
    const ask = createAsk(hub, await createTestToken(hub, { scopes: [...SCOPES] }));
    for (const [path, operations] of Object.entries(documentOfAll().paths)) {
      if (!path.startsWith("/v1/")) continue;
      for (const [method, { parameters }] of Object.entries(operations)) {
        // Those of bridges first look at whose token it is; their parameters are checked by a schema, as everywhere.
        if (path.startsWith("/v1/bridge/") && parameters.some((each) => resolve(each)!.in === "query")) continue;
        const refused = await ask(`${path.replace(/\{\w+\}/g, "csv")}?by_hands=true`, { method: method.toUpperCase() });
        const { code, errors } = await refused.json();
        assert.deepEqual([refused.status, code], [400, "invalid_request"], `${method} ${path}`);
        const unknown = errors.filter(({ detail }: { detail: string }) => detail !== "is required");
        assert.deepEqual(unknown, [{ pointer: "?by_hands", detail: 'Unknown field "by_hands"' }]);
      }
    }
  }));
