/** The settings' pages: what an admin does there, and that others can neither see the forms nor send them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createApp } from "../../src/http/app.ts";
import { DAY_MS } from "../../src/std/time.ts";
import { decodeId } from "../../src/model/id.ts";
import type { Scope } from "../../src/model/scope.ts";
import { findDelivery, settleDeliveries } from "../../src/store/notify/deliveries.ts";
import { bodyOf, type Fields, formIn, signIn, type Visitor } from "../support/console.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

const MARKUP = "<img src=x onerror=alert(1)>";
const HOOK = "https://hooks.example.com/a";
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
async function madeUp(visitor: Visitor, path: string, fields: Fields): Promise<Response> {
  const { fields: own } = formIn((await visitor.open("/o/default/account")).text, "/sign-out");
  const headers = { "sec-fetch-site": "same-origin" };
  return await visitor.ask(path, {
    method: "POST",
    headers,
    body: bodyOf({ ...fields, form: own.form! }),
  });
}

/** An attempt to send the delivery, which its receiver answers with an error. */
async function attempted({ db, organization, now }: TestHub, id: string): Promise<void> {
  const { delivery, endpoint } = (await findDelivery(db, organization.id, decodeId("dlv", id)!))!;
  const refused = { latencyMs: 12, statusCode: 500, error: "It answered 500", answer: "<b>oops</b>", dueAt: null };
  await settleDeliveries(db, [{
    ...refused,
    id: delivery.id,
    epoch: delivery.epoch,
    organizationId: organization.id,
    endpointId: endpoint.id,
    at: now(),
    status: "failed",
    counts: false,
  }], now());
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
    await createAsk(hub, token)("/v1/webhook-endpoints", { json: { url: HOOK } });
    const sender = await signIn(hub, token);
    await sender.send(await sender.open(`${SETTINGS}/tokens/new`), "/tokens", { name: "Its own", scopes: "runs:read" });
    assert.match((await admin.open(`${SETTINGS}/tokens`)).text, /Its own[\s\S]*by Sender/);
    const read = await (await ask(`/v1/tokens/${id}`)).json();
    assert.deepEqual([read.name, read.created_by.name, read.token], ["Sender", "test", undefined]);
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

test("an endpoint is made, shown with its secret once, tested, switched off and on, and deleted", async () => {
  await withAdmin(async ({ admin, ask }) => {
    const form = await admin.open(`${SETTINGS}/webhooks/new`);
    const typed = { url: HOOK, description: "HR bot", event_types: ["run.held", "users.changed"] };
    const made = await admin.send(form, "/webhooks", typed);
    const secret = /whsec_[^<\s]+/.exec(made.text)![0];
    const [endpoint] = (await (await ask("/v1/webhook-endpoints")).json()).data;
    assert.deepEqual(endpoint.event_types, ["run.held", "users.changed"]);
    assert.equal(endpoint.description, "HR bot");
    const path = `${SETTINGS}/webhooks/${endpoint.id}`, page = await admin.open(path);
    assert.ok(!page.text.includes(secret));
    assert.ok(!(await admin.send(form, "/webhooks", typed)).text.includes(secret), "nor by the form sent twice");
    const tested = await admin.send(page, "/test");
    assert.match(tested.text, /A test[\s\S]*endpoint\.test/);
    assert.match((await admin.open(`${path}/deliveries`)).text, /On its way/);
    assert.match((await admin.open(`${path}/deliveries?status=failed`)).text, /Nothing\./);
    const off = await admin.send(page, "/off");
    assert.match(off.text, /Somebody switched it off/);
    assert.ok(!off.text.includes(`${path}/test`));
    assert.match((await admin.send(off, "/on")).text, />On</);
    const rotated = await admin.send(await admin.open(`${path}/secret`), "/secret");
    const next = /whsec_[^<\s]+/.exec(rotated.text)![0];
    assert.notEqual(next, secret);
    await admin.send(await admin.open(`${path}/delete`), "/delete");
    assert.deepEqual((await (await ask("/v1/webhook-endpoints")).json()).data, []);
  });
});

test("an endpoint is changed only as it was shown, and what was typed comes back", async () => {
  await withAdmin(async ({ admin, ask }) => {
    const { id } = await (await ask("/v1/webhook-endpoints", { json: { url: HOOK } })).json();
    const path = `/v1/webhook-endpoints/${id}`, page = await admin.open(`${SETTINGS}/webhooks/${id}`);
    await ask(path, { method: "PATCH", json: { description: "Changed meanwhile" } });
    const typed = { url: "https://hooks.example.com/b", every: "yes", description: "Mine" };
    const stale = await admin.send(page, `/webhooks/${id}`, typed);
    assert.equal(stale.status, 412);
    assert.match(stale.text, /Somebody has changed it/);
    assert.match(stale.text, /value="https:\/\/hooks\.example\.com\/b"/);
    assert.equal((await (await ask(path)).json()).description, "Changed meanwhile");
    const wrong = await admin.send(stale, `/webhooks/${id}`, { ...typed, url: "ftp://hooks.example.com" });
    assert.equal(wrong.status, 422);
    assert.match(wrong.text, /aria-invalid/);
    assert.match(wrong.text, /id="f-url-wrong">(?!It [A-Z])/);
    assert.equal((await admin.send(wrong, `/webhooks/${id}`, typed)).status, 200);
    const changed = await (await ask(path)).json();
    assert.deepEqual([changed.url, changed.description, changed.event_types], [typed.url, "Mine", null]);
  });
});

test("a delivery shows its attempts and is sent again, and events of days are sent once more", async () => {
  await withAdmin(async ({ hub, admin, ask }) => {
    const { id } = await (await ask("/v1/webhook-endpoints", { json: { url: HOOK } })).json();
    const sent = await (await ask(`/v1/webhook-endpoints/${id}/test`, { json: {} })).json();
    await attempted(hub, sent.id);
    const page = await admin.open(`${SETTINGS}/webhooks/deliveries/${sent.id}`);
    assert.match(page.text, /Answered 500[\s\S]*It answered 500[\s\S]*&lt;b&gt;oops/);
    assert.equal((await admin.send(page, "/retry")).status, 200);
    const list = await admin.open(`${SETTINGS}/webhooks/${id}/deliveries`);
    const wrong = await admin.send(list, "/replay", { since: "yesterday" });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /should be a day/);
    assert.equal((await admin.send(wrong, "/replay", { since: "2026-03-01", until: "2026-03-02" })).status, 200);
    const { data } = await (await ask("/v1/audit?action=webhook_endpoint.replayed")).json();
    assert.equal(data.length, 1);
  });
});

