/** Two hubs on one database whose clocks are an hour apart, one of which jumps: each moment of a schedule has one run. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import test from "node:test";
import type { Hub } from "../../src/hub.ts";
import { lookAtClocks } from "../../src/sources/clocks.ts";
import { createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { DAY_MS, HOUR_MS } from "../support/imports.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const MINUTE_MS = 60_000;
/** A step of the world: no schedule here has two moments within it. */
const STEP_MS = 10 * MINUTE_MS;
const SCHEDULES = { often: { every_minutes: 10 }, nightly: { cron: "30 10 * * *", timezone: "UTC" } };
type Slug = keyof typeof SCHEDULES;

/** Runs that are queued end at once: a moment during a run has none of its own. */
async function endRuns({ db }: Hub): Promise<void> {
  await db.write([
    db.run(sql`update runs set status = 'succeeded', finished_at = created_at where status = 'queued'`),
    db.run(sql`update fetches set ended_at = created_at where ended_at is null`),
  ]);
}

/** When each schedule is due next, by the connection's slug. */
async function dueAt({ db }: Hub): Promise<Map<string, number>> {
  return new Map(
    await db.rows<[string, number]>(
      sql`select c.slug, k.next_at from connections c join connection_clocks k on k.connection_id = c.id`,
    ),
  );
}

async function countRuns({ db }: Hub): Promise<Map<string, number>> {
  return new Map(
    await db.rows<[string, number]>(
      sql`select c.slug, count(*) from runs r join connections c on c.id = r.connection_id group by c.slug`,
    ),
  );
}

/** Lets the time pass. `aheadMs`: of the second hub's clock, at a time. Gives the moments that had runs, with how many. */
async function live(
  hub: TestHub,
  [from, until]: readonly [number, number],
  aheadMs: (at: number) => number,
): Promise<Record<Slug, (readonly [moment: number, runs: number])[]>> {
  const second: Hub = { ...hub, db: await hub.openAgain(), now: () => hub.clock.ms + aheadMs(hub.clock.ms) };
  const seen = { often: [], nightly: [] } as Record<Slug, (readonly [number, number])[]>;
  try {
    for (hub.clock.ms = from; hub.clock.ms <= until; hub.clock.ms += STEP_MS) {
      const due = await dueAt(hub), before = await countRuns(hub);
      // The clock that is ahead sets the times first, so that it is known from when they count.
      if (hub.clock.ms === from) await lookAtClocks(second);
      await Promise.all([lookAtClocks(hub), lookAtClocks(second), lookAtClocks(hub), lookAtClocks(second)]);
      const after = await countRuns(hub);
      for (const slug of Object.keys(seen) as Slug[]) {
        const runs = (after.get(slug) ?? 0) - (before.get(slug) ?? 0);
        if (runs > 0) seen[slug].push([due.get(slug)!, runs]);
      }
      await endRuns(hub);
    }
    return seen;
  } finally {
    second.db.close();
  }
}

function every(from: number, until: number, gapMs: number) {
  return Array.from({ length: Math.floor((until - from) / gapMs) }, (_, n) => [from + (n + 1) * gapMs, 1]);
}

for (const onServer of [false, true]) {
  test(`schedules of hubs with clocks an hour apart on one ${onServer ? "server" : "file"} run once at each moment`, {
    skip: onServer && onlyInCheckOnDeno,
  }, async () => {
    const begin = Date.UTC(2026, 2, 3, 8), jumpsAt = begin + 1.5 * HOUR_MS, end = begin + 4 * HOUR_MS;
    // Created on the hour, so that the moments are known.
    const hub = await createTestHub({ onServer, now: begin - DAY_MS });
    try {
      const ask = createAsk(hub, await createTestToken(hub));
      for (const [slug, schedule] of Object.entries(SCHEDULES)) {
        const answer = await ask("/v1/connections", { json: { connector: "fetched", name: slug, slug, schedule } });
        assert.equal(answer.status, 201, await answer.text());
      }
      // An hour ahead, then an hour behind: what it had run by its clock comes again by the other's.
      const seen = await live(hub, [begin, end], (at) => at < jumpsAt ? HOUR_MS : -HOUR_MS);
      assert.deepEqual(seen.often, every(begin + HOUR_MS, end, 10 * MINUTE_MS));
      assert.deepEqual(seen.nightly, [[begin + 2.5 * HOUR_MS, 1]]);
      // And an hour ahead again, as far as that: the moments of the jump are made up for once.
      const again = await live(hub, [end, end + HOUR_MS], () => HOUR_MS);
      assert.deepEqual(again.often.map(([, runs]) => runs), again.often.map(() => 1));
      const [first, ...others] = again.often.map(([moment]) => moment);
      assert.equal(first, end + 10 * MINUTE_MS);
      assert.deepEqual(others, every(end + HOUR_MS, end + 2 * HOUR_MS, 10 * MINUTE_MS).map(([moment]) => moment));
      assert.deepEqual(again.nightly, []);
    } finally {
      hub.close();
    }
  });
}
