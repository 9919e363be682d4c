import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { encodeId } from "../../src/model/id.ts";
import type { Scope } from "../../src/model/scope.ts";
import { findTokenByHash } from "../../src/store/tokens.ts";
import { createTokenText, hashToken, isTokenText } from "../../src/security/token.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

let hub: TestHub;
let admin: Ask;

before(async () => {
  hub = await createTestHub();
  admin = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());

test("a token's text is shown once, and only its hash is stored", async () => {
  const made = await (await admin("/v1/tokens", { json: { name: "HR", scopes: ["users:read"] } })).json();
  assert.match(made.token, /^mus_[0-9A-Za-z]{36}$/);
  assert.equal((await createAsk(hub, made.token)("/v1/users")).status, 200);
  assert.ok(await findTokenByHash(hub.db, hashToken(made.token)));
  const listed = await (await admin("/v1/tokens")).text();
  assert.ok(!listed.includes(made.token));
});

test("a token expires after 90 days by default", async () => {
  const usual = await (await admin("/v1/tokens", { json: { name: "usual", scopes: ["users:read"] } })).json();
  const short =
    await (await admin("/v1/tokens", { json: { name: "short", scopes: ["users:read"], expires_in_days: 1 } })).json();
  const start = hub.clock.ms;
  assert.equal(Date.parse(usual.expires_at), start + 90 * DAY_MS);
  hub.clock.ms = start + DAY_MS;
  const refused = await createAsk(hub, short.token)("/v1/users");
  assert.equal(refused.status, 401);
  assert.match((await refused.json()).detail, /^The token expired at 2026-03-03/);
  assert.equal((await createAsk(hub, usual.token)("/v1/users")).status, 200);
  hub.clock.ms = start;
});

test("a request without a token, with a mistyped one, an unknown one or a deleted one is answered 401", async () => {
  const text = createTokenText();
  const mistyped = text.slice(0, -1) + (text.endsWith("a") ? "b" : "a");
  for (
    const [token, detail] of [
      [null, /has no token/],
      [mistyped, /The token is malformed/],
      [text.slice(0, 30), /The token is malformed/],
      [text, /The token is unknown/],
    ] as const
  ) {
    const refused = await createAsk(hub, token)("/v1/users");
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get("www-authenticate")!, /^Bearer/);
    assert.match((await refused.json()).detail, detail);
  }
  const made = await (await admin("/v1/tokens", { json: { name: "gone", scopes: ["users:read"] } })).json();
  assert.equal((await admin(`/v1/tokens/${made.id}`, { method: "DELETE" })).status, 204);
  assert.equal((await createAsk(hub, made.token)("/v1/users")).status, 401);
  assert.equal((await admin(`/v1/tokens/${made.id}`, { method: "DELETE" })).status, 404);
});

test("no token ends one that may do more, so that nobody is locked out by it", async () => {
  const made = async (...scopes: Scope[]) => {
    const text = await createTestToken(hub, { scopes });
    const { id } = (await findTokenByHash(hub.db, hashToken(text)))!;
    return { ask: createAsk(hub, text), path: `/v1/tokens/${encodeId("tok", id)}` };
  };
  const minter = await made("tokens:write", "users:read");
  for (const stronger of [await made("admin"), await made("operator"), await made("users:read", "users:write")]) {
    const refused = await minter.ask(stronger.path, { method: "DELETE" });
    assert.equal(refused.status, 403);
    assert.match((await refused.json()).detail, /^The token lacks the scope ".+" of the token to delete$/);
  }
  assert.equal((await admin((await made("bridge")).path, { method: "DELETE" })).status, 403);
  const operator = await made("operator", "admin");
  for (const weaker of [await made("bridge"), await made("admin"), minter]) {
    assert.equal((await operator.ask(weaker.path, { method: "DELETE" })).status, 204);
  }
  assert.equal((await operator.ask(operator.path, { method: "DELETE" })).status, 204, "its own");
});