test("who may only look at webhooks sees no forms, and is refused", async () => {
  await withAdmin(async ({ hub, ask }) => {
    const { id } = await (await ask("/v1/webhook-endpoints", { json: { url: HOOK } })).json();
    const { id: delivery } = await (await ask(`/v1/webhook-endpoints/${id}/test`, { json: {} })).json();
    const looker = await signedIn(hub, [...LOOKS, "webhooks:read"]);
    for (
      const path of ["/webhooks", `/webhooks/${id}`, `/webhooks/${id}/deliveries`, `/webhooks/deliveries/${delivery}`]
    ) {
      const page = await looker.open(`${SETTINGS}${path}`);
      assert.equal(page.status, 200, path);
      assert.ok(!page.text.includes('method="post"'), path);
    }
    for (const action of ["", "/test", "/on", "/off", "/take-over", "/secret", "/delete", "/replay"]) {
      const answer = await madeUp(looker, `${SETTINGS}/webhooks/${id}${action}`, {
        url: "https://hooks.example.com/b",
        every: "yes",
        since: "2026-03-01",
      });
      assert.equal(answer.status, 403, action);
    }
    assert.equal((await madeUp(looker, `${SETTINGS}/webhooks`, { url: "https://hooks.example.com/b" })).status, 403);
    assert.equal((await madeUp(looker, `${SETTINGS}/webhooks/deliveries/${delivery}/retry`, {})).status, 403);
    assert.equal((await (await ask(`/v1/webhook-endpoints/${id}`)).json()).version, 1);
  });
});

