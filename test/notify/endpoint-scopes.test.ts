/** What an endpoint is sent, and what its links allow: no more than its maker might, and no longer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runCourier } from "../../src/notify/courier.ts";
import { mintLink } from "../../src/notify/links.ts";
import type { Scope } from "../../src/model/scope.ts";
import { type Ask, createAsk, createTestToken } from "../support/hub.ts";
import { crowd, csv, HEADER, type Importing, importing, type Outcome } from "../support/imports.ts";
import { loopback, type Receiver, startReceiver } from "../support/receiver.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

const PATH = "/v1/webhook-endpoints";

interface Listener {
  readonly ask: Ask;
  readonly token: string;
  readonly id: string;
  /** The newest body of the type that came. */
  told(type: string): Promise<Json>;
}

interface Scene extends Importing {
  readonly receiver: Receiver;
  listen(...scopes: Scope[]): Promise<Listener>;
  deliver(): Promise<void>;
  /** A run that deactivates most people, and is held. */
  hold(): Promise<Outcome>;
  open(link: string, more?: string, form?: Record<string, string>): Promise<{ status: number; text: string }>;
}

async function scene(work: (scene: Scene) => Promise<void>): Promise<void> {
  const receiver = await startReceiver((request, response) => void response.writeHead(200).end(request.body));
  try {
    await importing(async (world) => {
      const { hub, ask: admin } = world;
      const deliver = () => runCourier(hub, { sender: { name: "test" }, lookEveryMs: 5, untilIdle: true });
      const visitor = createAsk(hub, null);
      await work({
        ...world,
        receiver,
        deliver,
        async listen(...scopes) {
          const text = await createTestToken(hub, { scopes: ["webhooks:write", ...scopes] });
          const ask = createAsk(hub, text);
          const made = await (await ask(PATH, { json: { url: `${receiver.url}/${scopes.join("-")}` } })).json();
          const { data } = await (await admin("/v1/tokens?limit=200")).json();
          return {
            ask,
            token: data.at(-1).id,
            id: made.id,
            async told(type) {
              await deliver();
              const bodies = receiver.received.filter(({ path }) => path === `/${scopes.join("-")}`);
              return bodies.map(({ body }) => JSON.parse(body)).findLast((each) => each.type === type);
            },
          };
        },
        async hold() {
          await world.import(csv(`${HEADER},is_active`, ...crowd(26, 1, () => ",yes")));
          hub.clock.ms += 1000;
          const run = await world.import(csv(`${HEADER},is_active`, ...crowd(26, 1, (i) => i > 2 ? ",no" : ",yes")));
          assert.equal(run.status, "held");
          return run;
        },
        async open(link, more = "", form) {
          const answer = await visitor(`${link.slice(hub.publicUrl.length)}${more}`, {
            ...(form === undefined ? {} : {
              body: new URLSearchParams(form).toString(),
              headers: { "content-type": "application/x-www-form-urlencoded" },
            }),
          });
          return { status: answer.status, text: await answer.text() };
        },
      });
    }, { outbound: loopback });
  } finally {
    await receiver.close();
  }
}

test("an endpoint is sent ids where its maker reads nobody, and values where they do", () =>
  scene(async ({ listen, hold }) => {
    const blind = await listen(), reader = await listen("users:read");
    await hold();
    const ids = await blind.told("users.changed"), values = await reader.told("users.changed");
    assert.deepEqual(Object.keys(ids.data.changes[0].subject), ["id"]);
    assert.ok(!JSON.stringify(ids).includes("First0001"));
    assert.equal(values.data.changes[0].subject.email, "p0001@acme.test");
    assert.equal(ids.data.count, 26);
  }));

