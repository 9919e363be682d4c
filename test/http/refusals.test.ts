/** What every route refuses in the same way, asked of each route that the document has. */
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { Fault } from "../../src/model/errors.ts";
import type { Operation } from "../../src/http/kit/operation.ts";
import { createApp } from "../../src/http/app.ts";
import { encodeId } from "../../src/model/id.ts";
import { createRates } from "../../src/security/rates.ts";
import type { Database } from "../../src/store/database.ts";
import { claimKey, settleClaim } from "../../src/store/idempotency.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { tokens } from "../../src/store/schema.ts";
import { checked, documentOfAll, resolve } from "../support/checked.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { introduceBridge } from "../support/introduce.ts";

interface Route {
  readonly method: string;
  readonly pattern: string;
  readonly path: string;
  readonly operation: Operation;
}

let hub: TestHub;
let admin: Ask;
let operator: Ask;

before(async () => {
  hub = await createTestHub();
  await createOrganization(hub.db, { slug: "elsewhere", name: "Elsewhere", timezone: "UTC" }, hub.clock.ms);
  admin = createAsk(hub, await createTestToken(hub));
  const token = await createTestToken(hub, { scopes: ["admin", "operator", "bridge"] });
  const bridge = await introduceBridge(hub, createAsk(hub, token), { token });
  operator = bridge.ask;
});
after(() => hub.close());

/** Every route that documents the status, with a name that nothing has in the place of each parameter. */
function routesWith(status: number, of: (route: Route) => boolean = () => true): Route[] {
  const routes = Object.entries(documentOfAll().paths).flatMap(([pattern, operations]) =>
    Object.entries(operations).filter(([, { responses }]) => status in responses).map(([method, operation]) => ({
      method: method.toUpperCase(),
      pattern,
      path: pattern.replace(/\{\w+\}/g, "nothing"),
      operation,
    }))
  ).filter(of);
  assert.ok(routes.length > 0);
  return routes;
}

const takesJson = ({ operation }: Route) => {
  const content = resolve(operation.requestBody)?.content as Record<string, unknown> | undefined;
  return content !== undefined && Object.keys(content).join() === "application/json";
};
const takesQuery = ({ operation }: Route) => operation.parameters.some((each) => resolve(each)!.in === "query");
const isPage = ({ path }: Route) => /^\/(r|reports)\//.test(path);
const needsToken = ({ operation }: Route) => operation.security.length > 0;

async function assertRefused(ask: Ask, status: number, route: Route, options: Parameters<Ask>[1] = {}, query = "") {
  const answer = await ask(route.path + query, { method: route.method, ...options });
  assert.equal(answer.status, status, `${route.method} ${route.path}`);
}

test("without a token nothing is done that needs one", async () => {
  const nobody = createAsk(hub, null);
  for (const route of routesWith(401)) await assertRefused(nobody, 401, route);
});

test("a token without the scopes of a route is refused, whatever the route is asked", async () => {
  const weak = createAsk(hub, await createTestToken(hub, { scopes: ["bridge"] }));
  const noBridge = createAsk(hub, await createTestToken(hub));
  const scopesOf = ({ operation }: Route) => operation.security[0]?.token ?? [];
  for (const route of routesWith(403, (route) => scopesOf(route).length > 0)) {
    await assertRefused(scopesOf(route).includes("bridge") ? noBridge : weak, 403, route);
  }
});

test("who is no operator acts in no other organization", async () => {
  const headers = { "muster-organization": "elsewhere" };
  for (const route of routesWith(403, needsToken)) await assertRefused(admin, 403, route, { headers });
});

test("an operator who names an unknown organization is answered so", async () => {
  const headers = { "muster-organization": "nowhere" };
  for (const route of routesWith(404, needsToken)) await assertRefused(operator, 404, route, { headers });
});

test("what is not there is not found, for those who need no token too", async () => {
  for (const route of routesWith(404, (route) => !needsToken(route))) await assertRefused(admin, 404, route);
});

test("a query with a name that a route does not know is refused", async () => {
  for (const route of routesWith(400, takesQuery)) await assertRefused(operator, 400, route, {}, "?unheard=of");
});

