/** Members by API: who is invited, as what, by whom, and what ends with them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ROLE_NAMES, ROLES } from "../../src/model/role.ts";
import { allows, SCOPES } from "../../src/model/scope.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { createAskAs, signInMember } from "../support/console.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { csv, HEADER, importing } from "../support/imports.ts";
import { insertUser } from "../support/people.ts";
import { encodeId } from "../../src/model/id.ts";

async function withHub(work: (hub: TestHub, admin: Ask) => Promise<void>): Promise<void> {
  const hub = await createTestHub();
  try {
    await work(hub, createAsk(hub, await createTestToken(hub)));
  } finally {
    hub.close();
  }
}

const ANA = { email: "ana@acme.test", name: "Ana Example", role: "approver" };

test("an admin invites somebody by address and role, finds them in the list, and changes them", () =>
  withHub(async (_, admin) => {
    const made = await admin("/v1/members", { json: { ...ANA, email: " Ana@ACME.test " } });
    assert.equal(made.status, 201);
    const { link, not_mailed, ...member } = await made.json();
    assert.deepEqual([member.email, member.name, member.role, member.last_sign_in_at], [
      "ana@acme.test",
      "Ana Example",
      "approver",
      null,
    ]);
    assert.equal(member.invited_by.kind, "token");
    assert.match(not_mailed, /SMTP_URL/);
    assert.match(link, /^http:\/\/hub\.example\.com\/sign-in\/[0-9a-f]{64}$/);
    const { data } = await (await admin("/v1/members")).json();
    assert.deepEqual(data, [member]);
    const path = `/v1/members/${member.id}`;
    const read = await admin(path);
    assert.deepEqual(await read.json(), member);
    const headers = { "if-match": read.headers.get("etag")! };
    const changed = await admin(path, { method: "PATCH", json: { role: "viewer" }, headers });
    assert.equal((await changed.json()).role, "viewer");
    assert.equal((await admin(path, { method: "PATCH", json: { role: "admin" }, headers })).status, 412);
    assert.equal((await admin(path, { method: "DELETE", headers })).status, 412);
    assert.equal((await admin(path, { method: "DELETE" })).status, 204);
    assert.equal((await admin(path)).status, 404);
  }));

test("an address is a member once, however it is written, and what is no address or role is refused by name", () =>
  withHub(async (_, admin) => {
    assert.equal((await admin("/v1/members", { json: ANA })).status, 201);
    const again = await admin("/v1/members", { json: { ...ANA, email: "ANA@acme.test" } });
    assert.equal(again.status, 409);
    const { detail } = await again.json();
    assert.match(detail, /invite them again/);
    assert.ok(!detail.includes("acme"), "a refusal names nobody");
    const bad = await (await admin("/v1/members", { json: { email: "ana@", role: "owner" } })).json();
    assert.deepEqual(bad.errors.map(({ pointer }: { pointer: string }) => pointer), ["/email", "/role"]);
  }));

test("only who may do everything in the organization decides about members", () =>
  withHub(async (hub, admin) => {
    const { id } = await (await admin("/v1/members", { json: ANA })).json();
    const path = `/v1/members/${id}`;
    const lower = SCOPES.filter((scope) => !["admin", "operator", "bridge"].includes(scope));
    const token = createAsk(hub, await createTestToken(hub, { scopes: lower }));
    const members = ROLE_NAMES.filter((role) => role !== "admin");
    const asking = [token];
    for (const role of members) asking.push(createAskAs(hub, (await signInMember(hub, { role })).id));
    for (const ask of asking) {
      for (
        const answer of [
          await ask("/v1/members"),
          await ask("/v1/members", { json: { email: "tom@acme.test", role: "uploader" } }),
          await ask(path),
          await ask(path, { method: "PATCH", json: { role: "admin" } }),
          await ask(path, { method: "DELETE" }),
          await ask(`${path}/invite`, { method: "POST" }),
        ]
      ) assert.equal(answer.status, 403);
    }
    assert.equal((await (await admin(path)).json()).role, "approver");
  }));

test("a role is a list of scopes of one organization, each role with no more than an admin", () => {
  for (const role of ROLE_NAMES) {
    for (const scope of ROLES[role].scopes) assert.ok(allows(["admin"], scope), `${role}: ${scope}`);
  }
  const may = (role: "uploader" | "viewer" | "approver", scope: typeof SCOPES[number]) =>
    allows(ROLES[role].scopes, scope);
  assert.ok(may("uploader", "drops:write") && may("uploader", "runs:own") && !may("uploader", "runs:read"));
  assert.ok(!may("uploader", "users:read") && !may("uploader", "runs:approve"));
  assert.ok(may("viewer", "users:read") && !may("viewer", "drops:write") && !may("viewer", "runs:approve"));
  assert.ok(may("approver", "runs:approve") && may("approver", "runs:write") && !may("approver", "users:write"));
});

test("nobody changes their own role or removes themselves, so an admin is always left", () =>
  withHub(async (hub, admin) => {
    const { id } = await signInMember(hub, { role: "admin" });
    const self = createAskAs(hub, id), path = `/v1/members/${id}`;
    assert.equal((await self(path, { method: "PATCH", json: { role: "viewer" } })).status, 409);
    assert.equal((await self(path, { method: "DELETE" })).status, 409);
    assert.equal((await self(path, { method: "PATCH", json: { name: "Ana" } })).status, 200);
    assert.equal((await admin(path, { method: "DELETE" })).status, 204);
  }));

test("what a member does has their id and name in the audit and at the value that they changed", () =>
  withHub(async (hub, admin) => {
    const { id } = await signInMember(hub, { role: "admin", email: "ana@acme.test", name: "Ana Example" });
    const user = encodeId("usr", await insertUser(hub, { email: "tom@acme.test" }));
    const answer = await createAskAs(hub, id)(`/v1/users/${user}`, { method: "PATCH", json: { title: "Lead" } });
    assert.equal(answer.status, 200);
    const { data } = await (await admin("/v1/audit?action=user.changed")).json();
    assert.deepEqual(data[0].actor, { kind: "member", id, name: "Ana Example" });
    const { fields } = await (await admin(`/v1/users/${user}/fields`)).json();
    const title = fields.find(({ field }: { field: string }) => field === "title");
    assert.deepEqual(title.source.by, { kind: "member", id, name: "Ana Example" });
  }));

test("webhook endpoints and links to runs end with the member who made them, and links with another role", () =>
  importing(async ({ hub, ask: admin, ...world }) => {
    const run = await world.import(csv(HEADER, "1,tom@acme.test,Tom,Marsh"), { mode: "plan" });
    const { id } = await signInMember(hub, { role: "admin" });
    const member = createAskAs(hub, id), path = `/v1/members/${id}`;
    const url = "https://hooks.example.com/muster";
    const endpoint = await (await member("/v1/webhook-endpoints", { json: { url } })).json();
    const made = await (await member(`/v1/runs/${run.id}/links`, { json: { role: "approver" } })).json();
    assert.deepEqual([made.member, made.token], [id, null]);
    const links = async () => (await (await admin(`/v1/runs/${run.id}/links`)).json()).data.length;
    assert.equal(await links(), 1);
    await admin(path, { method: "PATCH", json: { role: "viewer" } });
    assert.equal(await links(), 0);
    const stranger = createAsk(hub, null);
    assert.equal((await stranger(made.url.slice(hub.publicUrl.length))).status, 410);
    assert.equal((await member(`/v1/runs/${run.id}/links`, { json: {} })).status, 201);
    const removed = await admin(path, { method: "DELETE" });
    assert.deepEqual(await removed.json(), { webhook_endpoints: [endpoint.id] });
    assert.equal(await links(), 0);
    const stopped = await (await admin(`/v1/webhook-endpoints/${endpoint.id}`)).json();
    assert.equal(stopped.status, "disabled");
    const taken = await admin(`/v1/webhook-endpoints/${endpoint.id}/take-over`, { method: "POST" });
    assert.equal((await taken.json()).status, "enabled");
  }));

test("an uploader sees the runs of their own files, with their people, and no others", () =>
  importing(async (world) => {
    const { hub } = world;
    const theirs = await world.import(csv(HEADER, "1,tom@acme.test,Tom,Marsh"), { mode: "plan" });
    const { id, visitor } = await signInMember(hub, { role: "uploader" });
    const uploader = createAskAs(hub, id);
    assert.equal((await visitor.open("/")).path, "/o/default/import", "begins where files are sent");
    const sent = await uploader("/v1/connections/csv/drops?mode=plan", {
      body: csv(HEADER, "2,ana@acme.test,Ana,Lopez") as string,
      headers: { "content-type": "text/csv" },
    });
    const { run, drop } = await sent.json();
    await world.carry();
    const { data } = await (await uploader("/v1/runs")).json();
    assert.deepEqual(data.map((each: { id: string }) => each.id), [run.id]);
    assert.equal((await uploader(`/v1/runs/${run.id}`)).status, 200);
    assert.equal((await uploader(`/v1/drops/${drop.id}/content`)).status, 200);
    const { data: [change] } = await (await uploader(`/v1/runs/${run.id}/changes`)).json();
    assert.equal(change.subject.email, "ana@acme.test");
    for (
      const path of [
        `/v1/runs/${theirs.id}`,
        `/v1/runs/${theirs.id}/changes`,
        `/v1/runs/${theirs.id}/issues`,
        `/v1/runs/${theirs.id}/failures.csv`,
        `/v1/runs/${theirs.id}/events`,
        `/v1/drops/${theirs.drop!.id}`,
        `/v1/drops/${theirs.drop!.id}/content`,
      ]
    ) assert.equal((await uploader(path)).status, 404, path);
    for (const path of ["/v1/users", "/v1/mails", "/v1/changes", "/v1/explain?q=tom"]) {
      assert.equal((await uploader(path)).status, 403, path);
    }
    const page = await visitor.open(`/o/default/runs/${run.id}`);
    assert.match(page.text, /Ana/);
    assert.ok(!page.text.includes("/approve"), "and decides nothing");
    assert.equal((await visitor.open(`/o/default/runs/${theirs.id}`)).status, 404);
    assert.ok(!(await visitor.open("/o/default/runs")).text.includes(theirs.id));
    assert.equal((await visitor.open("/o/default/people")).status, 403);
  }));

test("a repeated invitation does not show its link again", () =>
  withHub(async (_, admin) => {
    const headers = { "idempotency-key": "ana" };
    const first = await (await admin("/v1/members", { json: ANA, headers })).json();
    const again = await (await admin("/v1/members", { json: ANA, headers })).json();
    assert.deepEqual(again, { ...first, link: null, code: "shown_once" });
  }));

test("members of another organization are not there, not even by their address", () =>
  withHub(async (hub, admin) => {
    await createOrganization(hub.db, { slug: "other", name: "Other", timezone: "UTC" }, hub.clock.ms);
    const other = createAsk(hub, await createTestToken(hub, { organization: "other" }));
    const { id } = await (await admin("/v1/members", { json: ANA })).json();
    assert.deepEqual((await (await other("/v1/members")).json()).data, []);
    assert.equal((await other(`/v1/members/${id}`)).status, 404);
    assert.equal((await other(`/v1/members/${id}/invite`, { method: "POST" })).status, 404);
    assert.equal((await other("/v1/members", { json: ANA })).status, 201, "they can be a member there as well");
  }));
