import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { sql } from "drizzle-orm";
import { encodeId } from "../../src/model/id.ts";
import { decodeChange, type Entry } from "../../src/reconcile/columns/entry.ts";
import { IMAGE_INDEX } from "../../src/reconcile/image.ts";
import { findOrganization } from "../../src/store/organizations.ts";
import { links, pendingManagers } from "../../src/store/people/schema.ts";
import { findUser } from "../../src/store/people/users.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { insertDepartment, insertLink, insertUser } from "../support/people.ts";
import { loadPages } from "../support/pages.ts";

let hub: TestHub;
let ask: Ask;

before(async () => {
  hub = await createTestHub();
  ask = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());
beforeEach(async () => {
  await hub.db.write([hub.db.orm.run(sql`delete from users`), hub.db.orm.run(sql`delete from change_pages`)]);
});

const url = (id: number) => `/v1/users/${encodeId("usr", id)}`;
const patch = (id: number, json: unknown, headers: Record<string, string> = {}) =>
  ask(url(id), { method: "PATCH", json, headers });

/** The detail of a refusal, after its status. */
async function refusal(answer: Response): Promise<[number, string]> {
  return [answer.status, (await answer.json()).detail];
}

test("a user is shown with department, manager, custom fields and sources, and an ETag of its version", async () => {
  const finance = await insertDepartment(hub, "Finance");
  const boss = await insertUser(hub, { employeeId: "1", email: "boss@example.com" });
  const id = await insertUser(hub, {
    employeeId: "000123",
    email: "ana@example.com",
    departmentId: finance,
    managerId: boss,
    custom: { shoe: 41 },
    editedByHand: ["department_name", "title"],
    version: 3,
  });
  await insertLink(hub, 1, "000123", id);
  const answer = await ask(url(id));
  assert.equal(answer.headers.get("etag"), '"3"');
  assert.deepEqual(await answer.json(), {
    id: encodeId("usr", id),
    employee_id: "000123",
    email: "ana@example.com",
    first_name: "Ana",
    last_name: "Lopez",
    preferred_name: null,
    username: null,
    title: null,
    department: { id: encodeId("dep", finance), name: "Finance" },
    manager: { id: encodeId("usr", boss), employee_id: "1", email: "boss@example.com" },
    location: null,
    phone: null,
    mobile_phone: null,
    hire_date: null,
    deactivation_date: null,
    employment_status: null,
    on_leave: false,
    timezone: null,
    language: null,
    status: "active",
    custom: { shoe: 41 },
    edited_by_hand: ["department", "title"],
    sources: [{ connection_id: encodeId("con", 1), source_key: "000123", missing_since: null }],
    version: 3,
    created_at: "2026-03-02T08:00:00.000Z",
    updated_at: "2026-03-02T08:00:00.000Z",
  });
});

test("users are found by email, employee id, status, department and time of change", async () => {
  const sales = await insertDepartment(hub, "Sales");
  await insertUser(hub, { email: "ana@example.com", employeeId: "a1", departmentId: sales });
  await insertUser(hub, { email: "bo@example.com", firstName: "Bo", lastName: "100%_Berg", status: "inactive" });
  await insertUser(hub, { email: "cy@example.com", firstName: "Cy", updatedAt: hub.clock.ms + 5000 });
  const found = async (search: string) =>
    (await (await ask(`/v1/users?${search}`)).json()).data.map(({ email }: { email: string }) => email.slice(0, 2));
  assert.deepEqual(await found("email=%20ANA@Example.com"), ["an"]);
  assert.deepEqual(await found("employee_id=a1"), ["an"]);
  assert.deepEqual(await found("employee_id=A1"), []);
  assert.deepEqual(await found("status=inactive"), ["bo"]);
  assert.deepEqual(await found("department=%20SALES"), ["an"]);
  assert.deepEqual(await found(`department=${encodeId("dep", sales)}`), ["an"]);
  assert.deepEqual(await found("department=Nowhere"), []);
  assert.deepEqual(await found(`updated_since=${new Date(hub.clock.ms + 1).toISOString()}`), ["cy"]);
  assert.equal((await ask("/v1/users?updated_since=yesterday")).status, 400);
});

test("paging shows everyone once, though people come and change between the pages", async () => {
  const expected: string[] = [];
  for (let n = 0; n < 7; n++) expected.push(encodeId("usr", await insertUser(hub, { email: `p${n}@example.com` })));
  const seen: string[] = [];
  let cursor: string | null = "";
  for (let turn = 0; cursor !== null; turn++) {
    const { data, next_cursor }: { data: { id: string }[]; next_cursor: string | null } =
      await (await ask(`/v1/users?limit=3&cursor=${cursor}`)).json();
    seen.push(...data.map(({ id }) => id));
    cursor = next_cursor;
    if (turn === 0) {
      await ask(`/v1/users/${expected[0]}`, { method: "PATCH", json: { title: "Lead" } });
      expected.push(encodeId("usr", await insertUser(hub, { email: "late@example.com" })));
    }
  }
  assert.deepEqual(seen, expected);
});

test("an edit by hand changes the user, its history, the feed and the data version together", async () => {
  const id = await insertUser(hub, { email: "ana@example.com", title: "Engineer", sourceId: 1, lastPage: 77 });
  const { dataVersion } = (await findOrganization(hub.db, hub.organization.id))!;
  const answer = await patch(id, {
    title: " Lead ",
    email: "ANA.Lopez@Example.com",
    phone: "+1 555 0100",
    on_leave: true,
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("etag"), '"2"');
  const shown = await answer.json();
  assert.deepEqual(
    [shown.title, shown.email, shown.phone, shown.on_leave, shown.version, shown.edited_by_hand],
    ["Lead", "ana.lopez@example.com", "+1 555 0100", true, 2, ["email", "on_leave", "phone", "title"]],
  );

  const { user } = (await findUser(hub.db, hub.organization.id, id))!;
  assert.deepEqual(user.fieldSources, { title: 0, email: 0, phone: 0, on_leave: 0 });
  assert.equal((await findOrganization(hub.db, hub.organization.id))!.dataVersion, dataVersion + 1);
  const [page] = await loadPages(hub);
  assert.deepEqual([page!.id, page!.runId, page!.count, page!.appliedAt], [user.lastPage, null, 1, hub.clock.ms]);
  assert.ok(page!.seq! > 0);
  const change = decodeChange(page!.entries[0] as Entry);
  assert.deepEqual(
    [change.action, change.userId, change.version, change.reason, change.previousPage, change.before],
    ["update", id, 1, "hand", 77, { title: "Engineer", email: "ana@example.com", phone: null, on_leave: 0 }],
  );
  assert.equal(change.after[IMAGE_INDEX.title], "Lead");
});

test("an edit that changes nothing writes nothing", async () => {
  const id = await insertUser(hub, { email: "ana@example.com", title: "Lead" });
  const shown = await (await patch(id, { title: "Lead", email: " ANA@example.com", department: null })).json();
  assert.deepEqual([shown.version, shown.edited_by_hand], [1, []]);
  assert.deepEqual(await loadPages(hub), []);
});

test("an edit by hand voids what links knew of the row", async () => {
  const id = await insertUser(hub, { email: "ana@example.com" });
  await hub.db.write([
    hub.db.orm.insert(links).values({ connectionId: 9, sourceKey: "k", userId: id, active: true, digest: "d" }),
  ]);
  await patch(id, { title: "Lead" });
  const [link] = await hub.db.orm.select().from(links).where(sql`connection_id = 9`);
  assert.equal(link!.digest, null);
});

test("a stale If-Match never wins, and of two edits at once with the same version one wins", async () => {
  const id = await insertUser(hub, { email: "ana@example.com" });
  assert.equal((await patch(id, { title: "A" }, { "if-match": '"1"' })).status, 200);
  assert.equal((await patch(id, { title: "B" }, { "if-match": '"1"' })).status, 412);
  const both = await Promise.all(["C", "D"].map((title) => patch(id, { title }, { "if-match": '"2"' })));
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412]);
  assert.equal((await (await ask(url(id))).json()).version, 3);
});

