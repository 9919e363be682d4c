/** Webhooks of a source: proven to be its own, taken as a reason to fetch soon, once for many, and for nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hire } from "../support/bamboohr/company.ts";
import { signWebhook } from "../support/bamboohr/webhooks.ts";
import { type Connected, connected } from "../support/bamboohr/world.ts";
import { HUB } from "../../src/model/audit.ts";
import { takeHint } from "../../src/sources/hint.ts";
import { createAsk } from "../support/hub.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const MINUTE_MS = 60_000;
const EVENT = JSON.stringify({
  type: "employee.updated",
  data: { companyId: "1", employeeId: "1", changedFields: [] },
});

interface Hint {
  readonly body?: string;
  readonly key?: string;
  /** Seconds that its clock is ahead. */
  readonly ahead?: number;
  readonly signature?: string;
  readonly path?: string;
}

/** Sends one as BambooHR does, with no token; gives the answer's status. */
async function hint(world: Connected, given: Hint = {}): Promise<number> {
  const { id } = await (await world.ask("/v1/connections/bamboohr")).json();
  const body = given.body ?? EVENT;
  const timestamp = String(Math.floor(world.hub.clock.ms / 1000) + (given.ahead ?? 0));
  const answer = await createAsk(world.hub, null)(given.path ?? `/hints/${id}`, {
    body,
    headers: {
      "content-type": "application/json",
      "x-bamboohr-timestamp": timestamp,
      "x-bamboohr-signature": given.signature ?? signWebhook(given.key ?? KEY, body, timestamp),
    },
  });
  return answer.status;
}

/** Lets time go by, and works on what is due by then; gives how many runs there are. */
async function after(world: Connected, ms: number): Promise<number> {
  world.later(ms);
  await world.tick();
  await world.work();
  return (await world.runs()).length;
}

const withKey = (work: (world: Connected) => Promise<void>, input: object = {}) =>
  connected(async (world) => {
    hire(world.fake.company, 1);
    await world.set("bamboohr", { secrets: { webhook_key: KEY } });
    await world.sync();
    await after(world, 30 * MINUTE_MS);
    await work(world);
  }, input);

test("a hint lets the connection read everybody a minute later, whatever it says; many are one", () =>
  withKey(async (world) => {
    hire(world.fake.company, 2);
    assert.equal(await hint(world), 204);
    assert.equal(await after(world, MINUTE_MS / 2), 1);
    for (const body of [EVENT, "", "no JSON", '{"data":{"employeeId":"1"},"fields":{"title":"Chief"}}']) {
      assert.equal(await hint(world, { body }), 204);
    }
    assert.equal(await after(world, MINUTE_MS), 2);
    const { trigger, counts } = (await world.runs()).at(-1)!;
    assert.deepEqual([trigger, counts.created, counts.updated], ["schedule", 1, 0]);
    // The next one not before ten minutes have gone by since.
    assert.equal(await hint(world), 204);
    assert.equal(await after(world, 5 * MINUTE_MS), 2);
    assert.equal(await after(world, 5 * MINUTE_MS), 3);
    assert.equal(await after(world, 60 * MINUTE_MS), 3);
    const { data } = await (await world.ask("/v1/audit?action=connection.hinted")).json();
    assert.deepEqual(data.map(({ actor }: { actor: { kind: string } }) => actor.kind), ["source", "source"]);
  }));

test("requests without a valid signature are refused, all alike", () =>
  withKey(async (world) => {
    await world.connect("other", { connector: "bamboohr", settings: { subdomain: "other" } });
    const { id: other } = await (await world.ask("/v1/connections/other")).json();
    const { id: csv } = await (await world.ask("/v1/connections/csv")).json();
    const timestamp = String(Math.floor(world.hub.clock.ms / 1000));
    const wrong: Hint[] = [
      { key: "another" },
      { key: "" },
      { signature: "" },
      { signature: "0".repeat(64) },
      { signature: signWebhook(KEY, EVENT, timestamp).slice(0, 62) },
      // As some have it, and BambooHR has not.
      { signature: signWebhook(KEY, `${timestamp}.`, EVENT) },
      { ahead: -6 * 60 },
      { ahead: 6 * 60 },
      { path: `/hints/${other}` },
      { path: `/hints/${csv}` },
      { path: "/hints/con_00000000999" },
      { path: "/hints/bamboohr" },
      { path: "/hints/nothing" },
    ];
    for (const given of wrong) assert.equal(await hint(world, given), 401, JSON.stringify(given));
    assert.equal(await after(world, 60 * MINUTE_MS), 1);
  }));

