/** An endpoint that the operator makes for the events of all organizations, and what the organizations see of it: nothing. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Webhook } from "standardwebhooks";
import { encodeId } from "../../src/model/id.ts";
import type { EventType } from "../../src/model/event.ts";
import { runCourier } from "../../src/notify/courier.ts";
import { eventStatements } from "../../src/store/notify/events.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { csv, HEADER, importing } from "../support/imports.ts";
import { insertUser } from "../support/people.ts";
import { loopback, type Receiver, startReceiver } from "../support/receiver.ts";

const PATH = "/v1/webhook-endpoints";

interface Endpoint extends Receiver {
  readonly id: string;
  readonly secret: string;
}

interface Scene {
  readonly hub: TestHub;
  /** May everything, in the organization `default` unless it names another. */
  readonly operator: Ask;
  /** Admins of the two organizations, which are no operators. */
  readonly mine: Ask;
  readonly theirs: Ask;
  readonly ids: { readonly mine: number; readonly theirs: number };
  endpoint(ask: Ask, json?: object, answer?: Receiver["answer"]): Promise<Endpoint>;
  happen(organizationId: number, type?: EventType): Promise<void>;
  deliver(): Promise<void>;
}

async function scene(work: (scene: Scene) => Promise<void>): Promise<void> {
  const hub: TestHub = Object.assign(await createTestHub({ outbound: loopback }), { mailFrom: "muster@example.com" });
  const receivers: Receiver[] = [];
  try {
    await createOrganization(hub.db, { slug: "other", name: "Other", timezone: "UTC" }, hub.clock.ms);
    const [[theirs]] = await hub.db.rows<[number]>(sql`select id from organizations where slug = 'other'`) as [
      [number],
    ];
    await work({
      hub,
      operator: createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] })),
      mine: createAsk(hub, await createTestToken(hub)),
      theirs: createAsk(hub, await createTestToken(hub, { organization: "other" })),
      ids: { mine: hub.organization.id, theirs },
      async endpoint(ask, json = { organizations: "all" }, answer) {
        const receiver = await startReceiver(answer);
        receivers.push(receiver);
        const made = await ask(PATH, { json: { url: receiver.url, ...json } });
        assert.equal(made.status, 201, await made.clone().text());
        const { id, secret } = await made.json();
        return Object.assign(receiver, { id, secret });
      },
      async happen(organizationId, type = "run.completed") {
        const event = { organizationId, type, runId: null, connectionId: null, data: { run: {} } };
        await hub.db.write(eventStatements(hub.db, [event], hub.now()));
      },
      deliver: () => runCourier(hub, { sender: { name: "test" }, lookEveryMs: 5, untilIdle: true, chance: () => 0.5 }),
    });
  } finally {
    for (const receiver of receivers) await receiver.close();
    hub.close();
  }
}

const slugs = ({ received }: Receiver) =>
  received.map(({ body }) => JSON.parse(body).data.organization?.slug ?? null).sort();

test("it is sent the events of all organizations, each with its own name and once; an organization's is sent its own", () =>
  scene(async ({ hub, operator, mine, theirs, ids, endpoint, happen, deliver }) => {
    hub.clock.ms = Date.now();
    const all = await endpoint(operator),
      held = await endpoint(operator, {
        organizations: "all",
        event_types: ["run.held"],
      });
    const own = await endpoint(mine, {}), other = await endpoint(theirs, {});
    await happen(ids.mine);
    await happen(ids.theirs);
    await happen(ids.theirs, "run.held");
    await deliver();
    await deliver();
    assert.deepEqual(slugs(all), ["default", "other", "other"]);
    assert.deepEqual(slugs(held), ["other"]);
    assert.deepEqual(slugs(own), ["default"]);
    assert.deepEqual(slugs(other), ["other", "other"]);
    for (const { headers, body } of all.received) new Webhook(all.secret).verify(body, headers);
    assert.equal(new Set(all.received.map(({ headers }) => headers["webhook-id"])).size, 3);
  }));

