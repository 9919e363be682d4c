import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry } from "../../src/runtime/registry.ts";
import type { Connector } from "../../src/connector.ts";
import type { Hub } from "../../src/hub.ts";
import type { OutgoingMail } from "../../src/notify/send-mails.ts";
import { sendDueMails } from "../../src/notify/send-mails.ts";
import { tick } from "../../src/upkeep/tick.ts";
import { HOUR_MS, type Importing, importing } from "../support/imports.ts";
import { loopback } from "../support/receiver.ts";
import { paged, type Source, startSource } from "../support/source.ts";

const PEOPLE = [
  { id: "1", mail: "ana@acme.test", first: "Ana", last: "Sol" },
  { id: "2", mail: "bo@acme.test", first: "Bo", last: "Lund" },
];
const MINUTE_MS = 60_000;
/** 02:00 in Los Angeles, an hour before its nightly moment. */
const START = Date.UTC(2026, 2, 3, 10);
const DOWN = Array.from({ length: 6 }, () => ({ status: 503 }));

interface Night extends Importing {
  readonly source: Source;
  /** Lets time pass minute by minute, as a hub lives through it; gives when runs were queued, in minutes from the start. */
  live(minutes: number): Promise<number[]>;
  // deno-lint-ignore no-explicit-any
  connection(): Promise<any>;
  // deno-lint-ignore no-explicit-any
  events(type: string): Promise<any[]>;
  mails(): Promise<OutgoingMail[]>;
}

async function living(input: object, work: (night: Night) => Promise<void>): Promise<void> {
  const source = await startSource(PEOPLE.map((person) => ({ ...person })));
  const registry = new Map([...createRegistry(), ["paged", paged as Connector<never>]]);
  try {
    await importing(async (world) => {
      const mailing: Hub = { ...world.hub, mailFrom: "muster@example.com" };
      await world.ask("/v1/organization", { method: "PATCH", json: { technical_contact: "hr@acme.test" } });
      await world.connect("hr", {
        connector: "paged",
        settings: { host: source.host },
        secrets: { api_key: source.key },
        ...input,
      });
      await tick(mailing);
      const seen = new Set<string>();
      let passed = 0;
      await work({
        ...world,
        source,
        async live(minutes) {
          const queued: number[] = [];
          for (let i = 0; i < minutes; i++) {
            world.later(MINUTE_MS);
            passed++;
            await tick(mailing);
            const before = source.asked.length;
            await world.fetch(mailing);
            if (source.asked.length === before) continue;
            await world.carry({}, mailing);
            for (const { id, trigger } of await world.runs()) {
              if (seen.has(id) || (trigger !== "schedule" && trigger !== "retry")) continue;
              seen.add(id);
              queued.push(passed);
            }
          }
          return queued;
        },
        connection: async () => await (await world.ask("/v1/connections/hr")).json(),
        events: async (type) => (await (await world.ask(`/v1/events?type=${type}`)).json()).data,
        async mails() {
          const sent: OutgoingMail[] = [];
          while (await sendDueMails(mailing, (mail) => Promise.resolve(void sent.push(mail)), { name: "test" }) > 0);
          // Some go out together: in the order in which they were queued.
          return sent.sort((one, other) => one.messageId < other.messageId ? -1 : 1);
        },
      });
    }, { registry, outbound: loopback, now: START });
  } finally {
    await source.close();
  }
}

test("a connection without a word about it fetches when its connector says: nightly, at 3 in Los Angeles", () =>
  living({}, async ({ live, connection, runs }) => {
    assert.deepEqual((await connection()).schedule, { cron: "0 3 * * *", timezone: "America/Los_Angeles" });
    assert.equal((await connection()).next_fetch_at, "2026-03-03T11:00:00.000Z");
    assert.deepEqual(await live(62), [60]);
    const [run] = await runs();
    assert.deepEqual([run!.trigger, run!.status, run!.coverage], ["schedule", "succeeded", "full"]);
    assert.equal((await connection()).next_fetch_at, "2026-03-04T11:00:00.000Z");
  }));

test("every N minutes; a moment that comes while a run is under way is taken with that one", () =>
  living({ schedule: { every_minutes: 10 } }, async (night) => {
    assert.deepEqual(await night.live(21), [10, 20]);
    await night.post("/v1/connections/hr/runs", { mode: "plan" });
    night.later(9 * MINUTE_MS);
    await night.tick();
    assert.equal((await night.runs()).length, 3, "the one that was asked for, and no other");
    await night.fetch();
    await night.carry();
    assert.deepEqual(await night.live(10), [31]);
  }));

test("moments that passed while nobody looked are made up for once", () =>
  living({ schedule: { every_minutes: 10 } }, async (night) => {
    night.later(5 * HOUR_MS + 3 * MINUTE_MS);
    assert.deepEqual(await night.live(12), [1, 7]);
  }));

test("a paused connection does not fetch, and makes up for it once when it goes on", () =>
  living({ schedule: { every_minutes: 10 } }, async (night) => {
    await night.post("/v1/connections/hr/pause");
    assert.deepEqual(await night.live(25), []);
    await night.post("/v1/connections/hr/resume");
    assert.deepEqual(await night.live(6), [26, 30]);
  }));

test("a schedule that is changed counts from then on, and one that is taken away no more", () =>
  living({ schedule: { every_minutes: 10 } }, async (night) => {
    await night.set("hr", { schedule: { every_minutes: 4 } });
    assert.deepEqual(await night.live(9), [4, 8]);
    await night.set("hr", { schedule: null });
    assert.deepEqual(await night.live(30), []);
    assert.equal((await night.connection()).next_fetch_at, null);
  }));