test("edits at once without If-Match are all kept", async () => {
  const id = await insertUser(hub, { email: "ana@example.com" });
  await Promise.all([patch(id, { title: "Lead" }), patch(id, { location: "Porto" }), patch(id, { phone: "555 0100" })]);
  const shown = await (await ask(url(id))).json();
  assert.deepEqual([shown.title, shown.location, shown.phone, shown.version], ["Lead", "Porto", "555 0100", 4]);
});

test("values are held to the rules of their fields, and every wrong one is named", async () => {
  const id = await insertUser(hub, { email: "ana@example.com", employeeId: "1" });
  const answer = await patch(id, {
    email: "ana@",
    hire_date: "31/12/2020",
    last_name: "",
    employee_id: 12,
    timezone: "Mars",
  });
  assert.equal(answer.status, 422);
  const { errors } = await answer.json();
  assert.deepEqual(errors.map(({ pointer }: { pointer: string }) => pointer).sort(), [
    "/email",
    "/employee_id",
    "/hire_date",
    "/last_name",
    "/timezone",
  ]);
  assert.match(
    errors.find(({ pointer }: { pointer: string }) => pointer === "/email").detail,
    /^Cannot use "ana@" as email: /,
  );
  const unknown = await patch(id, { salary: 1 });
  assert.equal(unknown.status, 400);
  assert.equal((await unknown.json()).errors[0].detail, 'Unknown field "salary"');
});

