import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { setMaxListeners } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Webhook } from "standardwebhooks";
import { Webhook as Svix } from "svix";
import type { Hub } from "../../src/hub.ts";
import { decodeId, encodeId } from "../../src/model/id.ts";
import { runCourier } from "../../src/notify/courier.ts";
import { ALLOW_NONE, type Outbound } from "../../src/security/outbound.ts";
import { createOutbound } from "../../src/runtime/outbound.ts";
import { eventStatements } from "../../src/store/notify/events.ts";
import { loadFigures } from "../../src/store/figures.ts";
import type { EventType } from "../../src/model/event.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { keepSender } from "../../src/store/notify/senders.ts";
import { tick } from "../../src/upkeep/tick.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { insertUser } from "../support/people.ts";
import { loopback, type Receiver, startReceiver } from "../support/receiver.ts";
import { onlyInCheck } from "../support/rounds.ts";

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const PATH = "/v1/webhook-endpoints";

interface Scene {
  readonly hub: TestHub;
  readonly admin: Ask;
  /** A receiver and the endpoint that stands for it. */
  // deno-lint-ignore no-explicit-any
  endpoint(json?: object, answer?: Receiver["answer"]): Promise<Receiver & { id: string; secret: string; view(): any }>;
  happen(type?: EventType, data?: Record<string, unknown>, runId?: number): Promise<number>;
  /** Sends all that is due. */
  deliver(timeoutMs?: number): Promise<void>;
  // deno-lint-ignore no-explicit-any
  deliveries(id: string): Promise<any[]>;
  // deno-lint-ignore no-explicit-any
  attempts(id: string): Promise<any[]>;
}

async function withScene(
  work: (scene: Scene) => Promise<void>,
  options: { outbound?: Outbound; mailFrom?: string } = {},
): Promise<void> {
  const made = await createTestHub({ outbound: options.outbound ?? loopback });
  const hub: TestHub = options.mailFrom === undefined ? made : { ...made, mailFrom: options.mailFrom };
  const admin = createAsk(hub, await createTestToken(hub));
  const receivers: Receiver[] = [];
  try {
    await work({
      hub,
      admin,
      async endpoint(json = {}, answer) {
        const receiver = await startReceiver(answer);
        receivers.push(receiver);
        const made = await admin(PATH, { json: { url: receiver.url, ...json } });
        assert.equal(made.status, 201, await made.clone().text());
        const { id, secret } = await made.json();
        return Object.assign(receiver, { id, secret, view: async () => await (await admin(`${PATH}/${id}`)).json() });
      },
      happen: (type, data, runId) => happen(hub, type, data, runId),
      deliver: (timeoutMs) => deliver(hub, timeoutMs),
      async deliveries(id) {
        return (await (await admin(`${PATH}/${id}/deliveries`)).json()).data;
      },
      async attempts(id) {
        return (await (await admin(`/v1/deliveries/${id}`)).json()).attempts;
      },
    });
  } finally {
    for (const receiver of receivers) await receiver.close();
    hub.close();
  }
}

async function happen(
  hub: TestHub,
  type: EventType = "run.completed",
  data: Record<string, unknown> = { run: {} },
  runId: number | null = null,
): Promise<number> {
  const event = { organizationId: hub.organization.id, type, runId, connectionId: null, data };
  await hub.db.write(eventStatements(hub.db, [event], hub.now()));
  return (await hub.db.rows<[number]>(sql`select max(id) from events`))[0]![0];
}

const deliver = (hub: Hub, timeoutMs?: number) =>
  runCourier(hub, { sender: { name: "test" }, lookEveryMs: 5, untilIdle: true, chance: () => 0.5, timeoutMs });

const organizationOf = ({ organization }: TestHub) => ({ id: encodeId("org", organization.id), slug: "default" });

