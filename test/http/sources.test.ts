import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Connector } from "../../src/connector.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { runFetcher } from "../../src/sources/fetcher.ts";
import { decodeId } from "../../src/model/id.ts";
import { runNext } from "../../src/runs/next.ts";
import { createMasterKeyText, createSecrets } from "../../src/security/secrets.ts";
import { loadSecrets } from "../../src/store/connections/connection-secrets.ts";
import { resealAll } from "../../src/store/connections/sealed.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { loopback } from "../support/receiver.ts";
import { paged, type Source, startSource } from "../support/source.ts";

const PEOPLE = [{ id: "1", mail: "ana@acme.test", first: "Ana", last: "Sol" }];
const HOUR_MS = 3_600_000;

let hub: TestHub;
let ask: Ask;
let source: Source;
let count = 0;

before(async () => {
  source = await startSource(PEOPLE);
  hub = await createTestHub({
    registry: new Map([...createRegistry(), ["paged", paged as Connector<never>]]),
    outbound: loopback,
  });
  ask = createAsk(hub, await createTestToken(hub));
});
after(async () => {
  hub.close();
  await source.close();
});

// deno-lint-ignore no-explicit-any
async function jsonOf(answer: Response, status = 200): Promise<any> {
  const body = await answer.json();
  assert.equal(answer.status, status, JSON.stringify(body));
  return body;
}

async function connect(settings: object = {}, more: object = {}) {
  const json = { connector: "paged", name: `c${++count}`, settings: { host: source.host, ...settings }, ...more };
  return await jsonOf(await ask("/v1/connections", { json }), 201);
}

const change = async (id: string, json: object) =>
  await jsonOf(await ask(`/v1/connections/${id}`, { method: "PATCH", json }));
const check = async (id: string) => await jsonOf(await ask(`/v1/connections/${id}/check`, { method: "POST" }));
const inClear = (id: string) => loadSecrets(hub, { id: decodeId("con", id)!, organizationId: hub.organization.id });

test("the catalogue says what a connector's settings and secrets are, and how it asks", async () => {
  const held = (await connect()).id;
  const { data } = await jsonOf(await ask("/v1/connectors"));
  const found = data.find(({ name }: { name: string }) => name === "paged");
  assert.deepEqual(found.secrets, [
    {
      name: "api_key",
      title: "API key",
      description: "Made at the source, for one of its users",
      multiline: false,
      required: null,
    },
    { name: "client_secret", title: "Client secret", description: null, multiline: false, required: null },
  ]);
  assert.deepEqual(found.auth, ["bearer", "basic", "oauth2"]);
  assert.deepEqual([found.takes_drops, found.checks], [false, true]);
  assert.deepEqual(found.schedule, { cron: "0 3 * * *", timezone: "America/Los_Angeles" });
  assert.deepEqual(found.settings.required, ["host"]);
  assert.deepEqual([found.api, found.origin, found.entities, found.coverage], [1, "own", ["users"], { users: "full" }]);
  assert.deepEqual([found.key, found.mapping.boss, found.hosts, found.problems], [
    "source_id",
    "manager_key",
    null,
    [],
  ]);
  assert.ok(found.connections >= 1);
  await ask(`/v1/connections/${held}`, { method: "DELETE" });
});

test("a connector that does not work is in the catalogue with its problems, and spoils no other's entry", async () => {
  const broken = {
    ...paged,
    name: "broken",
    settings: { "~standard": { version: 1, vendor: "none", validate: () => Promise.resolve({ value: {} }) } },
    hosts: () => {
      throw new Error("Ana Sol");
    },
  };
  const registry = new Map([...hub.registry, ["broken", broken as unknown as Connector<never>]]);
  const askWith = createAsk(
    { ...hub, registry: Object.assign(registry, { added: new Set(["broken"]) }) },
    await createTestToken(hub),
  );
  const { data } = await jsonOf(await askWith("/v1/connectors"));
  const found = data.find(({ name }: { name: string }) => name === "broken");
  assert.equal(found.origin, "added");
  assert.equal(found.problems.length, 2);
  assert.match(found.problems[0], /has no JSON Schema/);
  assert.doesNotMatch(JSON.stringify(data), /Ana Sol/);
  assert.deepEqual(data.find(({ name }: { name: string }) => name === "paged").problems, []);
});

