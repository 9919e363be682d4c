/** All that the hub keeps about one person, as one JSON; and the one list of places that it and the erasure are made of. */
import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { NOBODY_IN, PLACES } from "../../src/store/people/places.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { csv, type Importing, importing, type Person } from "../support/imports.ts";

const HEADER = "employee_id,email,first_name,last_name,title,manager_id,manager_email,badge";
const ANA = "A1,ana@acme.test,Ana,Zqzqlund,Lead,B2,,zqzqbadge", BO = "B2,bo@acme.test,Bo,Berg,Engineer,,,b2";
const CY = "C3,cy@acme.test,Cy,Cole,Engineer,A1,,";

// deno-lint-ignore no-explicit-any
type Json = any;

async function recordOf({ ask }: Importing, { id }: Pick<Person, "id">): Promise<Json> {
  const answer = await ask(`/v1/users/${id}/record`);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-disposition")!, new RegExp(`${id}\\.json`));
  return await answer.json();
}

/** Ana with a former address, a manager, somebody below her, two connections, an edit by hand, and rows with issues. */
async function fill(world: Importing): Promise<Person> {
  await world.ask("/v1/custom-fields/badge", { method: "PUT", json: { type: "text" } });
  await world.ask("/v1/webhook-endpoints", { json: { url: "https://hooks.example.com/" } });
  await world.import(csv(HEADER, ANA.replace("ana@", "zqzqana.old@"), BO, CY), { name: "people.csv" });
  await world.import(csv(HEADER, ANA, BO, CY), { name: "people.csv" });
  await world.edit(await world.person("A1"), { title: "Zqzq by hand" });
  await world.import(csv(HEADER, ANA.replace(",zqzqbadge", ",zqzqbadge,zqzqtoo much"), BO, CY), { name: "long.csv" });
  await world.import(csv(HEADER, BO.replace("bo@", "bo@@").replace("Engineer,,", "Engineer,,ana@acme.test")), {
    coverage: "diff",
  });
  await world.connect("payroll");
  await world.import(csv(HEADER, ANA), { connection: "payroll", name: "pay.csv" });
  await world.import(csv(HEADER, ANA.replace("Lead", "Zqzqplanned")), { mode: "plan", coverage: "diff" });
  return await world.person("A1");
}

test("a person's record has what is kept of them: values and where they come from, history, rows, events, files", () =>
  importing(async (world) => {
    const ana = await fill(world), record = await recordOf(world, ana);
    assert.equal(record.user.id, ana.id);
    assert.deepEqual([record.user.custom, record.user.inactive_since], [{ badge: "zqzqbadge" }, null]);
    const fields = new Map(record.fields.map((each: Json) => [each.field, each]));
    assert.equal((fields.get("email") as Json).source.file, "people.csv");
    assert.deepEqual(record.reports, [(await world.person("C3")).id]);
    assert.deepEqual(record.links.map((each: Json) => each.source_key), ["A1", "A1"]);
    const history = record.history.map(({ reason, fields }: Json) => [reason, Object.keys(fields)]);
    assert.deepEqual(history.at(-2), [null, ["email"]]);
    assert.ok(history.some(([reason]: Json) => reason === "hand"), JSON.stringify(history));
    assert.deepEqual(record.plans.map(({ fields }: Json) => fields.title.after), ["Zqzqplanned"]);
    const names = record.drops.map(({ name }: Json) => name);
    assert.ok(names.includes("long.csv") && names.includes("pay.csv"), String(names));
    assert.ok(record.drops.every(({ expires_at }: Json) => Date.parse(expires_at) > world.hub.now()));
    const changed = record.events.filter(({ type }: Json) => type === "users.changed");
    assert.ok(changed.length >= 3);
    assert.ok(changed.every(({ parts }: Json) => parts.every(({ subject }: Json) => subject.id === ana.id)));
    assert.ok(record.audit.some(({ action }: Json) => action === "user.changed"));
    const elsewhere = ["backups", "sent", ...(world.hub.server === undefined ? [] : ["database_provider"])];
    assert.deepEqual(record.elsewhere.map(({ what }: Json) => what), elsewhere);
    assert.deepEqual([record.erasure, record.left_out], [null, []]);
  }));

