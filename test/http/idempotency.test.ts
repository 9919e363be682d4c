import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connectors } from "../../connectors/index.ts";
import type { Connector } from "../../src/connector.ts";
import { createApp } from "../../src/http/app.ts";
import { claimKey, createClaim, forgetAnswers, releaseClaim, renewClaim } from "../../src/store/idempotency.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { idempotencyAnswers, idempotencyKeys } from "../../src/store/schema-idempotency.ts";
import { drops } from "../../src/store/runs/schema-drops.ts";
import { tick } from "../../src/upkeep/tick.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const HOUR_MS = 3_600_000;

let hub: TestHub;
let ask: Ask;
let keys = 0;

before(async () => {
  hub = await createTestHub({
    registry: new Map(connectors.map((connector) => [connector.name, connector as Connector<never>])),
  });
  ask = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
});
after(() => hub.close());

function newKey(): string {
  return `key-${++keys}`;
}

/** A drop as most clients send one: a form, whose boundary they make up each time. */
function form(content: string): FormData {
  const form = new FormData();
  form.append("file", new File([content], "people.csv", { type: "text/csv" }));
  return form;
}

async function countDrops(): Promise<number> {
  return (await hub.db.orm.select({ id: drops.id }).from(drops)).length;
}

test("the same request under the same key is done once, and answered with the first answer each time", async () => {
  const key = newKey();
  const json = { connector: "csv-upload", name: "Payroll", slug: "payroll" };
  const first = await ask("/v1/connections", { json, headers: { "idempotency-key": key } });
  assert.equal(first.status, 201);
  assert.equal(first.headers.get("idempotency-replayed"), null);
  const body = await first.text();
  for (const spelling of [key, `"${key}"`]) {
    const again = await ask("/v1/connections", { json, headers: { "idempotency-key": spelling } });
    assert.equal(again.status, 201);
    assert.equal(again.headers.get("etag"), first.headers.get("etag"));
    assert.equal(again.headers.get("content-type"), first.headers.get("content-type"));
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.ok(again.headers.get("x-request-id"));
    assert.equal(await again.text(), body);
  }
});

test("another body, another query or another thing under the same key is refused, and nothing is done", async () => {
  const key = { "idempotency-key": newKey() };
  const drop = (path: string, body: string) => ask(path, { body, headers: { ...key, "content-type": "text/csv" } });
  assert.equal((await drop("/v1/connections/csv/drops?name=a.csv", "email\na@example.com\n")).status, 202);
  const before = await countDrops();
  for (
    const [path, body] of [
      ["/v1/connections/csv/drops?name=a.csv", "email\nb@example.com\n"],
      ["/v1/connections/csv/drops?name=b.csv", "email\na@example.com\n"],
      ["/v1/connections/api/drops?name=a.csv", "email\na@example.com\n"],
    ] as const
  ) {
    const refused = await drop(path, body);
    assert.equal(refused.status, 422, path);
    assert.equal((await refused.json()).code, "idempotency_key_reused");
  }
  assert.equal(await countDrops(), before);
});

test("a key is one token's and one route's own", async () => {
  const key = { "idempotency-key": newKey() };
  const json = { name: "t", scopes: ["users:read"] };
  const other = createAsk(hub, await createTestToken(hub));
  const mine = await (await ask("/v1/tokens", { json, headers: key })).json();
  const theirs = await (await other("/v1/tokens", { json, headers: key })).json();
  assert.notEqual(mine.id, theirs.id);
  assert.ok(theirs.token.startsWith("mus_"));
  const upload = await ask("/v1/connections/csv/uploads", { json: { name: "a.csv" }, headers: key });
  assert.equal(upload.status, 201);
  await createOrganization(hub.db, { slug: "acme", name: "Acme", timezone: "UTC" }, hub.clock.ms);
  const there = await (await ask("/v1/tokens", { json, headers: { ...key, "muster-organization": "acme" } })).json();
  assert.notEqual(there.id, mine.id, "an operator acts in one organization at a time");
});