test("secrets go in and never come out: set or not is all that is shown, and they lie sealed", async () => {
  const bare = await connect();
  assert.deepEqual(bare.secrets.api_key, { set: false, updated_at: null });
  assert.deepEqual(bare.secrets_required, ["api_key"]);
  assert.deepEqual(await check(bare.id), {
    ok: false,
    detail: 'The connection lacks "api_key"; set it, and try again',
    found: {},
    code: "secrets_required",
  });
  const set = await change(bare.id, { secrets: { api_key: "hush-hush-hush" } });
  assert.deepEqual(set.secrets.api_key, { set: true, updated_at: new Date(hub.clock.ms).toISOString() });
  assert.deepEqual(set.secrets_required, []);
  for (const path of ["", `/${bare.id}`]) {
    assert.doesNotMatch(await (await ask(`/v1/connections${path}`)).text(), /hush/);
  }
  const stored = await hub.db.rows(sql`select name, sealed from connection_secrets`);
  assert.doesNotMatch(JSON.stringify(stored), /hush/);
  assert.deepEqual(await inClear(bare.id), { api_key: "hush-hush-hush" });
  const cleared = await change(bare.id, { secrets: { api_key: null } });
  assert.deepEqual([cleared.secrets.api_key.set, await inClear(bare.id)], [false, {}]);
  const { data } = await jsonOf(await ask(`/v1/audit?subject=${bare.id}&action=secret.set`));
  assert.equal(data.length, 2);
});

test("a secret that the connector does not know is refused by its name, and so is a schedule for uploads", async () => {
  const wrong = await jsonOf(
    await ask("/v1/connections", {
      json: { connector: "paged", name: "x", settings: { host: "h" }, secrets: { pin: "1" } },
    }),
    400,
  );
  assert.deepEqual(wrong.errors, [{ pointer: "/secrets/pin", detail: "should be one of api_key, client_secret" }]);
  const none = await jsonOf(
    await ask("/v1/connections/csv", { method: "PATCH", json: { secrets: { pin: "1" } } }),
    400,
  );
  assert.match(none.detail, /has no secrets/);
  const handed = await jsonOf(
    await ask("/v1/connections/csv", { method: "PATCH", json: { schedule: { every_minutes: 5 } } }),
    422,
  );
  assert.match(handed.detail, /receives its input/);
  const cron = await jsonOf(
    await ask("/v1/connections", { json: { connector: "paged", name: "x", schedule: { cron: "0 25 * * *" } } }),
    400,
  );
  assert.match(JSON.stringify(cron.errors), /Invalid value for hour/);
});

test("a change of where secrets go clears them, unless they are given anew", async () => {
  const { id } = await connect({}, { secrets: { api_key: "for-the-old-host", client_secret: "for-the-old-host" } });
  const renamed = await change(id, { name: "Other", settings: { host: source.host, checkpoints: true } });
  assert.equal(renamed.secrets.api_key.set, true, "another setting decides nothing of it");
  const moved = await change(id, { settings: { host: "evil.example.com" }, secrets: { client_secret: "new" } });
  assert.deepEqual([moved.secrets.api_key.set, moved.secrets.client_secret.set], [false, true]);
  assert.deepEqual(moved.secrets_required, ["api_key"]);
  assert.deepEqual(await inClear(id), { client_secret: "new" });
});

test("a stale change of where secrets go changes neither", async () => {
  const { id } = await connect({}, { secrets: { api_key: "stays-as-it-was" } });
  const stale = await ask(`/v1/connections/${id}`, {
    method: "PATCH",
    json: { settings: { host: "evil.example.com" }, secrets: { api_key: "evil" } },
    headers: { "if-match": '"9"' },
  });
  assert.equal(stale.status, 412);
  assert.deepEqual(await inClear(id), { api_key: "stays-as-it-was" });
});

test("secrets open under a new master key once it has taken over, and go with their connection", async () => {
  const { id } = await connect({}, { secrets: { api_key: "moves-along" } });
  const texts = [createMasterKeyText(), createMasterKeyText()];
  const [old, next] = [await createSecrets([texts[0]!]), await createSecrets([texts[1]!, texts[0]!])];
  const aside = { ...hub, secrets: old };
  await createAsk(aside, await createTestToken(hub))(`/v1/connections/${id}`, {
    method: "PATCH",
    json: { secrets: { api_key: "moves-along" } },
  });
  const table = [{ table: "connection_secrets", column: "sealed" }];
  await hub.db.write(
    [hub.db.orm.run(sql`delete from connection_secrets where connection_id <> ${decodeId("con", id)}`)] as never,
  );
  assert.equal(await resealAll(hub.db, next, table), 1);
  const owner = { id: decodeId("con", id)!, organizationId: hub.organization.id };
  const alone = await createSecrets([texts[1]!]);
  assert.deepEqual(await loadSecrets({ db: hub.db, secrets: alone }, owner), { api_key: "moves-along" });
  assert.equal((await ask(`/v1/connections/${id}`, { method: "DELETE" })).status, 204);
  assert.deepEqual(await hub.db.rows(sql`select 1 from connection_secrets`), []);
});

