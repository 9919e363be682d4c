import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { HUB } from "../../src/model/audit.ts";
import { decodeId } from "../../src/model/id.ts";
import { secretPurpose } from "../../src/notify/message.ts";
import { createMasterKeyText, createSecrets, type Secrets } from "../../src/security/secrets.ts";
import { createEndpoint } from "../../src/store/notify/endpoints.ts";
import { resealAll } from "../../src/store/connections/sealed.ts";
import { reserve } from "../../src/store/sequences.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

let hub: TestHub;
let admin: Ask;
const keys = [createMasterKeyText(), createMasterKeyText()];
const PATH = "/v1/webhook-endpoints";
const URL_OF = "https://hooks.example.com/muster";

before(async () => {
  hub = await createTestHub();
  hub = { ...hub, secrets: await createSecrets([keys[0]!]) };
  admin = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());

// deno-lint-ignore no-explicit-any
async function made(json: object = {}): Promise<any> {
  const answer = await admin(PATH, { json: { url: URL_OF, ...json } });
  assert.equal(answer.status, 201, await answer.clone().text());
  return await answer.json();
}

test("an endpoint is made, listed, read, changed and deleted, with its version", async () => {
  const answer = await admin(PATH, {
    json: { url: URL_OF, event_types: ["run.held", "run.held", "run.failures"], description: "Alerts" },
  });
  const { secret, ...endpoint } = await answer.json();
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get("etag"), '"1"');
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{32}$/);
  assert.deepEqual(endpoint.event_types, ["run.held", "run.failures"]);
  assert.equal(endpoint.status, "enabled");
  const shown = { set: true, updated_at: endpoint.created_at, previous_until: null };
  assert.deepEqual(await (await admin(`${PATH}/${endpoint.id}`)).json(), { ...endpoint, secret: shown });
  assert.deepEqual((await (await admin(PATH)).json()).data.at(-1), { ...endpoint, secret: shown });

  const patch = { method: "PATCH", json: { description: null, event_types: null } };
  const stale = await admin(`${PATH}/${endpoint.id}`, { ...patch, headers: { "if-match": '"9"' } });
  assert.equal(stale.status, 412);
  const changed = await (await admin(`${PATH}/${endpoint.id}`, { ...patch, headers: { "if-match": '"1"' } })).json();
  assert.deepEqual([changed.description, changed.event_types, changed.version], [null, null, 2]);

  assert.equal(
    (await admin(`${PATH}/${endpoint.id}`, { method: "DELETE", headers: { "if-match": '"1"' } })).status,
    412,
  );
  assert.equal((await admin(`${PATH}/${endpoint.id}`, { method: "DELETE" })).status, 204);
  assert.equal((await admin(`${PATH}/${endpoint.id}`)).status, 404);
});

test("what is done to an endpoint minds its version too", async () => {
  const { id } = await made();
  const json = { test: {}, "rotate-secret": {}, replay: { since: "2026-03-01" } };
  for (const [action, body] of Object.entries(json)) {
    const stale = await admin(`${PATH}/${id}/${action}`, { json: body, headers: { "if-match": '"9"' } });
    assert.equal(stale.status, 412, action);
  }
  assert.deepEqual((await (await admin(`${PATH}/${id}/deliveries`)).json()).data, []);
});

test("a URL that may not be called is refused when an endpoint is made or changed, with the reason", async () => {
  const { id } = await made();
  for (
    const url of [
      "http://example.com",
      "https://127.0.0.1/",
      "https://[::1]/",
      "https://2130706433/",
      "https://a:b@c.de",
      "x",
    ]
  ) {
    for (const [path, method] of [[PATH, "POST"], [`${PATH}/${id}`, "PATCH"]] as const) {
      const answer = await admin(path, { method, json: { url } });
      assert.equal(answer.status, 422, `${method} ${url}`);
      assert.equal((await answer.json()).errors[0].pointer, "/url");
    }
  }
});

test("what is wrong with a request is reported by its place", async () => {
  for (
    const [json, pointer] of [
      [{}, "/url"],
      [{ url: URL_OF, event_types: [] }, "/event_types"],
      [{ url: URL_OF, event_types: ["run.started"] }, "/event_types/0"],
      [{ url: URL_OF, secret: "mine" }, "/secret"],
      [{ url: URL_OF, description: "x".repeat(1001) }, "/description"],
      [{ url: `https://example.com/${"x".repeat(2048)}` }, "/url"],
    ] as const
  ) {
    const answer = await admin(PATH, { json });
    assert.equal(answer.status, 400, JSON.stringify(json));
    assert.equal((await answer.json()).errors[0].pointer, pointer);
  }
});

