/** What holds on every route alike: versions, envelopes, limits, and what an answer never says. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connectors } from "../../connectors/index.ts";
import type { Connector } from "../../src/connector.ts";
import { createApp } from "../../src/http/app.ts";
import { encodeId } from "../../src/model/id.ts";
import { runNext } from "../../src/runs/next.ts";
import { runs } from "../../src/store/runs/schema.ts";
import { HUB } from "../../src/model/audit.ts";
import { askCheck } from "../../src/store/bridges/bridge-states.ts";
import { findConnection } from "../../src/store/connections/connections.ts";
import { handOverOne, introduceBridge, openOne } from "../support/introduce.ts";
import { createTokenText } from "../../src/security/token.ts";
import { sessionOf } from "../support/console.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { insertDepartment, insertUser } from "../support/people.ts";

let hub: TestHub;
let ask: Ask;
let token: string;
/** Ids of things by the routes' first word. */
let ids: Record<string, string>;
/** Of things inside another, by the name that a route has for them. */
let inner: Record<string, string>;

before(async () => {
  hub = await createTestHub({
    registry: new Map(connectors.map((connector) => [connector.name, connector as Connector<never>])),
  });
  token = await createTestToken(hub, { scopes: ["admin", "operator"] });
  const plain = createAsk(hub, token);
  const bridge = await introduceBridge(hub, plain);
  ask = (path, options) => (path.startsWith("/v1/bridge/") ? bridge.ask : plain)(path, options);
  const department = await insertDepartment(hub, "Finance");
  const user = await insertUser(hub, { email: "ana@example.com", departmentId: department });
  await ask("/v1/organizations", { json: { slug: "acme", name: "Acme" } });
  await ask("/v1/connections", { json: { connector: "csv-upload", name: "Mine", slug: "mine" } });
  const { id: pgpKey } = await (await ask("/v1/connections/mine/pgp-keys", { json: { type: "ecc" } })).json();
  await ask("/v1/custom-fields/floor", { method: "PUT", json: { type: "number" } });
  const csv = { body: "email\n", headers: { "content-type": "text/csv" } };
  const { run, drop } = await (await ask("/v1/connections/mine/drops", csv)).json();
  await hub.db.write([hub.db.orm.update(runs).set({ status: "planned", planHash: "other" })]);
  const { upload } = await (await ask("/v1/connections/mine/uploads", { json: { name: "a.csv" } })).json();
  const url = "https://hooks.example.com/muster";
  const shared = { connector: "csv-upload", name: "Template" };
  const template = await (await ask("/v1/connection-templates", { json: shared })).json();
  const endpoint = await (await ask("/v1/webhook-endpoints", { json: { url } })).json();
  const delivery = await (await ask(`/v1/webhook-endpoints/${endpoint.id}/test`, { method: "POST" })).json();
  const made = await (await ask("/v1/tokens", { json: { name: "t", scopes: ["users:read"] } })).json();
  const drops = await (await ask("/v1/connections", { json: { connector: "sftp-drop", name: "Drops" } })).json();
  const handed = await handOverOne(bridge, drops.id);
  const check = await askCheck(hub.db, (await findConnection(hub.db, hub.organization.id, drops.id))!, hub.now(), HUB);
  inner = { ":pgp_key": pgpKey };
  ids = {
    bridges: bridge.id,
    "bridge/connections": drops.id,
    "bridge/uploads": await openOne(bridge, drops.id),
    "bridge/files": handed.file,
    "bridge/checks": encodeId("chk", check),
    organizations: "acme",
    "connection-templates": template.id,
    users: encodeId("usr", user),
    departments: encodeId("dep", department),
    connections: "mine",
    "custom-fields": "floor",
    runs: run.id,
    drops: drop.id,
    uploads: upload.id,
    tokens: made.id,
    members: (await (await ask("/v1/members", { json: { email: "ana@acme.test", role: "viewer" } })).json()).id,
    sessions: await sessionOf(hub),
    "webhook-endpoints": endpoint.id,
    deliveries: delivery.id,
  };
});
after(() => hub.close());

