import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { encodeId } from "../../src/model/id.ts";
import { createApp } from "../../src/http/app.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { erasures } from "../../src/store/people/schema-erasures.ts";
import { runs } from "../../src/store/runs/schema.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { fillSearchIndex } from "../../src/store/people/search-index.ts";
import { sessionOf } from "../support/console.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { insertDepartment, insertUser } from "../support/people.ts";
import { GROUP } from "../support/scim.ts";

let hub: TestHub;
let mine: Ask;
let stranger: Ask;
/** Ids of the first organization's things by the routes' first word. */
let ids: Record<string, string>;
/** Of things inside another, by the name that a route has for them. */
let inner: Record<string, string>;

before(async () => {
  hub = await createTestHub({ registry: createRegistry() });
  mine = createAsk(hub, await createTestToken(hub));
  await createOrganization(hub.db, { slug: "other", name: "Other", timezone: "UTC" }, hub.clock.ms);
  stranger = createAsk(hub, await createTestToken(hub, { organization: "other" }));
  const department = await insertDepartment(hub, "Finance");
  const user = await insertUser(hub, { email: "ana@example.com", departmentId: department });
  await mine("/v1/connections", { json: { connector: "csv-upload", name: "Mine", slug: "mine" } });
  const { id: pgpKey } = await (await mine("/v1/connections/mine/pgp-keys", { json: { type: "ecc" } })).json();
  await mine("/v1/custom-fields/floor", { method: "PUT", json: { type: "number" } });
  const { run, drop } =
    await (await mine("/v1/connections/mine/drops", { body: "email\n", headers: { "content-type": "text/csv" } }))
      .json();
  await hub.db.write([hub.db.orm.update(runs).set({ status: "planned", planHash: "other" })]);
  const { upload } = await (await mine("/v1/connections/mine/uploads", { json: { name: "a.csv" } })).json();
  await mine("/v1/connections", { json: { connector: "scim", name: "Provider", slug: "okta" } });
  const scim = await (await mine("/v1/tokens", { json: { name: "p", scopes: ["scim"], connection: "okta" } })).json();
  const provider = createAsk(hub, scim.token);
  const group = await (await provider("/scim/v2/okta/Groups", { json: { schemas: [GROUP], displayName: "Ops" } }))
    .json();
  const hook = await (await mine("/v1/webhook-endpoints", { json: { url: "https://hooks.example.com/" } })).json();
  const tested = await (await mine(`/v1/webhook-endpoints/${hook.id}/test`, { method: "POST" })).json();
  const token = await (await mine("/v1/tokens", { json: { name: "t", scopes: ["users:read"] } })).json();
  await mine(`/v1/users/${encodeId("usr", user)}`, { method: "PATCH", json: { title: "Lead" } });
  await hub.db.write([
    hub.db.orm.insert(erasures).values({
      userId: user,
      organizationId: hub.organization.id,
      erasedAt: 0,
      askedAt: 0,
      counts: { changes: 0, report_rows: 0, drops: 0, uploads: 0 },
      connections: [],
    }),
  ]);
  const [event] = (await (await mine("/v1/events")).json()).data;
  inner = { ":pgp_key": pgpKey };
  ids = {
    events: event.id,
    users: encodeId("usr", user),
    departments: encodeId("dep", department),
    groups: group.id,
    connections: (await (await mine("/v1/connections/mine")).json()).id,
    "custom-fields": "floor",
    runs: run.id,
    drops: drop.id,
    uploads: upload.id,
    tokens: token.id,
    members: (await (await mine("/v1/members", { json: { email: "ana@acme.test", role: "viewer" } })).json()).id,
    sessions: await sessionOf(hub),
    "webhook-endpoints": hook.id,
    deliveries: tested.id,
  };
});
after(() => hub.close());

/** A body with which the request would succeed for its own organization. */
const BODIES: Record<string, unknown> = {
  "PATCH /v1/users/:id": { title: "Owned" },
  "PATCH /v1/departments/:id": { name: "Owned" },
  "PATCH /v1/members/:id": { name: "Owned" },
  "PATCH /v1/connections/:id": { name: "Owned" },
  "POST /v1/connections/:id/uploads": { name: "a.csv" },
  "POST /v1/connections/:id/upgrade": { mode: "plan", to: "2.0.0" },
  "POST /v1/connections/:id/sftp-login": { method: "key_pair" },
  "POST /v1/uploads/:id/seal": {},
  "PATCH /v1/webhook-endpoints/:id": { description: "Owned" },
  "POST /v1/webhook-endpoints/:id/replay": { since: "2026-01-01" },
  "POST /v1/runs/:id/approve": { plan_hash: "0" },
  "POST /v1/users/:id/merge": { into: "usr_00000000001", mode: "plan" },
  "POST /v1/users/:id/accept": { run: "run_00000000001", issue: "iss_00000000001" },
  "POST /v1/users/:id/release": { run: "run_00000000001", issue: "iss_00000000001" },
};

