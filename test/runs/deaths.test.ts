/** Runs whose process dies: they go on, after pauses, and end only when there is nothing else that it could be. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import test from "node:test";
import { beginAttempt } from "../../src/runs/attempt.ts";
import { leaseRun, runNext } from "../../src/runs/next.ts";
import { listRunnable } from "../../src/store/runs/queue.ts";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";

const FILE = csv(HEADER, ...crowd(10));
const SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS;
const signal = new AbortController().signal;
const isGone = () => true;

/** A process takes the run and dies at once. False: none may take it now. */
async function die({ hub }: Importing): Promise<boolean> {
  const [runnable] = await listRunnable(hub.db, hub.now(), null, isGone);
  if (runnable === undefined) return false;
  const options = { signal, owner: `dead ${crypto.randomUUID()}`, isGone };
  const leased = await leaseRun(hub, runnable, options);
  assert.ok(leased !== null);
  await beginAttempt(hub, leased, options);
  return true;
}

test("a run whose process is killed again and again, as fast as it is started, goes on afterwards", () =>
  importing(async (world) => {
    const id = await world.handIn(FILE);
    let deaths = 0;
    for (let second = 0; second < 120; second++) {
      if (await die(world)) deaths++;
      world.later(SECOND_MS);
    }
    // Twice at once, then 1, 2, 4 and 8 seconds later, then every 15.
    assert.equal(deaths, 12);
    world.later(30 * SECOND_MS);
    await runNext(world.hub, { signal, owner: "test", isGone });
    assert.equal((await world.run(id)).status, "succeeded");
  }));

test("a run that kills its process each time ends, and says so", () =>
  importing(async (world) => {
    const id = await world.handIn(FILE);
    for (let n = 0; n < 10; n++) {
      assert.ok(await die(world));
      world.later(MINUTE_MS);
    }
    await runNext(world.hub, { signal, owner: "test", isGone });
    const { status, error } = await world.run(id);
    assert.deepEqual([status, error?.code], ["failed", "run_failed"]);
    assert.match(error!.message, /^The run did not end in 10 attempts/);
  }));

test("a pause by a clock that is ahead is not waited for", () =>
  importing(async (world) => {
    await world.handIn(FILE);
    assert.ok(await die(world) && await die(world));
    assert.equal(await die(world), false);
    // Another process, whose clock is right.
    world.later(-MINUTE_MS);
    assert.ok(await die(world));
  }));

test("a stop of the hub is not counted as an attempt", () =>
  importing(async (world) => {
    const { hub } = world;
    const id = await world.handIn(FILE);
    for (let n = 0; n < 12; n++) {
      const stop = new AbortController();
      await runNext(hub, { signal: stop.signal, owner: "test", onProgress: () => stop.abort(new Error("stopped")) });
    }
    assert.deepEqual(await hub.db.rows(sql`select attempts, pause from runs`), [[0, null]]);
    await world.carry();
    assert.equal((await world.run(id)).status, "succeeded");
  }));
