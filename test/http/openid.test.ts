import { sql } from "drizzle-orm";
import { generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { createApp } from "../../src/http/app.ts";
import { createOpenId } from "../../src/security/openid.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { createAsk, createTestHub, type TestHub } from "../support/hub.ts";
import { startIssuer, type TestIssuer } from "../support/issuer.ts";

let plain: TestHub;
let hub: TestHub;
let issuer: TestIssuer;

before(async () => {
  plain = await createTestHub();
  await createOrganization(plain.db, { slug: "acme", name: "Acme", timezone: "UTC" }, plain.clock.ms);
});
beforeEach(async () => {
  await issuer?.close();
  issuer = await startIssuer(plain.now);
  hub = { ...plain, openid: createOpenId(issuer.settings, issuer.fetch, plain.now, 0) };
});
after(async () => {
  await issuer.close();
  plain.close();
});

const READS = { scope: "openid muster:users:read" };

async function ask(jwt: string, path = "/v1/users", headers: Record<string, string> = {}) {
  const answer = await createAsk(hub, jwt)(path, { headers });
  return { status: answer.status, body: await answer.json() };
}

async function refused(jwt: string, detail: RegExp, status = 401): Promise<void> {
  const { status: given, body } = await ask(jwt);
  assert.equal(given, status, JSON.stringify(body));
  assert.match(body.detail, detail);
  assert.ok(!JSON.stringify(body).includes(jwt));
}

test("a token of the issuer opens the organization it names, by slug or id, for the scopes with the prefix", async () => {
  assert.equal((await ask(await issuer.sign(READS))).status, 200);
  assert.equal((await ask(await issuer.sign({ scp: ["muster:users:read", "other"] }))).status, 200);
  const inAcme = await ask(await issuer.sign({ org: "acme", ...READS }), "/v1/organization");
  assert.equal(inAcme.body.slug, "acme");
  assert.equal((await ask(await issuer.sign({ org: [inAcme.body.id] }), "/v1/organization")).body.slug, "acme");
});

test("a missing scope is named, and scopes without the prefix are none", async () => {
  await refused(await issuer.sign({ scope: "users:read admin muster:runs:read" }), /lacks the scope "users:read"/, 403);
  await refused(await issuer.sign(), /lacks the scope/, 403);
});

test("a token without signature, or signed with the public key as a shared secret, is refused and asks for no keys", async () => {
  const claims = { iss: issuer.settings.issuer, aud: "muster", sub: "ana", org: "default", ...READS };
  const unsigned = new UnsecuredJWT(claims).setExpirationTime("10m").encode();
  await refused(unsigned, /signature algorithm is not accepted/);
  const shared = await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "key-1" }).setExpirationTime("10m")
    .sign(await issuer.publicKey());
  await refused(shared, /signature algorithm is not accepted/);
  assert.deepEqual(issuer.asked, []);
});

test("a token that has expired, never expires, or is not for this hub is refused", async () => {
  const now = Math.floor(hub.clock.ms / 1000);
  await refused(await issuer.sign({ ...READS, exp: now - 60 }), /has expired/);
  await refused(await issuer.sign({ ...READS, exp: undefined }), /no claim "exp"/);
  await refused(await issuer.sign({ ...READS, nbf: now + 3600 }), /"nbf" is not what it should be/);
  await refused(await issuer.sign({ ...READS, aud: "other" }), /"aud" is not what it should be/);
  await refused(await issuer.sign({ ...READS, aud: undefined }), /no claim "aud"/);
  await refused(await issuer.sign({ ...READS, iss: "https://login.example.com" }), /"iss" should be/);
  await refused(await issuer.sign({ ...READS, sub: undefined }), /no claim "sub"/);
});

test("a token signed by somebody else is refused, under an unknown key id and under a known one", async () => {
  const { privateKey } = await generateKeyPair("ES256");
  await refused(await issuer.sign(READS, { key: privateKey, kid: "key-99" }), /a key that the issuer does not have/);
  await refused(await issuer.sign(READS, { key: privateKey }), /signature does not fit/);
  const genuine = await issuer.sign(READS);
  const [header, , signature] = genuine.split(".");
  const forged = btoa(JSON.stringify({ iss: issuer.settings.issuer, aud: "muster", sub: "olga" })).replace(/=+$/, "");
  await refused(`${header}.${forged}.${signature}`, /signature does not fit/);
});

test("a new key of the issuer is found by its id, and the old one counts no more", async () => {
  const old = await issuer.sign(READS);
  assert.equal((await ask(old)).status, 200);
  await issuer.rotate("RS256");
  assert.equal((await ask(await issuer.sign(READS))).status, 200);
  await refused(old, /a key that the issuer does not have/);
});

test("the keys are asked for once, not with each token", async () => {
  for (let i = 0; i < 5; i++) assert.equal((await ask(await issuer.sign(READS))).status, 200);
  assert.deepEqual(issuer.asked, ["/.well-known/openid-configuration", "/keys"]);
});

