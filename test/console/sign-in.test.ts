/** Who gets into the console: with a token, by a link that works once, and never for longer than what they came with. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createSecretText, hashSecretText } from "../../src/security/session.ts";
import { createSignInLink, forgetSessions } from "../../src/store/sessions.ts";
import { sessions } from "../../src/store/schema-sessions.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { createToken } from "../../src/store/tokens.ts";
import { createTokenText, hashToken } from "../../src/security/token.ts";
import { createVisitor, formIn, signIn } from "../support/console.ts";
import { createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

const HOUR = 3_600_000;

async function withHub(work: (hub: TestHub) => Promise<void>): Promise<void> {
  const hub = await createTestHub();
  try {
    await work(hub);
  } finally {
    hub.close();
  }
}

/** A link that signs in as a new token with these scopes. */
async function linkFor(hub: TestHub, { isDirect, scopes = ["admin"] }: { isDirect: boolean; scopes?: ["admin"] }) {
  const text = createSecretText();
  const token = await createToken(hub.db, hub.organization.id, {
    name: "of the link",
    scopes,
    hash: hashToken(createTokenText()),
    expiresAt: hub.clock.ms + 24 * HOUR,
  }, hub.clock.ms);
  await createSignInLink(hub.db, {
    hash: hashSecretText(text),
    organizationId: hub.organization.id,
    tokenId: token.id,
    memberId: null,
    isDirect,
    expiresAt: hub.clock.ms + HOUR,
  });
  return { path: `/sign-in/${text}`, token };
}

test("a token signs in, its pages show what it may, and signing out ends it", async () => {
  await withHub(async (hub) => {
    const visitor = createVisitor(hub);
    const asked = await visitor.open("/o/default/runs?status=held");
    assert.match(asked.path, /^\/sign-in/);
    const token = await createTestToken(hub, { scopes: ["runs:read", "connections:read"] });
    const runs = await visitor.send(asked, "/sign-in", { token });
    assert.equal(runs.path, "/o/default/runs?status=held", "back to where it was going");
    assert.match(runs.text, />Runs</);
    assert.ok(!runs.text.includes(">People<"), "the token may not see people");
    assert.match(visitor.cookie, /^muster=[0-9a-f]{64}$/);
    const account = await visitor.open("/o/default/account");
    assert.match(account.text, /This browser/);
    const cookie = visitor.cookie;
    const out = await visitor.send(account, "/sign-out");
    assert.equal(visitor.cookie, "");
    assert.match(out.text, /Sign in to Muster/);
    visitor.cookie = cookie;
    assert.match((await visitor.open("/o/default")).text, /Sign in to Muster/, "the session itself has ended");
  });
});

test("the cookie is out of reach for scripts and for other sites, and over TLS for other hosts", async () => {
  await withHub(async (hub) => {
    const token = await createTestToken(hub);
    for (
      const [publicUrl, cookie] of [["http://hub.example.com", /^muster=/], [
        "https://hub.example.com",
        /^__Host-muster=.*Secure/,
      ]] as const
    ) {
      const visitor = createVisitor({ ...hub, publicUrl });
      const answer = await visitor.ask("/sign-in", { method: "POST", body: new URLSearchParams({ token }) });
      const set = answer.headers.get("set-cookie")!;
      assert.match(set, cookie);
      assert.match(set, /HttpOnly/);
      assert.match(set, /SameSite=Lax/);
    }
  });
});

test("a wrong, expired, revoked or bridge's token signs nobody in, with one and the same answer, and counts as a failed log-in", async () => {
  await withHub(async (hub) => {
    const short = await createTestToken(hub, { expiresAt: hub.clock.ms + HOUR });
    const bridge = await createTestToken(hub, { scopes: ["bridge"] });
    hub.clock.ms += 2 * HOUR;
    const visitor = createVisitor(hub);
    for (const token of ["", "mus_wrong", createTokenText(), short, bridge]) {
      const answer = await visitor.send(await visitor.open("/sign-in"), "/sign-in", { token });
      assert.equal(answer.status, 401, token);
      assert.match(answer.text, /This token does not work/);
      assert.equal(visitor.cookie, "");
    }
  });
});

test("a token that may do little comes to a page that it may see, and can sign out", async () => {
  await withHub(async (hub) => {
    for (
      const [scope, first] of [
        ["runs:read", "/runs"],
        ["users:read", "/people"],
        ["webhooks:read", "/settings/webhooks"],
        ["drops:write", "/account"],
      ] as const
    ) {
      const visitor = createVisitor(hub);
      const token = await createTestToken(hub, { scopes: [scope] });
      const page = await visitor.send(await visitor.open("/"), "/sign-in", { token });
      assert.deepEqual([page.path, page.status], [`/o/default${first}`, 200], scope);
      await visitor.send(await visitor.open("/o/default/account"), "/sign-out");
      assert.equal(visitor.cookie, "");
    }
  });
});

test("a link signs in once, and a scanner that opens it does not use it up", async () => {
  await withHub(async (hub) => {
    const { path } = await linkFor(hub, { isDirect: false });
    const scanner = createVisitor(hub);
    await scanner.ask(path, { method: "HEAD" });
    assert.match((await scanner.open(path)).text, /<button[^>]*>Sign in/);
    const visitor = createVisitor(hub);
    const page = await visitor.open(path);
    const home = await visitor.send(page, path);
    assert.equal(home.path, "/o/default");
    assert.equal(home.status, 200);
    assert.match((await scanner.open(path)).text, /no longer works/);
    const printed = await linkFor(hub, { isDirect: true });
    await createVisitor(hub).ask(printed.path, { method: "HEAD" });
    assert.equal((await createVisitor(hub).open(printed.path)).path, "/o/default");
    const again = createVisitor(hub);
    assert.equal((await again.open(printed.path)).status, 401);
    assert.equal(again.cookie, "");
  });
});