interface Route {
  readonly method: string;
  readonly path: string;
  readonly url: string;
}

/** The API's routes with such a method, each with an address at which there is something. */
function routesWith(...methods: string[]): Route[] {
  const found = new Map<string, Route>();
  for (const { method, path } of createApp(hub).routes) {
    if (!methods.includes(method) || !path.startsWith("/v1/") || path.endsWith("*")) continue;
    const kind = path.split("/").slice(2, path.startsWith("/v1/bridge/") ? 4 : 3).join("/");
    assert.ok(!/:(id|key)/.test(path) || ids[kind] !== undefined, `${path}: this test should know such a thing`);
    const url = path.replace(/:(id|key)/, ids[kind] ?? "").replace(/:pgp_key/, (name) => inner[name]!).replace(
      ":part",
      "1",
    );
    found.set(`${method} ${path}`, { method, path, url });
  }
  return [...found.values()];
}

/** Routes whose body is no envelope: content as it is. */
const isContent = ({ path }: Route) => path.endsWith("/drops") || path.includes("/parts/");
/** Single things that are never changed, only taken away. */
const UNVERSIONED = [
  "DELETE /v1/tokens/:id",
  "DELETE /v1/sessions/:id",
  "DELETE /v1/uploads/:id",
  "DELETE /v1/bridges/:id",
  "DELETE /v1/bridge/uploads/:id",
  "PUT /v1/bridge/uploads/:id/parts/:part",
  "PUT /v1/uploads/:id/parts/:part",
  "DELETE /v1/runs/:id/links",
  // They give back something of the user, whose version they need.
  "DELETE /v1/users/:id/accept",
  "DELETE /v1/users/:id/release",
  "DELETE /v1/users/:id/merge",
  "DELETE /v1/runs/:id/links/:link",
  "DELETE /v1/organization/links",
];

const FIELD = { type: "number" };

test("every single thing that can be written is read with its version, and a write on another one is refused", async () => {
  const writes = routesWith("PATCH", "PUT", "DELETE").filter(({ method, path }) =>
    !UNVERSIONED.includes(`${method} ${path}`)
  );
  assert.ok(writes.length >= 8, String(writes.length));
  for (const { method, path, url } of writes) {
    const tag = (await ask(url)).headers.get("etag");
    assert.match(tag ?? "", /^"\d+"$/, `GET ${path}`);
    const json = method === "DELETE" ? undefined : method === "PUT" ? FIELD : {};
    const refused = await ask(url, { method, json, headers: { "if-match": '"999"' } });
    assert.equal(refused.status, 412, `${method} ${path}: ${await refused.clone().text()}`);
    assert.equal((await refused.json()).code, "stale");
    assert.equal((await ask(url)).headers.get("etag"), tag, "nothing was written");
    if (method === "DELETE") continue;
    const done = await ask(url, { method, json, headers: { "if-match": tag! } });
    assert.equal(done.status, 200, `${method} ${path}`);
    assert.match(done.headers.get("etag") ?? "", /^"\d+"$/, `${method} ${path}`);
  }
});

test("pausing and resuming mind the version too", async () => {
  for (const [action, paused] of [["pause", true], ["resume", false]] as const) {
    const tag = (await ask("/v1/connections/mine")).headers.get("etag")!;
    const stale = await ask(`/v1/connections/mine/${action}`, { method: "POST", headers: { "if-match": '"999"' } });
    assert.equal(stale.status, 412, action);
    const done = await ask(`/v1/connections/mine/${action}`, { method: "POST", headers: { "if-match": tag } });
    assert.equal((await done.json()).paused_at !== null, paused);
    assert.notEqual(done.headers.get("etag"), tag);
  }
});