test("a body that is not JSON, too large or of another type is refused", async () => {
  const type = { "content-type": "application/json" };
  for (const route of routesWith(400, takesJson)) {
    await assertRefused(operator, 400, route, { body: "{", headers: type });
    await assertRefused(operator, 415, route, { body: "a,b", headers: { "content-type": "text/csv" } });
    const headers = { ...type, "content-length": String(1024 ** 3) };
    await assertRefused(operator, 413, route, { body: "{}", headers });
  }
});

test("a token that asks too often is answered when to come back, whatever the route", async () => {
  const token = await createTestToken(hub);
  const ask = createAsk({ ...hub, rates: createRates({ requests: 1, logins: 0 }, hub.now) }, token);
  assert.equal((await ask("/v1/organization")).status, 200);
  for (const route of routesWith(429, needsToken)) await assertRefused(ask, 429, route);
});

test("an address that is refused too often where no token is needed is answered when to come back", async () => {
  for (const route of routesWith(429, (route) => !needsToken(route) && !isPage(route))) {
    const app = createApp({ ...hub, rates: createRates({ requests: 0, logins: 1 }, hub.now) });
    const ask = async () => await app.request(route.path, { method: route.method }, { address: "192.0.2.1" });
    assert.equal((await ask()).status, 401, `${route.method} ${route.path}`);
    assert.equal((await checked(route.method, route.path, await ask())).status, 429, `${route.method} ${route.path}`);
  }
});

test("an address that opens links too often is answered when to come back, whatever the link is for", async () => {
  const app = createApp({ ...hub, rates: createRates({ requests: 0, logins: 0 }, hub.now) });
  const ask = (route: Route) => app.request(route.path, { method: route.method }, { address: "192.0.2.1" });
  const pages = routesWith(429, isPage);
  let answer = await ask(pages[0]!);
  for (let n = 0; n < 1000 && answer.status !== 429; n++) answer = await ask(pages[0]!);
  for (const route of pages) {
    const refused = await checked(route.method, route.path, await ask(route));
    assert.equal(refused.status, 429, `${route.method} ${route.path}`);
    assert.match(refused.headers.get("retry-after")!, /^[1-9]\d*$/);
  }
});

test("a key that is in use, or that another request used, keeps every route from doing anything", async () => {
  const ask = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  const caller = (await hub.db.orm.select({ id: tokens.id }).from(tokens)).at(-1)!.id;
  const keyHash = createHash("sha256").update("key").digest("hex");
  const takesKey = ({ operation }: Route) =>
    operation.parameters.some((each) => resolve(each)!.name === "Idempotency-Key");
  for (const route of routesWith(422, takesKey)) {
    const key = {
      organizationId: hub.organization.id,
      caller: encodeId("tok", caller),
      route: route.pattern.replace(/\{(\w+)\}/g, ":$1"),
      keyHash,
    };
    const { claim } = await claimKey(hub.db, key, randomUUID(), hub.clock.ms) as { claim: string };
    const options = { headers: { "idempotency-key": "key" } };
    await assertRefused(ask, 409, route, options);
    const answer = { request: "another", status: 200, headers: {}, body: "" };
    const sealed = await hub.secrets.seal(`idempotency:${claim}`, JSON.stringify(answer));
    await settleClaim(hub.db, claim, [sealed], { id: "first", startedAt: hub.clock.ms }, hub.clock.ms);
    await assertRefused(ask, 422, route, options);
  }
});

test("a database that does not answer is the hub's failure, reported without the database's own message", async () => {
  const db = new Proxy({} as Database, {
    get() {
      throw new Error("no such table: secrets");
    },
  });
  const token = await createTestToken(hub);
  const ask = createAsk({ ...hub, db }, token);
  for (const route of routesWith(500)) await assertRefused(ask, 500, route);
  assert.equal((await ask("/readyz")).status, 503);
  assert.doesNotMatch(await (await ask("/v1/users")).text(), /secrets/);
});

test("while an issuer's keys cannot be had, nobody is let in with its tokens", async () => {
  const openid = {
    organizationClaim: "organization",
    verify() {
      throw new Fault("unavailable", "The OpenID issuer's keys cannot be had now");
    },
  };
  const ask = createAsk({ ...hub, openid }, "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl");
  for (const route of routesWith(503, needsToken)) await assertRefused(ask, 503, route);
});