test("no token hands on a scope that it lacks, and only an operator makes operators and bridges", async () => {
  const minter = createAsk(hub, await createTestToken(hub, { scopes: ["tokens:write", "users:read"] }));
  assert.equal((await minter("/v1/tokens", { json: { name: "a", scopes: ["users:read"] } })).status, 201);
  const refused = await minter("/v1/tokens", { json: { name: "b", scopes: ["users:read", "users:write", "admin"] } });
  assert.equal(refused.status, 403);
  assert.match((await refused.json()).detail, /lacks the scope "users:write", "admin" itself/);
  for (const scope of ["operator", "bridge"]) {
    assert.equal((await admin("/v1/tokens", { json: { name: "c", scopes: [scope] } })).status, 403);
  }
  const operator = createAsk(hub, await createTestToken(hub, { scopes: ["operator", "tokens:write"] }));
  assert.equal((await operator("/v1/tokens", { json: { name: "d", scopes: ["bridge"] } })).status, 201);
});

test("a missing scope is named", async () => {
  const reader = createAsk(hub, await createTestToken(hub, { scopes: ["users:read"] }));
  const refused = await reader("/v1/tokens");
  assert.equal(refused.status, 403);
  assert.equal((await refused.json()).detail, 'The token lacks the scope "tokens:write"');
});

test("an operator acts in the organization that it names, in default when it names none; others only in their own", async () => {
  const operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  const acme = await (await operator("/v1/organizations", { json: { slug: "acme", name: "Acme" } })).json();
  const slugIn = async (headers: Record<string, string>) =>
    (await (await operator("/v1/organization", { headers })).json()).slug;
  assert.equal(await slugIn({}), "default");
  assert.equal(await slugIn({ "muster-organization": "acme" }), "acme");
  assert.equal(await slugIn({ "muster-organization": acme.id }), "acme");
  assert.equal((await operator("/v1/organization", { headers: { "muster-organization": "nobody" } })).status, 404);
  assert.equal((await admin("/v1/organization", { headers: { "muster-organization": "default" } })).status, 200);
  assert.equal((await admin("/v1/organization", { headers: { "muster-organization": "acme" } })).status, 403);
});

test("every one-letter mistake in a token is seen in its check digits", () => {
  const text = createTokenText();
  assert.ok(isTokenText(text));
  for (let at = 4; at < text.length; at++) {
    const other = text[at] === "0" ? "1" : "0";
    assert.ok(!isTokenText(text.slice(0, at) + other + text.slice(at + 1)), `position ${at}`);
  }
});

test("the last use of a token is noted, to five minutes, and nobody waits for that", async () => {
  const made = await (await admin("/v1/tokens", { json: { name: "used", scopes: ["users:read"] } })).json();
  assert.equal(made.last_used_at, null);
  const lastUsed = async () => {
    const { data } = await (await admin("/v1/tokens?limit=200")).json();
    return data.find(({ id }: { id: string }) => id === made.id).last_used_at;
  };
  const start = hub.clock.ms;
  for (const ms of [start, start + 60_000]) {
    hub.clock.ms = ms;
    assert.equal((await createAsk(hub, made.token)("/v1/users")).status, 200);
    assert.equal(Date.parse(await lastUsed()), start);
  }
  hub.clock.ms = start + 5 * 60_000;
  assert.equal((await createAsk(hub, made.token)("/v1/users")).status, 200);
  assert.equal(Date.parse(await lastUsed()), hub.clock.ms);
  hub.clock.ms = start;
});

test("admin is all of an organization's and nothing beyond it", async () => {
  for (const path of ["/v1/users", "/v1/connections", "/v1/runs", "/v1/tokens", "/v1/audit"]) {
    assert.equal((await admin(path)).status, 200, path);
  }
  assert.equal((await admin("/v1/organizations")).status, 403);
});

test("the last six digits of a token are the CRC-32 of the thirty before, in base 62", () => {
  // By zlib the CRC-32 of thirty zeros is 2011552642.
  assert.ok(isTokenText(`mus_${"0".repeat(30)}2C8GjS`));
  assert.ok(!isTokenText(`mus_${"0".repeat(30)}000000`));
});