test("a secret is answered once: the same request again gets null for it, and it is nowhere in the database", async () => {
  const headers = { "idempotency-key": newKey() };
  const json = { name: "mus", scopes: ["users:read"] };
  const first = await (await ask("/v1/tokens", { json, headers })).json();
  assert.match(first.token, /^mus_/);
  const again = await ask("/v1/tokens", { json, headers });
  assert.equal(again.status, 201);
  assert.deepEqual(await again.json(), { ...first, token: null, code: "shown_once" });
  const kept = JSON.stringify([
    await hub.db.orm.select().from(idempotencyAnswers),
    await hub.db.orm.select().from(idempotencyKeys),
  ]);
  assert.ok(!kept.includes(first.token) && !kept.includes(first.id) && !kept.includes(headers["idempotency-key"]));
});

test("a file in a form is the same file whatever boundary the client made up", async () => {
  const headers = { "idempotency-key": newKey() };
  const body = "email\n" + "ana@example.com\r\n--x".repeat(5000);
  const first = await (await ask("/v1/connections/csv/drops", { body: form(body), headers })).json();
  const again = await ask("/v1/connections/csv/drops", { body: form(body), headers });
  assert.equal(again.headers.get("idempotency-replayed"), "true");
  assert.equal((await again.json()).run.id, first.run.id);
  assert.equal((await ask("/v1/connections/csv/drops", { body: form(`${body}b`), headers })).status, 422);
});

test("a body that broke off leaves its key free, so that the whole of it can be sent under it", async () => {
  const headers = { "idempotency-key": newKey(), "content-type": "text/csv" };
  const whole = new TextEncoder().encode("email\nana@example.com\n");
  let sent = false;
  const broken = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent) throw new Error("the line went dead");
      sent = true;
      controller.enqueue(whole.subarray(0, 8));
    },
  });
  assert.equal((await ask("/v1/connections/csv/drops", { body: broken, headers })).status, 422);
  assert.equal((await ask("/v1/connections/csv/drops", { body: whole, headers })).status, 202);
});

test("what was refused has done nothing, so its key is free for a request that is right", async () => {
  const headers = { "idempotency-key": newKey() };
  assert.equal((await ask("/v1/tokens", { json: { name: "t", scopes: [] }, headers })).status, 400);
  assert.equal((await ask("/v1/tokens", { json: { name: "t", scopes: ["users:read"] }, headers })).status, 201);
});

test("a large stream goes by without being held, first and again", { skip: onlyInCheckOnDeno }, async () => {
  const headers = { "idempotency-key": newKey(), "content-type": "application/octet-stream" };
  const block = new Uint8Array(1024 * 1024).fill(97);
  const blocks = 48;
  let most = 0, given = 0, taken = 0;
  const stream = () => {
    given = 0;
    return new ReadableStream<Uint8Array>({
      pull(controller) {
        if (given === blocks) return controller.close();
        given++;
        controller.enqueue(block.slice());
        most = Math.max(most, given - taken);
      },
    }, { highWaterMark: 0 });
  };
  const write = hub.db.write;
  // Every batch of the drop's content takes a mebibyte out of the way.
  const counting = Object.assign({}, hub, {
    db: {
      ...hub.db,
      write: (statements: Parameters<typeof write>[0]) => {
        taken = given;
        return write(statements);
      },
    },
  });
  const asking = createAsk(counting as TestHub, await createTestToken(hub));
  const first = await asking("/v1/connections/csv/drops", { body: stream(), headers });
  assert.equal(first.status, 202);
  const { drop } = await first.json();
  assert.equal(drop.bytes, blocks * block.length);
  assert.ok(most <= 4, `${most} MiB had been read before anything was stored`);
  const again = await asking("/v1/connections/csv/drops", { body: stream(), headers });
  assert.equal((await again.json()).drop.id, drop.id);
});

test("of two requests at once one is done, and the other is answered to wait", async () => {
  const headers = { "idempotency-key": newKey() };
  const json = { name: "at once", scopes: ["users:read"] };
  const both = await Promise.all([0, 1, 2].map(() => ask("/v1/tokens", { json, headers })));
  const statuses = both.map(({ status }) => status).sort();
  assert.equal(statuses.filter((status) => status === 201).length >= 1, true);
  const running = both.filter(({ status }) => status === 409);
  for (const answer of running) {
    assert.equal((await answer.json()).code, "idempotency_key_in_use");
    assert.equal(answer.headers.get("retry-after"), "1");
  }
  const { data } = await (await ask("/v1/tokens?limit=200")).json();
  assert.equal(data.filter(({ name }: { name: string }) => name === "at once").length, 1);
});

