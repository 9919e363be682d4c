import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createApp } from "../../src/http/app.ts";
import { createRates } from "../../src/security/rates.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { createTokenText } from "../../src/security/token.ts";
import { createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

let hub: TestHub;

before(async () => {
  hub = await createTestHub();
});
after(() => hub.close());

/** A way to ask a hub that grants so much, from an address. */
function asking(limits: { requests: number; logins: number }) {
  const app = createApp({ ...hub, rates: createRates(limits, hub.now) });
  return (path: string, token: string, address: string | null = "192.0.2.1") =>
    app.request(path, { headers: { authorization: `Bearer ${token}` } }, { address });
}

test("every answer says what is left of the token's limit, in the fields of the IETF's draft", async () => {
  const ask = asking({ requests: 3, logins: 0 });
  const token = await createTestToken(hub, { scopes: ["users:read"] });
  const first = await ask("/v1/users", token);
  assert.equal(first.headers.get("ratelimit-policy"), '"token";q=3;w=60, "organization";q=12;w=60');
  assert.equal(first.headers.get("ratelimit"), '"token";r=2;t=20, "organization";r=11;t=5');
  const forbidden = await ask("/v1/runs", token);
  assert.equal(forbidden.status, 403);
  assert.equal(forbidden.headers.get("ratelimit"), '"token";r=1;t=40, "organization";r=10;t=10');
});

test("beyond the limit a request is answered 429 with when to come again, and others are not concerned", async () => {
  const ask = asking({ requests: 3, logins: 0 });
  const token = await createTestToken(hub);
  const other = await createTestToken(hub);
  for (let i = 0; i < 3; i++) assert.equal((await ask("/v1/organization", token)).status, 200);
  const refused = await ask("/v1/organization", token);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("content-type"), "application/problem+json");
  assert.equal(refused.headers.get("retry-after"), "20");
  assert.equal(refused.headers.get("ratelimit"), '"token";r=0;t=60');
  const { code, detail } = await refused.json();
  assert.equal(code, "rate_limited");
  assert.match(detail, /its 3 requests per minute; retry in 20 seconds/);
  assert.equal((await ask("/v1/organization", other)).status, 200);
  hub.clock.ms += 20_000;
  assert.equal((await ask("/v1/organization", token)).status, 200);
});

test("an organization has a limit too, however many tokens it makes", async () => {
  const ask = asking({ requests: 2, logins: 0 });
  const other = await createOrganization(hub.db, { slug: "acme", name: "Acme", timezone: "UTC" }, hub.clock.ms);
  for (let i = 0; i < 4; i++) {
    const token = await createTestToken(hub);
    for (let n = 0; n < 2; n++) assert.equal((await ask("/v1/organization", token)).status, 200);
  }
  const fresh = await createTestToken(hub);
  const refused = await ask("/v1/organization", fresh);
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "8");
  assert.equal(refused.headers.get("ratelimit"), '"token";r=1;t=30, "organization";r=0;t=60');
  assert.match((await refused.json()).detail, /^The organization exceeded its 8 requests per minute/);
  const elsewhere = await createTestToken(hub, { organization: other.slug });
  assert.equal((await ask("/v1/organization", elsewhere)).status, 200, "another organization has its own");
  hub.clock.ms += 8_000;
  assert.equal((await ask("/v1/organization", fresh)).status, 200);
});

test("a token beyond its own limit takes nothing from the others of its organization", async () => {
  const ask = asking({ requests: 2, logins: 0 });
  const [busy, other] = [await createTestToken(hub), await createTestToken(hub)];
  for (let i = 0; i < 50; i++) await ask("/v1/organization", busy);
  const answer = await ask("/v1/organization", other);
  assert.equal(answer.headers.get("ratelimit"), '"token";r=1;t=30, "organization";r=5;t=23');
});

test("a clock that is set back keeps nobody out for longer", async () => {
  const clock = { ms: 5_000_000 };
  const app = createApp({ ...hub, rates: createRates({ requests: 0, logins: 1 }, () => clock.ms) });
  const ask = () => app.request("/v1/organization", {}, { address: "192.0.2.7" });
  assert.deepEqual([(await ask()).status, (await ask()).status], [401, 429]);
  hub.clock.ms -= 3_600_000;
  clock.ms += 60_000;
  assert.equal((await ask()).status, 401);
  hub.clock.ms += 3_600_000;
});

test("without a limit no answer mentions one", async () => {
  const answer = await asking({ requests: 0, logins: 0 })("/v1/organization", await createTestToken(hub));
  assert.equal(answer.headers.get("ratelimit"), null);
  assert.equal(answer.headers.get("ratelimit-policy"), null);
});

test("who fails to log in again and again is sent away before the database is asked", async () => {
  let asked = 0;
  const rates = createRates({ requests: 0, logins: 5 }, hub.now);
  const counting = {
    ...hub,
    rates,
    db: {
      ...hub.db,
      get orm() {
        asked++;
        return hub.db.orm;
      },
    },
  };
  const app = createApp(counting);
  const ask = (token: string, address: string) =>
    app.request("/v1/organization", { headers: { authorization: `Bearer ${token}` } }, { address });
  const known = await createTestToken(hub);
  assert.equal((await ask(known, "192.0.2.1")).status, 200);
  for (let i = 0; i < 5; i++) assert.equal((await ask(createTokenText(), "192.0.2.1")).status, 401);
  asked = 0;
  const refused = await ask(createTokenText(), "192.0.2.1");
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "12");
  assert.equal((await refused.json()).code, "rate_limited");
  assert.equal(asked, 0);
  assert.equal((await ask(known, "192.0.2.1")).status, 200, "who was let in lately is not locked out by a neighbour");
  assert.equal((await ask(createTokenText(), "192.0.2.2")).status, 401, "another address");
  hub.clock.ms += 12_000;
  assert.equal((await ask(createTokenText(), "192.0.2.1")).status, 401);
});

test("where no address is known, no log-in is throttled", async () => {
  const ask = asking({ requests: 0, logins: 1 });
  for (let i = 0; i < 3; i++) assert.equal((await ask("/v1/users", createTokenText(), null)).status, 401);
});
