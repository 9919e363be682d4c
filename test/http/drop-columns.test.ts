/** What each column of an input is read as, and why, with a few of its values. */
import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { createAsk, createTestToken } from "../support/hub.ts";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";

interface Column {
  column: string;
  field: string | null;
  because: string;
  suggestion: string | null;
  samples: string[] | null;
}

async function columnsOf(world: Importing, drop: string): Promise<Column[]> {
  const answer = await world.ask(`/v1/drops/${drop}/columns`);
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()).columns;
}

const short = ({ column, field, because, suggestion }: Column) => [column, field, because, suggestion];

test("each column is named with its field, the reason, and its first values", () =>
  importing(async (world) => {
    await world.set("csv", { mapping: { "Wage group": null, Desk: "location" } });
    const run = await world.import(csv(
      "employee_id,E-Mail,first_name,Surname,Desk,Wage group,emial,Shoe size,title,Job Title",
      "1,ana@example.com,Ana,Silva,North,A,,38,Ms,Lead",
      "2,bo@example.com,Bo,Berg,North,B,,39,Mr,Engineer",
    ));
    const columns = await columnsOf(world, run.drop!.id);
    assert.deepEqual(columns.map(short), [
      ["employee_id", "employee_id", "name", null],
      ["E-Mail", "email", "name", null],
      ["first_name", "first_name", "name", null],
      ["Surname", "last_name", "name", null],
      ["Desk", "location", "mapping", null],
      ["Wage group", null, "mapping", null],
      ["emial", null, "unknown", null],
      ["Shoe size", null, "unknown", null],
      ["title", null, "taken", null],
      ["Job Title", "title", "name", null],
    ]);
    assert.deepEqual(columns.map(({ samples }) => samples).slice(0, 7), [
      ["1", "2"],
      ["ana@example.com", "bo@example.com"],
      ["Ana", "Bo"],
      ["Silva", "Berg"],
      ["North"],
      ["A", "B"],
      [],
    ]);
  }));

test("a mistyped name is shown with what it may have been meant to be", () =>
  importing(async (world) => {
    const run = await world.import(csv("employee_id,email,frist_name,last_name", "1,ana@example.com,Ana,Silva"));
    const columns = await columnsOf(world, run.drop!.id);
    assert.deepEqual(columns.map(short)[2], ["frist_name", null, "unknown", "first_name"]);
  }));

test("a file that could not be read for want of a column shows its columns all the same", () =>
  importing(async (world) => {
    const run = await world.import(csv("Kennung,Vorname", "17,Ana"));
    assert.deepEqual([run.status, run.error?.code], ["failed", "header_missing"]);
    const columns = await columnsOf(world, run.drop!.id);
    assert.deepEqual(columns.map(({ column, field, samples }) => [column, field, samples]), [
      ["Kennung", null, ["17"]],
      ["Vorname", null, ["Ana"]],
    ]);
    await world.set("csv", { mapping: { Kennung: "employee_id" } });
    assert.equal((await columnsOf(world, run.drop!.id))[0]!.field, "employee_id", "as the connection has it now");
  }));

test("values are shown to who may read people or sent the file, and another organization's drop is not there", () =>
  importing(async (world) => {
    const run = await world.import(csv("employee_id,email,first_name,last_name", "1,ana@example.com,Ana,Silva"));
    const blind = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["runs:read"] }));
    const { columns } = await (await blind(`/v1/drops/${run.drop!.id}/columns`)).json();
    assert.ok(columns.every(({ samples }: Column) => samples === null));
    const without = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["users:read"] }));
    assert.equal((await without(`/v1/drops/${run.drop!.id}/columns`)).status, 403);
    const operator = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["admin", "operator"] }));
    await operator("/v1/organizations", { json: { slug: "other", name: "Other" } });
    const stranger = createAsk(world.hub, await createTestToken(world.hub, { organization: "other" }));
    assert.equal((await stranger(`/v1/drops/${run.drop!.id}/columns`)).status, 404);
  }));

test("a file that is not stored any more, or that cannot be read, is refused with the reason", () =>
  importing(async (world) => {
    const read = await world.import(csv("employee_id,email,first_name,last_name", "1,ana@example.com,Ana,Silva"));
    const unreadable = await world.import("\u0000\u0001 no table");
    const refused = await world.ask(`/v1/drops/${unreadable.drop!.id}/columns`);
    assert.deepEqual([refused.status, (await refused.json()).code], [422, "unprocessable"]);
    await world.hub.db.rows(sql`delete from drop_chunks`);
    const gone = await world.ask(`/v1/drops/${read.drop!.id}/columns`);
    assert.deepEqual([gone.status, (await gone.json()).code], [422, "content_expired"]);
  }));

test("a file that is too large to be read again in the thread of requests is refused", () =>
  importing(async (world) => {
    const run = await world.import(csv(HEADER, ...crowd(60_000)), { mode: "plan" });
    const answer = await world.ask(`/v1/drops/${run.drop!.id}/columns`);
    assert.deepEqual([answer.status, (await answer.json()).code], [422, "unprocessable"]);
  }));