test("of two writes on one version of a custom field one is done, and a field that is not there has no version", async () => {
  const tag = (await ask("/v1/custom-fields/floor")).headers.get("etag")!;
  const both = await Promise.all(
    ["First", "Second"].map((label) =>
      ask("/v1/custom-fields/floor", { method: "PUT", json: { ...FIELD, label }, headers: { "if-match": tag } })
    ),
  );
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412]);
  const none = await ask("/v1/custom-fields/desk", { method: "PUT", json: FIELD, headers: { "if-match": '"1"' } });
  assert.equal(none.status, 412);
  assert.equal((await ask("/v1/custom-fields/desk")).status, 404);
  assert.equal((await ask("/v1/custom-fields/desk", { method: "PUT", json: FIELD })).status, 201);
  assert.equal((await ask("/v1/custom-fields/desk", { method: "PUT", json: FIELD })).status, 200);
  const tagged = { method: "DELETE", headers: { "if-match": '"1"' } };
  assert.equal((await ask("/v1/custom-fields/desk", tagged)).status, 412);
  assert.equal((await ask("/v1/custom-fields/desk", { method: "DELETE" })).status, 204);
});

test("every envelope refuses a field that it does not have, by its name", async () => {
  const envelopes = routesWith("POST", "PUT", "PATCH").filter((route) => !isContent(route));
  assert.ok(envelopes.length >= 14, String(envelopes.length));
  for (const { method, path, url } of envelopes) {
    const refused = await ask(url, { method, json: { surprise: 1 } });
    assert.equal(refused.status, 400, `${method} ${path}: ${await refused.clone().text()}`);
    const { code, errors } = await refused.json();
    assert.equal(code, "invalid_request", `${method} ${path}`);
    assert.ok(
      errors.some(({ pointer, detail }: { pointer: string; detail: string }) =>
        pointer === "/surprise" && detail.includes('"surprise"')
      ),
      `${method} ${path}: ${JSON.stringify(errors)}`,
    );
  }
});

test("every envelope that is no JSON is refused with the place where it goes wrong", async () => {
  for (const { method, path, url } of routesWith("POST", "PUT", "PATCH").filter((route) => !isContent(route))) {
    const refused = await ask(url, {
      method,
      body: '{"a": 1,\n "b" 2}',
      headers: { "content-type": "application/json" },
    });
    assert.equal(refused.status, 400, `${method} ${path}`);
    const { code, detail } = await refused.json();
    assert.equal(code, "malformed_json", `${method} ${path}`);
    assert.match(detail, /line 2, column 6/, `${method} ${path}`);
  }
});

test("a body over its limit is refused with 413 on every route, by what it says of itself and by what it is", async () => {
  const block = new Uint8Array(1024 * 1024).fill(32);
  for (const route of routesWith("POST", "PUT", "PATCH")) {
    const { method, path, url } = route;
    const type = { "content-type": isContent(route) ? "text/csv" : "application/json" };
    const claims = await ask(url, { method, body: "{}", headers: { ...type, "content-length": String(2 ** 31) } });
    assert.equal(claims.status, 413, `${method} ${path}`);
    assert.equal((await claims.json()).code, "too_large");
    // A drop's limit is too far away to be reached here; store/runs/drop-content.ts counts the same way for both.
    if (path.endsWith("/drops")) continue;
    let blocks = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (blocks++ < 40) controller.enqueue(block);
        else controller.close();
      },
    });
    const is = await ask(url, { method, body, headers: type });
    assert.equal(is.status, 413, `${method} ${path}`);
    assert.ok(blocks < 40, `${method} ${path}: read to its end`);
  }
});

test("a wait that was granted is named, on drops and runs alike; longer than a minute is a minute", async () => {
  const asked: [string, Parameters<Ask>[1]][] = [
    ["/v1/connections/csv/drops", { body: "email\nbo@example.com\n", headers: { "content-type": "text/csv" } }],
    ["/v1/users/import", { json: { users: [{ email: "cy@example.com" }] } }],
  ];
  const carrying = setInterval(() => void runNext(hub, { signal: new AbortController().signal, owner: "test" }), 20);
  try {
    for (const [path, options] of asked) {
      const answer = await ask(path, { ...options, headers: { ...options?.headers, prefer: "wait=90" } });
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers.get("preference-applied"), "wait=60", path);
    }
  } finally {
    clearInterval(carrying);
  }
  const { data } = await (await ask("/v1/runs?connection=csv")).json();
  const read = await ask(`/v1/runs/${data[0].id}`, { headers: { prefer: "respond-async, wait=5" } });
  assert.equal(read.headers.get("preference-applied"), "wait=5");
  assert.equal((await ask(`/v1/runs/${data[0].id}`)).headers.get("preference-applied"), null);
});