test("an issuer that does not answer makes 503, and what was known before goes on", async () => {
  const token = await issuer.sign(READS);
  issuer.up = false;
  await refused(token, /issuer's keys are unavailable/, 503);
  const { length } = issuer.asked;
  await refused(token, /issuer's keys are unavailable/, 503);
  assert.equal(issuer.asked.length, length, "it is left alone for a while");
  issuer.up = true;
  plain.clock.ms += 10_000;
  assert.equal((await ask(await issuer.sign(READS))).status, 200);
  issuer.up = false;
  assert.equal((await ask(await issuer.sign(READS))).status, 200);
  await issuer.rotate();
  await refused(await issuer.sign(READS), /issuer's keys are unavailable/, 503);
});

test("an issuer is asked again on time, though the hub's clock is set back meanwhile", async () => {
  const clock = { ms: 0 };
  const openid = createOpenId(issuer.settings, issuer.fetch, () => clock.ms, 0);
  const app = createApp({ ...plain, openid });
  const status = async () =>
    (await app.request("/v1/users", { headers: { authorization: `Bearer ${await issuer.sign(READS)}` } })).status;
  issuer.up = false;
  assert.equal(await status(), 503);
  issuer.up = true;
  plain.clock.ms -= 1000;
  assert.equal(await status(), 503, "it is left alone for a while");
  clock.ms += 10_000;
  assert.equal(await status(), 200);
  plain.clock.ms += 1000;
});

test("an issuer that calls itself something else is not believed", async () => {
  issuer.name = "https://login.example.com";
  await refused(await issuer.sign(READS), /issuer's keys are unavailable/, 503);
});

test("a token for an organization that is not there, or for none, is refused", async () => {
  await refused(
    await issuer.sign({ ...READS, org: "nobody" }),
    /"org" names the organization "nobody", which does not exist/,
  );
  await refused(await issuer.sign({ ...READS, org: undefined }), /"org" should name one organization/);
  await refused(await issuer.sign({ ...READS, org: ["default", "acme"] }), /should name one organization/);
});

test("only the subjects in OIDC_OPERATORS are operators, and only where their token says so too", async () => {
  const scope = "muster:operator muster:bridge muster:admin";
  const ana = await ask(await issuer.sign({ scope }), "/v1/organizations");
  assert.equal(ana.status, 403);
  assert.match(ana.body.detail, /lacks the scope "operator"/);
  const elsewhere = await ask(await issuer.sign({ scope }), "/v1/organization", { "muster-organization": "acme" });
  assert.equal(elsewhere.status, 403);
  const olga = await issuer.sign({ sub: "olga", org: undefined, scope });
  assert.equal((await ask(olga, "/v1/organizations")).status, 200);
  assert.equal((await ask(olga, "/v1/organization", { "muster-organization": "acme" })).body.slug, "acme");
  assert.equal((await ask(await issuer.sign({ sub: "olga" }), "/v1/organizations")).status, 403);
});

test("what a subject does is recorded under its name, and it hands on no scope that it lacks", async () => {
  const minter = createAsk(hub, await issuer.sign({ scope: "muster:tokens:write muster:users:read" }));
  const made = await minter("/v1/tokens", { json: { name: "t", scopes: ["users:read"] } });
  assert.equal(made.status, 201);
  assert.equal((await minter("/v1/tokens", { json: { name: "t", scopes: ["users:write"] } })).status, 403);
  const rows = await hub.db.rows(
    sql`select actor_kind, actor_id, action from audit_entries order by rowid desc limit 1`,
  );
  assert.deepEqual(rows, [["openid", "ana", "token.created"]]);
});

test("without an issuer a JWT is no token", async () => {
  const { status, body } = await (async () => {
    const answer = await createAsk(plain, await issuer.sign(READS))("/v1/users");
    return { status: answer.status, body: await answer.json() };
  })();
  assert.equal(status, 401);
  assert.match(body.detail, /The token is malformed/);
});

test("a subject that comes back with fewer scopes is not answered again what it was answered with more", async () => {
  const headers = { "idempotency-key": "once" };
  const json = { name: "t", scopes: ["users:read"] };
  const scope = "muster:tokens:write muster:users:read";
  const first = await createAsk(hub, await issuer.sign({ scope }))("/v1/tokens", { json, headers });
  assert.equal(first.status, 201);
  const fresh = await createAsk(hub, await issuer.sign({ scope: scope.split(" ").reverse().join(" ") }))("/v1/tokens", {
    json,
    headers,
  });
  assert.equal(fresh.headers.get("idempotency-replayed"), "true", "the same scopes in another order are the same");
  const less = await createAsk(hub, await issuer.sign(READS))("/v1/tokens", { json, headers });
  assert.equal(less.status, 403);
});

test("a JWT has one spelling: another one of the same signature is none", async () => {
  const jwt = await issuer.sign(READS);
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = letters.indexOf(jwt.at(-1)!);
  // 64 and 256 bytes leave bits of nothing in the last letter.
  await refused(`${jwt.slice(0, -1)}${letters[last + 1]}`, /not a readable JWT/);
});
