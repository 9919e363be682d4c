/** The settings' pages: what an admin does there, and that others can neither see the forms nor send them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../../src/http/app.ts";
import type { Scope } from "../../src/model/scope.ts";
import { formIn, signIn, type Visitor } from "../support/console.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

const MARKUP = "<img src=x onerror=alert(1)>";
const SETTINGS = "/o/default/settings";
const LOOKS: readonly Scope[] = ["users:read", "runs:read", "connections:read"];

interface World {
  readonly hub: TestHub;
  /** As the admin, who is signed in as `admin`. */
  readonly ask: Ask;
  readonly admin: Visitor;
}

async function withAdmin(story: (world: World) => Promise<void>): Promise<void> {
  const hub = await createTestHub();
  try {
    const token = await createTestToken(hub);
    await story({ hub, ask: createAsk(hub, token), admin: await signIn(hub, token) });
  } finally {
    hub.close();
  }
}

/** Signs in with a new token of these scopes. */
async function signedIn(hub: TestHub, scopes: readonly Scope[]): Promise<Visitor> {
  return await signIn(hub, await createTestToken(hub, { scopes: [...scopes] }));
}

/** Sends fields to an address with the form token of the visitor's own session, as somebody who makes up the form. */
async function madeUp(visitor: Visitor, path: string, fields: Record<string, string>): Promise<Response> {
  const { fields: own } = formIn((await visitor.open("/o/default/account")).text, "/sign-out");
  const headers = { "sec-fetch-site": "same-origin" };
  return await visitor.ask(path, {
    method: "POST",
    headers,
    body: new URLSearchParams({ ...fields, form: own.form! }),
  });
}

test("a token is made on the page, shown once, works, and stops when it is revoked", async () => {
  await withAdmin(async ({ hub, admin, ask }) => {
    const form = await admin.open(`${SETTINGS}/tokens/new`);
    const made = await admin.send(form, "/tokens", { name: "HR export", scopes: "runs:read", expires: "30" });
    const text = /mus_[0-9A-Za-z]{36}/.exec(made.text)![0];
    assert.equal((await createAsk(hub, text)("/v1/runs")).status, 200);
    const list = await admin.open(`${SETTINGS}/tokens`);
    assert.ok(!list.text.includes(text));
    assert.match(list.text, /HR export[\s\S]*See runs/);
    const again = await admin.send(form, "/tokens", { name: "HR export", scopes: "runs:read", expires: "30" });
    assert.ok(!again.text.includes(text), "a form that is sent twice shows no secret twice");
    assert.match(again.text, /not shown again/);
    const { data } = await (await ask("/v1/tokens")).json();
    const found = data.filter(({ name }: { name: string }) => name === "HR export");
    assert.equal(found.length, 1, "and makes one token");
    const question = await admin.open(`${SETTINGS}/tokens/${found[0].id}/revoke`);
    assert.match(question.text, /Revoke HR export\?/);
    await admin.send(question, "/revoke");
    assert.equal((await createAsk(hub, text)("/v1/runs")).status, 401);
    assert.ok(!(await admin.open(`${SETTINGS}/tokens`)).text.includes("HR export"));
  });
});

test("the list of tokens names who made each, and revoking names what stops", async () => {
  await withAdmin(async ({ hub, admin, ask }) => {
    const { token, id } = await (await ask("/v1/tokens", { json: { name: "Sender", scopes: ["admin"] } })).json();
    await createAsk(hub, token)("/v1/webhook-endpoints", { json: { url: "https://hooks.example.com/a" } });
    const sender = await signIn(hub, token);
    await sender.send(await sender.open(`${SETTINGS}/tokens/new`), "/tokens", { name: "Its own", scopes: "runs:read" });
    assert.match((await admin.open(`${SETTINGS}/tokens`)).text, /Its own[\s\S]*by Sender/);
    const question = await admin.open(`${SETTINGS}/tokens/${id}/revoke`);
    assert.match(question.text, /https:\/\/hooks\.example\.com\/a/);
    assert.match(question.text, /1 browser that is signed in with it is signed out/);
    assert.ok(!question.text.includes("You are signed in with it yourself"));
    await admin.send(question, "/revoke");
    assert.match((await sender.open(`${SETTINGS}/tokens`)).path, /\/sign-in/);
  });
});

test("what was typed comes back with what is wrong with it, and nothing is made", async () => {
  await withAdmin(async ({ admin, ask }) => {
    const form = await admin.open(`${SETTINGS}/tokens/new`);
    const back = await admin.send(form, "/tokens", { name: "No scopes", expires: "365" });
    assert.equal(back.status, 400);
    assert.match(back.text, /value="No scopes"/);
    assert.match(back.text, /should name at least one scope/);
    assert.match(back.text, /value="365"\s+selected/);
    const { data } = await (await ask("/v1/tokens")).json();
    assert.ok(!data.some(({ name }: { name: string }) => name === "No scopes"));
    const made = await admin.send(back, "/tokens", { name: "No scopes", scopes: "runs:read", expires: "365" });
    assert.match(made.text, /mus_/);
  });
});

test("nobody makes a token that may more than they, and who may only look is refused", async () => {
  await withAdmin(async ({ hub, ask }) => {
    const maker = await signedIn(hub, ["tokens:write", "runs:read"]);
    const form = await maker.open(`${SETTINGS}/tokens/new`);
    assert.ok(!/value="(admin|users:read)"/.test(form.text));
    assert.equal((await maker.send(form, "/tokens", { name: "More", scopes: "admin" })).status, 403);
    const looker = await signedIn(hub, LOOKS);
    assert.ok(!(await looker.open("/o/default")).text.includes(">Settings<"));
    assert.equal((await looker.open(`${SETTINGS}/tokens`)).status, 403);
    assert.equal((await madeUp(looker, `${SETTINGS}/tokens`, { name: "Mine", scopes: "runs:read" })).status, 403);
    const { data } = await (await ask("/v1/tokens")).json();
    assert.equal((await madeUp(looker, `${SETTINGS}/tokens/${data[0].id}/revoke`, {})).status, 403);
    assert.equal((await (await ask("/v1/tokens")).json()).data.length, data.length);
  });
});

test("names that are markup stay text on the settings' pages", async () => {
  await withAdmin(async ({ admin, ask }) => {
    const { id } = await (await ask("/v1/tokens", { json: { name: MARKUP, scopes: ["runs:read"] } })).json();
    for (const path of ["/tokens", "/tokens/new", `/tokens/${id}/revoke`]) {
      const page = await admin.open(`${SETTINGS}${path}`);
      assert.equal(page.status, 200, `${path}: ${page.text}`);
      assert.ok(!page.text.includes(MARKUP), path);
    }
  });
});

test("ids of another organization are not there", async () => {
  await withAdmin(async ({ hub, admin }) => {
    const operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
    assert.equal((await operator("/v1/organizations", { json: { slug: "other", name: "Other" } })).status, 201);
    const elsewhere: Ask = (path, init = {}) =>
      operator(path, { ...init, headers: { ...init.headers, "muster-organization": "other" } });
    const token = await (await elsewhere("/v1/tokens", { json: { name: "Theirs", scopes: ["runs:read"] } })).json();
    for (const path of [`/tokens/${token.id}/revoke`]) {
      assert.equal((await admin.open(`${SETTINGS}${path}`)).status, 404, path);
      assert.equal((await madeUp(admin, `${SETTINGS}${path}`, {})).status, 404, path);
    }
    assert.equal((await createAsk(hub, token.token)("/v1/runs")).status, 200);
    assert.ok(createApp(hub).routes.some(({ path }) => path.includes("/settings/")));
  });
});