/** All that the form of the organization sends, as a browser would. */
const ORGANIZATION = {
  name: "Acme",
  timezone: "Europe/Berlin",
  technical_contact: "hr@acme.test",
  reply_to: "",
  phone_country: "DE",
  required_fields: ["email", "last_name"],
  leavers_months: "24",
  history_months: "",
  max_at_once: "5",
};

test("the organization is changed on its page, and it warns while nobody gets mails", async () => {
  await withAdmin(async ({ admin, ask }) => {
    const page = await admin.open(`${SETTINGS}/organization`);
    assert.match(page.text, /Nobody gets mails/);
    const wrong = await admin.send(page, "/organization", { ...ORGANIZATION, leavers_months: "two", reply_to: "hr" });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /value="two"/);
    assert.match(wrong.text, /should be an email/);
    assert.match(wrong.text, /id="f-leavers_months-wrong"/);
    assert.equal(
      (await (await ask("/v1/organization")).json()).name,
      "Default",
      "a number that is none is not “never”",
    );
    const saved = await admin.send(wrong, "/organization", ORGANIZATION);
    assert.ok(!saved.text.includes("Nobody gets mails"));
    const { name, timezone, technical_contact, reply_to, phone_country, required_fields, retention } =
      await (await ask("/v1/organization")).json();
    assert.deepEqual(
      { name, timezone, technical_contact, reply_to, phone_country, required_fields },
      {
        name: "Acme",
        timezone: "Europe/Berlin",
        technical_contact: "hr@acme.test",
        reply_to: null,
        phone_country: "DE",
        required_fields: ["email", "last_name"],
      },
    );
    assert.deepEqual(retention, { leavers_months: 24, history_months: null, max_at_once: 5, held: null });
    assert.match(saved.text, /value="24"/);
    const stale = await admin.send(page, "/organization", { ...ORGANIZATION, name: "Older" });
    assert.equal(stale.status, 412);
    assert.equal((await (await ask("/v1/organization")).json()).name, "Acme");
  });
});

test("a custom field is added, changed and deleted, and never replaced by one that is added", async () => {
  await withAdmin(async ({ admin, ask }) => {
    const form = await admin.open(`${SETTINGS}/organization/fields/new`);
    const typed = { key: "Shoe size/EU", label: "", type: "select", options: "36\n37\n\n38", max_length: "" };
    const list = await admin.send(form, "/fields", typed);
    assert.match(list.text, /Shoe size\/EU[\s\S]*36, 37, 38/);
    const again = await admin.send(form, "/fields", { ...typed, type: "number", options: "" });
    assert.equal(again.status, 409);
    assert.match(again.text, /there is such a field already/);
    const page = await admin.open(`${SETTINGS}/organization/fields/edit?key=Shoe%20size%2FEU`);
    await admin.send(page, "/edit", { ...typed, label: "Shoes", options: "36\n37", required: "yes" });
    const { data: [field] } = await (await ask("/v1/custom-fields")).json();
    assert.deepEqual([field.label, field.options, field.required], ["Shoes", ["36", "37"], true]);
    const wrong = await admin.send(await admin.open(page.path), "/edit", { ...typed, options: "" });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /should name what a select can be/);
    const question = await admin.open(`${SETTINGS}/organization/fields/delete?key=Shoe%20size%2FEU`);
    await admin.send(question, "/delete");
    assert.deepEqual((await (await ask("/v1/custom-fields")).json()).data, []);
    assert.equal((await admin.open(page.path)).status, 404);
  });
});