test("of many claims of one row at once, one wins; a holder that died loses it after its lease", async () => {
  const key = { organizationId: hub.organization.id, caller: "token:0", route: "/r", keyHash: "h" };
  const now = hub.clock.ms;
  const claims = await Promise.all(["a", "b", "c", "d"].map((claim) => claimKey(hub.db, key, claim, now)));
  assert.deepEqual(claims.map(({ is }) => is).sort(), ["mine", "running", "running", "running"]);
  assert.equal((await claimKey(hub.db, key, "e", now)).is, "running");
  hub.clock.ms += 29_000;
  assert.equal((await claimKey(hub.db, key, "e", now)).is, "running");
  hub.clock.ms += 2_000;
  assert.equal((await claimKey(hub.db, key, "f", now)).is, "mine");
  hub.clock.ms += 29_000;
  await renewClaim(hub.db, "f");
  assert.equal((await claimKey(hub.db, key, "g", now)).is, "running");
  hub.clock.ms += 2_000;
  assert.equal((await claimKey(hub.db, key, "g", now)).is, "running");
});

test("a claim of a process on this machine that has died is free at once, one of a living process or of this one is not", async () => {
  const key = { organizationId: hub.organization.id, caller: "token:0", route: "/r", keyHash: "died" };
  const now = hub.clock.ms, dead = { name: "here/2" };
  const self = { name: "here/1", isGone: (name: string) => !name.startsWith("here/3/") };
  const take = (claim: string) => claimKey(hub.db, key, claim, now, self);
  assert.equal((await take(createClaim(dead))).is, "mine");
  assert.equal((await take(createClaim(self))).is, "mine");
  assert.equal((await take(createClaim(self))).is, "running");
  await releaseClaim(
    hub.db,
    (await hub.db.rows<[string]>(sql`select claim from idempotency_keys
    where key_hash = 'died'`))[0]![0],
  );
  assert.equal((await take(createClaim({ name: "here/3" }))).is, "mine");
  assert.equal((await take(createClaim(self))).is, "running");
});

test("a request whose hub died is done anew by the next one, once its lease is over", async () => {
  const token = await createTestToken(hub);
  const asking = createAsk(hub, token);
  const headers = { "idempotency-key": newKey() };
  const json = { name: "after the crash", scopes: ["users:read"] };
  // A hub that is gone in the middle of its work: its handler never comes back.
  const stuck = createAsk({ ...hub, db: { ...hub.db, write: stopAfter(hub.db.write, "tokens") } }, token);
  void stuck("/v1/tokens", { json, headers }).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal((await asking("/v1/tokens", { json, headers })).status, 409);
  hub.clock.ms += 31_000;
  assert.equal((await asking("/v1/tokens", { json, headers })).status, 201);
  release();
});

let release = () => {};
function stopAfter(write: TestHub["db"]["write"], table: string): TestHub["db"]["write"] {
  return async (statements) => {
    const text = statements.map((each) => JSON.stringify((each as unknown as { toSQL(): object }).toSQL?.() ?? ""))
      .join();
    if (text.includes(`insert into \\"${table}\\"`)) {
      await new Promise<void>((_, reject) => release = () => reject(new Error("gone")));
    }
    return await write(statements);
  };
}

test("an answer is kept for 24 hours, then the key is as new, and nothing is left of it", async () => {
  const headers = { "idempotency-key": newKey() };
  const json = { name: "daily", scopes: ["users:read"] };
  const first = await (await ask("/v1/tokens", { json, headers })).json();
  hub.clock.ms += 23 * HOUR_MS;
  await tick(hub);
  assert.equal((await (await ask("/v1/tokens", { json, headers })).json()).id, first.id);
  hub.clock.ms += 2 * HOUR_MS;
  assert.notEqual((await (await ask("/v1/tokens", { json, headers })).json()).id, first.id);
  hub.clock.ms += 25 * HOUR_MS;
  await tick(hub);
  assert.deepEqual(await hub.db.orm.select().from(idempotencyKeys), []);
  assert.deepEqual(await hub.db.orm.select().from(idempotencyAnswers), []);
});