test("an event goes to every endpoint that wants its type, signed so that both public verifiers take it", () =>
  withScene(async ({ endpoint, happen, deliver, hub }) => {
    hub.clock.ms = Date.now();
    const all = await endpoint(), some = await endpoint({ event_types: ["run.held"] });
    const other = await endpoint({ event_types: ["users.changed"] });
    const eventId = await happen("run.held", { run: { id: "run_1" }, people: ["usr_1"] });
    await deliver();
    assert.equal(other.received.length, 0);
    for (const { received, secret } of [all, some]) {
      assert.equal(received.length, 1);
      const { headers, body } = received[0]!;
      assert.equal(headers["content-type"], "application/json");
      assert.equal(headers["webhook-id"], encodeId("evt", eventId));
      const expected = {
        type: "run.held",
        timestamp: new Date(hub.clock.ms).toISOString(),
        data: { organization: organizationOf(hub), run: { id: "run_1" }, people: ["usr_1"] },
      };
      assert.deepEqual(new Webhook(secret).verify(body, headers), expected);
      assert.deepEqual(new Svix(secret).verify(body, headers), expected);
      assert.throws(() => new Webhook(secret).verify(body.replace("usr_1", "usr_2"), headers));
    }
    assert.throws(() => new Webhook(some.secret).verify(all.received[0]!.body, all.received[0]!.headers));
  }));

test("an endpoint hears of what happens after it is made, and of nothing twice", () =>
  withScene(async ({ endpoint, happen, deliver, hub }) => {
    await happen();
    const one = await endpoint();
    for (let i = 0; i < 3; i++) await happen();
    await Promise.all([deliver(), runCourier(hub, { sender: { name: "other" }, lookEveryMs: 5, untilIdle: true })]);
    await deliver();
    assert.equal(new Set(one.received.map(({ headers }) => headers["webhook-id"])).size, 3);
    assert.equal(one.received.length, 3);
  }));

test("deliveries are counted by how they ended, for /metrics", () =>
  withScene(async ({ hub, endpoint, happen, deliver }) => {
    const json = { event_types: ["run.held"] };
    await endpoint(json);
    await endpoint(json, (_, response) => void response.writeHead(500).end());
    await endpoint(json, (_, response) => void response.writeHead(410).end());
    await happen("run.held");
    await deliver();
    // The one that is tried again has not ended.
    const counted = (await loadFigures(hub.db)).tallies.get("muster_deliveries_total");
    assert.deepEqual(counted, new Map([["failed", 1], ["succeeded", 1]]));
  }));

test("an event stays in its organization", () =>
  withScene(async ({ endpoint, happen, deliver, hub }) => {
    const mine = await endpoint();
    await createOrganization(hub.db, { slug: "other", name: "Other", timezone: "UTC" }, hub.clock.ms);
    const stranger = createAsk(hub, await createTestToken(hub, { organization: "other" }));
    const theirs = await startReceiver();
    await stranger(PATH, { json: { url: theirs.url } });
    await happen();
    await deliver();
    assert.deepEqual([mine.received.length, theirs.received.length], [1, 0]);
    await theirs.close();
  }));

test("links are made at the moment of sending, and lie nowhere", () =>
  withScene(async ({ endpoint, happen, deliver, hub, admin }) => {
    const one = await endpoint();
    const drop = await admin("/v1/connections/csv/drops", { body: "email\n", headers: { "content-type": "text/csv" } });
    const runId = decodeId("run", (await drop.json()).run.id)!;
    await hub.db.write([hub.db.orm.run(sql`update runs set status = 'failed'`) as never]);
    await happen("run.failures", { run: {}, links: { csv: null, json: null } }, runId);
    await deliver();
    const { links } = JSON.parse(one.received[0]!.body).data;
    assert.deepEqual(Object.keys(links), ["csv", "json"]);
    for (const link of Object.values<string>(links)) {
      assert.ok(link.startsWith(`${hub.publicUrl}/reports/`));
      assert.equal((await admin(link.slice(hub.publicUrl.length))).status, 200);
    }
    const stored = JSON.stringify(await hub.db.rows(sql`select e.data, d.* from events e, deliveries d`));
    assert.ok(!stored.includes("/reports/"));
  }));