test("a check says in one answer whether the source can be read, and writes nothing but that it was asked", async () => {
  const { id } = await connect({}, { secrets: { api_key: source.key } });
  assert.deepEqual(await check(id), { ok: true, detail: "1 people can be read", found: { people: 1 }, code: null });
  const basic = await connect({ auth: "basic" }, { secrets: { api_key: source.key } });
  assert.equal((await check(basic.id)).ok, true);
  source.key = "changed-meanwhile";
  const refused = await check(id);
  assert.deepEqual([refused.ok, refused.code], [false, "source_refused"]);
  assert.match(refused.detail, /does not accept the credentials for people \(401\)/);
  source.key = "the-key-of-the-source";
  const away = await connect({ host: "10.0.0.1" }, { secrets: { api_key: "x" } });
  assert.deepEqual((await check(away.id)).code, "source_misconfigured", "the gate lets nobody into a private network");
  assert.equal((await jsonOf(await ask("/v1/connections/csv/check", { method: "POST" }), 422)).code, "unprocessable");
  assert.deepEqual(
    (await jsonOf(await ask(`/v1/connections/${id}/runs`, { method: "POST", json: {} }), 202)).run.drop,
    null,
  );
  assert.equal((await jsonOf(await ask("/v1/connections/csv/runs", { method: "POST" }), 422)).code, "unprocessable");
});

test("a connection whose connector is not here any more says so, and can still be looked at and renamed", async () => {
  const { id } = await connect({}, { secrets: { api_key: source.key } });
  const elsewhere = createAsk({ ...hub, registry: createRegistry() }, await createTestToken(hub));
  for (const word of ["check", "runs", "authorize"]) {
    const answer = await elsewhere(`/v1/connections/${id}/${word}`, { method: "POST" });
    assert.equal((await jsonOf(answer, 422)).code, "unprocessable", word);
  }
  const shown = await jsonOf(await elsewhere(`/v1/connections/${id}`));
  assert.deepEqual([shown.installed, shown.state, shown.secrets.api_key.set], [false, "error", true]);
  assert.deepEqual([shown.last_error.code, shown.last_error.kind, shown.last_error.run], [
    "connector_missing",
    "connector",
    null,
  ]);
  assert.match(shown.last_error.message, /"paged" is not installed in this hub; its operator can add it again/);
  const here = await jsonOf(await ask(`/v1/connections/${id}`));
  assert.deepEqual([here.installed, here.state, here.last_error], [true, "ok", null]);
  await jsonOf(await elsewhere(`/v1/connections/${id}`, { method: "PATCH", json: { name: "Left alone" } }));
  assert.equal((await jsonOf(await ask(`/v1/connections/${id}`))).secrets.api_key.set, true);
});

/** A connection that an admin can authorize, with the way to it. */
async function authorizing() {
  const { id } = await connect({ auth: "oauth2", client_id: "muster" }, {
    secrets: { client_secret: "of-the-client" },
  });
  const begun = await jsonOf(await ask(`/v1/connections/${id}/authorize`, { method: "POST" }));
  return { id, begun, url: new URL(begun.authorization_url) };
}

const back = (state: string, more = "&code=good") =>
  createAsk(hub, null)(`/oauth/callback?state=${encodeURIComponent(state)}${more}`);

test("a connection is authorized by an admin in a browser, once, and its tokens are renewed", async () => {
  const { id, begun, url } = await authorizing();
  assert.equal(begun.redirect_uri, "http://hub.example.com/oauth/callback");
  assert.equal(url.searchParams.get("request"), "authorize", "the source's own query stays");
  assert.deepEqual(
    ["response_type", "client_id", "redirect_uri", "scope", "code_challenge_method"].map((name) =>
      url.searchParams.get(name)
    ),
    ["code", "muster", begun.redirect_uri, "people offline_access", "S256"],
  );
  assert.deepEqual((await jsonOf(await ask(`/v1/connections/${id}`))).secrets_required, ["authorization"]);
  assert.equal((await check(id)).code, "secrets_required");
  const state = url.searchParams.get("state")!;
  const page = await back(state);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /may read its source now/);
  const form = source.granted.at(-1);
  // Other tests have been given some before.
  const number = Number([...source.tokens].at(-1)!.split("-").at(-1));
  assert.deepEqual([form!.grant_type, form!.code, form!.client_id, form!.client_secret, form!.redirect_uri], [
    "authorization_code",
    "good",
    "muster",
    "of-the-client",
    begun.redirect_uri,
  ]);
  const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(form!.code_verifier));
  assert.equal(Buffer.from(challenge).toString("base64url"), url.searchParams.get("code_challenge"));
  const shown = await jsonOf(await ask(`/v1/connections/${id}`));
  assert.deepEqual([shown.secrets_required, shown.authorized_at], [[], new Date(hub.clock.ms).toISOString()]);
  assert.equal((await check(id)).ok, true);
  assert.equal(source.shown.at(-1), `Bearer token-number-${number}`);
  // Nearly over: renewed before it is used.
  hub.clock.ms += HOUR_MS - 60_000;
  assert.equal((await check(id)).ok, true);
  assert.deepEqual([source.granted.at(-1)!.grant_type, source.granted.at(-1)!.refresh_token], [
    "refresh_token",
    `renew-${number}`,
  ]);
  assert.equal(source.shown.at(-1), `Bearer token-number-${number + 1}`);
  // Taken back by the source before its time: renewed when it is refused.
  source.tokens.clear();
  assert.equal((await check(id)).ok, true);
  assert.equal(source.shown.at(-1), `Bearer token-number-${number + 2}`);
  assert.equal((await back(state)).status, 400, "the way is open once");
  const { data } = await jsonOf(await ask(`/v1/audit?subject=${id}`));
  const done = data.filter(({ action }: { action: string }) => /authoriz/.test(action));
  // deno-lint-ignore no-explicit-any
  assert.deepEqual(done.map(({ action, actor }: any) => [action, actor.kind]), [
    ["connection.authorized", "token"],
    ["connection.authorizing", "token"],
  ]);
});

