import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { decodeId } from "../../src/model/id.ts";
import { runs } from "../../src/store/runs/schema.ts";
import { createWaits } from "../../src/store/watched.ts";
import { ALONE, createWatch, type Watched } from "../../src/store/waits.ts";
import { createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

/** A watch on numbers, which counts its looks and what they were for. */
function watching(pace = { firstMs: 10, longestMs: 10 }) {
  const values = new Map<number, number>();
  const looks: number[][] = [];
  const watch = createWatch((things: readonly Watched[]) => {
    looks.push(things.map(({ id }) => id));
    return Promise.resolve(new Map(values));
  }, pace);
  const until = (id: number, wanted: number, more: { ms?: number; signal?: AbortSignal; isFresh?: boolean } = {}) =>
    watch.until({ organizationId: 1, id }, (found) => found === null || found === wanted, { ms: 60_000, ...more });
  return { values, looks, watch, until };
}

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("however many wait, each look is one for all of them", async () => {
  const { values, looks, until } = watching();
  values.set(1, 0).set(2, 0);
  const waiting = Array.from({ length: 1000 }, (_, i) => until(1 + i % 2, 1));
  while (looks.length < 5) await later(5);
  assert.deepEqual(looks.slice(0, 5).map((ids) => ids.sort()), Array.from({ length: 5 }, () => [1, 2]));
  values.set(1, 1).set(2, 1);
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set([1]));
  const count = looks.length;
  await later(50);
  assert.equal(looks.length, count, "nobody looks any more");
});

test("what has moved is looked at at once, and by itself", async () => {
  const { values, looks, watch, until } = watching({ firstMs: 60_000, longestMs: 60_000 });
  values.set(1, 0).set(2, 0);
  const [first, second] = [until(1, 1), until(2, 1)];
  await later(0);
  assert.deepEqual(looks, [[1, 2]]);
  values.set(1, 1);
  watch.moved(1);
  watch.moved(3);
  assert.equal(await first, 1);
  assert.deepEqual(looks, [[1, 2], [1]]);
  values.set(2, 1);
  watch.moved(2);
  assert.equal(await second, 1);
});

test("a client that has waited long enough, or is gone, is answered with what was seen last", async () => {
  const { values, until, looks } = watching({ firstMs: 60_000, longestMs: 60_000 });
  values.set(1, 7);
  assert.equal(await until(1, 1, { ms: 1 }), 7);
  const gone = new AbortController();
  const waiting = until(1, 1, { signal: gone.signal });
  gone.abort();
  assert.equal(await waiting, 7);
  assert.equal(await until(1, 1, { signal: AbortSignal.abort() }), 7);
  assert.equal(await until(9, 1), null, "it is not there");
  const before = looks.length;
  values.set(1, 8);
  assert.equal(await Promise.race([until(1, 8, { isFresh: true, ms: 500 }), later(20)]), undefined);
  assert.equal(looks.length, before, "what was just seen is not looked at again");
});

test("a look that fails is reported to the clients that waited for it, and to no later ones", async () => {
  let fails = true;
  const watch = createWatch(
    (things) => fails ? Promise.reject(new Error("no database")) : Promise.resolve(new Map([[things[0]!.id, true]])),
    { firstMs: 5, longestMs: 5 },
  );
  const wait = () => watch.until({ organizationId: 1, id: 1 }, Boolean, { ms: 60_000 });
  await assert.rejects(wait, /no database/);
  fails = false;
  assert.equal(await wait(), true);
});

test("the pause grows for a request that waits alone", async () => {
  const { values, looks, until } = watching({ ...ALONE, firstMs: 10 });
  values.set(1, 0);
  const startedAt = performance.now();
  await until(1, 1, { ms: 500 });
  const most = 2 + Math.log1p((performance.now() - startedAt) * 0.5 / 10) / Math.log(1.5);
  assert.ok(looks.length <= most, `${looks.length} looks`);
});

/** The hub with a count of its database's questions. */
function counting(hub: TestHub) {
  const asked = { count: 0 };
  const db = {
    ...hub.db,
    get orm() {
      asked.count++;
      return hub.db.orm;
    },
    rows: ((query) => (asked.count++, hub.db.rows(query))) as typeof hub.db.rows,
  };
  return { db, asked };
}

test(
  "a hundred who wait for runs, or watch them, cost the database no more than one",
  { skip: onlyInCheckOnDeno },
  async () => {
    const hub = await createTestHub();
    try {
      const ask = createAsk(hub, await createTestToken(hub));
      const handIn = async () => {
        const answer = await ask("/v1/connections/csv/drops", {
          body: "email\n",
          headers: { "content-type": "text/csv" },
        });
        return (await answer.json()).run.id as string;
      };
      const ids = [await handIn(), await handIn()];
      const { db, asked } = counting(hub);
      const waits = createWaits(db, { firstMs: 100, longestMs: 100 });
      const watched = createAsk({ ...hub, db, waits } as TestHub, await createTestToken(hub));
      const waiting = Array.from(
        { length: 100 },
        (_, i) => watched(`/v1/runs/${ids[i % 2]}`, { headers: { prefer: "wait=60" } }),
      );
      const streams = await Promise.all(
        Array.from({ length: 100 }, (_, i) => watched(`/v1/runs/${ids[i % 2]}/events`)),
      );
      const bodies = streams.map((stream) => stream.text());
      // All of them are let in, and have been looked at once.
      for (let before = -1; asked.count - before > 10; await later(200)) before = asked.count;
      asked.count = 0;
      await later(1000);
      assert.ok(asked.count >= 1 && asked.count < 50, `${asked.count} questions in a second, with a look every 100 ms`);

      await hub.db.write([
        hub.db.orm.update(runs).set({ status: "succeeded" }).where(
          sql`id in (${decodeId("run", ids[0]!)}, ${decodeId("run", ids[1]!)})`,
        ),
      ]);
      for (const id of ids) waits.runs.moved(decodeId("run", id)!);
      const answers = await Promise.all((await Promise.all(waiting)).map((answer) => answer.json()));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set(["succeeded"]));
      for (const text of await Promise.all(bodies)) assert.match(text, /^event: end\n.*"status":"succeeded"/m);
      assert.ok(asked.count < 100, `${asked.count} questions until all of them were answered`);
    } finally {
      hub.close();
    }
  },
);