test("while a secret rotates both sign for 24 hours, then the new one alone", () =>
  withScene(async ({ endpoint, happen, deliver, hub, admin }) => {
    hub.clock.ms = Date.now() - DAY;
    const one = await endpoint();
    const { secret } = await (await admin(`${PATH}/${one.id}/rotate-secret`, { method: "POST" })).json();
    await happen();
    await deliver();
    // The verifiers know what time it is, so what was signed then is verified with the hub's clock at now.
    assert.equal(one.received[0]!.headers["webhook-signature"]!.split(" ").length, 2);
    hub.clock.ms += DAY - 1;
    await happen();
    await deliver();
    const { body, headers } = one.received[1]!;
    for (const each of [secret, one.secret]) {
      new Webhook(each).verify(body, headers);
      new Svix(each).verify(body, headers);
    }
    hub.clock.ms += 1;
    await happen();
    await deliver();
    const last = one.received[2]!;
    new Webhook(secret).verify(last.body, last.headers);
    assert.throws(() => new Webhook(one.secret).verify(last.body, last.headers));
  }));

test("what fails is tried ten times in 75 hours and 35 minutes, then has failed, and every attempt is kept", () =>
  withScene(async ({ endpoint, happen, deliver, hub, deliveries, attempts, admin }) => {
    const one = await endpoint({}, (_, response) => void response.writeHead(500).end("x".repeat(2000)));
    await happen();
    const times: number[] = [];
    for (let i = 0; i < 12; i++) {
      await deliver();
      const [delivery] = await deliveries(one.id);
      if (times.length < one.received.length) times.push(hub.clock.ms);
      if (delivery.next_attempt_at !== null) hub.clock.ms = Date.parse(delivery.next_attempt_at);
      else hub.clock.ms += DAY;
    }
    const gaps = times.slice(1).map((at, i) => at - times[i]!);
    assert.deepEqual(gaps, [5_000, 5 * MINUTE, 30 * MINUTE, ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR)]);
    const [delivery] = await deliveries(one.id);
    assert.deepEqual([delivery.status, delivery.attempt_count, delivery.next_attempt_at], ["failed", 10, null]);
    const kept = await attempts(delivery.id);
    assert.deepEqual(kept.map(({ number }) => number), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const { at: _, latency_ms, ...first } = kept[0];
    assert.ok(latency_ms >= 0);
    assert.deepEqual(first, {
      number: 1,
      status: 500,
      error: "The answer is 500, and should be 200 to 299",
      answer: "x".repeat(1024),
    });
    // The same event keeps its id, so that its receiver knows it.
    assert.equal(new Set(one.received.map(({ headers }) => headers["webhook-id"])).size, 1);

    one.answer = (_, response) => void response.writeHead(201).end("thanks");
    assert.equal((await admin(`/v1/deliveries/${delivery.id}/retry`, { method: "POST" })).status, 202);
    await deliver();
    assert.equal((await deliveries(one.id))[0].status, "succeeded");
    assert.deepEqual((await attempts(delivery.id)).at(-1).answer, "thanks");
  }));

test(
  "the first attempt is at once and the second about five seconds later, by the real clock",
  { skip: onlyInCheck },
  () =>
    withScene(async ({ endpoint, happen, hub }) => {
      const real = { ...hub, now: Date.now };
      hub.clock.ms = Date.now();
      const one = await endpoint();
      one.answer = (_, response) => void response.writeHead(one.received.length === 1 ? 503 : 204).end();
      const stop = new AbortController();
      const running = runCourier(real, { sender: { name: "test" }, lookEveryMs: 50, signal: stop.signal });
      const started = Date.now();
      await happen();
      await one.has(2);
      stop.abort();
      await running;
      assert.ok(one.received[0]!.at - started < 1500);
      const gap = one.received[1]!.at - one.received[0]!.at;
      assert.ok(gap >= 3900 && gap < 7500, `${gap} ms`);
    }),
);

