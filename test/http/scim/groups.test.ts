/** Groups by SCIM: kept as they are, shown in the API and the feed, and departments where the settings say so. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GROUP, type Json, oktaUser, patchOf, type Scim, scimFor, scimming } from "../../support/scim.ts";

const group = (displayName: string, more: object = {}) => ({ schemas: [GROUP], displayName, members: [], ...more });
const values = ({ members }: Json): string[] => (members ?? []).map(({ value }: Json) => value);

async function people({ expect }: Scim, ...names: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const name of names) ids.push((await expect(201, "POST", "/Users", oktaUser(`${name}@example.com`))).id);
  return ids;
}

test("a group is made as Entra and Okta make it, gets members, is renamed and deleted", () =>
  scimming(async (scim) => {
    const { send, expect } = scim;
    const [ann, bo] = await people(scim, "ann", "bo");
    const made = await send("POST", "/Groups", {
      schemas: [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
      externalId: "g1",
      displayName: "Ops",
      meta: { resourceType: "Group" },
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.equal(made.headers.get("location"), made.body.meta.location);
    assert.equal(made.headers.get("etag"), made.body.meta.version);
    const path = `/Groups/${made.body.id}`;
    const members = async () => values(await expect(200, "GET", path));
    await expect(204, "PATCH", path, patchOf({ op: "Add", path: "members", value: [{ $ref: null, value: ann }] }));
    await expect(204, "PATCH", path, patchOf({ op: "add", path: "members", value: [{ value: ann }, { value: bo }] }));
    assert.deepEqual(await members(), [ann, bo]);
    await expect(204, "PATCH", path, patchOf({ op: "Remove", path: "members", value: [{ value: ann }] }));
    assert.deepEqual(await members(), [bo]);
    await expect(204, "PATCH", path, patchOf({ op: "replace", value: { id: made.body.id, displayName: "Ops2" } }));
    const read = await expect(200, "GET", path);
    assert.deepEqual([read.displayName, read.externalId, read.members[0].display], ["Ops2", "g1", "Bo Lee"]);
    assert.deepEqual((await expect(200, "GET", `/Users/${bo}`)).groups, [
      { value: made.body.id, $ref: made.body.meta.location, display: "Ops2" },
    ]);
    await expect(200, "PUT", path, group("Ops3", { members: [{ value: ann }] }));
    assert.deepEqual(await members(), [ann]);
    await expect(200, "PUT", path, { schemas: [GROUP], displayName: "Ops4" });
    assert.deepEqual(await members(), [ann]);
    await expect(204, "PATCH", path, patchOf({ op: "replace", path: "members", value: [] }));
    assert.deepEqual(await members(), []);
    assert.equal((await send("DELETE", path)).status, 204);
    await expect(404, "GET", path);
    await expect(404, "DELETE", path);
  }));

test("groups are found by name, external id and member, without their members where these are left out", () =>
  scimming(async (scim) => {
    const { expect } = scim;
    const [ann] = await people(scim, "ann");
    const ops = await expect(201, "POST", "/Groups", group("Öps", { externalId: "g1", members: [{ value: ann }] }));
    await expect(201, "POST", "/Groups", group("Sales"));
    const find = async (filter: string, more = "") =>
      (await expect(200, "GET", `/Groups?filter=${encodeURIComponent(filter)}${more}`)).Resources.map((each: Json) =>
        each.displayName
      );
    assert.deepEqual(await find('displayName eq "öPS"'), ["Öps"]);
    assert.deepEqual(await find('externalId eq "g1"'), ["Öps"]);
    assert.deepEqual(await find(`members eq "${ann}"`), ["Öps"]);
    assert.deepEqual(await find(`id eq "${ops.id}" and members[value eq "${ann}"]`), ["Öps"]);
    assert.deepEqual(await find("not (members pr)"), ["Sales"]);
    assert.deepEqual(await find('displayName sw "x" or displayName co "ale"'), ["Sales"]);
    assert.deepEqual(await find("displayName pr", "&sortBy=displayName&sortOrder=descending"), ["Öps", "Sales"]);
    const listed = await expect(200, "GET", "/Groups?excludedAttributes=members");
    assert.deepEqual(listed.Resources.map((each: Json) => each.members), [undefined, undefined]);
    assert.equal((await expect(200, "GET", `/Groups/${ops.id}?excludedAttributes=members`)).members, undefined);
    const refused = await expect(400, "GET", "/Groups?filter=colour%20eq%20%22x%22");
    assert.equal(refused.scimType, "invalidFilter");
  }));

test("a name is there once, members are users of the connection, and a group changes by its version", () =>
  scimming(async (scim) => {
    const { world, send, expect } = scim;
    const [ann] = await people(scim, "ann");
    const ops = await expect(201, "POST", "/Groups", group("Ops"));
    assert.equal((await expect(409, "POST", "/Groups", group("OPS"))).scimType, "uniqueness");
    const sales = await expect(201, "POST", "/Groups", group("Sales"));
    await expect(409, "PATCH", `/Groups/${sales.id}`, patchOf({ op: "replace", path: "displayName", value: "ops" }));
    await expect(400, "POST", "/Groups", { schemas: [GROUP] });
    await expect(400, "PATCH", `/Groups/${ops.id}`, patchOf({ op: "add", path: "members", value: [{}] }));
    await world.import("employee_id,email,first_name,last_name\nE1,eve@example.com,Eve,Ek\n");
    const eve = (await world.person("E1")).id;
    for (const value of [eve, "usr_00000000zzz", "x"]) {
      const refused = await expect(
        400,
        "PATCH",
        `/Groups/${ops.id}`,
        patchOf({ op: "add", path: "members", value: [{ value }] }),
      );
      assert.equal(refused.scimType, "invalidValue");
    }
    const headers = { "if-match": ops.meta.version };
    const add = patchOf({ op: "add", path: "members", value: [{ value: ann }] });
    assert.equal((await send("PATCH", `/Groups/${ops.id}`, add, headers)).status, 204);
    assert.equal((await send("PATCH", `/Groups/${ops.id}`, add, headers)).status, 412);
    assert.equal(
      (await send("GET", `/Groups/${sales.id}`, undefined, { "if-none-match": sales.meta.version })).status,
      304,
    );
  }));

test("deactivated people stay in their groups, and deleted ones leave them", () =>
  scimming(async (scim) => {
    const { world, expect } = scim;
    const [ann] = await people(scim, "ann");
    const ops = await expect(201, "POST", "/Groups", group("Ops", { members: [{ value: ann }] }));
    await expect(200, "PATCH", `/Users/${ann}`, patchOf({ op: "replace", path: "active", value: false }));
    assert.deepEqual(values(await expect(200, "GET", `/Groups/${ops.id}`)), [ann]);
    world.later(2 * 3_600_000);
    await expect(204, "DELETE", `/Users/${ann}`);
    assert.deepEqual(values(await expect(200, "GET", `/Groups/${ops.id}`)), []);
  }));

test("the API shows groups, and the feed each change of them by ids", () =>
  scimming(async (scim) => {
    const { world, expect } = scim;
    const [ann, bo] = await people(scim, "ann", "bo");
    const ops = await expect(201, "POST", "/Groups", group("Ops", { externalId: "g1", members: [{ value: ann }] }));
    await expect(
      204,
      "PATCH",
      `/Groups/${ops.id}`,
      patchOf({ op: "remove", path: "members", value: [{ value: ann }] }, {
        op: "add",
        path: "members",
        value: [{ value: bo }],
      }),
    );
    const read = async (path: string) => await (await world.ask(path)).json();
    const { data } = await read("/v1/groups");
    assert.deepEqual(data.map((each: Json) => [each.id, each.name, each.external_id, each.member_count]), [
      [ops.id, "Ops", "g1", 1],
    ]);
    const one = await read(`/v1/groups/${ops.id}`);
    assert.deepEqual(one.members.map((each: Json) => each.id), [bo]);
    assert.equal((await world.ask("/v1/groups/grp_00000000zzz")).status, 404);
    assert.equal((await world.ask(`/v1/groups/${ops.id}?members=all`)).status, 400);
    await expect(204, "DELETE", `/Groups/${ops.id}`);
    const changes = (await read("/v1/changes?limit=200")).data.filter((each: Json) => each.entity === "group");
    assert.deepEqual(changes.map(({ action, subject, fields }: Json) => [action, subject, fields]), [
      ["create", { id: ops.id, name: "Ops" }, {
        name: { before: null, after: "Ops" },
        members: { before: [], after: [ann] },
      }],
      ["update", { id: ops.id, name: "Ops" }, { members: { before: [ann], after: [bo] } }],
      ["deactivate", { id: ops.id, name: "Ops" }, {}],
    ]);
    assert.equal((await read(`/v1/audit?action=group.created`)).data[0].subjects[0], ops.id);
  }));

test("groups are departments where the settings say so, by the way of all records", () =>
  scimming(async (scim) => {
    const { world, expect } = scim;
    const [ann, bo] = await people(scim, "ann", "bo");
    const departments = async () =>
      Object.fromEntries((await world.people()).map(({ id, department }) => [id, department?.name ?? null]));
    const sales = await expect(
      201,
      "POST",
      "/Groups",
      group("Dept Sales", { members: [{ value: ann }, { value: bo }] }),
    );
    await expect(201, "POST", "/Groups", group("All", { members: [{ value: ann }] }));
    assert.deepEqual(await departments(), { [ann!]: "Sales", [bo!]: "Sales" });
    await expect(204, "PATCH", `/Groups/${sales.id}`, patchOf({ op: "remove", path: `members[value eq "${bo}"]` }));
    assert.deepEqual(await departments(), { [ann!]: "Sales", [bo!]: null });
    await expect(
      204,
      "PATCH",
      `/Groups/${sales.id}`,
      patchOf({ op: "replace", value: { displayName: "dept Market" } }),
    );
    assert.deepEqual(await departments(), { [ann!]: "Market", [bo!]: null });
    await expect(204, "DELETE", `/Groups/${sales.id}`);
    assert.deepEqual(await departments(), { [ann!]: null, [bo!]: null });
  }, { settings: { department_groups: "Dept " } }));

test("connections and organizations are sealed off from each other", () =>
  scimming(async (scim) => {
    const { world, expect } = scim;
    const [ann] = await people(scim, "ann");
    const ops = await expect(201, "POST", "/Groups", group("Ops", { members: [{ value: ann }] }));
    await world.connect("entra", { connector: "scim" });
    const entra = await scimFor(world, "entra");
    for (const path of [`/Users/${ann}`, `/Groups/${ops.id}`]) await entra.expect(404, "GET", path);
    for (const path of ["/Users", "/Groups"]) assert.equal((await entra.expect(200, "GET", path)).totalResults, 0);
    await entra.expect(201, "POST", "/Groups", group("Ops"));
    await entra.expect(400, "POST", "/Groups", group("Sales", { members: [{ value: ann }] }));
    for (const slug of ["entra", "csv", "nowhere"]) {
      const other = await scim.ask(`/scim/v2/${slug}/Users`);
      assert.deepEqual([other.status, (await other.json()).status], [404, "404"]);
    }
    assert.equal((await world.ask("/v1/connections/okta", { method: "DELETE" })).status, 204);
    assert.equal((await scim.ask("/scim/v2/okta/Users")).status, 401);
    assert.equal((await entra.expect(200, "GET", "/Groups")).totalResults, 1);
  }));
