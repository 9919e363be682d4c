/** Sources that hang: they hold no other connection's place, in their organization or elsewhere, but within bounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { type Connector, defineConnector } from "../../src/connector.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { runFetcher } from "../../src/sources/fetcher.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { type Ask, createAsk, createTestToken } from "../support/hub.ts";
import { type Importing, importing } from "../support/imports.ts";

/** Reads that hang. */
const begun = { count: 0 };

/** How long ago all that happened is, by the fetcher's clock. */
const silence = { ms: 0 };

/** By its setting it gives one person at once, or nothing until it is stopped. */
const connector = defineConnector({
  api: 1,
  name: "hanging",
  version: "1.0.0",
  title: "Hanging",
  input: "fetch",
  coverage: { users: "diff" },
  settings: z.object({ hangs: z.boolean() }),
  mapping: { id: "source_id", mail: "email", first: "first_name", last: "last_name" },
  key: "source_id",
  async *fetch({ settings: { hangs }, signal }) {
    if (hangs) {
      begun.count++;
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    }
    yield { origin: "all", records: [{ id: "1", mail: "ana@acme.test", first: "Ana", last: "Sol" }] };
  },
});

/** Makes so many connections of the organization, and asks each to fetch; gives their runs' ids. */
async function start(ask: Ask, hangs: boolean, count: number): Promise<string[]> {
  const runs: string[] = [];
  for (let i = 0; i < count; i++) {
    const slug = `${hangs ? "hanging" : "quick"}-${i}`;
    const json = { connector: "hanging", name: slug, slug, settings: { hangs }, schedule: null };
    assert.equal((await ask("/v1/connections", { json })).status, 201);
    const answer = await ask(`/v1/connections/${slug}/runs`, { method: "POST" });
    runs.push((await answer.json()).run.id);
  }
  return runs;
}

async function reading(work: (world: Importing) => Promise<void>): Promise<void> {
  const registry = new Map([...createRegistry(), ["hanging", connector as unknown as Connector<never>]]);
  await importing(async (world) => {
    const stop = new AbortController();
    silence.ms = 0;
    // Of the test's clock alone leases would end, which are renewed as real time passes.
    const hub = { ...world.hub, now: () => world.hub.clock.ms + silence.ms };
    const fetcher = runFetcher(hub, { owner: "test", signal: stop.signal, lookEveryMs: 5 });
    try {
      await work(world);
    } finally {
      stop.abort();
      await fetcher;
    }
  }, { registry });
}

async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    if (await is()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("It does not come");
}

const hasFetched = (ask: Ask, run: string) =>
  until(async () => (await (await ask(`/v1/runs/${run}`)).json()).drop != null);

test("an organization whose sources all hang keeps nobody else from reading", () =>
  reading(async (world) => {
    const { db, clock } = world.hub;
    await createOrganization(db, { slug: "other", name: "Other", timezone: "UTC" }, clock.ms);
    const other = createAsk(world.hub, await createTestToken(world.hub, { organization: "other" }));
    await start(world.ask, true, 20);
    const [run] = await start(other, false, 1);
    await hasFetched(other, run!);
  }));

test("a source that is silent frees its place after ten seconds, for the others of its organization", () =>
  reading(async (world) => {
    begun.count = 0;
    await start(world.ask, true, 4);
    await until(() => begun.count === 4);
    const [run] = await start(world.ask, false, 1);
    silence.ms += 11_000;
    await hasFetched(world.ask, run!);
  }));

/** Starts so many that hang, until each has a place. */
async function startAll(ask: Ask, count: number): Promise<string[]> {
  begun.count = 0;
  const runs = await start(ask, true, count);
  for (let all = 4; all <= count; all += 4) {
    await until(() => begun.count === all);
    silence.ms += 10_000;
  }
  return runs;
}

test("the seventeenth of an organization whose sources hang waits two minutes, and takes the place of the first", () =>
  reading(async (world) => {
    const hanging = await startAll(world.ask, 16);
    const [run] = await start(world.ask, false, 1);
    silence.ms += 120_000;
    await hasFetched(world.ask, run!);
    const given = () => world.hub.lines.filter(({ details }) => details.code === "source_unreachable");
    await until(() => given().length > 0);
    assert.equal(given().length, 1);
    const { run_id } = given()[0]!.details;
    assert.ok(hanging.slice(0, 4).includes(String(run_id)), "it is not one of those that have been silent for longest");
  }));