test("only an operator makes and lists them, and says so; nobody else finds one, its deliveries or traces of it", () =>
  scene(async ({ hub, operator, mine, theirs, ids, endpoint, happen, deliver }) => {
    const all = await endpoint(operator);
    await happen(ids.theirs);
    await deliver();
    const { data: [delivery] } = await (await operator(`${PATH}/${all.id}/deliveries`)).json();
    assert.equal(delivery.organization, encodeId("org", ids.theirs));
    const unscoped = createAsk(hub, await createTestToken(hub, { scopes: ["operator"] }));
    assert.equal((await unscoped(`${PATH}?organizations=all`)).status, 403);
    for (const ask of [mine, theirs]) {
      for (
        const refused of [
          await ask(PATH, { json: { url: all.url, organizations: "all" } }),
          await ask(`${PATH}?organizations=all`),
        ]
      ) {
        assert.equal(refused.status, 403);
        assert.match(
          (await refused.json()).detail,
          /lacks the scope "operator", which endpoints for all organizations need/,
        );
      }
      assert.deepEqual((await (await ask(PATH)).json()).data, []);
      const json = {};
      for (
        const [method, path, body] of [
          ["GET", `${PATH}/${all.id}`],
          ["PATCH", `${PATH}/${all.id}`, { description: "mine" }],
          ["DELETE", `${PATH}/${all.id}`],
          ["POST", `${PATH}/${all.id}/test`, json],
          ["POST", `${PATH}/${all.id}/rotate-secret`, json],
          ["POST", `${PATH}/${all.id}/take-over`, json],
          ["POST", `${PATH}/${all.id}/replay`, { since: "2026-01-01" }],
          ["GET", `${PATH}/${all.id}/deliveries`],
          ["GET", `/v1/deliveries/${delivery.id}`],
          ["POST", `/v1/deliveries/${delivery.id}/retry`, json],
        ] as const
      ) {
        assert.equal((await ask(path, { method, json: body })).status, 404, `${method} ${path}`);
      }
    }
    assert.equal((await operator(`/v1/deliveries/${delivery.id}/retry`, { method: "POST" })).status, 202);
    assert.ok(!(await (await theirs("/v1/audit?limit=200")).text()).includes(all.id));
    const wrong = await operator(PATH, { json: { url: all.url, organizations: "some" } });
    assert.equal(wrong.status, 400);
  }));

test("an operator manages it from any organization: its lists, changes, secret, test, replay and end", () =>
  scene(async ({ operator, mine, ids, endpoint, happen, deliver }) => {
    await endpoint(mine, {});
    const all = await endpoint(operator);
    const headers = { "muster-organization": "other" };
    const { data } = await (await operator(`${PATH}?organizations=all`, { headers })).json();
    assert.deepEqual(data.map(({ id, organization }: Record<string, unknown>) => [id, organization]), [[all.id, null]]);
    assert.deepEqual((await (await operator(PATH, { headers })).json()).data, []);
    const path = `${PATH}/${all.id}`;
    const changed = await operator(path, { method: "PATCH", json: { event_types: ["run.completed"] }, headers });
    assert.deepEqual((await changed.json()).event_types, ["run.completed"]);
    assert.equal((await operator(`${path}/test`, { method: "POST", headers })).status, 202);
    const since = new Date(Date.UTC(2026, 0, 1)).toISOString();
    await happen(ids.mine);
    await happen(ids.theirs);
    await deliver();
    assert.deepEqual(slugs(all), ["default", null, "other"].sort());
    const replayed = await operator(`${path}/replay`, { json: { since }, headers });
    assert.deepEqual(await replayed.json(), { deliveries: 2 });
    await deliver();
    assert.equal(all.received.length, 5);
    const listed = await (await operator(`${path}/deliveries?limit=2`, { headers })).json();
    assert.equal(listed.data.length, 2);
    const rest = await operator(`${path}/deliveries?limit=2&cursor=${listed.next_cursor}`, { headers });
    assert.equal((await rest.json()).data.length, 1);
    assert.match((await (await operator(`${path}/rotate-secret`, { method: "POST" })).json()).secret, /^whsec_/);
    assert.equal((await operator(`${path}/take-over`, { method: "POST" })).status, 200);
    assert.equal((await operator(path, { method: "DELETE", headers })).status, 204);
    assert.equal((await operator(path)).status, 404);
    const audit = await (await operator(`/v1/audit?limit=200&subject=${all.id}`)).json();
    assert.deepEqual(audit.data.map(({ action }: { action: string }) => action).sort(), [
      "secret.rotated",
      "webhook_endpoint.changed",
      "webhook_endpoint.created",
      "webhook_endpoint.deleted",
      "webhook_endpoint.replayed",
      "webhook_endpoint.taken_over",
      "webhook_endpoint.tested",
    ]);
  }));

test("an organization that ends takes its own deliveries with it, and the endpoint goes on for the others", () =>
  scene(async ({ hub, operator, ids, endpoint, happen, deliver }) => {
    const all = await endpoint(operator, { organizations: "all", event_types: ["run.completed"] });
    await happen(ids.mine);
    await happen(ids.theirs);
    await deliver();
    await happen(ids.theirs);
    assert.equal((await operator("/v1/organizations/other", { method: "DELETE" })).status, 204);
    await happen(ids.mine);
    await deliver();
    assert.deepEqual(slugs(all), ["default", "default", "other"]);
    const { data } = await (await operator(`${PATH}/${all.id}/deliveries`)).json();
    assert.deepEqual(data.map(({ organization }: { organization: string }) => organization), [
      encodeId("org", ids.mine),
      encodeId("org", ids.mine),
    ]);
    const [[attempts]] = await hub.db.rows<[number]>(sql`select count(*) from delivery_attempts`) as [[number]];
    assert.equal(attempts, 2);
  }));

