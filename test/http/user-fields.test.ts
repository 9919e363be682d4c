/** Where each value of a person comes from: connection, run, file and line, or who wrote it by hand. */
import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { createAsk, createTestToken } from "../support/hub.ts";
import { csv, HOUR_MS, type Importing, importing } from "../support/imports.ts";

const HEADER = "employee_id,email,first_name,last_name,title,department_name,manager_id";

interface Field {
  field: string;
  value: unknown;
  since: string | null;
  source: {
    connection_id: string | null;
    run: string | null;
    file: string | null;
    line: number | null;
    by: { kind: string; name: string | null } | null;
  };
  others: { connection_id: string; value: string }[];
}

async function fieldsOf({ ask, person }: Importing, name: string): Promise<Map<string, Field>> {
  const { id } = await person(name);
  const answer = await ask(`/v1/users/${id}/fields`);
  assert.equal(answer.status, 200);
  const { fields } = await answer.json() as { fields: Field[] };
  return new Map(fields.map((field) => [field.field, field]));
}

async function idOf({ ask }: Importing, slug: string): Promise<string> {
  return (await (await ask(`/v1/connections/${slug}`)).json()).id;
}

test("each value names the run, file and line that brought it last, and since when", () =>
  importing(async (world) => {
    const first = await world.import(
      csv(HEADER, "1,ana@acme.test,Ana,Sol,Lead,Sales,", "2,bo@acme.test,Bo,Lund,Clerk,Sales,1"),
      {
        name: "monday.csv",
      },
    );
    world.later(HOUR_MS);
    const second = await world.import(
      csv(HEADER, "1,ana@acme.test,Ana,Sol,Lead,Sales,", "2,bo@acme.test,Bo,Lund,Chef,Product,1"),
      {
        name: "tuesday.csv",
      },
    );
    const fields = await fieldsOf(world, "2"), csvId = await idOf(world, "csv");
    const shown = (name: string) => {
      const { value, source } = fields.get(name)!;
      return [value, source.connection_id, source.run, source.file, source.line];
    };
    assert.deepEqual(shown("title"), ["Chef", csvId, second.id, "tuesday.csv", 3]);
    assert.deepEqual(shown("department"), ["Product", csvId, second.id, "tuesday.csv", 3]);
    assert.deepEqual(shown("last_name"), ["Lund", csvId, first.id, "monday.csv", 3]);
    assert.deepEqual(shown("manager"), [(await world.person("1")).id, csvId, first.id, "monday.csv", 3]);
    assert.deepEqual(shown("status").slice(0, 3), ["active", csvId, first.id]);
    assert.equal(Date.parse(fields.get("title")!.since!) - Date.parse(fields.get("last_name")!.since!), HOUR_MS);
    assert.equal(fields.has("phone"), false);
  }));

test("a value written by hand names who wrote it, and the file's word again once a file has overwritten it", () =>
  importing(async (world) => {
    const row = "1,ana@acme.test,Ana,Sol,Lead,Sales,";
    await world.import(csv(HEADER, row));
    await world.edit(await world.person("1"), { title: "Boss" });
    const { value, source } = (await fieldsOf(world, "1")).get("title")!;
    assert.deepEqual([value, source.connection_id, source.run], ["Boss", null, null]);
    assert.deepEqual([source.by?.kind, source.by?.name], ["token", "test"]);
    assert.equal((await fieldsOf(world, "1")).get("email")!.source.by, null);
    const again = await world.import(csv(HEADER, row.replace("Sol", "Soll")), { name: "again.csv" });
    const written = (await fieldsOf(world, "1")).get("title")!;
    assert.deepEqual([written.value, written.source.file, written.source.run], ["Lead", "again.csv", again.id]);
  }));

test("what another connection says, and is not used, is shown beside the value", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, "1,ana@acme.test,Ana,Sol,Lead,Sales,"));
    world.later(HOUR_MS);
    await world.connect("other", { connector: "csv-upload", policy: { coverage: "diff" } });
    await world.import(csv("employee_id,email,first_name,last_name,title", "1,ana@acme.test,Ana,Sol,Chief"), {
      connection: "other",
    });
    const { value, others, source } = (await fieldsOf(world, "1")).get("title")!;
    assert.equal(value, "Lead");
    assert.equal(source.connection_id, await idOf(world, "csv"));
    assert.deepEqual(others, [{ connection_id: await idOf(world, "other"), value: "Chief" }]);
  }));

test("where the history is gone, the connection is still known", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, "1,ana@acme.test,Ana,Sol,Lead,Sales,"));
    const { db } = world.hub;
    await db.write([db.run(sql`delete from page_bodies`), db.run(sql`delete from change_pages`)]);
    const { value, since, source } = (await fieldsOf(world, "1")).get("title")!;
    assert.deepEqual([value, since, source.run], ["Lead", null, null]);
    assert.equal(source.connection_id, await idOf(world, "csv"));
  }));

test("another organization, or a token that may not read people, gets nothing", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, "1,ana@acme.test,Ana,Sol,Lead,Sales,"));
    const { id } = await world.person("1");
    const path = `/v1/users/${id}/fields`;
    await world.post("/v1/organizations", { slug: "strangers", name: "Strangers" });
    const without = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["runs:read"] }));
    assert.equal((await without(path)).status, 403);
    const { status } = await world.ask(path, { headers: { "muster-organization": "strangers" } });
    assert.notEqual(status, 200);
  }));