test("custom fields are edited one by one and held to their types", async () => {
  await ask("/v1/custom-fields/size", { method: "PUT", json: { type: "select", options: ["S", "M"] } });
  await ask("/v1/custom-fields/floor", { method: "PUT", json: { type: "number" } });
  const id = await insertUser(hub, { email: "ana@example.com", custom: { floor: 3 } });
  const shown = await (await patch(id, { custom: { size: "m" } })).json();
  assert.deepEqual([shown.custom, shown.edited_by_hand], [{ floor: 3, size: "M" }, ["size"]]);
  assert.deepEqual((await (await patch(id, { custom: { floor: null, size: null } })).json()).custom, {});
  const refused = await (await patch(id, { custom: { size: "XXL", shoe: 1 } })).json();
  assert.deepEqual(refused.errors.map(({ pointer }: { pointer: string }) => pointer), ["/custom/size", "/custom/shoe"]);
});

test("an email of another active user and an employee id of anybody are refused, naming who has it", async () => {
  const other = await insertUser(hub, { email: "bo@example.com", employeeId: "7" });
  const gone = await insertUser(hub, { email: "cy@example.com", employeeId: "8", status: "inactive" });
  const id = await insertUser(hub, { email: "ana@example.com" });
  assert.deepEqual(await refusal(await patch(id, { email: "bo@example.com" })), [
    409,
    `The email "bo@example.com" belongs to the active user ${encodeId("usr", other)}; use one that nobody else has`,
  ]);
  assert.deepEqual(await refusal(await patch(id, { employee_id: "8" })), [
    409,
    `The employee_id "8" belongs to user ${encodeId("usr", gone)}; use one that nobody else has`,
  ]);
  assert.equal((await patch(id, { email: "cy@example.com" })).status, 200);
  assert.equal((await patch(gone, { status: "active" })).status, 409);
});

test("the status is set by hand, and a deactivation date that has come goes with it", async () => {
  const id = await insertUser(hub, { email: "ana@example.com" });
  const left = await (await patch(id, { deactivation_date: "2026-03-01" })).json();
  assert.deepEqual([left.status, left.edited_by_hand], ["inactive", ["deactivation_date", "status"]]);
  const back = await (await patch(id, { status: "active" })).json();
  assert.deepEqual([back.status, back.deactivation_date], ["active", null]);
  const pages = await loadPages(hub);
  assert.deepEqual(pages.map(({ entries }) => (entries[0] as Entry)[0]), ["deactivate", "reactivate"]);
  assert.equal((await patch(id, { status: "active", deactivation_date: "2026-03-01" })).status, 422);
  const later = await (await patch(id, { deactivation_date: "2026-03-03" })).json();
  assert.deepEqual([later.status, later.deactivation_date], ["active", "2026-03-03"]);
});