test("a wait on a decision about a run is granted as well", async () => {
  const csv = { body: "email,first_name,last_name\ndi@example.com,Di,Ek\n", headers: { "content-type": "text/csv" } };
  const { run } = await (await ask("/v1/connections/csv/drops?mode=plan", csv)).json();
  const carry = async () => {
    while (await runNext(hub, { signal: new AbortController().signal, owner: "test" }) !== null);
  };
  const answered = async (asked: Promise<Response>) => {
    let isOpen = true;
    asked.finally(() => isOpen = false);
    while (isOpen) {
      await carry();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return await asked;
  };
  await carry();
  const { plan_hash } = await (await ask(`/v1/runs/${run.id}`)).json();
  const wait = { prefer: "wait=20" };
  const approved = await answered(ask(`/v1/runs/${run.id}/approve`, { json: { plan_hash }, headers: wait }));
  assert.deepEqual([approved.status, approved.headers.get("preference-applied")], [200, "wait=20"]);
  assert.equal((await approved.json()).run.status, "succeeded");
  const reverted = await answered(ask(`/v1/runs/${run.id}/revert`, { method: "POST", headers: wait }));
  assert.deepEqual([reverted.status, reverted.headers.get("preference-applied")], [200, "wait=20"]);
  const id = (await reverted.json()).run.id;
  const cancelled = await ask(`/v1/runs/${id}/cancel`, { method: "POST", headers: wait });
  assert.deepEqual([cancelled.status, cancelled.headers.get("preference-applied")], [200, "wait=20"]);
  assert.equal((await cancelled.json()).run.status, "cancelled");
});

test("a list's pages hold everybody once while others are added and changed between them", async () => {
  const before = new Set<string>();
  for (let i = 0; i < 30; i++) before.add(encodeId("usr", await insertUser(hub, { email: `page${i}@example.com` })));
  const seen: string[] = [];
  let cursor = "";
  for (let page = 0;; page++) {
    const { data, next_cursor } = await (await ask(`/v1/users?limit=7${cursor && `&cursor=${cursor}`}`)).json();
    seen.push(...data.map(({ id }: { id: string }) => id));
    if (next_cursor === null) break;
    cursor = next_cursor;
    await insertUser(hub, { email: `later${page}@example.com` });
    await ask(`/v1/users/${data[0].id}`, { method: "PATCH", json: { title: `Changed ${page}` } });
  }
  assert.equal(new Set(seen).size, seen.length, "nobody twice");
  assert.ok([...before].every((id) => seen.includes(id)), "nobody left out");
  const first = await (await ask("/v1/runs?limit=1")).json();
  await ask("/v1/connections/csv/drops", { body: "email\n", headers: { "content-type": "text/csv" } });
  const second = await (await ask(`/v1/runs?limit=1&cursor=${first.next_cursor}`)).json();
  assert.notEqual(second.data[0].id, first.data[0].id, "a list that begins with the youngest goes on where it was");
});

test("a cursor that was changed in any place is refused with 400, and one that was made up is", async () => {
  for (let i = 0; i < 3; i++) await insertUser(hub, { email: `cursor${i}@example.com` });
  const { next_cursor } = await (await ask("/v1/users?limit=2")).json();
  assert.equal((await ask(`/v1/users?limit=2&cursor=${next_cursor}`)).status, 200);
  const changed = [...next_cursor].map((letter, at) =>
    next_cursor.slice(0, at) + (letter === "A" ? "B" : "A") + next_cursor.slice(at + 1)
  );
  const madeUp = [
    btoa("users:5"),
    btoa("users:5:x"),
    `${next_cursor}A`,
    next_cursor.slice(0, -1),
    "x".repeat(5000),
    "🙂",
  ];
  for (const cursor of [...changed, ...madeUp]) {
    const refused = await ask(`/v1/users?cursor=${encodeURIComponent(cursor)}`);
    assert.equal(refused.status, 400, cursor);
    const { code, errors } = await refused.json();
    assert.equal(code, "invalid_request");
    assert.equal(errors[0].pointer, "?cursor");
  }
});

test("a secret in the wrong place comes back in no answer and in no line of the log", async () => {
  const secrets = {
    token: createTokenText(),
    endpoint: `whsec_${btoa("x".repeat(24))}`,
    jwt: `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.${"s".repeat(43)}`,
    basic: btoa("hub:correct-horse-battery"),
    password: "correct-horse-battery",
  };
  hub.lines.length = 0;
  const answers: string[] = [];
  const say = async (path: string, options?: Parameters<Ask>[1], as = ask) => {
    const answer = await as(path, options);
    assert.ok(answer.status >= 400, `${path} was not refused`);
    answers.push(`${path.slice(0, 20)} ${[...answer.headers].join(" ")} ${await answer.text()}`);
  };
  const nobody = createAsk(hub, null);
  for (const secret of [secrets.token, secrets.endpoint, secrets.jwt]) {
    for (const place of ["users", "connections", "runs", "drops", "tokens", "nowhere"]) {
      await say(`/v1/${place}/${secret}/x`);
    }
    await say(`/v1/connections/${secret}`);
    await say(`/v1/users/${secret}`);
    await say(`/v1/users?${secret}=1`);
    await say(`/v1/users?limit=${secret}`);
    await say(`/v1/users?cursor=${secret}`);
    await say(`/v1/runs?status=${secret}`);
    await say(`/${secret}`);
    await say(`/errors/${secret}`);
    await say("/v1/tokens", { json: { [secret]: 1, name: secret, scopes: [secret] } });
    await say("/v1/connections", { json: { name: "x", connector: secret } });
    await say("/v1/connections", { json: { name: "x", connector: "csv-upload", settings: { [secret]: secret } } });
    await say("/v1/connections", { json: { name: "x", connector: "csv-upload", mapping: { A: secret } } });
    await say("/v1/tokens", { body: `{"a": ${secret}}`, headers: { "content-type": "application/json" } });
    await say("/v1/tokens", { body: `{"${secret}" 1}`, headers: { "content-type": "application/json" } });
    await say("/v1/tokens", { body: secret, headers: { "content-type": `text/${secret}` } });
    await say(`/v1/users/${ids.users}`, { method: "PATCH", json: { manager: secret } });
    await say(`/v1/users/${ids.users}`, {
      method: "PATCH",
      json: { title: "x" },
      headers: { "if-match": `"${secret}"` },
    });
    await say("/v1/users", { headers: { "muster-organization": secret } });
    await say("/v1/tokens", { json: {}, headers: { "x-request-id": secret } });
    await say("/v1/tokens", { json: {}, headers: { "idempotency-key": `${secret}${"é"}` } });
    await say("/v1/organization", { headers: { authorization: `Bearer ${secret}` } }, nobody);
    await say("/v1/organization", { headers: { authorization: secret } }, nobody);
  }
  await say("/v1/organization", { headers: { authorization: `Basic ${secrets.basic}` } }, nobody);
  await say("/v1/connections", {
    json: { name: "x", connector: "csv-upload", password: secrets.password, secrets: { password: secrets.password } },
  });
  await say("/v1/connections", {
    json: { name: "x", connector: "csv-upload", settings: { password: secrets.password } },
  });
  await say(`/v1/users?password=${secrets.password}`);
  await say("/v1/connections", { json: { name: "x", connector: `https://hub:${secrets.password}@example.com/` } });
  await say("/v1/organizations", { json: { slug: "p", name: "P", reply_to: secrets.password } });
  const texts = [...answers, JSON.stringify(hub.lines)];
  for (const [name, secret] of Object.entries(secrets)) {
    for (const text of texts) assert.ok(!text.includes(secret), `${name}: ${text.slice(0, 400)}`);
  }
});
