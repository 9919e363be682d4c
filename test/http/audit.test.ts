import { eq, sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { HUB } from "../../src/model/audit.ts";
import { lookAtClocks } from "../../src/sources/clocks.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { createApp } from "../../src/http/app.ts";
import { decodeId, encodeId } from "../../src/model/id.ts";
import { mintLinks } from "../../src/notify/links.ts";
import { sealAudit, verifyAudit } from "../../src/store/audit.ts";
import { treeErasures } from "../../src/store/people/schema-erasures.ts";
import { queueRun } from "../../src/store/runs/runs.ts";
import { issuePages, runs } from "../../src/store/runs/schema.ts";
import { findOrganizationNamed } from "../../src/store/organizations.ts";
import { reserve } from "../../src/store/sequences.ts";
import { signWebhook } from "../support/bamboohr/webhooks.ts";
import { sessionOf } from "../support/console.ts";
import { type Ask, createAsk, createTestHub, createTestToken, TEST_CONNECTORS, type TestHub } from "../support/hub.ts";
import { askCheck } from "../../src/store/bridges/bridge-states.ts";
import { findConnection } from "../../src/store/connections/connections.ts";
import { createBridgeKey, handOverOne, introduceBridge, type Introduced, openOne } from "../support/introduce.ts";
import { insertDepartment, insertUser } from "../support/people.ts";

let hub: TestHub;
let admin: Ask;
let operator: Ask;

before(async () => {
  // Our own connectors, and one whose source is not asked for anything.
  const registry = createRegistry().set("fetched", TEST_CONNECTORS.get("fetched")!);
  const pinned = new Map([["d2", { ...TEST_CONNECTORS.get("fetched")!, version: "2.0.0" }]]);
  hub = Object.assign(await createTestHub({ registry: Object.assign(registry, { pinned }) }), {
    mailFrom: "muster@example.com",
  });
  admin = createAsk(hub, await createTestToken(hub));
  operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
});
after(() => hub.close());

interface Entry {
  seq: number;
  action: string;
  actor: { kind: string; id: string | null; name: string | null };
  subjects: string[];
  request_id: string | null;
  address: string | null;
  hash: string | null;
}

async function entries(query = ""): Promise<Entry[]> {
  return (await (await admin(`/v1/audit?limit=200${query}`)).json()).data;
}

interface Write {
  /** Who asks, where that is not the operator. */
  ask?: Ask;
  path: string;
  method?: string;
  json?: unknown;
  body?: string;
  /** A form's body, from a page that is opened by a signed link. */
  form?: string;
  /** How a source proves to be one. */
  signed?: Record<string, string>;
}

/** How to make each writing route write: the things it needs, the request, and what it is called in the audit. */
const WRITES: Record<string, () => Promise<Write>> = {
  "POST /v1/mails/test": async () => {
    await admin("/v1/organization", { method: "PATCH", json: { technical_contact: "it@acme.test" } });
    return { path: "/v1/mails/test", json: {} };
  },
  "POST /v1/members": () => Promise.resolve({ path: "/v1/members", json: { email: "one@acme.test", role: "viewer" } }),
  "PATCH /v1/members/:id": async () => ({ path: await member("two"), json: { role: "admin" } }),
  "DELETE /v1/members/:id": async () => ({ path: await member("three") }),
  "POST /v1/members/:id/invite": async () => ({ path: `${await member("four")}/invite` }),
  "DELETE /v1/sessions/:id": async () => ({ path: `/v1/sessions/${await sessionOf(hub)}` }),
  "POST /v1/organizations": () => Promise.resolve({ path: "/v1/organizations", json: { slug: "acme", name: "Acme" } }),
  "PATCH /v1/organizations/:id": () => Promise.resolve({ path: "/v1/organizations/acme", json: { name: "Acme 2" } }),
  "DELETE /v1/organizations/:id": () => Promise.resolve({ path: "/v1/organizations/acme" }),
  "PATCH /v1/organization": () => Promise.resolve({ path: "/v1/organization", json: { name: "Mine" } }),
  "POST /v1/organization/retention/approve": async () => {
    const userId = await insertUser(hub, { email: "leaver@example.com", status: "active" });
    const leavers = [sql`update users set status = 'inactive', updated_at = 0 where id = ${userId}`];
    await operator("/v1/organization", { method: "PATCH", json: { retention: { leavers_months: 12 } } });
    await hub.db.write([
      ...leavers.map((each) => hub.db.run(each)),
      hub.db.run(sql`update leavers set since = 0`),
      hub.db.run(
        sql`update organizations set retention_at = ${hub.clock.ms}, retention_held = 1 where slug = 'default'`,
      ),
    ]);
    const { held } = await (await operator("/v1/organization/retention")).json();
    return { path: "/v1/organization/retention/approve", json: { count: held } };
  },
  "POST /v1/tokens": () => Promise.resolve({ path: "/v1/tokens", json: { name: "t", scopes: ["users:read"] } }),
  "DELETE /v1/tokens/:id": async () => ({ path: `/v1/tokens/${(await made("/v1/tokens", TOKEN)).id}` }),
  "POST /v1/connections": () =>
    Promise.resolve({ path: "/v1/connections", json: { connector: "csv-upload", name: "One" } }),
  "PATCH /v1/connections/:id": async () => ({ path: `/v1/connections/${await connection()}`, json: { name: "Two" } }),
  "DELETE /v1/connections/:id": async () => ({ path: `/v1/connections/${await connection()}` }),
  "POST /v1/connection-templates": () =>
    Promise.resolve({ path: "/v1/connection-templates", json: { connector: "csv-upload", name: "Template" } }),
  "PATCH /v1/connection-templates/:id": async () => ({ path: await template(), json: { policy: { missing: "keep" } } }),
  "DELETE /v1/connection-templates/:id": async () => ({ path: await template() }),
  "POST /v1/connection-templates/:id/apply": async () => ({
    path: `${await template()}/apply`,
    json: { organizations: ["default"], mode: "apply" },
  }),
  "POST /v1/connections/:id/pause": async () => ({ path: `/v1/connections/${await connection()}/pause` }),
  "POST /v1/connections/:id/resume": async () => {
    const id = await connection();
    await operator(`/v1/connections/${id}/pause`, { method: "POST" });
    return { path: `/v1/connections/${id}/resume` };
  },
  "POST /v1/connections/:id/sftp-login": async () => ({
    path: `/v1/connections/${await dropped()}/sftp-login`,
    json: { method: "key_pair" },
  }),
  "PATCH /v1/connections/:id/sftp-login": async () => {
    const path = `/v1/connections/${await dropped()}/sftp-login`;
    await operator(path, { json: { method: "key_pair" } });
    return { path, json: { keys: [] } };
  },
  "DELETE /v1/connections/:id/sftp-login": async () => {
    const path = `/v1/connections/${await dropped()}/sftp-login`;
    await operator(path, { json: { method: "key_pair" } });
    return { path };
  },
  "POST /v1/connections/:id/pgp-keys": async () => ({
    path: `/v1/connections/${await connection()}/pgp-keys`,
    json: { type: "ecc" },
  }),
  "POST /v1/connections/:id/pgp-keys/:pgp_key/retire": async () => ({ path: `${await pgpKey()}/retire` }),
  "DELETE /v1/connections/:id/pgp-keys/:pgp_key": async () => ({ path: await pgpKey() }),
  "POST /hints/:connection": async () => {
    const settings = { subdomain: "acme" }, secrets = { webhook_key: "key" };
    const { id } = await made("/v1/connections", { connector: "bamboohr", name: "BambooHR", settings, secrets });
    await lookAtClocks(hub);
    const timestamp = String(Math.floor(hub.clock.ms / 1000));
    return {
      path: `/hints/${id}`,
      body: "{}",
      signed: { "x-bamboohr-timestamp": timestamp, "x-bamboohr-signature": signWebhook("key", "{}", timestamp) },
    };
  },
  "POST /v1/connections/:id/check": async () => ({ path: `/v1/connections/${await fetched()}/check` }),
  "POST /v1/connections/:id/runs": async () => ({ path: `/v1/connections/${await fetched()}/runs` }),
  "POST /v1/connections/:id/upgrade": async () => ({
    path: `/v1/connections/${await pinnedConnection()}/upgrade`,
    json: { mode: "apply", to: "2.0.0" },
  }),
  "POST /v1/connections/:id/authorize": async () => ({ path: `/v1/connections/${await fetched()}/authorize` }),
  "POST /v1/connections/:id/drops": () => Promise.resolve({ path: "/v1/connections/csv/drops", body: "email\n" }),
  "POST /v1/connections/:id/uploads": () =>
    Promise.resolve({ path: "/v1/connections/csv/uploads", json: { name: "a.csv" } }),
  "PUT /v1/uploads/:id/parts/:part": async () => ({ path: `/v1/uploads/${await upload()}/parts/1`, body: "email\n" }),
  "POST /v1/uploads/:id/seal": async () => ({ path: `/v1/uploads/${await upload()}/seal`, json: {} }),
  "DELETE /v1/uploads/:id": async () => ({ path: `/v1/uploads/${await upload()}` }),
  "POST /v1/users/import": () => Promise.resolve({ path: "/v1/users/import", json: { users: [] } }),
  "POST /v1/runs/:id/approve": async () => ({
    path: `/v1/runs/${await run("planned")}/approve`,
    json: { plan_hash: "h" },
  }),
  "POST /v1/runs/:id/cancel": async () => ({ path: `/v1/runs/${await run("queued")}/cancel` }),
  "DELETE /v1/runs/:id/links": async () => ({ path: `/v1/runs/${await run("queued")}/links` }),
  "POST /v1/runs/:id/links": async () => ({ path: `/v1/runs/${await run("queued")}/links`, json: {} }),
  "DELETE /v1/runs/:id/links/:link": async () => {
    const path = `/v1/runs/${await run("queued")}/links`;
    return { path: `${path}/${(await (await admin(path, { json: {} })).json()).id}` };
  },
  "DELETE /v1/organization/links": () => Promise.resolve({ path: "/v1/organization/links" }),
  "POST /r/:signed/approve": async () => ({
    path: `${await page("planned")}/approve`,
    form: "plan_hash=h&confirmed=yes",
  }),
  "POST /r/:signed/cancel": async () => ({ path: `${await page("queued")}/cancel`, form: "confirmed=yes" }),
  "POST /r/:signed/identity": async () => {
    const { run } = (await conflicting("accept")).json as { run: string };
    hub.clock.ms += 1;
    const { url } = await (await operator(`/v1/runs/${run}/links`, { json: { role: "approver" } })).json();
    return { path: `${url.slice(hub.publicUrl.length)}/identity`, form: "row=0&version=1&answer=accept&confirmed=yes" };
  },
  "POST /v1/runs/:id/revert": async () => ({ path: `/v1/runs/${await run("succeeded")}/revert` }),
  "POST /v1/webhook-endpoints": () => Promise.resolve({ path: "/v1/webhook-endpoints", json: HOOK }),
  "PATCH /v1/webhook-endpoints/:id": async () => ({
    path: `/v1/webhook-endpoints/${await hook()}`,
    json: { description: "x" },
  }),
  "DELETE /v1/webhook-endpoints/:id": async () => ({ path: `/v1/webhook-endpoints/${await hook()}` }),
  "POST /v1/webhook-endpoints/:id/test": async () => ({ path: `/v1/webhook-endpoints/${await hook()}/test` }),
  "POST /v1/webhook-endpoints/:id/rotate-secret": async () => ({
    path: `/v1/webhook-endpoints/${await hook()}/rotate-secret`,
  }),
  "POST /v1/webhook-endpoints/:id/take-over": async () => ({
    path: `/v1/webhook-endpoints/${await hook()}/take-over`,
  }),
  "POST /v1/webhook-endpoints/:id/replay": async () => ({
    path: `/v1/webhook-endpoints/${await hook()}/replay`,
    json: { since: "2026-01-01" },
  }),
  "POST /v1/deliveries/:id/retry": async () => {
    const tested = await operator(`/v1/webhook-endpoints/${await hook()}/test`, { method: "POST" });
    return { path: `/v1/deliveries/${(await tested.json()).id}/retry` };
  },
  "PATCH /v1/users/:id": async () => ({
    path: `/v1/users/${encodeId("usr", await insertUser(hub, { email: "ana@example.com" }))}`,
    json: { title: "Lead" },
  }),
  "POST /v1/users/:id/erase": async () => {
    // Nobody carries runs here, and none may be at work.
    await hub.db.write([hub.db.orm.update(runs).set({ status: "cancelled" })]);
    return { path: `/v1/users/${encodeId("usr", await insertUser(hub, { email: "bo@example.com" }))}/erase` };
  },
  "POST /v1/users/:id/merge": async () => await merging(),
  "DELETE /v1/users/:id/merge": async () => {
    const { path, json } = await merging();
    assert.equal((await operator(path, { json })).status, 200);
    return { path };
  },
  "POST /v1/users/:id/accept": () => conflicting("accept"),
  "DELETE /v1/users/:id/accept": async () => await decided("accept"),
  "POST /v1/users/:id/release": () => conflicting("release"),
  "DELETE /v1/users/:id/release": async () => await decided("release"),
  "PATCH /v1/departments/:id": async () => ({
    path: `/v1/departments/${encodeId("dep", await insertDepartment(hub, "Finance"))}`,
    json: { name: "Money" },
  }),
  "PUT /v1/custom-fields/:key": () => Promise.resolve({ path: "/v1/custom-fields/floor", json: { type: "number" } }),
  "DELETE /v1/custom-fields/:key": () => Promise.resolve({ path: "/v1/custom-fields/floor" }),
};
/** How bridges write. */
Object.assign(
  WRITES,
  {
    "POST /v1/bridges/:id/confirm": async () => ({
      path: `/v1/bridges/${(await introduceBridge(hub, null)).id}/confirm`,
    }),
    "DELETE /v1/bridges/:id": async () => ({ path: `/v1/bridges/${(await introduceBridge(hub, null)).id}` }),
    "POST /v1/bridge/hello": async () => ({
      ask: createAsk(hub, await createTestToken(hub, { scopes: ["bridge"] })),
      path: "/v1/bridge/hello",
      json: { name: "b", version: "1", public_key: (await createBridgeKey()).publicKey, hosted: null },
    }),
    "POST /v1/bridge/connections": () => bridging(({ ask }) => ({ ask, path: "/v1/bridge/connections", json: {} })),
    "POST /v1/bridge/connections/:id/secrets": () =>
      holding(({ ask }, id) => ({ ask, path: `/v1/bridge/connections/${id}/secrets` })),
    "POST /v1/bridge/connections/:id/uploads": () =>
      holding(({ ask }, id) => ({ ask, path: `/v1/bridge/connections/${id}/uploads`, json: { name: "a.csv" } })),
    "PUT /v1/bridge/uploads/:id/parts/:part": () =>
      holding(async (bridge, id) => ({
        ask: bridge.ask,
        path: `/v1/bridge/uploads/${await openOne(bridge, id)}/parts/1`,
        body: "email\n",
      })),
    "POST /v1/bridge/uploads/:id/seal": () =>
      holding(async (bridge, id) => ({
        ask: bridge.ask,
        path: `/v1/bridge/uploads/${await openOne(bridge, id)}/seal`,
        json: { bytes: 6, sha256: SHA256, folder: "/incoming", name: "a.csv", modified_at: 1 },
      })),
    "DELETE /v1/bridge/uploads/:id": () =>
      holding(async (bridge, id) => ({ ask: bridge.ask, path: `/v1/bridge/uploads/${await openOne(bridge, id)}` })),
    "POST /v1/bridge/files/:id/settle": () =>
      holding(async (bridge, id) => ({
        ask: bridge.ask,
        path: `/v1/bridge/files/${(await handOverOne(bridge, id)).file}/settle`,
      })),
    "POST /v1/bridge/files/:id/returned": () =>
      holding(async (bridge, id) => ({
        ask: bridge.ask,
        path: `/v1/bridge/files/${(await handOverOne(bridge, id)).file}/returned`,
      })),
    "POST /v1/bridge/files/:id/refused": () =>
      holding(async (bridge, id) => {
        const { file } = await handOverOne(bridge, id);
        await operator(`/v1/connections/${id}`, { method: "PATCH", json: { technical_contact: "it@acme.test" } });
        await hub.db.write([
          hub.db.orm.update(runs).set({ status: "superseded" }).where(sql`id = (select max(id) from runs)`),
        ]);
        return { ask: bridge.ask, path: `/v1/bridge/files/${file}/refused` };
      }),
    "POST /v1/bridge/connections/:id/not-used": () =>
      holding(({ ask }, id) => ({
        ask,
        path: `/v1/bridge/connections/${id}/not-used`,
        json: { name: "a.csv", since: 1, why: "empty" },
      })),
    "POST /v1/bridge/logins": () =>
      holding(async ({ ask }, id) => {
        const { username, password } = await made(`/v1/connections/${id}/sftp-login`, { method: "password" });
        return { ask, path: "/v1/bridge/logins", json: { username, password, address: "192.0.2.7" } };
      }),
    "POST /v1/bridge/erasures": () =>
      bridging(async ({ ask, id: bridge }, connection) => {
        const asked = {
          userId: 1,
          connectionId: decodeId("con", connection)!,
          bridgeId: decodeId("bri", bridge)!,
          organizationId: hub.organization.id,
          askedAt: 1,
        };
        await hub.db.write([hub.db.orm.insert(treeErasures).values(asked)]);
        return { ask, path: "/v1/bridge/erasures", json: { connection, asked_at: 1, waiting: 0 } };
      }),
    "POST /v1/bridge/health": () =>
      holding(({ ask }, id) => ({
        ask,
        path: "/v1/bridge/health",
        json: {
          connections: [{ id, seen_at: 1, trouble: { code: "unreachable", message: "Nobody answers" }, lying: [] }],
        },
      })),
    "POST /v1/bridge/checks/:id": () =>
      holding(async ({ ask }, id) => {
        const found = await findConnection(hub.db, hub.organization.id, id);
        const check = await askCheck(hub.db, found!, hub.now(), HUB);
        return {
          ask,
          path: `/v1/bridge/checks/${encodeId("chk", check)}`,
          json: { ok: true, detail: "It answers", found: {} },
        };
      }),
  } satisfies typeof WRITES,
);

/** Of the file that introduce.ts hands over. */
const SHA256 = "7e55d96975c74c0b895484d255372b379317fcd8bd432a7516706a4f1a727f99";

/** Does something as a new bridge, with a connection that it may take. */
async function bridging(write: (bridge: Introduced, connection: string) => Write | Promise<Write>): Promise<Write> {
  await hub.db.write([hub.db.orm.run(sql`delete from bridges`) as never]);
  const bridge = await introduceBridge(hub, operator);
  return await write(bridge, (await made("/v1/connections", { connector: "sftp-drop", name: `s${++count}` })).id);
}

/** The same with a connection that it has taken. */
function holding(write: (bridge: Introduced, connection: string) => Write | Promise<Write>): Promise<Write> {
  return bridging(async (bridge, connection) => {
    assert.equal((await bridge.ask("/v1/bridge/connections", { json: {} })).status, 200);
    return await write(bridge, connection);
  });
}

const HOOK = { url: "https://hooks.example.com/" };
const TOKEN = { name: "t", scopes: ["users:read"] };

// deno-lint-ignore no-explicit-any
async function made(path: string, json: object): Promise<any> {
  const answer = await operator(path, { json });
  assert.equal(answer.status, 201);
  return await answer.json();
}

/** A user, and a run with a row that would make them somebody else. */
async function conflicting(decision: "accept" | "release"): Promise<Write> {
  const user = await insertUser(hub, { email: `conflict${++count}@example.com` });
  const run = await createRun(hub);
  const issue = { severity: "error", code: "identity_conflict", field: null, value: null, message: "", suggestion: "" };
  const conflict = { user, field: "email", fingerprint: "f" };
  const row = { n: 0, line: 2, key: "1", origin: null, cells: [], issues: [{ ...issue, conflict }] };
  const organizationId = (await findOrganizationNamed(hub.db, "default"))!.id;
  await hub.db.write([
    hub.db.orm.insert(issuePages).values({ runId: run, organizationId, pass: 0, page: 0, body: JSON.stringify([row]) }),
  ]);
  const { data } = await (await operator(`/v1/runs/${encodeId("run", run)}/issues`)).json();
  return {
    path: `/v1/users/${encodeId("usr", user)}/${decision}`,
    json: { run: encodeId("run", run), issue: data[0].id },
  };
}

/** Two records of one person. */
async function merging(): Promise<Write> {
  // Nobody carries runs here, and none may be at work.
  await hub.db.write([hub.db.orm.update(runs).set({ status: "cancelled" })]);
  const [one, other] = [await insertUser(hub, { title: "Lead" }), await insertUser(hub, { firstName: "Ana" })];
  return {
    path: `/v1/users/${encodeId("usr", one)}/merge`,
    json: { into: encodeId("usr", other), mode: "apply" },
  };
}

async function decided(decision: "accept" | "release"): Promise<Write> {
  const { path, json } = await conflicting(decision);
  assert.equal((await operator(path, { json })).status, 200);
  return { path };
}

/** A run that has ended. */
async function createRun({ db }: TestHub): Promise<number> {
  const { id } = (await findConnection(db, (await findOrganizationNamed(db, "default"))!.id, "csv"))!;
  const run = await reserve(db, "run");
  const organizationId = (await findOrganizationNamed(db, "default"))!.id;
  const queued = { id: run, organizationId, connectionId: id, dropId: null, entity: "users", requestId: null } as const;
  const all = { ...queued, trigger: "manual", mode: "auto", coverage: "full" } as const;
  await db.write([
    queueRun(db, all, 0, { beyondLimit: true }),
    db.orm.update(runs).set({ status: "partial" }).where(eq(runs.id, run)),
  ]);
  return run;
}

let count = 0;
const connection = async () => (await made("/v1/connections", { connector: "csv-upload", name: `c${++count}` })).id;
const template = async () => {
  const { id } = await made("/v1/connection-templates", { connector: "csv-upload", name: `t${++count}` });
  return `/v1/connection-templates/${id}`;
};
const member = async (name: string) =>
  `/v1/members/${(await made("/v1/members", { email: `${name}@acme.test`, role: "viewer" })).id}`;
/** At a version that is not installed any more. */
const pinnedConnection = async () => {
  const id = await fetched();
  await hub.db.write([
    hub.db.run(sql`update connections set connector_version = '1.0.0', connector_digest = 'd1'
      where id = ${decodeId("con", id)}`),
  ]);
  return id;
};
const dropped = async () => (await made("/v1/connections", { connector: "sftp-drop", name: `d${++count}` })).id;
const pgpKey = async () => {
  const keys = `/v1/connections/${await connection()}/pgp-keys`;
  return `${keys}/${(await made(keys, { type: "ecc" })).id}`;
};
const fetched = async () => (await made("/v1/connections", { connector: "fetched", name: `c${++count}` })).id;
const hook = async () => (await made("/v1/webhook-endpoints", HOOK)).id;
const upload = async () => (await made("/v1/connections/csv/uploads", { name: "a.csv" })).upload.id;

async function run(status: "planned" | "queued" | "succeeded"): Promise<string> {
  const answer = await operator("/v1/connections/csv/drops", {
    body: "email\n",
    headers: { "content-type": "text/csv" },
  });
  const { id } = (await answer.json()).run;
  const counts = status === "succeeded" ? sql`'{"read":1}'` : null;
  await hub.db.write([
    hub.db.orm.update(runs).set({
      status,
      planHash: "h",
      planVersion: sql`(select data_version from organizations where slug = 'default')`,
      counts: counts as never,
    }).where(sql`id = (select max(id) from runs)`),
  ]);
  return id;
}

/** Path of the page of a new run, later than links that were taken back. */
async function page(status: "planned" | "queued"): Promise<string> {
  const id = decodeId("run", await run(status))!;
  hub.clock.ms += 1;
  const { page } = await mintLinks(hub, { id, organizationId: hub.organization.id });
  return page.slice(hub.publicUrl.length);
}

/** Each route that writes, as the application itself knows them. */
function writingRoutes(): string[] {
  const writing = createApp(hub).routes.filter(({ method, path }) =>
    !["GET", "HEAD", "ALL"].includes(method) && !path.endsWith("*") &&
    // Forms of the console are in test/console, and SCIM in test/http/scim.
    !/^\/(?:o(?:\/|$)|operator\/|sign-|scim\/)/.test(path)
  );
  return [...new Set(writing.map(({ method, path }) => `${method} ${path}`))];
}

test("every route that writes leaves a line in the audit, with who, on what and for which request", async () => {
  for (const route of writingRoutes()) {
    const write = WRITES[route];
    assert.ok(write, `${route} writes and is not tried here: say how in WRITES`);
    const { ask = operator, path, method = route.split(" ")[0]!, json, form, body = form, signed } = await write();
    const requestId = `audit-${route.replace(/\W+/g, "-")}`;
    const answer = await ask(path, {
      method,
      ...(json === undefined ? {} : { json }),
      ...(body === undefined ? {} : { body }),
      headers: {
        "x-request-id": requestId,
        prefer: "wait=0",
        ...signed,
        ...(body === undefined
          ? {}
          : { "content-type": form === undefined ? "text/csv" : "application/x-www-form-urlencoded" }),
      },
    });
    assert.ok(answer.status < 400, `${route}: ${answer.status} ${await answer.text()}`);
    const rows = await hub.db.rows<[string, string, string, string]>(sql`select action, actor_kind, actor_id, subjects
      from audit_entries where request_id = ${requestId}`);
    assert.ok(rows.length > 0, `${route} leaves nothing in the audit`);
    for (const [action, kind, actor, subjects] of rows) {
      assert.match(action, /^[a-z_]+\.[a-z_]+$/);
      assert.equal(kind, signed !== undefined ? "source" : form === undefined ? "token" : "link");
      assert.match(actor, signed !== undefined ? /^con_/ : form === undefined ? /^tok_/ : /^page$/);
      assert.match(subjects, /^\["(\w{3}_\w{11}|custom_field:floor)"/);
    }
  }
});

test("a request that fails or changes nothing leaves no line", async () => {
  const before = (await entries()).length;
  assert.equal((await admin("/v1/connections/nobody", { method: "DELETE" })).status, 404);
  assert.equal(
    (await admin("/v1/connections", { json: { connector: "csv-upload", name: "x", slug: "csv" } })).status,
    409,
  );
  const stale = await admin("/v1/connections/csv", {
    method: "PATCH",
    json: { name: "X" },
    headers: { "if-match": '"999"' },
  });
  assert.equal(stale.status, 412);
  assert.equal((await admin("/v1/connections/csv/resume", { method: "POST" })).status, 200);
  assert.equal((await entries()).length, before);
});

test("the audit is read page by page, filtered by time, action and thing, and only with its scope", async () => {
  const id = await connection();
  hub.clock.ms += 1000;
  const since = new Date(hub.clock.ms).toISOString();
  await admin(`/v1/connections/${id}/pause`, { method: "POST" });
  hub.clock.ms += 1000;
  const until = new Date(hub.clock.ms).toISOString();
  await admin(`/v1/connections/${id}/resume`, { method: "POST" });
  assert.deepEqual((await entries(`&subject=${id}`)).map(({ action }) => action), [
    "connection.resumed",
    "connection.paused",
    "connection.created",
  ]);
  assert.deepEqual((await entries(`&since=${since}&until=${until}`)).map(({ action }) => action), [
    "connection.paused",
  ]);
  assert.deepEqual((await entries(`&subject=${id}&action=connection.created`)).map(({ subjects }) => subjects), [[id]]);
  const first = await (await admin("/v1/audit?limit=2")).json();
  const second = await (await admin(`/v1/audit?limit=2&cursor=${first.next_cursor}`)).json();
  const seqs = [...first.data, ...second.data].map(({ seq }: Entry) => seq);
  assert.deepEqual(seqs, [0, 1, 2, 3].map((i) => seqs[0]! - i));
  assert.equal((await admin("/v1/audit?action=nothing.done")).status, 400);
  assert.equal((await admin("/v1/audit?cursor=eA")).status, 400);
  const reader = createAsk(hub, await createTestToken(hub, { scopes: ["audit:read"] }));
  assert.equal((await reader("/v1/audit")).status, 200);
  const other = createAsk(hub, await createTestToken(hub, { scopes: ["users:read"] }));
  assert.equal((await other("/v1/audit")).status, 403);
});

test("the audit is one CSV file with all that fits the filters, however many entries there are", async () => {
  await operator("/v1/organizations", { json: { slug: "busy", name: "Busy" } });
  const { id } = (await findOrganizationNamed(hub.db, "busy"))!;
  await hub.db.write([hub.db.run(sql`insert into audit_entries
    (organization_id, seq, at, actor_kind, actor_id, actor_name, action, subjects)
    select ${id}, seq + (select max(seq) from audit_entries where organization_id = ${id}), 0, 'token', 'tok_1', '=1+1, "x"', 'run.approved', '["run_1","run_2"]' from (
      with recursive n(seq) as (select 1 union all select seq + 1 from n where seq < 1100) select seq from n)`)]);
  const busy = createAsk(hub, await createTestToken(hub, { organization: "busy", scopes: ["audit:read"] }));
  const answer = await busy("/v1/audit.csv?action=run.approved");
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("content-disposition")!, /audit\.csv/);
  const [header, ...lines] = (await answer.text()).trim().split("\r\n");
  assert.match(header!, /^\ufeff?seq,at,action,actor_kind,actor_id,actor_name,subjects,request_id,address,hash$/);
  const seqs = lines.map((line) => Number(line.split(",")[0]));
  assert.deepEqual(seqs, Array.from({ length: 1100 }, (_, i) => seqs[0]! - i));
  assert.match(lines[0]!, /run\.approved,token,tok_1,"'=1\+1, ""x""",run_1 run_2,,,/);
  assert.equal((await busy("/v1/audit.csv?action=nothing.done")).status, 400);
  assert.equal((await busy("/v1/audit.csv?limit=1")).status, 400);
  const other = createAsk(hub, await createTestToken(hub, { scopes: ["users:read"] }));
  assert.equal((await other("/v1/audit.csv")).status, 403);
});

test("an organization sees nothing of another's audit", async () => {
  await operator("/v1/organizations", { json: { slug: "sealed", name: "Sealed" } });
  const stranger = createAsk(hub, await createTestToken(hub, { organization: "sealed" }));
  const seen: Entry[] = (await (await stranger("/v1/audit")).json()).data;
  assert.deepEqual(seen.map(({ action }) => action), ["token.created", "organization.created"]);
  assert.deepEqual(seen.map(({ actor }) => actor.kind), ["hub", "token"]);
});

test("a known token that is sent away is recorded, once in five minutes however often it comes", async () => {
  const token = await createTestToken(hub, { scopes: ["users:read"], expiresAt: hub.clock.ms + 1000 });
  const late = createAsk(hub, token);
  const refusals = async () => (await entries("&action=token.refused")).length;
  const before = await refusals();
  assert.equal((await late("/v1/users", { headers: { "muster-organization": "sealed" } })).status, 403);
  assert.equal(await refusals(), before + 1);
  hub.clock.ms += 1000;
  for (let i = 0; i < 3; i++) assert.equal((await late("/v1/users")).status, 401);
  assert.equal(await refusals(), before + 1);
  hub.clock.ms += 5 * 60_000;
  assert.equal((await late("/v1/users")).status, 401);
  assert.equal(await refusals(), before + 2);
});

test("the address is the one that the door saw, and what a request claims of itself does not count", async () => {
  const token = await createTestToken(hub);
  const answer = await createApp(hub).request("/v1/tokens", {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      "x-forwarded-for": "203.0.113.9",
      "cf-connecting-ip": "203.0.113.9",
    },
    body: JSON.stringify(TOKEN),
  }, { address: "::ffff:192.0.2.7" });
  const { id } = await answer.json();
  assert.deepEqual((await entries(`&subject=${id}`)).map(({ address }) => address), ["192.0.2.7"]);
});

test("a deleted organization takes its audit along, and the operator's says who deleted it", async () => {
  const { id } = await made("/v1/organizations", { slug: "brief", name: "Brief" });
  assert.equal((await operator("/v1/organizations/brief", { method: "DELETE" })).status, 204);
  const actions = (await entries(`&subject=${id}`)).map(({ action }) => action);
  assert.deepEqual(actions, ["organization.deleted", "organization.created"]);
  const left = await hub.db.rows(
    sql`select 1 from audit_entries where organization_id not in (select id from organizations)
    union select 1 from audit_seals where organization_id not in (select id from organizations)`,
  );
  assert.deepEqual(left, []);
});

test("the chain over all that was done here holds", async () => {
  await sealAudit(hub.db, hub.organization.id);
  const found = await verifyAudit(hub.db, hub.organization.id);
  assert.equal(found.broken, null);
  assert.equal(found.unsealed, 0);
  const [latest] = await entries();
  assert.deepEqual([found.rows, found.head], [latest!.seq, latest!.hash]);
});