test("a held run's link is none without runs:read, shows only without runs:approve, and decides with it", () =>
  scene(async ({ listen, hold, open, run: look }) => {
    const blind = await listen(), watcher = await listen("runs:read");
    const reader = await listen("runs:read", "users:read");
    const decider = await listen("runs:read", "users:read", "runs:approve");
    const run = await hold();
    assert.equal((await blind.told("run.held")).data.links.page, null);

    const form = { plan_hash: run.plan_hash!, confirmed: "yes" };
    for (const [listener, seesPeople] of [[watcher, false], [reader, true]] as const) {
      const { page } = (await listener.told("run.held")).data.links;
      const { status, text } = await open(page);
      assert.equal(status, 200);
      assert.match(text, /Many people would be deactivated/);
      assert.ok(!text.includes('<form method="post"'), "there is nothing to press");
      assert.equal(text.includes("p0003@acme.test"), seesPeople);
      assert.equal((await open(page, "?q=First0003")).text.includes("p0003@acme.test"), seesPeople);
      for (const file of ["/people.csv", "/failures.csv", "/failures.xlsx", "/failures.json"]) {
        assert.equal((await open(page, file)).status, seesPeople ? 200 : 403, file);
      }
      for (const decision of ["/approve", "/cancel"]) {
        assert.equal((await open(page, decision, form)).status, 403, decision);
        assert.equal((await open(page, decision, { plan_hash: form.plan_hash })).status, 403, decision);
      }
    }
    assert.equal((await look(run.id)).status, "held");

    const { page } = (await decider.told("run.held")).data.links;
    assert.equal((await open(page, "/cancel", form)).status, 403, "cancelling needs runs:write too");
    assert.equal((await open(page, "/approve", form)).status, 303);
  }));

test("the report's links are for whoever reads runs and people", () =>
  scene(async (world) => {
    const { listen, open } = world;
    const watcher = await listen("runs:read"), reader = await listen("runs:read", "users:read");
    await world.import(csv(HEADER, "1,ana@,Ana,Lopez", "2,bo@acme.test,Bo,Berg"));
    const { page, ...reports } = (await watcher.told("run.failures")).data.links;
    assert.deepEqual(reports, { csv: null, xlsx: null, json: null });
    assert.doesNotMatch((await open(page)).text, /Lopez/, "who reads runs alone has a page that shows nobody");
    const links = (await reader.told("run.failures")).data.links;
    assert.match((await open(links.csv)).text, /Lopez/);
    assert.equal((await open(links.page)).status, 200);
  }));

test("values and names are sent only to an endpoint that asks for them and may read people", () =>
  scene(async ({ listen, import: load, ask: admin, person }) => {
    const plain = await listen("runs:read", "users:read"), open = await listen("users:read"), blind = await listen();
    const asks = (id: string, ask: Ask) => ask(`${PATH}/${id}`, { method: "PATCH", json: { include_values: true } });
    assert.equal((await asks(open.id, open.ask)).status, 200);
    const refused = await asks(blind.id, blind.ask);
    assert.equal(refused.status, 403);
    assert.match((await refused.json()).detail, /"users:read"/);
    assert.equal((await asks(plain.id, blind.ask)).status, 403, "another's endpoint is not made to tell more");
    const unasked = { url: "https://hooks.example.com/", include_values: true };
    assert.equal((await blind.ask(PATH, { json: unasked })).status, 403);
    const made = await (await admin(PATH, { json: unasked })).json();
    assert.equal(made.include_values, true);
    await admin(`${PATH}/${made.id}`, { method: "DELETE" });

    await load(csv(`${HEADER},hire_date`, "1,ana@acme.test,Ana,Lopez,2020-01-01"));
    const { id } = await person("1");
    await load(csv(`${HEADER},hire_date`, "1,ana@acme.test,Ana,Lopez,someday", "2,bo@,Bo,Berg,2020-01-01"));
    const [known, unknown] = (await open.told("run.failures")).data.issues;
    assert.deepEqual([known.value, known.name, known.user, known.source_key], ["someday", "Ana Lopez", id, "1"]);
    assert.match(known.message, /someday/);
    assert.deepEqual([unknown.value, unknown.name, unknown.user], ["bo@", null, null]);
    const [quiet] = (await plain.told("run.failures")).data.issues;
    assert.deepEqual([quiet.user, quiet.source_key, "value" in quiet, "name" in quiet], [id, "1", false, false]);
    assert.ok(!JSON.stringify(quiet).includes("someday"));
    const [nobody] = (await blind.told("run.failures")).data.issues;
    assert.deepEqual([nobody.user, nobody.source_key], [id, null]);
  }));