test("redirects, refusals and hanging are failures, and Retry-After is honoured", () =>
  withScene(async ({ endpoint, happen, deliver, hub, deliveries, attempts }) => {
    const elsewhere = await endpoint({ event_types: ["run.held"] });
    const redirecting = await endpoint({}, (_, response) => {
      response.writeHead(302, { location: elsewhere.url }).end();
    });
    const hanging = await endpoint({}, () => {});
    const broken = await endpoint({}, (_, response) => void response.socket!.destroy());
    const busy = await endpoint({}, (_, response) => void response.writeHead(429, { "retry-after": "3600" }).end());
    const fine = await endpoint();
    await happen();
    await deliver(150);
    assert.equal(elsewhere.received.length, 0);
    assert.equal((await deliveries(fine.id))[0].status, "succeeded");
    for (const { id } of [redirecting, hanging, broken, busy]) {
      const [delivery] = await deliveries(id);
      assert.equal(delivery.status, "pending", id);
      const [attempt] = await attempts(delivery.id);
      assert.ok(attempt.error !== null);
      const gap = Date.parse(delivery.next_attempt_at) - hub.clock.ms;
      assert.equal(gap, id === busy.id ? HOUR : 5_000);
    }
  }));

test("a receiver whose name leads into a private network is not called, and the attempt says why", async () => {
  let address = "8.8.8.8";
  const rebinding = createOutbound(ALLOW_NONE, () => Promise.resolve([{ address, family: 4 }]));
  await withScene(async ({ happen, deliver, admin, deliveries, attempts }) => {
    const { id } = await (await admin(PATH, { json: { url: "https://rebind.acme.test/" } })).json();
    address = "169.254.169.254";
    await happen();
    await deliver();
    const [attempt] = await attempts((await deliveries(id))[0].id);
    assert.equal(attempt.status, null);
    assert.match(attempt.error, /"rebind.acme.test" leads to an address of a private network/);
  }, { outbound: rebinding });
});

test("410 switches an endpoint off at once: the others hear of it, and so does the technical contact", () =>
  withScene(async ({ endpoint, happen, deliver, admin, hub, deliveries }) => {
    const gone = await endpoint({}, (_, response) => void response.writeHead(410).end());
    const other = await endpoint({ event_types: ["endpoint.disabled"] });
    await happen();
    await happen();
    await deliver();
    await deliver();
    const view = await gone.view();
    assert.deepEqual([view.status, view.disabled_reason], ["disabled", "gone"]);
    assert.equal(other.received.length, 1);
    const { type, data } = JSON.parse(other.received[0]!.body);
    assert.equal(type, "endpoint.disabled");
    assert.deepEqual([data.endpoint.id, data.endpoint.url], [gone.id, gone.url]);
    assert.match(data.reason, /410/);
    const mails = await hub.db.rows<[string, string]>(sql`select type, facts from mails`);
    assert.equal(mails.length, 1);
    assert.equal(JSON.parse(mails[0]![1]).endpoint.id, gone.id);
    assert.ok((await deliveries(gone.id)).every(({ status }) => status === "failed"));
    const { data: audit } = await (await admin("/v1/audit?action=webhook_endpoint.changed")).json();
    assert.deepEqual(audit.map(({ actor, subjects }: never) => [(actor as { kind: string }).kind, subjects]), [[
      "hub",
      [gone.id],
    ]]);

    // Enabled again it hears of what comes, and may be sent what it missed.
    gone.answer = (_, response) => void response.writeHead(204).end();
    await happen();
    await admin(`${PATH}/${gone.id}`, { method: "PATCH", json: { status: "enabled" } });
    const before = gone.received.length;
    await deliver();
    assert.equal(gone.received.length, before);
    const replayed = await admin(`${PATH}/${gone.id}/replay`, {
      json: { since: new Date(hub.clock.ms).toISOString() },
    });
    assert.equal((await replayed.json()).deliveries, 4);
    await deliver();
    assert.equal(gone.received.length, before + 4);
  }, { mailFrom: "muster@example.com" }));