test("a department is given by name or id; an unknown or inactive one is refused", async () => {
  const legal = await insertDepartment(hub, "Legal");
  await insertDepartment(hub, "Closed", { active: false });
  const id = await insertUser(hub, { email: "ana@example.com" });
  for (const department of [" legal", encodeId("dep", legal), { id: encodeId("dep", legal) }, { name: "LEGAL" }]) {
    await patch(id, { department: null });
    assert.equal((await (await patch(id, { department })).json()).department.name, "Legal");
  }
  assert.deepEqual(await refusal(await patch(id, { department: "Space" })), [422, 'There is no department "Space"']);
  assert.match((await refusal(await patch(id, { department: "Closed" })))[1], /is inactive/);
});

test("a manager is given by id, employee id or email, and what a source still wanted is forgotten", async () => {
  const boss = await insertUser(hub, { email: "boss@example.com", employeeId: "b1" });
  const id = await insertUser(hub, { email: "ana@example.com" });
  await hub.db.write([
    hub.db.orm.insert(pendingManagers).values({
      organizationId: hub.organization.id,
      userId: id,
      connectionId: 1,
      field: "manager_id",
      value: "x",
    }),
  ]);
  const usr = encodeId("usr", boss);
  for (
    const manager of [usr, "b1", "Boss@example.com", { id: usr }, { employee_id: "b1" }, { email: "boss@example.com" }]
  ) {
    await patch(id, { manager: null });
    assert.equal((await (await patch(id, { manager })).json()).manager.id, usr);
  }
  assert.deepEqual((await (await ask(url(id))).json()).edited_by_hand, ["manager"]);
  assert.deepEqual(await hub.db.orm.select().from(pendingManagers), []);
  assert.deepEqual((await loadPages(hub)).map(({ managers }) => managers).slice(0, 2), [[boss], [null]]);
});

test("nobody is their own manager, and managers never go round in a circle", async () => {
  const a = await insertUser(hub, { email: "a@example.com" });
  const b = await insertUser(hub, { email: "b@example.com", managerId: a });
  const c = await insertUser(hub, { email: "c@example.com", managerId: b });
  assert.deepEqual(await refusal(await patch(a, { manager: encodeId("usr", a) })), [
    422,
    "A user cannot be their own manager",
  ]);
  assert.deepEqual(await refusal(await patch(a, { manager: encodeId("usr", c) })), [
    422,
    "The managers would form a circle: a@example.com → c@example.com → b@example.com → a@example.com",
  ]);
  assert.deepEqual(await refusal(await patch(a, { manager: "nobody" })), [
    422,
    'There is no user "nobody" to be the manager',
  ]);

  const d = await insertUser(hub, { email: "d@example.com" });
  const e = await insertUser(hub, { email: "e@example.com" });
  const both = await Promise.all([
    patch(d, { manager: encodeId("usr", e) }),
    patch(e, { manager: encodeId("usr", d) }),
  ]);
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 422]);
});

test("a released field is a source's again; a field that nobody has is refused", async () => {
  const id = await insertUser(hub, { email: "ana@example.com" });
  await patch(id, { title: "Lead", location: "Porto" });
  const shown = await (await patch(id, { release: ["title"] })).json();
  assert.deepEqual([shown.edited_by_hand, shown.title, shown.version], [["location"], "Lead", 3]);
  assert.deepEqual((await findUser(hub.db, hub.organization.id, id))!.user.fieldSources, { location: 0, title: 0 });
  assert.equal((await loadPages(hub)).length, 1, "no value changed");
  assert.equal((await patch(id, { release: ["shoe size"] })).status, 422);
});