test("with values, texts and links a body stays under 20 KB, and says that the report has more", () =>
  scene(async ({ listen, import: load, ask: admin }) => {
    const open = await listen("runs:read", "users:read");
    await admin(`${PATH}/${open.id}`, { method: "PATCH", json: { include_values: true } });
    await load(csv(`${HEADER},hire_date`, ...crowd(70, 1, () => `,${"someday ".repeat(60)}`)));
    const body = await open.told("run.failures");
    assert.ok(new TextEncoder().encode(JSON.stringify(body)).length < 20_000);
    assert.equal(body.data.truncated, true);
    assert.ok(body.data.issues.length > 5);
    assert.ok(Object.values(body.data.links).every((link) => typeof link === "string"));
  }));

test("links that were taken back are not made again by a replay, and stay closed", () =>
  scene(async ({ listen, hold, open, ask: admin, hub, number }) => {
    const decider = await listen("runs:read", "users:read", "runs:approve", "runs:write");
    const run = await hold();
    const { page } = (await decider.told("run.held")).data.links;
    assert.equal((await open(page)).status, 200);
    hub.clock.ms += 1000;
    assert.equal((await admin(`/v1/runs/${run.id}/links`, { method: "DELETE" })).status, 204);
    assert.equal((await open(page)).status, 410);
    hub.clock.ms += 1000;
    await decider.ask(`${PATH}/${decider.id}/replay`, { json: { since: "2026-01-01" } });
    assert.equal((await decider.told("run.held")).data.links.page, null);
    const about = { id: number("run", run.id), organizationId: hub.organization.id };
    const rights = { people: true, approve: true, cancel: true };
    const again = await mintLink(hub, about, "page", hub.clock.ms + 1e6, { rights, made: hub.clock.ms, via: null });
    assert.equal((await open(again)).status, 200, "what happens later has links again");
  }));

test("deleting a token stops the endpoints that it made and their links, and says so everywhere", () =>
  scene(async ({ listen, hold, open, ask: admin, receiver }) => {
    const decider = await listen("runs:read", "users:read", "runs:approve");
    const other = await listen("runs:read");
    await hold();
    const { page } = (await decider.told("run.held")).data.links;
    const deleted = await admin(`/v1/tokens/${decider.token}`, { method: "DELETE" });
    assert.equal(deleted.status, 200);
    assert.deepEqual(await deleted.json(), { webhook_endpoints: [decider.id] });
    assert.equal((await open(page)).status, 410);
    const { data } = await other.told("endpoint.disabled");
    assert.equal(data.endpoint.id, decider.id);
    assert.match(data.reason, /token that made the endpoint was deleted/);
    const view = await (await admin(`${PATH}/${decider.id}`)).json();
    assert.deepEqual([view.status, view.disabled_reason, view.token], ["disabled", "revoked", decider.token]);

    const enabled = await admin(`${PATH}/${decider.id}`, { method: "PATCH", json: { status: "enabled" } });
    assert.equal(enabled.status, 409);
    assert.match((await enabled.json()).detail, /take it over/);
    assert.equal((await other.ask(`${PATH}/${decider.id}/take-over`, { json: {} })).status, 403);
    const stale = await admin(`${PATH}/${decider.id}/take-over`, { json: {}, headers: { "if-match": '"0"' } });
    assert.equal(stale.status, 412);
    const taken = await (await admin(`${PATH}/${decider.id}/take-over`, { json: {} })).json();
    assert.deepEqual([taken.status, taken.disabled_reason, taken.scopes], ["enabled", null, ["admin"]]);
    const before = receiver.received.length;
    await admin(`${PATH}/${decider.id}/test`, { json: {} });
    await other.told("endpoint.disabled");
    assert.ok(receiver.received.length > before, "it goes on");
  }));