test("a body without end is not read to it", () =>
  withKey(async (world) => {
    assert.equal(await hint(world, { body: "x".repeat(1024 * 1024 + 1) }), 413);
  }));

test("a connection that is paused, or waits after a failure, is not moved", () =>
  withKey(async (world) => {
    await world.post("/v1/connections/bamboohr/pause");
    assert.equal(await hint(world), 204);
    await after(world, 2 * MINUTE_MS);
    await world.post("/v1/connections/bamboohr/resume");
    assert.equal(await after(world, 2 * MINUTE_MS), 1);
    world.fake.access.sees = () => false;
    assert.equal((await world.sync()).status, "failed");
    const before = world.fake.requests.length;
    assert.equal(await hint(world), 204);
    await after(world, 2 * MINUTE_MS);
    assert.equal(world.fake.requests.length, before);
  }));

test("a connection without a schedule heeds hints as well, tries again what failed, and then rests", () =>
  withKey(async (world) => {
    const { hub, fake } = world;
    const next = async () => {
      const { next_fetch_at } = await (await world.ask("/v1/connections/bamboohr")).json();
      return next_fetch_at === null ? null : (Date.parse(next_fetch_at) - hub.clock.ms) / MINUTE_MS;
    };
    assert.equal(await next(), null);
    hire(fake.company, 2);
    assert.equal(await hint(world), 204);
    assert.equal(await hint(world), 204);
    assert.equal(await next(), 1);
    assert.equal(await after(world, MINUTE_MS), 2);
    assert.deepEqual([(await world.runs()).at(-1)!.counts.created, await next()], [1, null]);
    assert.equal(await after(world, 24 * 60 * MINUTE_MS), 2, "and never by itself");

    fake.access.sees = () => false;
    assert.equal(await hint(world), 204);
    assert.equal(await after(world, MINUTE_MS), 3);
    assert.equal((await world.runs()).at(-1)!.status, "failed");
    assert.equal(await next(), 60, "credentials that see nothing are not tried out");
    const before = fake.requests.length;
    for (let n = 0; n < 3; n++) {
      assert.equal(await hint(world), 204);
      await after(world, 15 * MINUTE_MS);
    }
    assert.equal(fake.requests.length, before, "and no hint makes it sooner");
    fake.access.sees = () => true;
    await world.set("bamboohr", { secrets: { api_key: fake.key } });
    assert.equal(await next(), 0, "but new ones are tried at once");
    assert.equal(await after(world, MINUTE_MS), 4);
    const { trigger, status } = (await world.runs()).at(-1)!;
    assert.deepEqual([trigger, status, await next()], ["retry", "succeeded", null]);

    fake.access.sees = () => false;
    assert.equal((await world.sync()).status, "failed");
    assert.equal(await next(), null, "what somebody has asked for is theirs to try again");
    assert.equal(await hint(world), 204);
    await world.set("bamboohr", { schedule: { every_minutes: 600 } });
    await world.tick();
    await world.set("bamboohr", { schedule: null });
    await world.tick();
    assert.equal(await next(), null, "a schedule that is taken away takes what was due with it");
  }, { schedule: null }));

test("a signature has one spelling: with a line break or a space in it, it is none", () =>
  withKey(async (world) => {
    const { id } = await (await world.ask("/v1/connections/bamboohr")).json();
    const timestamp = String(Math.floor(world.hub.clock.ms / 1000));
    const signature = signWebhook(KEY, EVENT, timestamp);
    const take = (given: Readonly<Record<string, string>>) =>
      takeHint(world.hub, world.number("con", id), {
        header: (name) => given[name] ?? null,
        body: new TextEncoder().encode(EVENT),
      }, HUB);
    const signed = (text: string, at = timestamp) =>
      take({
        "x-bamboohr-timestamp": at,
        "x-bamboohr-signature": text,
      });
    for (const gap of ["\n", "\r\n", " ", "\t", "\u2028"]) {
      for (
        const text of [
          `${signature}${gap}`,
          `${gap}${signature}`,
          `${signature.slice(0, 8)}${gap}${signature.slice(8)}`,
        ]
      ) {
        assert.equal(await signed(text), false, JSON.stringify(text));
      }
      assert.equal(await signed(signature, `${timestamp}${gap}`), false);
    }
    assert.equal(await signed(signature), true);
  }));