test("who is no admin sees the organization's settings without a form, and is refused", async () => {
  await withAdmin(async ({ hub, ask }) => {
    await ask("/v1/custom-fields/team", { method: "PUT", json: { type: "text" } });
    const looker = await signedIn(hub, LOOKS), page = await looker.open(`${SETTINGS}/organization`);
    assert.match(page.text, /Nobody gets mails/);
    assert.match(page.text, /team/);
    assert.ok(!page.text.includes('method="post"') && !page.text.includes("Add a field"));
    assert.equal((await madeUp(looker, `${SETTINGS}/organization`, ORGANIZATION)).status, 403);
    for (const path of ["/new", "/edit?key=team", "/delete?key=team"]) {
      assert.equal((await looker.open(`${SETTINGS}/organization/fields${path}`)).status, 403, path);
    }
    for (const path of ["", "/edit", "/delete"]) {
      const fields = { key: path === "" ? "mine" : "team", type: "text" };
      assert.equal((await madeUp(looker, `${SETTINGS}/organization/fields${path}`, fields)).status, 403, path);
    }
    assert.equal((await (await ask("/v1/custom-fields")).json()).data.length, 1);
    for (const path of ["/tokens/new", "/webhooks/new"]) {
      assert.equal((await looker.open(`${SETTINGS}${path}`)).status, 403, path);
    }
  });
});

test("the audit is narrowed down by what was done, by whom, about what and when", async () => {
  await withAdmin(async ({ hub, ask }) => {
    const { token } = await (await ask("/v1/tokens", { json: { name: "Sender", scopes: ["admin"] } })).json();
    await createAsk(hub, token)("/v1/webhook-endpoints", { json: { url: HOOK } });
    hub.clock.ms += 2 * DAY_MS;
    const admin = await signedIn(hub, ["admin"]);
    const { id } = await (await ask("/v1/webhook-endpoints", { json: { url: HOOK } })).json();
    const open = async (query: string) => (await admin.open(`${SETTINGS}/audit${query}`)).text;
    const created = (text: string) => text.match(/<h3>Webhook endpoint: created/g)?.length ?? 0;
    assert.equal(created(await open("")), 2);
    assert.match(await open(""), /<h3>Session: begun[\s\S]*<h3>Token: created/);
    assert.equal(created(await open("?action=token.created")), 0);
    assert.equal(created(await open("?actor=Sender")), 1);
    assert.equal(created(await open(`?subject=${id}`)), 1);
    assert.equal(created(await open("?since=2026-03-03")), 1);
    assert.equal(created(await open("?until=2026-03-02")), 1);
    assert.equal(created(await open("?since=2026-03-02&until=2026-03-04")), 2);
    assert.match(await open("?actor=nobody"), /No entries/);
    assert.equal((await admin.open(`${SETTINGS}/audit?since=soon`)).status, 400);
    const file = await admin.ask(`${SETTINGS}/audit/audit.csv?action=token.created`);
    assert.match(file.headers.get("content-disposition")!, /audit\.csv/);
    const [header, ...lines] = (await file.text()).trim().split("\r\n");
    assert.match(header!, /seq,at,action,actor_kind/);
    assert.ok(lines.length > 0 && lines.every((line) => line.includes(",token.created,")), lines.join());
    const looker = await signedIn(hub, LOOKS);
    assert.equal((await looker.open(`${SETTINGS}/audit`)).status, 403);
    const auditor = await signedIn(hub, ["audit:read"]);
    assert.match((await auditor.open("/")).path, /settings\/audit$/, "the first page of who may nothing else");
  });
});