test("a session ends with its token, after twelve hours without use, and after seven days", async () => {
  await withHub(async (hub) => {
    const ask = createAsk(hub, await createTestToken(hub));
    const { id, token } = await (await ask("/v1/tokens", { json: { name: "t", scopes: ["runs:read"] } })).json();
    const visitor = await signIn(hub, token);
    const isIn = async () => (await visitor.ask("/o/default/runs")).status === 200;
    assert.ok(await isIn());
    hub.clock.ms += 11 * HOUR;
    assert.ok(await isIn());
    hub.clock.ms += 11 * HOUR;
    assert.ok(await isIn(), "used in between");
    hub.clock.ms += 13 * HOUR;
    assert.ok(!await isIn());
    const second = await signIn(hub, token);
    for (let i = 0; i < 17; i++, hub.clock.ms += 10 * HOUR) {
      assert.equal((await second.ask("/o/default/runs")).status, i < 17 ? 200 : 303, `after ${i * 10} hours`);
    }
    assert.equal((await second.ask("/o/default/runs")).status, 303);
    await hub.db.write(forgetSessions(hub.db, hub.clock.ms));
    assert.equal((await hub.db.orm.select().from(sessions)).length, 0);
    const third = await signIn(hub, token);
    assert.equal((await third.ask("/o/default/runs")).status, 200);
    assert.equal((await ask(`/v1/tokens/${id}`, { method: "DELETE" })).status, 204);
    assert.equal((await third.ask("/o/default/runs")).status, 303);
    assert.equal((await hub.db.orm.select().from(sessions)).length, 0, "and is not kept");
  });
});

test("another site cannot make a signed-in browser do anything", async () => {
  await withHub(async (hub) => {
    const visitor = await signIn(hub, await createTestToken(hub));
    const account = await visitor.open("/o/default/account");
    const { fields } = formIn(account.text, "/sign-out");
    const body = () => new URLSearchParams(fields);
    const foreign: Record<string, string>[] = [{ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }, {
      origin: "https://evil.example.com",
    }];
    for (const headers of foreign) {
      const answer = await visitor.ask("/sign-out", { method: "POST", headers, body: body() });
      assert.equal(answer.status, 403, JSON.stringify(headers));
    }
    const other = new URLSearchParams({ form: "0".repeat(64) });
    assert.equal((await visitor.ask("/sign-out", { method: "POST", body: other })).status, 403);
    assert.equal((await visitor.ask("/sign-out", { method: "POST", body: new URLSearchParams() })).status, 403);
    const token = await createTestToken(hub);
    const signedIn = await createVisitor(hub).ask("/sign-in", {
      method: "POST",
      headers: { "sec-fetch-site": "cross-site" },
      body: new URLSearchParams({ token }),
    });
    assert.equal(signedIn.headers.get("set-cookie"), null, "nor sign it in as somebody else");
    assert.equal((await visitor.ask("/o/default")).status, 200);
  });
});

test("after signing in nobody is sent to another site", async () => {
  await withHub(async (hub) => {
    const token = await createTestToken(hub);
    for (
      const to of [
        "https://evil.example.com/",
        "//evil.example.com",
        "/\\evil.example.com",
        "/o/\\..\\..//evil.example.com",
        "/o/../..//evil",
      ]
    ) {
      const answer = await createVisitor(hub).ask("/sign-in", {
        method: "POST",
        body: new URLSearchParams({ token, to }),
      });
      const location = new URL(answer.headers.get("location")!, "http://hub.example.com");
      assert.equal(location.origin, "http://hub.example.com", to);
    }
  });
});

test("another organization is not there, and the operator sees all of them", async () => {
  await withHub(async (hub) => {
    await createOrganization(hub.db, { slug: "other", name: "Other people", timezone: "UTC" }, hub.clock.ms);
    const visitor = await signIn(hub, await createTestToken(hub));
    for (const path of ["/o/other", "/o/other/people", "/o/other/runs", "/o/nobody"]) {
      const answer = await visitor.open(path);
      assert.equal(answer.status, 404, path);
      assert.ok(!answer.text.includes("Other people"));
    }
    assert.equal((await visitor.open("/o")).status, 403);
    const operator = await signIn(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
    assert.match((await operator.open("/o")).text, /Other people/);
    assert.match((await operator.open("/o/other")).text, /Other people/);
  });
});

test("sessions are listed and ended by API: one's own, and by an admin those of others", async () => {
  await withHub(async (hub) => {
    const mine = await createTestToken(hub, { scopes: ["runs:read"] });
    const visitor = await signIn(hub, mine), admin = createAsk(hub, await createTestToken(hub));
    await signIn(hub, await createTestToken(hub, { scopes: ["runs:read"] }));
    const own = (await (await createAsk(hub, mine)("/v1/sessions")).json()).data;
    assert.equal(own.length, 1);
    assert.equal(own[0].address, "192.0.2.7");
    const all = (await (await admin("/v1/sessions")).json()).data;
    assert.equal(all.length, 2);
    const others = all.find((each: { id: string }) => each.id !== own[0].id);
    assert.equal((await createAsk(hub, mine)(`/v1/sessions/${others.id}`, { method: "DELETE" })).status, 403);
    assert.equal((await admin(`/v1/sessions/${own[0].id}`, { method: "DELETE" })).status, 204);
    assert.equal((await visitor.ask("/o/default/runs")).status, 303);
    const { data } = await (await admin("/v1/audit")).json();
    const actions = data.map((entry: { action: string }) => entry.action);
    assert.ok(actions.includes("session.begun") && actions.includes("session.ended"));
  });
});