/** Routes that bear an id of an organization's thing, as the application knows them. */
function idRoutes(): { method: string; path: string }[] {
  const seen = new Map<string, { method: string; path: string }>();
  for (const { method, path } of createApp(hub).routes) {
    // Organizations, templates and bridges are the operator's; what a bridge may ask for is in bridge.test.ts.
    if (/^\/v1\/(?!organizations|connection-templates|bridges?\/).*\/:(id|key)/.test(path) && method !== "ALL") {
      seen.set(`${method} ${path}`, { method, path });
    }
  }
  return [...seen.values()];
}

async function askFor(who: Ask, { method, path }: { method: string; path: string }): Promise<Response> {
  const kind = path.split("/")[2]!;
  const url = path.replace(/:(id|key)/, ids[kind]!).replace(/:pgp_key/, (name) => inner[name]!).replace(":part", "1");
  const json = BODIES[`${method} ${path}`];
  return await who(url, {
    method,
    ...(json === undefined ? {} : { json }),
    ...(path.endsWith("/drops") || path.includes("/parts/")
      ? { body: "email\n", headers: { "content-type": "text/csv" } }
      : {}),
  });
}

test("there are routes for every kind of thing", () => {
  const kinds = new Set(idRoutes().map(({ path }) => path.split("/")[2]));
  assert.deepEqual([...kinds].sort(), Object.keys(ids).sort());
});

test("another organization's id is not found on any route, whatever the method", async () => {
  for (const route of idRoutes()) {
    // A key is a name of its own in each organization: putting one makes the stranger's own field.
    if (route.method === "PUT" && route.path.startsWith("/v1/custom-fields")) continue;
    const answer = await askFor(stranger, route);
    assert.equal(answer.status, 404, `${route.method} ${route.path}`);
    assert.equal((await answer.json()).code, "not_found");
  }
});

test("nothing of it was touched, and its own organization finds it", async () => {
  for (const route of idRoutes().filter(({ method, path }) => method === "GET" && !path.endsWith("/events"))) {
    const answer = await askFor(mine, route);
    assert.equal(answer.status, 200, `${route.method} ${route.path}`);
    assert.ok(!(await answer.text()).includes("Owned"));
  }
});

test("lists and searches show nothing of another organization", async () => {
  // The index of words follows the feed, which has an entry of the user from now on.
  assert.equal(
    (await mine(`/v1/users/${ids.users}`, { method: "PATCH", json: { preferred_name: "Ani" } })).status,
    200,
  );
  assert.equal(await fillSearchIndex(hub.db, { forMs: 60_000 }), true);
  for (
    const list of [
      "users",
      "departments",
      "runs",
      "events",
      "custom-fields",
      "webhook-endpoints",
      "users?q=ana",
      "users?email=ana@example.com",
    ]
  ) {
    assert.deepEqual((await (await stranger(`/v1/${list}`)).json()).data, [], list);
    assert.notDeepEqual((await (await mine(`/v1/${list}`)).json()).data, [], list);
  }
  assert.equal((await stranger("/v1/runs?connection=mine")).status, 404);
  assert.equal((await stranger(`/v1/runs?connection=${ids.connections}`)).status, 404);
  const { data } = await (await stranger("/v1/connections")).json();
  assert.ok(data.every(({ id }: { id: string }) => id !== ids.connections));
});

test("an edit cannot name another organization's user or department", async () => {
  const other = (await import("../../src/store/organizations.ts")).findOrganizationNamed;
  const organization = await other(hub.db, "other");
  const user = encodeId("usr", await insertUser(hub, { organizationId: organization!.id, email: "bo@example.com" }));
  for (
    const patch of [{ manager: ids.users }, { manager: "ana@example.com" }, { department: ids.departments }, {
      department: "Finance",
    }]
  ) {
    assert.equal(
      (await stranger(`/v1/users/${user}`, { method: "PATCH", json: patch })).status,
      422,
      JSON.stringify(patch),
    );
  }
});

test("every route but the public ones needs a token, and every one of /v1 a scope or the organization itself", async () => {
  const nobody = createAsk(hub, null);
  const powerless = createAsk(hub, await createTestToken(hub, { scopes: ["bridge"] }));
  const admin = createAsk(hub, await createTestToken(hub));
  const routes = new Map(
    createApp(hub).routes.filter(({ method, path }) => method !== "ALL" && !path.endsWith("*")).map((
      r,
    ) => [`${r.method} ${r.path}`, r]),
  );
  for (const [name, { method, path }] of routes) {
    if (!path.startsWith("/v1/")) continue;
    const url = path.replace(/:\w+/g, "x");
    assert.equal((await nobody(url, { method })).status, 401, name);
    if (name === "GET /v1/organization") continue;
    assert.equal((await (path.startsWith("/v1/bridge/") ? admin : powerless)(url, { method })).status, 403, name);
  }
});