test("names that are markup stay text on the settings' pages", async () => {
  await withAdmin(async ({ hub, admin, ask }) => {
    const { id } = await (await ask("/v1/tokens", { json: { name: MARKUP, scopes: ["runs:read"] } })).json();
    const json = { url: HOOK, description: MARKUP };
    const endpoint = (await (await ask("/v1/webhook-endpoints", { json })).json()).id;
    await ask("/v1/custom-fields/team", { method: "PUT", json: { type: "text", label: MARKUP } });
    await ask("/v1/organization", { method: "PATCH", json: { name: MARKUP } });
    const fields = ["", "/fields/edit?key=team", "/fields/delete?key=team"].map((path) => `/organization${path}`);
    // By a token of that name, so that it is in the audit.
    const named = await createAsk(
      hub,
      (await (await ask("/v1/tokens", { json: { name: MARKUP, scopes: ["admin"] } })).json()).token,
    );
    await named("/v1/organization", { method: "PATCH", json: { phone_country: "DE" } });
    const pages = [
      ...fields,
      "/audit",
      "/tokens",
      "/tokens/new",
      `/tokens/${id}/revoke`,
      "/webhooks",
      `/webhooks/${endpoint}`,
    ];
    for (const path of pages) {
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
    const endpoint = (await (await elsewhere("/v1/webhook-endpoints", { json: { url: HOOK } })).json()).id;
    const delivery = (await (await elsewhere(`/v1/webhook-endpoints/${endpoint}/test`, { json: {} })).json()).id;
    const webhook = `/webhooks/${endpoint}`;
    for (const path of [`/tokens/${token.id}/revoke`, webhook, `${webhook}/secret`, `${webhook}/delete`]) {
      assert.equal((await admin.open(`${SETTINGS}${path}`)).status, 404, path);
    }
    for (const path of [`${webhook}/deliveries`, `/webhooks/deliveries/${delivery}`]) {
      assert.equal((await admin.open(`${SETTINGS}${path}`)).status, 404, path);
    }
    const actions = ["", "/test", "/on", "/off", "/take-over", "/secret", "/delete", "/replay"];
    const forms = actions.map((action) => `${webhook}${action}`);
    for (const path of [`/tokens/${token.id}/revoke`, `/webhooks/deliveries/${delivery}/retry`, ...forms]) {
      const fields = { url: HOOK, every: "yes", since: "2026-03-01" };
      assert.equal((await madeUp(admin, `${SETTINGS}${path}`, fields)).status, 404, path);
    }
    assert.equal((await createAsk(hub, token.token)("/v1/runs")).status, 200);
    assert.ok(createApp(hub).routes.some(({ path }) => path.includes("/settings/")));
  });
});

test("a test mail is sent from the page of mails, which shows what became of each", async () => {
  await withAdmin(async ({ hub, admin, ask }) => {
    const page = await admin.open(`${SETTINGS}/mails`);
    assert.match(page.text, /The organization: nobody yet/);
    const nobody = await admin.send(page, "/mails", { connection_id: "" });
    assert.equal(nobody.status, 422);
    assert.match(nobody.text, /No mail was sent/);
    Object.assign(hub, { mailFrom: "muster@example.com" });
    await ask("/v1/organization", { method: "PATCH", json: { technical_contact: "it@acme.test" } });
    const json = { connector: "csv-upload", name: MARKUP, technical_contact: "pay@acme.test" };
    const { id } = await (await ask("/v1/connections", { json })).json();
    const asked = await admin.open(`${SETTINGS}/mails`);
    assert.match(asked.text, /The organization: it@acme\.test[\s\S]*pay@acme\.test/);
    for (let n = 0; n < 2; n++) await admin.send(asked, "/mails", { connection_id: id });
    const { data } = await (await ask("/v1/mails")).json();
    assert.deepEqual(data.map(({ connection_id }: { connection_id: string }) => connection_id), [id], "sent once");
    const shown = await admin.open(`${SETTINGS}/mails`);
    assert.match(shown.text, /<h3>A test<\/h3>[\s\S]*On its way/);
    assert.ok(!shown.text.includes(MARKUP));
    const looker = await signedIn(hub, LOOKS);
    assert.ok(!(await looker.open("/o/default")).text.includes(`${SETTINGS}/mails`));
  });
});