test("five days of nothing but failures switch an endpoint off, and one success begins them anew", () =>
  withScene(async ({ endpoint, happen, deliver, hub }) => {
    const one = await endpoint({}, (_, response) => void response.writeHead(500).end());
    const start = hub.clock.ms;
    const failAt = async (ms: number) => {
      hub.clock.ms = start + ms;
      await happen();
      await deliver();
      await tick(hub);
    };
    await failAt(0);
    await failAt(4 * DAY);
    one.answer = (_, response) => void response.writeHead(200).end();
    await failAt(4 * DAY + HOUR);
    assert.equal((await one.view()).failing_since, null);
    one.answer = (_, response) => void response.writeHead(500).end();
    await failAt(5 * DAY);
    await failAt(9 * DAY);
    assert.equal((await one.view()).status, "enabled");
    await failAt(10 * DAY + 1);
    assert.deepEqual([(await one.view()).status, (await one.view()).disabled_reason], ["disabled", "failing"]);
  }));

test("one bad hour, and silence after it, switches nothing off", () =>
  withScene(async ({ endpoint, happen, deliver, hub }) => {
    const one = await endpoint({}, (_, response) => void response.writeHead(500).end());
    await happen();
    await deliver();
    hub.clock.ms += HOUR;
    await deliver();
    // What was tried in that hour is tried no more.
    await hub.db.write([hub.db.orm.run(sql`update deliveries set status = 'failed'`) as never]);
    hub.clock.ms += 6 * DAY;
    await tick(hub);
    assert.equal((await one.view()).status, "enabled");
  }));

test("a test goes out once, and says nothing of how the endpoint fares", () =>
  withScene(async ({ endpoint, deliver, admin, deliveries, hub }) => {
    const one = await endpoint({ event_types: ["run.held"] }, (_, response) => void response.writeHead(410).end());
    const { id } = await (await admin(`${PATH}/${one.id}/test`, { method: "POST" })).json();
    await deliver();
    assert.deepEqual(JSON.parse(one.received[0]!.body).data, {
      organization: organizationOf(hub),
      endpoint: { id: one.id },
    });
    const [delivery] = await deliveries(one.id);
    assert.deepEqual([delivery.id, delivery.status, delivery.attempt_count], [id, "failed", 1]);
    assert.deepEqual([(await one.view()).status, (await one.view()).failing_since], ["enabled", null]);
  }));

test("a courier that died with claims in its hands is taken over from at once, and what was sent is not sent again", () =>
  withScene(async ({ endpoint, happen, hub }) => {
    const one = await endpoint();
    await happen();
    await happen();
    await deliverAs(hub, "one");
    await happen();
    const { fanOut } = await import("../../src/store/notify/fan-out.ts");
    await fanOut(hub.db, hub.now());
    await hub.db.write([
      hub.db.orm.run(sql`update deliveries set sender = 'dead' where status = 'pending'`) as never,
      keepSender(hub.db, { name: "dead" }),
    ]);
    await deliverAs(hub, "two", () => false);
    assert.equal(one.received.length, 2);
    await deliverAs(hub, "three", (name) => name === "dead");
    assert.equal(one.received.length, 3);
  }));

const deliverAs = (hub: Hub, name: string, isGone?: (name: string) => boolean) =>
  runCourier(hub, { sender: { name, isGone }, lookEveryMs: 5, untilIdle: true });

