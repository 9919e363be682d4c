/** A claim on a libSQL server whose answer was lost: its holder goes on at once, and does not wait for its own lease. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import test from "node:test";
import { runCourier } from "../../src/notify/courier.ts";
import { sendDueMails } from "../../src/notify/send-mails.ts";
import { createCarrier } from "../../src/runs/carrier.ts";
import { leaseRun } from "../../src/runs/next.ts";
import { carry } from "../../src/runs/run.ts";
import { createTurns } from "../../src/std/turns.ts";
import { claimFetch, queueFetch } from "../../src/store/connections/fetches.ts";
import { claimKey } from "../../src/store/idempotency.ts";
import { queueMail } from "../../src/store/notify/mails.ts";
import { eventStatements } from "../../src/store/notify/events.ts";
import { claimOrganization } from "../../src/store/runs/queue.ts";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";
import type { Received } from "../support/libsql-server.ts";
import { loopback, startReceiver } from "../support/receiver.ts";

const on = (work: (world: Importing) => Promise<void>) => importing(work, { onServer: true, outbound: loopback });
const writes = (pattern: RegExp) => ({ texts }: Received) => texts.some((text) => pattern.test(text));

test("a claim of an organization is recognized by its name and epoch, and another's is not", () =>
  on(async ({ hub: { db, server, organization: { id } } }) => {
    const isClaim = writes(/update organizations set lease_run/);
    server!.fail("lost", { when: isClaim });
    const lease = await claimOrganization(db, id, { name: "one" }, null, sql`true`);
    assert.equal(lease?.organizationId, id);
    assert.deepEqual(await db.rows(sql`select lease_owner, lease_epoch from organizations where id = ${id}`), [
      ["one", lease!.epoch],
    ]);
    assert.equal(await claimOrganization(db, id, { name: "two" }, null, sql`true`), null);
    await db.write([db.run(sql`update organizations set lease_owner = null`)]);
    server!.fail("dropped", { when: isClaim });
    await assert.rejects(claimOrganization(db, id, { name: "two" }, null, sql`true`), /broke off/);
  }));

test("a carrier takes a run that it has leased without knowing it, and none that it carries", () =>
  on(async (world) => {
    const { hub, handIn, run } = world;
    const id = await handIn(csv(HEADER, ...crowd(20)));
    const options = { signal: new AbortController().signal, owner: "test", rethrow: true };
    const carrier = createCarrier(hub, options, { take: leaseRun, carry });
    hub.server!.fail("lost", { when: writes(/update organizations set lease_run/) });
    // Nor does the look at what is stored have an answer.
    hub.server!.fail("dropped", { when: writes(/^select json_array\(lease_owner/), times: 2 });
    let failures = 0;
    for (let last = ""; last !== "idle";) {
      last = await carrier.turn().catch(() => {
        failures++;
        carrier.look();
        return "failed";
      });
    }
    assert.equal((await run(id)).status, "succeeded");
    assert.ok(failures <= 2, `${failures} failures`);
  }));

test("a request whose claim of its Idempotency-Key had no answer has the key", () =>
  on(async ({ hub: { db, server, clock, organization } }) => {
    const key = { organizationId: organization.id, caller: "tok_1", route: "/v1/x", keyHash: "h" };
    const isClaim = writes(/insert into "idempotency_keys"/);
    server!.fail("lost", { when: isClaim });
    assert.equal((await claimKey(db, key, "first", clock.ms)).is, "mine");
    assert.equal((await claimKey(db, key, "second", clock.ms)).is, "running");
    server!.fail("dropped", { when: isClaim });
    assert.equal((await claimKey(db, { ...key, keyHash: "i" }, "third", clock.ms)).is, "mine");
  }));

test("a reader takes a fetch that it has claimed without knowing it, and none that it reads", () =>
  on(async ({ hub, connect }) => {
    const { db } = hub;
    await connect("fetched", { connector: "bamboohr" }).catch(() => {});
    const [[connectionId]] = await db.rows<[number]>(sql`select max(id) from connections`) as [[number]];
    const run = { organizationId: hub.organization.id, connectionId, trigger: "manual", mode: "auto" } as const;
    await queueFetch(db, { ...run, brings: [{ entity: "users", coverage: "full" }] }, hub.now());
    const claim = (reading: ReadonlySet<number>) =>
      claimFetch(db, "test", hub.now(), { isGone: () => false, busy: [], turns: createTurns(), reading });
    hub.server!.fail("lost", { when: writes(/update "fetches" set/) });
    await assert.rejects(claim(new Set()), /broke off/);
    const claimed = await claim(new Set());
    assert.equal(claimed?.fetch.leaseEpoch, 2);
    assert.equal(await claim(new Set([claimed!.fetch.runId])), null);
  }));

test("webhooks whose claim had no answer are sent by the same process, once", () =>
  on(async ({ hub, ask }) => {
    const receiver = await startReceiver();
    try {
      assert.equal((await ask("/v1/webhook-endpoints", { json: { url: receiver.url } })).status, 201);
      const event = { organizationId: hub.organization.id, type: "run.completed", runId: null, connectionId: null };
      await hub.db.write(eventStatements(hub.db, [{ ...event, data: { run: {} } } as never], hub.now()));
      const deliver = () => runCourier(hub, { sender: { name: "test" }, lookEveryMs: 5, untilIdle: true });
      hub.server!.fail("lost", { when: writes(/update "deliveries" set "sender"|update "deliveries" set "epoch"/) });
      await assert.rejects(deliver(), /broke off/);
      await deliver();
      assert.equal(receiver.received.length, 1);
    } finally {
      await receiver.close();
    }
  }));

test("so are mails", () =>
  on(async (world) => {
    const { hub } = world;
    const facts = { notUsed: { file: "people.csv", since: 1, reason: "unknown" } } as never;
    const mail = { id: 1, organizationId: hub.organization.id, connectionId: null, runId: null, type: "file.not_used" };
    await hub.db.write([queueMail(hub.db, { ...mail, facts } as never, hub.now())]);
    const read = () => hub.db.rows(sql`select attempts, sender from mails`);
    const send = () => sendDueMails({ ...hub, mailFrom: "hub@example.com" }, () => Promise.resolve(), { name: "test" });
    hub.server!.fail("lost", { when: writes(/update "mails" set/) });
    await assert.rejects(send(), /broke off/);
    assert.deepEqual(await read(), [[1, "test"]]);
    assert.equal(await send(), 1);
    assert.deepEqual((await read())[0]![1], null);
  }));