test("what its receiver answered about an organization goes with a person who is erased there, and about others stays", () =>
  scene(async ({ hub, operator, ids, endpoint, happen, deliver }) => {
    const answer: Receiver["answer"] = (_, response) => void response.writeHead(200).end("Ana");
    const all = await endpoint(operator, { organizations: "all", event_types: ["run.completed"] }, answer);
    await happen(ids.mine);
    await happen(ids.theirs);
    await deliver();
    const user = encodeId("usr", await insertUser(hub, { email: "ana@example.com" }));
    const erasing = createAsk(hub, await createTestToken(hub, { scopes: ["users:erase"] }));
    assert.ok((await erasing(`/v1/users/${user}/erase`, { method: "POST" })).ok);
    const { data } = await (await operator(`${PATH}/${all.id}/deliveries`)).json();
    const answers = await Promise.all(data.map(async ({ id, organization }: Record<string, string>) => {
      const { attempts } = await (await operator(`/v1/deliveries/${id}`)).json();
      return [organization, attempts[0].answer];
    }));
    assert.deepEqual(
      new Map(answers as [string, string | null][]),
      new Map([
        [encodeId("org", ids.mine), null],
        [encodeId("org", ids.theirs), "Ana"],
      ]),
    );
  }));

test("one that is gone is switched off, which the others for all hear of, and no organization", () =>
  scene(async ({ hub, operator, mine, ids, endpoint, happen, deliver }) => {
    await operator("/v1/organization", { method: "PATCH", json: { technical_contact: "it@acme.test" } });
    const gone = await endpoint(operator, undefined, (_, response) => void response.writeHead(410).end());
    const all = await endpoint(operator), own = await endpoint(mine, {});
    await happen(ids.mine);
    await deliver();
    await deliver();
    assert.equal((await (await operator(`${PATH}/${gone.id}`)).json()).disabled_reason, "gone");
    const told = all.received.map(({ body }) => JSON.parse(body)).find(({ type }) => type === "endpoint.disabled");
    assert.deepEqual([told.data.organization, told.data.endpoint.id], [null, gone.id]);
    assert.equal(own.received.length, 1);
    assert.deepEqual((await (await mine("/v1/events?type=endpoint.disabled")).json()).data, []);
    assert.equal((await hub.db.rows(sql`select 1 from mails`)).length, 0);
    assert.ok(hub.lines.some(({ event, details }) => event === "endpoint.disabled" && details.endpoint === gone.id));
  }));

test("it is sent what its maker may read: values if it asks for them, and links that end with its maker's token", async () => {
  const receiver = await startReceiver();
  try {
    await importing(async (world) => {
      const { hub } = world;
      const maker = createAsk(hub, await createTestToken(hub, { scopes: ["operator", "webhooks:write", "runs:read"] }));
      const full = createAsk(hub, await createTestToken(hub, { scopes: ["operator", "admin"] }));
      const json = { url: receiver.url, organizations: "all", include_values: true };
      const refused = await maker(PATH, { json });
      assert.equal(refused.status, 403);
      assert.match((await refused.json()).detail, /"users:read"/);
      await maker(PATH, { json: { url: `${receiver.url}/plain`, organizations: "all" } });
      await full(PATH, { json });
      const { data: tokens } = await (await world.ask("/v1/tokens?limit=200")).json();
      await world.import(csv(HEADER, "1,ana@acme.test,Ana,Lopez"));
      await world.import(csv(HEADER, "1,ana@,Ana,Lopez", "2,bo@acme.test,Bo,Berg"));
      await runCourier(hub, { sender: { name: "test" }, lookEveryMs: 5, untilIdle: true });
      const told = (path: string) => {
        const bodies = receiver.received.filter((each) => each.path === path).map(({ body }) => JSON.parse(body));
        return bodies.findLast(({ type }) => type === "run.failures").data;
      };
      assert.equal(told("/").issues[0].value, "ana@");
      assert.equal("value" in told("/plain").issues[0], false);
      const open = async () => (await createAsk(hub, null)(told("/").links.page.slice(hub.publicUrl.length))).status;
      assert.equal(await open(), 200);
      const deleted = await full(`/v1/tokens/${tokens.at(-1).id}`, { method: "DELETE" });
      assert.equal((await deleted.json()).webhook_endpoints.length, 1);
      assert.equal(await open(), 410);
    }, { outbound: loopback });
  } finally {
    await receiver.close();
  }
});