test("a courier that is told to stop breaks off, and what it had in hand is due at once", () =>
  withScene(async ({ endpoint, happen, hub, deliver }) => {
    const one = await endpoint({}, () => {});
    for (let i = 0; i < 10; i++) await happen();
    const stop = new AbortController();
    const running = runCourier(hub, { sender: { name: "test" }, lookEveryMs: 5, signal: stop.signal });
    await one.has(4);
    const started = Date.now();
    stop.abort();
    await running;
    assert.ok(Date.now() - started < 8_000, "it waited for an answer");
    one.answer = (_, response) => void response.writeHead(204).end();
    await deliver();
    assert.equal(new Set(one.received.map(({ headers }) => headers["webhook-id"])).size, 10);
    assert.equal(one.received.length, 14);
  }));

test("deliveries and attempts go after the days that things are kept, and answers with a person who is erased", () =>
  withScene(async ({ endpoint, happen, deliver, hub, deliveries, attempts }) => {
    const one = await endpoint({}, (_, response) => void response.writeHead(200).end("Ana"));
    await happen();
    await deliver();
    const [delivery] = await deliveries(one.id);
    assert.equal((await attempts(delivery.id))[0].answer, "Ana");
    const erasing = createAsk(hub, await createTestToken(hub, { scopes: ["users:erase"] }));
    const user = encodeId("usr", await insertUser(hub, { email: "ana@example.com" }));
    assert.ok((await erasing(`/v1/users/${user}/erase`, { method: "POST" })).ok);
    assert.equal((await attempts(delivery.id))[0].answer, null);
    hub.clock.ms += 30 * DAY;
    await tick(hub);
    assert.equal((await deliveries(one.id)).length, 1);
    hub.clock.ms += 1;
    await tick(hub);
    assert.equal((await deliveries(one.id)).length, 0);
    assert.equal((await hub.db.rows(sql`select 1 from delivery_attempts`)).length, 0);
  }));

test("what a receiver answers while a person is erased is not kept, as it may repeat what it was sent", () =>
  withScene(async ({ endpoint, happen, deliver, hub, deliveries, attempts }) => {
    const waiting: (() => void)[] = [];
    const one = await endpoint({}, (_, response) => void waiting.push(() => response.writeHead(200).end("Ana")));
    await happen();
    const sending = deliver();
    await one.has(1);
    const erasing = createAsk(hub, await createTestToken(hub, { scopes: ["users:erase"] }));
    const user = encodeId("usr", await insertUser(hub, { email: "ana@example.com" }));
    assert.ok((await erasing(`/v1/users/${user}/erase`, { method: "POST" })).ok);
    for (const answer of waiting) answer();
    // The erasure itself is told too.
    one.answer = (_, response) => void response.writeHead(204).end();
    await sending;
    const [delivery] = (await deliveries(one.id)).slice(-1);
    assert.deepEqual((await attempts(delivery.id)).map(({ status, answer }) => [status, answer]), [[200, null]]);
  }));

test("an organization that is deleted takes its endpoints and deliveries with it", () =>
  withScene(async ({ hub }) => {
    await createOrganization(hub.db, { slug: "other", name: "Other", timezone: "UTC" }, hub.clock.ms);
    const operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
    const headers = { "muster-organization": "other" };
    const receiver = await startReceiver();
    const { id } = await (await operator(PATH, { json: { url: receiver.url }, headers })).json();
    await operator(`${PATH}/${id}/test`, { method: "POST", headers });
    await deliver(hub);
    const rows = async () =>
      (await hub.db.rows<[number]>(sql`select (select count(*) from webhook_endpoints)
        + (select count(*) from deliveries) + (select count(*) from delivery_attempts)`))[0]![0];
    assert.equal(await rows(), 3);
    assert.equal((await operator("/v1/organizations/other", { method: "DELETE" })).status, 204);
    assert.equal(await rows(), 0);
    await receiver.close();
  }));