test("answers that were forgotten leave their keys: what was done is not done again", async () => {
  const headers = { "idempotency-key": newKey() };
  const json = { name: "erased", scopes: ["users:read"] };
  assert.equal((await ask("/v1/tokens", { json, headers })).status, 201);
  await hub.db.write([forgetAnswers(hub.db, hub.organization.id)]);
  const again = await ask("/v1/tokens", { json, headers });
  assert.equal(again.status, 409);
  assert.match((await again.json()).detail, /no longer stored/);
});

test("an answer larger than a value of the database is kept in parts and comes back whole", async () => {
  const headers = { "idempotency-key": newKey(), prefer: "wait=0" };
  const key = newKey();
  const settings = Object.fromEntries([["delimiter", ","]]);
  const mapping = Object.fromEntries(
    Array.from({ length: 3000 }, (_, i) => [`Überschrift ${i} ${"😀".repeat(60)}`, null]),
  );
  const json = { connector: "csv-upload", name: "Wide", slug: "wide", settings, mapping };
  const first = await ask("/v1/connections", { json, headers: { ...headers, "idempotency-key": key } });
  const body = await first.text();
  assert.equal(first.status, 201, body.slice(0, 300));
  const again = await ask("/v1/connections", { json, headers: { ...headers, "idempotency-key": key } });
  assert.equal(await again.text(), body);
  const parts = await hub.db.orm.select().from(idempotencyAnswers);
  assert.ok(parts.filter(({ part }) => part > 0).length > 0);
  assert.ok(parts.every(({ sealed }) => sealed.length < 2_000_000));
});

test("every POST of the API minds the key", async () => {
  const routes = new Set(
    createApp(hub).routes.filter(({ method, path }) => method === "POST" && path.startsWith("/v1/"))
      .map(({ path }) => path),
  );
  assert.ok(routes.size >= 10, [...routes].join());
  for (const path of routes) {
    const refused = await ask(path.replace(/:\w+/g, "x"), {
      method: "POST",
      headers: { "idempotency-key": "k".repeat(256) },
    });
    assert.equal(refused.status, 400, path);
    assert.match((await refused.json()).detail, /The Idempotency-Key has 256 characters/, path);
  }
});

test("every POST that creates is done once under one key", async () => {
  const { upload } = await (await ask("/v1/connections/csv/uploads", { json: { name: "a.csv" } })).json();
  await ask(`/v1/uploads/${upload.id}/parts/1`, { method: "PUT", body: "email\n" });
  const csv = { body: "email\nana@example.com\n", headers: { "content-type": "text/csv" } };
  const creating: [string, { json?: unknown; body?: string; headers?: Record<string, string> }][] = [
    ["/v1/organizations", { json: { slug: "beta", name: "Beta" } }],
    ["/v1/tokens", { json: { name: "t", scopes: ["users:read"] } }],
    ["/v1/connections", { json: { connector: "csv-upload", name: "Second" } }],
    ["/v1/connections/csv/drops", csv],
    ["/v1/connections/csv/uploads", { json: { name: "b.csv" } }],
    [`/v1/uploads/${upload.id}/seal`, { json: {} }],
    ["/v1/users/import", { json: { users: [{ email: "ana@example.com" }] }, headers: { prefer: "wait=0" } }],
  ];
  for (const [path, request] of creating) {
    const headers = { ...request.headers, "idempotency-key": newKey() };
    const first = await ask(path, { ...request, headers });
    assert.ok(first.status === 201 || first.status === 202, `${path}: ${first.status} ${await first.clone().text()}`);
    const again = await ask(path, { ...request, headers });
    assert.equal(again.status, first.status, path);
    assert.equal(again.headers.get("idempotency-replayed"), "true", path);
    assert.equal(again.headers.get("location"), first.headers.get("location"), path);
    const { token: _, ...created } = await first.json();
    const { token: __, code: ___, ...repeated } = await again.json();
    assert.deepEqual(repeated, created, path);
  }
});