test("a run of an authorized connection carries the token, and nothing of it comes into the log", async () => {
  const { id, url } = await authorizing();
  await back(url.searchParams.get("state")!);
  const waiting = ask(`/v1/connections/${id}/runs`, { method: "POST", headers: { prefer: "wait=30" } });
  const signal = new AbortController().signal;
  while (hub.lines.at(-1)?.event !== "run.queued") await new Promise((resolve) => setTimeout(resolve, 5));
  await runFetcher(hub, { owner: "test", signal, lookEveryMs: 5, untilIdle: true, wait: () => Promise.resolve() });
  while (await runNext(hub, { signal, owner: "test", rethrow: true }) !== null);
  assert.equal((await jsonOf(await waiting)).run.status, "succeeded");
  assert.doesNotMatch(JSON.stringify(hub.lines), /token-number|renew-|of-the-client/);
});

test("a permission that the source has revoked is reported, and asked for again", async () => {
  const { id, url } = await authorizing();
  await back(url.searchParams.get("state")!);
  const grant = source.grant;
  source.grant = () => ({ status: 400, body: { error: "invalid_grant", error_description: "Token has been revoked" } });
  source.tokens.clear();
  const refused = await check(id);
  assert.deepEqual([refused.ok, refused.code], [false, "source_refused"]);
  assert.match(refused.detail, /invalid_grant: Token has been revoked\); authorize the connection again/);
  source.grant = grant;
});

test("who comes back without the permission, too late, or to a connection that has changed, gets none", async () => {
  const denied = await authorizing();
  const page = await back(denied.url.searchParams.get("state")!, "&error=access_denied&error_description=<b>No</b>");
  assert.equal(page.status, 400);
  const text = await page.text();
  assert.match(text, /access_denied/);
  assert.doesNotMatch(text, /<b>No/);

  const late = await authorizing();
  hub.clock.ms += 16 * 60_000;
  assert.equal((await back(late.url.searchParams.get("state")!)).status, 400);

  const changed = await authorizing();
  await change(changed.id, { settings: { host: "evil.example.com", auth: "oauth2", client_id: "muster" } });
  await change(changed.id, {
    settings: { host: source.host, auth: "oauth2", client_id: "muster" },
    secrets: { client_secret: "x" },
  });
  assert.equal((await back(changed.url.searchParams.get("state")!)).status, 409);
  assert.equal((await jsonOf(await ask(`/v1/connections/${changed.id}`))).authorized_at, null);

  assert.equal((await back("made-up")).status, 400);
  const looked = await authorizing();
  const state = looked.url.searchParams.get("state")!;
  await createAsk(hub, null)(`/oauth/callback?state=${state}&code=good`, { method: "HEAD" });
  assert.equal((await back(state)).status, 200, "a preview takes nothing away");
});

test("what cannot be authorized says why", async () => {
  const keyed = await connect();
  assert.equal(
    (await jsonOf(await ask(`/v1/connections/${keyed.id}/authorize`, { method: "POST" }), 422)).code,
    "unprocessable",
  );
  const bare = await connect({ auth: "oauth2", client_id: "muster" });
  const lacking = await jsonOf(await ask(`/v1/connections/${bare.id}/authorize`, { method: "POST" }), 422);
  assert.equal(lacking.code, "secrets_required");
  const nameless = await connect({ auth: "oauth2" }, { secrets: { client_secret: "x" } });
  const wrong = await jsonOf(await ask(`/v1/connections/${nameless.id}/authorize`, { method: "POST" }), 422);
  assert.equal(wrong.code, "source_misconfigured");
});