test("a token that expires changes nothing for its endpoints", () =>
  scene(async ({ hold, hub, receiver, deliver }) => {
    const ask = createAsk(hub, await createTestToken(hub, { scopes: ["webhooks:write"], expiresAt: hub.clock.ms + 1 }));
    assert.equal((await ask(PATH, { json: { url: receiver.url } })).status, 201);
    hub.clock.ms += 1000;
    assert.equal((await ask(PATH, { json: { url: receiver.url } })).status, 401);
    await hold();
    await deliver();
    assert.ok(receiver.received.some(({ body }) => body.includes('"users.changed"')));
  }));

test("whoever has fewer scopes than an endpoint's maker turns it to no other address and gets at no secret of it", () =>
  scene(async ({ listen, ask: admin, receiver }) => {
    const reader = await listen("users:read"), thief = await listen();
    const at = `${PATH}/${reader.id}`;
    for (
      const [path, method, json] of [
        [at, "PATCH", { url: `${receiver.url}/thief` }],
        [at, "PATCH", { event_types: ["users.changed"] }],
        [`${at}/rotate-secret`, "POST", {}],
      ] as const
    ) {
      const refused = await thief.ask(path, { method, json });
      assert.equal(refused.status, 403, path);
      assert.match((await refused.json()).detail, /lacks the scope "users:read" of the endpoint/);
    }
    assert.equal((await thief.ask(at, { method: "PATCH", json: { description: "x" } })).status, 200);
    assert.equal((await reader.ask(at, { method: "PATCH", json: { url: `${receiver.url}/new` } })).status, 200);
    assert.equal((await admin(`${at}/rotate-secret`, { json: {} })).status, 200);
  }));

test("what a receiver answered is shown to whoever may see what it was sent", () =>
  scene(async ({ listen, hold, ask: admin, hub }) => {
    const reader = await listen("users:read");
    await hold();
    await reader.told("users.changed");
    const { data } = await (await admin(`${PATH}/${reader.id}/deliveries`)).json();
    const { id } = data.find(({ type }: Json) => type === "users.changed");
    const answerTo = async (...scopes: Scope[]) => {
      const ask = createAsk(hub, await createTestToken(hub, { scopes: ["webhooks:read", ...scopes] }));
      return (await (await ask(`/v1/deliveries/${id}`)).json()).attempts[0].answer;
    };
    assert.equal(await answerTo(), null);
    assert.match(await answerTo("users:read"), /p0001@acme\.test/);
  }));

test("a link has one spelling: with a line break in its signature, or bits behind it, it opens nothing", () =>
  scene(async ({ hold, open, hub, number }) => {
    const run = await hold();
    const about = { id: number("run", run.id), organizationId: hub.organization.id };
    const link = await mintLink(hub, about, "page", hub.clock.ms + 1e6);
    assert.equal((await open(link)).status, 200);
    const cut = link.length - 5;
    for (const gap of ["%0A", "%0D%0A", "%20", "%09", "="]) {
      assert.equal((await open(`${link.slice(0, cut)}${gap}${link.slice(cut)}`)).status, 404, gap);
      assert.equal((await open(`${link}${gap}`)).status, 404, `${gap} at the end`);
    }
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = letters.indexOf(link.at(-1)!);
    assert.equal(last % 4, 0, "the last letter of 32 bytes has two bits of nothing");
    assert.equal((await open(`${link.slice(0, -1)}${letters[last + 1]}`)).status, 404);
  }));