test("the third failure in a row is an error, retried ever later; the next success is a recovery", () =>
  living({ schedule: { every_minutes: 5 } }, async (night) => {
    const { source } = night;
    await night.live(5);
    for (let i = 0; i < 4; i++) source.script.push(...DOWN);
    assert.deepEqual(await night.live(27), [10, 15, 30], "at its time, then after 5 and 15 minutes");
    const failing = await night.connection();
    assert.deepEqual([failing.state, failing.failures_in_a_row, failing.failures.connection], ["error", 3, 3]);
    assert.deepEqual([failing.last_error.code, failing.last_error.kind], ["source_unreachable", "connection"]);
    assert.equal(failing.next_fetch_at, new Date(START + 1000 + 90 * MINUTE_MS).toISOString(), "in an hour");
    assert.equal((await night.events("connection.error")).length, 1);
    assert.deepEqual((await night.mails()).map(({ subject }) => subject), [
      "hr: could not be used",
      "hr: has failed 3 times in a row",
    ]);
    assert.deepEqual(await night.live(60), [90], "the fourth");
    assert.deepEqual((await night.runs()).slice(-2).map(({ trigger }) => trigger), ["retry", "retry"]);
    night.later(6 * HOUR_MS - 4 * MINUTE_MS);
    const [again] = await night.live(5);
    assert.ok(again !== undefined, "and after 6 hours it is well");
    const well = await night.connection();
    assert.deepEqual([well.state, well.failures_in_a_row, well.failures.connection, well.last_error], [
      "ok",
      0,
      0,
      null,
    ]);
    const [recovered] = await night.events("connection.recovered");
    assert.deepEqual([recovered.data.failures_in_a_row, recovered.data.last_error.code], [4, "source_unreachable"]);
    assert.deepEqual((await night.mails()).map(({ subject }) => subject), ["hr: works again"]);
    assert.equal((await night.live(5)).length, 1, "its schedule holds again");
  }));

test("a source that breaks off every night is in error, though what it gives is used", () =>
  living({ schedule: null }, async (night) => {
    night.source.pageSize = 1;
    for (let i = 0; i < 3; i++) {
      night.source.script.push(null, ...DOWN);
      assert.equal((await night.sync("hr")).status, "partial");
    }
    const { state, failures } = await night.connection();
    assert.deepEqual([state, failures.connection], ["error", 3]);
    assert.equal((await night.people()).length, 1);
    await night.set("hr", { schedule: { every_minutes: 5 } });
    night.source.script.push(null, ...DOWN);
    await night.live(6);
    const [mail] = await night.mails();
    assert.match(mail!.subject, /^hr: the source broke off/);
    assert.match(mail!.text, /what was read of it was used, and nobody taken for missing/);
  }));

test("refused credentials are shown to the source once an hour, then once a day, until there are others", () =>
  living({ schedule: { every_minutes: 5 } }, async (night) => {
    night.source.key = "the-other-key";
    assert.deepEqual(await night.live(130), [5, 65]);
    assert.equal(night.source.asked.length, 2);
    assert.equal((await night.connection()).failures.credentials, 2);
    await night.set("hr", { secrets: { api_key: "the-other-key" } });
    assert.deepEqual(await night.live(6), [131, 135], "the new ones are tried at once");
    assert.equal((await night.connection()).failures_in_a_row, 0);
  }));

test("a feed that did not come by when it was expected is said as an event and by mail, once, and then each week", () =>
  living({ schedule: null, expected_by: { time: "10:30", timezone: "UTC" } }, async (night) => {
    await night.live(29);
    assert.equal((await night.connection()).overdue_since, null);
    await night.live(2);
    assert.equal((await night.connection()).overdue_since, "2026-03-03T10:30:00.000Z");
    const [event, ...more] = await night.events("connection.overdue");
    assert.deepEqual([event.data.connection.slug, event.data.expected_by, more], [
      "hr",
      "2026-03-03T10:30:00.000Z",
      [],
    ]);
    const [mail] = await night.mails();
    assert.equal(mail!.subject, "hr: has not come");
    assert.match(mail!.text, /expected by 3 March 2026 at 10:30 \(UTC\)/);
    night.later(24 * HOUR_MS);
    await night.live(2);
    assert.deepEqual(await night.mails(), [], "it has been said");
    night.later(6 * 24 * HOUR_MS);
    await night.live(2);
    assert.deepEqual((await night.mails()).map(({ subject }) => subject), ["hr: still has not come"]);
    await night.sync("hr");
    await night.live(1);
    assert.equal((await night.connection()).overdue_since, null);
    night.later(24 * HOUR_MS);
    await night.live(1);
    assert.equal((await night.events("connection.overdue")).length, 3, "what was late is not the next day's as well");
  }));

test("a feed that is handed in is expected as well", () =>
  living({}, async (night) => {
    await night.set("csv", { expected_by: { time: "10:30" } });
    await night.tick();
    await night.import("employee_id,email,first_name,last_name\n7,gil@acme.test,Gil,Ort\n");
    night.later(HOUR_MS);
    await night.tick();
    assert.deepEqual(await night.events("connection.overdue"), []);
    night.later(24 * HOUR_MS);
    await night.tick();
    assert.equal((await night.events("connection.overdue"))[0].data.connection.slug, "csv");
  }));
