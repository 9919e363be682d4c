import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { encodeId } from "../../src/model/id.ts";
import type { DepartmentChange } from "../../src/reconcile/planned-change.ts";
import { findDepartment } from "../../src/store/people/departments.ts";
import { findOrganization } from "../../src/store/organizations.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { insertDepartment, insertUser } from "../support/people.ts";
import { loadPages } from "../support/pages.ts";

let hub: TestHub;
let ask: Ask;

before(async () => {
  hub = await createTestHub();
  ask = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());

const url = (id: number) => `/v1/departments/${encodeId("dep", id)}`;
const patch = (id: number, json: unknown, headers: Record<string, string> = {}) =>
  ask(url(id), { method: "PATCH", json, headers });
const versions = async () => {
  const { referenceVersion, dataVersion } = (await findOrganization(hub.db, hub.organization.id))!;
  return [referenceVersion, dataVersion] as const;
};

test("a department is renamed, which moves what rows mean; only its own other spelling is free", async () => {
  const id = await insertDepartment(hub, "Finance");
  await insertDepartment(hub, "Legal");
  const [references, data] = await versions();
  const renamed = await patch(id, { name: "  FINANCE  &  Tax " });
  assert.equal(renamed.headers.get("etag"), '"2"');
  assert.equal((await renamed.json()).name, "FINANCE & Tax");
  assert.deepEqual(await versions(), [references + 1, data + 1]);
  const taken = await patch(id, { name: "LEGAL" });
  assert.equal(taken.status, 409);
  assert.equal((await taken.json()).detail, 'There is already a department "LEGAL"');
  assert.equal((await patch(id, { name: "finance & tax" })).status, 200);
});

test("an edit by hand is in the department's history and in the feed", async () => {
  const id = await insertDepartment(hub, "Recorded", { lastChange: 5 });
  await patch(id, { name: "Renamed" });
  const page = (await loadPages(hub)).at(-1)!;
  const { department } = (await findDepartment(hub.db, hub.organization.id, id))!;
  assert.deepEqual([page.id, page.kind, page.runId, page.appliedAt], [
    department.lastChange,
    "departments",
    null,
    hub.clock.ms,
  ]);
  const [change] = page.entries as DepartmentChange[];
  assert.deepEqual([change!.action, change!.departmentId, change!.reason, change!.previousPage], [
    "update",
    id,
    "hand",
    5,
  ]);
  assert.deepEqual(change!.before, { name: "Recorded", folded: "recorded" });
  assert.deepEqual([change!.after.name, change!.after.active], ["Renamed", 1]);
});

test("an edit that changes nothing, or is stale, moves nothing", async () => {
  const id = await insertDepartment(hub, "Same");
  const before = await versions();
  assert.equal((await (await patch(id, { name: "Same", active: true, parent: null })).json()).version, 1);
  assert.equal((await patch(id, { name: "Other" }, { "if-match": '"7"' })).status, 412);
  assert.deepEqual(await versions(), before);
});

test("a department is moved below another, never below itself", async () => {
  const top = await insertDepartment(hub, "Top");
  const middle = await insertDepartment(hub, "Middle", { parentId: top });
  const low = await insertDepartment(hub, "Low");
  assert.deepEqual((await (await patch(low, { parent: "middle" })).json()).parent, {
    id: encodeId("dep", middle),
    name: "Middle",
  });
  for (const parent of [encodeId("dep", low), "Top"]) {
    const refused = await patch(top, { parent });
    assert.equal(refused.status, 422);
    assert.match((await refused.json()).detail, /^The departments would form a circle: Top → /);
  }
  assert.equal((await patch(low, { parent: "Nowhere" })).status, 422);
  assert.equal((await (await patch(low, { parent: null })).json()).parent, null);
});

test("a department with active users is not deactivated, and the answer says how many there are", async () => {
  const id = await insertDepartment(hub, "Sales");
  const user = await insertUser(hub, { email: "ana@example.com", departmentId: id });
  await insertUser(hub, { email: "bo@example.com", departmentId: id, status: "inactive" });
  const refused = await patch(id, { active: false });
  assert.equal(refused.status, 409);
  assert.equal((await refused.json()).detail, 'Department "Sales" cannot be deactivated: 1 active user is still in it');
  assert.equal((await (await ask(url(id))).json()).active_users, 1);
  await ask(`/v1/users/${encodeId("usr", user)}`, { method: "PATCH", json: { department: null } });
  assert.equal((await (await patch(id, { active: false })).json()).active, false);
  assert.equal((await (await patch(id, { active: true })).json()).active, true);
});

test("departments are listed in pages", async () => {
  const names: string[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const { data, next_cursor }: { data: { name: string }[]; next_cursor: string | null } =
      await (await ask(`/v1/departments?limit=2&cursor=${cursor}`)).json();
    names.push(...data.map(({ name }) => name));
    cursor = next_cursor;
  }
  assert.equal(new Set(names).size, names.length);
  assert.ok(["finance & tax", "Legal", "Same", "Top", "Middle", "Low", "Sales"].every((name) => names.includes(name)));
});

test("departments are listed as a tree, in pages, each with how many are above it", async () => {
  const parentId = await insertDepartment(hub, "Branch", { parentId: await insertDepartment(hub, "Trunk") });
  await insertDepartment(hub, "Leaf", { parentId });
  const tree: { name: string; depth: number; parent: { name: string } | null }[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const answer: Response = await ask(`/v1/departments?order=tree&limit=2&cursor=${cursor}`);
    const { data, next_cursor } = await answer.json();
    tree.push(...data);
    cursor = next_cursor;
  }
  const { data } = await (await ask("/v1/departments?limit=200")).json();
  assert.deepEqual(tree.map(({ name }) => name).sort(), data.map(({ name }: { name: string }) => name).sort());
  for (const [place, { name, parent, depth }] of tree.entries()) {
    const above = tree.slice(0, place).findLast((each) => each.depth < depth);
    assert.equal(above?.name, parent?.name, name);
  }
  assert.ok(tree.some(({ depth }) => depth === 2));
  const other = (await (await ask("/v1/departments?limit=1")).json()).next_cursor;
  assert.equal((await ask(`/v1/departments?order=tree&cursor=${other}`)).status, 400);
});

test("the tree of an organization has no departments of others", async () => {
  const organizationId = hub.organization.id + 1000;
  const top = await insertDepartment(hub, "Theirs", { organizationId });
  await insertDepartment(hub, "Below theirs", { organizationId, parentId: top });
  const { data } = await (await ask("/v1/departments?order=tree&limit=200")).json();
  assert.ok(data.every(({ name }: { name: string }) => !/theirs/i.test(name)));
});