test("a hundred endpoints of an organization that fail do not delay the one that is well", () =>
  withScene(async ({ hub, endpoint, happen, admin }) => {
    const hanging = await endpoint({}, () => {});
    for (let i = 0; i < 98; i++) await admin(PATH, { json: { url: hanging.url } });
    await hub.db.write([
      hub.db.orm.run(sql`update webhook_endpoints set failing_since = 1, last_failed_at = 1`) as never,
    ]);
    const well = await endpoint();
    const stop = new AbortController();
    const options = { sender: { name: "test" }, lookEveryMs: 5, signal: stop.signal, timeoutMs: 90_000 };
    const running = runCourier(hub, options);
    for (let i = 0; i < 50; i++) await happen();
    await well.has(50, 15_000);
    stop.abort();
    await running;
    assert.ok(hanging.received.length <= 32, `${hanging.received.length} in flight`);
  }));

test("however many deliveries of one organization hang, one of another goes out beside them", () =>
  withScene(async ({ hub, endpoint, admin }) => {
    const many = await endpoint({}, () => {});
    // Four at a time of each would be more than the courier has places.
    for (let i = 0; i < 79; i++) assert.equal((await admin(PATH, { json: { url: many.url } })).status, 201);
    const other = await createOrganization(hub.db, { slug: "other", name: "Other", timezone: "UTC" }, hub.clock.ms);
    const stranger = createAsk(hub, await createTestToken(hub, { organization: "other" }));
    const theirs = await startReceiver();
    assert.equal((await stranger(PATH, { json: { url: theirs.url } })).status, 201);
    for (let i = 0; i < 10; i++) await happen(hub);
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const options = { sender: { name: "test" }, lookEveryMs: 5, signal: stop.signal, timeoutMs: 90_000 };
    const running = runCourier(hub, options);
    try {
      await many.has(64);
      // Whoever took more places would have them by then.
      await new Promise((resolve) => setTimeout(resolve, 300));
      await happen({ ...hub, organization: other });
      await theirs.has(1);
      assert.equal(many.received.length, 64);
    } finally {
      stop.abort();
      await running;
      await theirs.close();
    }
  }));

const HANGS_MS = 90_000;

test("10,000 deliveries to 50 endpoints of which 5 hang: the other 45 have their 9,000 while those still hang", {
  skip: onlyInCheck,
}, async () => {
  await withScene(async ({ hub, admin }) => {
    const receivers = startReceivers(45, 5, 200);
    try {
      const { well, hanging } = await receivers.line<{ well: string[]; hanging: string[] }>();
      for (const url of [...hanging, ...well]) assert.equal((await admin(PATH, { json: { url } })).status, 201);
      const news = Array.from({ length: 200 }, () => ({
        organizationId: hub.organization.id,
        type: "run.completed" as const,
        runId: null,
        connectionId: null,
        data: { run: { text: "x".repeat(500) } },
      }));
      await hub.db.write(eventStatements(hub.db, news, hub.now()));
      const stop = new AbortController();
      setMaxListeners(0, stop.signal);
      const started = performance.now();
      const running = runCourier(hub, {
        sender: { name: "test" },
        lookEveryMs: 5,
        signal: stop.signal,
        timeoutMs: HANGS_MS,
      });
      const received = await receivers.line<{ well: number[]; hanging: number[] }>();
      const seconds = (performance.now() - started) / 1000;
      stop.abort();
      await running;
      console.log(`9,000 of 10,000 deliveries in ${seconds.toFixed(1)} s`);
      assert.deepEqual(received.well, well.map(() => 200));
      assert.ok(received.hanging.every((count) => count <= 4), "a hanging endpoint has a few in flight at most");
      assert.ok(seconds * 1000 < HANGS_MS, `${seconds} s: somebody waited for those that hang`);
    } finally {
      receivers.end();
    }
  });
});

function startReceivers(...counts: number[]) {
  const file = fileURLToPath(new URL("receivers-child.ts", import.meta.url));
  const runtime = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const child = spawn(process.execPath, [...runtime, file, ...counts.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    /** What it says next. */
    line: async <T>(): Promise<T> => JSON.parse((await lines.next()).value!),
    end: () => void child.kill("SIGKILL"),
  };
}
