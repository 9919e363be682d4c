/** What else happens to people whom a provider keeps: they are erased, merged, shown to themselves, and sent twice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { type Json, oktaUser, patchOf, type Scim, scimming } from "../../support/scim.ts";

const json = async (answer: Response | Promise<Response>): Promise<Json> => await (await answer).json();
const ops = (...ids: string[]) => ({ displayName: "Ops", members: ids.map((value) => ({ value })) });
const membersOf = async ({ expect }: Scim, { id }: Json): Promise<string[]> =>
  ((await expect(200, "GET", `/Groups/${id}`)).members ?? []).map(({ value }: Json) => value);

test("an erased person is gone here, too, and a new POST makes somebody new", () =>
  scimming(async (scim) => {
    const { world, expect } = scim;
    const ann = await expect(201, "POST", "/Users", oktaUser("ann@example.com", { displayName: "Ann Unique" }));
    const group = await expect(201, "POST", "/Groups", ops(ann.id));
    const erased = await world.post(`/v1/users/${ann.id}/erase`);
    assert.equal(erased.status, 200, JSON.stringify(erased.body));
    await expect(404, "GET", `/Users/${ann.id}`);
    assert.deepEqual(await membersOf(scim, group), []);
    for (const table of ["scim_users", "group_members"]) {
      assert.deepEqual(await world.hub.db.rows(sql`select 1 from ${sql.identifier(table)}`), [], table);
    }
    const again = await expect(201, "POST", "/Users", oktaUser("ann@example.com"));
    assert.notEqual(again.id, ann.id);
  }));

test("the record of a person has what their provider has made of them", () =>
  scimming(async ({ world, expect }) => {
    const ann = await expect(201, "POST", "/Users", oktaUser("Ann@example.com", { displayName: "Ann L" }));
    const { id } = await expect(201, "POST", "/Groups", ops(ann.id));
    const { scim: [own, ...others] } = await json(world.ask(`/v1/users/${ann.id}/record`));
    assert.equal(others.length, 0);
    const { connection_id: _, ...rest } = own;
    assert.deepEqual(rest, {
      user_name: "Ann@example.com",
      external_id: "00u-Ann",
      display_name: "Ann L",
      deleted_at: null,
      groups: [{ id, name: "Ops" }],
    });
  }));

test("somebody who was merged into another is that one for the provider, and in their groups", () =>
  scimming(async (scim) => {
    const { world, expect } = scim;
    await world.import("employee_id,email,first_name,last_name\nE1,ann.lee@example.com,Ann,Lee\n");
    const into = (await world.person("E1")).id;
    const ann = await expect(201, "POST", "/Users", oktaUser("ann@example.com"));
    const group = await expect(201, "POST", "/Groups", ops(ann.id));
    const merged = await world.post(`/v1/users/${ann.id}/merge`, { into, mode: "apply" });
    assert.equal(merged.status, 200, JSON.stringify(merged.body));
    await expect(404, "GET", `/Users/${ann.id}`);
    assert.equal((await expect(200, "GET", `/Users/${into}`)).externalId, "00u-ann");
    assert.deepEqual(await membersOf(scim, group), [into]);
    assert.equal((await expect(200, "GET", `/Users/${into}`)).groups[0].value, group.id);
    const found = await expect(200, "GET", "/Users?filter=groups.display%20eq%20%22ops%22");
    assert.deepEqual(found.Resources.map(({ id }: Json) => id), [into]);
    await expect(204, "PATCH", `/Groups/${group.id}`, patchOf({ op: "remove", path: `members[value eq "${into}"]` }));
    assert.deepEqual(await membersOf(scim, group), []);
  }));

test("of two requests at once for one name, one makes the person", () =>
  scimming(async ({ world, send }) => {
    const both = await Promise.all([
      send("POST", "/Users", oktaUser("ann@example.com")),
      send("POST", "/Users", oktaUser("ann@example.com", { externalId: "other" })),
    ]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [201, 409]);
    assert.equal((await world.people()).length, 1);
  }));

test("a write is a drop and a run of the connection, by the token", () =>
  scimming(async ({ world, expect }) => {
    const ann = await expect(201, "POST", "/Users", oktaUser("ann@example.com"));
    const [run] = await world.runs();
    assert.deepEqual([run!.connector, run!.coverage, run!.counts.created], ["scim", "diff", 1]);
    const history = await json(world.ask(`/v1/users/${ann.id}/history`));
    assert.equal(history.data[0].run, run!.id);
    const audit = await json(world.ask("/v1/audit?action=drop.received"));
    assert.deepEqual([audit.data[0].actor.kind, audit.data[0].actor.name], ["token", "okta"]);
  }));