test("the secret is shown once, and lies sealed in the database alone", async () => {
  const { id, secret } = await made();
  const rotated = await (await admin(`${PATH}/${id}/rotate-secret`, { method: "POST" })).json();
  assert.match(rotated.secret, /^whsec_/);
  assert.notEqual(rotated.secret, secret);
  const seen = [
    await (await admin(`${PATH}/${id}`)).text(),
    await (await admin(PATH)).text(),
    await (await admin(`${PATH}/${id}`, { method: "PATCH", json: { description: "x" } })).text(),
    await (await admin("/v1/audit?limit=200")).text(),
    JSON.stringify(hub.lines),
    JSON.stringify(await hub.db.rows(sql`select * from webhook_endpoints`)),
    JSON.stringify(await hub.db.rows(sql`select * from audit_entries`)),
  ].join();
  for (const each of [secret, rotated.secret]) {
    assert.ok(!seen.includes(each) && !seen.includes(each.slice(6)), "it is seen again");
  }
});

test("when the master key is changed, an endpoint's secrets come under the new one", async () => {
  const { id, secret } = await made();
  await admin(`${PATH}/${id}/rotate-secret`, { method: "POST" });
  const both: Secrets = await createSecrets([keys[1]!, keys[0]!]);
  assert.ok(await resealAll(hub.db, both) >= 2);
  const [[previous]] = await hub.db.rows<[string]>(
    sql`select previous_secret from webhook_endpoints where id = ${decodeId("whe", id)}`,
  ) as [[string]];
  assert.equal(await (await createSecrets([keys[1]!])).open(secretPurpose(decodeId("whe", id)!), previous), secret);
});

test("an endpoint is switched off and on by hand, and while it is off it takes no test and no replay", async () => {
  const { id } = await made();
  const off = await (await admin(`${PATH}/${id}`, { method: "PATCH", json: { status: "disabled" } })).json();
  assert.deepEqual([off.status, off.disabled_reason], ["disabled", "asked"]);
  for (const [path, json] of [["test", {}], ["replay", { since: "2026-01-01" }]] as const) {
    const answer = await admin(`${PATH}/${id}/${path}`, { json });
    assert.equal(answer.status, 409, path);
  }
  const on = await (await admin(`${PATH}/${id}`, { method: "PATCH", json: { status: "enabled" } })).json();
  assert.deepEqual([on.status, on.disabled_reason, on.disabled_at], ["enabled", null, null]);
  const tested = await admin(`${PATH}/${id}/test`, { method: "POST" });
  assert.equal(tested.status, 202);
  const delivery = await tested.json();
  assert.deepEqual([delivery.type, delivery.status, delivery.endpoint_id], ["endpoint.test", "pending", id]);
  assert.deepEqual((await (await admin(`${PATH}/${id}/deliveries`)).json()).data, [delivery]);
  assert.deepEqual(await (await admin(`/v1/deliveries/${delivery.id}`)).json(), { ...delivery, attempts: [] });
});

test("an organization has a hundred endpoints at most", async () => {
  const other = await createTestHub();
  try {
    const make = async () => {
      const id = await reserve(other.db, "endpoint");
      const input = { id, url: URL_OF, description: null, eventTypes: null, secret: "sealed" };
      return await createEndpoint(other.db, other.organization.id, input, other.clock.ms, HUB);
    };
    for (let i = 0; i < 100; i++) assert.notEqual(await make(), null);
    assert.equal(await make(), null);
    const answer = await createAsk(other, await createTestToken(other))(PATH, { json: { url: URL_OF } });
    assert.equal(answer.status, 409);
  } finally {
    other.close();
  }
});

test("reading and writing need their scopes", async () => {
  const { id } = await made();
  const reader = createAsk(hub, await createTestToken(hub, { scopes: ["webhooks:read"] }));
  assert.equal((await reader(`${PATH}/${id}`)).status, 200);
  for (const path of [PATH, `${PATH}/${id}/test`, `${PATH}/${id}/rotate-secret`, `${PATH}/${id}/replay`]) {
    assert.equal((await reader(path, { method: "POST" })).status, 403, path);
  }
});

test("an endpoint of before has the scopes of the token that made it, where that is known, and else none", async () => {
  const folder = new URL("../../migrations/", import.meta.url);
  const file = readdirSync(folder).find((name) => name.endsWith("_endpoint_makers.sql"))!;
  const token = await createTestToken(hub, { scopes: ["webhooks:write", "users:read"] });
  const known = await (await createAsk(hub, token)(PATH, { json: { url: URL_OF } })).json();
  const gone = await createTestToken(hub, { scopes: ["webhooks:write", "users:read"] });
  const lost = await (await createAsk(hub, gone)(PATH, { json: { url: URL_OF } })).json();
  await hub.db.write([hub.db.orm.run(sql`delete from tokens where id = ${decodeId("tok", lost.token)}`)] as never);
  await hub.db.write([hub.db.orm.run(sql`update webhook_endpoints set scopes = '[]', maker = null`)] as never);
  for (const statement of readFileSync(new URL(file, folder), "utf8").split("--> statement-breakpoint")) {
    await hub.db.write([hub.db.orm.run(sql.raw(statement))] as never);
  }
  const view = async (id: string) => await (await admin(`${PATH}/${id}`)).json();
  const [before, after] = [await view(known.id), await view(lost.id)];
  assert.deepEqual([before.scopes, before.token], [["webhooks:write", "users:read"], known.token]);
  assert.deepEqual([after.scopes, after.token], [[], null]);
});