test("rows of others that mention the person are named, and their content is not given away", () =>
  importing(async (world) => {
    const { issues } = await recordOf(world, await fill(world));
    const own = issues.filter(({ cells }: Json) => cells !== null);
    assert.deepEqual(own.map(({ line, issues }: Json) => [line, issues.map(({ code }: Json) => code)]), [[2, [
      "cell_count",
    ]]]);
    assert.equal(own[0].cells.email, "ana@acme.test");
    const others = issues.filter(({ cells }: Json) => cells === null);
    assert.deepEqual(others.map(({ line, issues }: Json) => [line, issues]), [[2, []]]);
    assert.equal(JSON.stringify(issues).includes("bo@@"), false);
  }));

test("a record has never more than its token may read, and says what that leaves out", () =>
  importing(async (world) => {
    const { id } = await fill(world);
    const reader = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["users:read"] }));
    const record: Json = await (await reader(`/v1/users/${id}/record`)).json();
    assert.deepEqual(record.left_out, [
      { part: "plans", scope: "runs:read" },
      { part: "issues", scope: "runs:read" },
      { part: "events", scope: "webhooks:read" },
      { part: "audit", scope: "audit:read" },
      { part: "drops", scope: "runs:read" },
    ]);
    for (const { part } of record.left_out) assert.equal(record[part], null);
    assert.equal(record.user.email, "ana@acme.test");
    const other = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["runs:read", "audit:read"] }));
    assert.equal((await other(`/v1/users/${id}/record`)).status, 403);
  }));

test("who has read a record is in the audit, with the person's id and no value", () =>
  importing(async (world) => {
    const ana = await fill(world);
    await recordOf(world, ana);
    const { data } = await (await world.ask("/v1/audit?action=user.record_read")).json();
    assert.deepEqual(data.map(({ subjects, actor }: Json) => [subjects, actor.kind]), [[[ana.id], "token"]]);
  }));

test("of an erased person the record has the erasure, and nothing that was theirs", () =>
  importing(async (world) => {
    const ana = await fill(world);
    assert.equal((await world.post(`/v1/users/${ana.id}/erase`)).status, 200);
    const record = await recordOf(world, ana), text = JSON.stringify(record).toLowerCase();
    for (const word of ["zqzq", "ana@"]) assert.equal(text.includes(word), false, word);
    assert.equal(record.erasure.user_id, ana.id);
    assert.ok(record.history.length >= 3);
  }));

/** The hub's own tables; of the index of words only the one that has the words. */
async function tablesOf({ hub }: Importing): Promise<string[]> {
  const rows = await hub.db.rows<[string]>(sql`select name from sqlite_master where type = 'table'
    and name not like 'sqlite_%' and substr(name, 1, 2) <> '__' order by name`);
  return rows.flat().filter((name) => !/^user_words_(config|data|docsize|idx)$/.test(name));
}

test("each table of the database is a place of the record and of the erasure, or says why nobody is in it", () =>
  importing(async (world) => {
    const places = new Set<string>(PLACES.flatMap(({ tables }) => tables)), tables = await tablesOf(world);
    for (const table of tables) {
      assert.notEqual(places.has(table), table in NOBODY_IN, `${table}: store/people/places.ts should name it once`);
    }
    const named = [...places, ...Object.keys(NOBODY_IN)];
    assert.deepEqual(named.filter((table) => !tables.includes(table)), [], "tables that are gone");
    for (const place of PLACES) {
      const isWhole = place.record !== null && place.erase !== null;
      assert.ok(isWhole || "because" in place, `${place.tables}: why?`);
    }
  }));

test("wherever a person's values are stored is one of these places", () =>
  importing(async (world) => {
    await fill(world);
    const emptied = new Set<string>(PLACES.flatMap(({ tables, erase }) => erase === null ? [] : tables));
    const found = new Set<string>();
    for (const table of await tablesOf(world)) {
      const rows = await world.hub.db.rows(sql.raw(`select * from "${table}"`));
      const text = rows.flat().map((cell) => typeof cell === "string" ? cell : "").join("\n").toLowerCase();
      if (text.includes("zqzq") || text.includes("ana@")) found.add(table);
    }
    for (const table of found) assert.ok(emptied.has(table), table);
    for (const table of ["users", "page_bodies", "issue_pages", "events"]) assert.ok(found.has(table), table);
  }));
