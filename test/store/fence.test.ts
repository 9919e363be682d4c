/** Work that was taken over meanwhile: what the late one writes changes nothing, for each kind of lease. */
import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { carry } from "../../src/runs/run.ts";
import { leaseRun } from "../../src/runs/next.ts";
import { listRunnable, renewLease } from "../../src/store/runs/queue.ts";
import { fencedDatabase, isFenced } from "../../src/store/fence.ts";
import { claimKey, ownClaim } from "../../src/store/idempotency.ts";
import { holdOrganization, renewHold } from "../../src/store/people/erasure.ts";
import { updateRun } from "../../src/store/runs/run-steps.ts";
import { crowd, csv, HEADER, importing } from "../support/imports.ts";
import { createTestHub } from "../support/hub.ts";

test("a batch of a run whose lease another process has claimed fails, and nothing of it is written", () =>
  importing(async ({ hub, handIn, number, run }) => {
    const { db } = hub;
    const name = await handIn(csv(HEADER, ...crowd(3)));
    const id = number("run", name);
    const [runnable] = await listRunnable(db, hub.now(), id, () => false);
    const options = { signal: new AbortController().signal, owner: "first" };
    const first = (await leaseRun(hub, runnable!, options))!;
    assert.equal(await leaseRun(hub, runnable!, { ...options, owner: "second" }), null, "it is held");
    await db.write([updateRun(db, id, { attempts: 1 }), ...renewLease(db, first.lease)]);
    const second = (await leaseRun(hub, runnable!, {
      ...options,
      owner: "second",
      isGone: (name) => name === "first",
    }))!;
    await assert.rejects(
      () => db.write([updateRun(db, id, { attempts: 9 }), ...renewLease(db, first.lease)]),
      isFenced,
    );
    await db.write(renewLease(db, second.lease));
    const [row] = await db.rows(sql`select attempts, lease_owner from runs join organizations where runs.id = ${id}`);
    assert.deepEqual(row, [1, "second"]);
    await carry(hub, second, options);
    assert.equal((await run(name)).status, "succeeded");
  }));

test("a run that is taken over at any of its writes is given up quietly, and its new carrier ends it as if alone", () =>
  importing(async ({ hub, handIn, number, ask, run }) => {
    const lines = (title: string) => csv(`${HEADER},title`, ...crowd(40, 1, (i) => `,${i === 7 ? title : "Clerk"}`));
    const options = { signal: new AbortController().signal, rethrow: true };
    let isTaken = true;
    for (let write = 1; isTaken; write++) {
      const id = await handIn(lines(`Title ${write}`));
      const own = number("run", id);
      const [runnable] = await listRunnable(hub.db, hub.now(), own, () => false);
      const first = (await leaseRun(hub, runnable!, { ...options, owner: "first" }))!;
      let second: typeof first | null = null, writes = 0;
      const late = {
        ...hub,
        db: {
          ...hub.db,
          async write(statements: Parameters<typeof hub.db.write>[0]) {
            if (++writes === write) {
              const [again] = await listRunnable(hub.db, hub.now(), own, () => true);
              second = await leaseRun(hub, again!, { ...options, owner: "second", isGone: () => true });
            }
            return await hub.db.write(statements);
          },
        },
      };
      const before = hub.lines.length;
      await carry(late, first, { ...options, owner: "first" });
      isTaken = second !== null;
      if (!isTaken) break;
      const events = hub.lines.slice(before).map(({ event }) => event);
      assert.ok(events.includes("run.taken_over"), events.join());
      assert.ok(!events.includes("run.ended"), events.join());
      await carry(hub, second!, { ...options, owner: "second" });
      const ended = await run(id);
      assert.deepEqual([ended.status, ended.counts.created, ended.counts.updated], [
        "succeeded",
        write === 1 ? 40 : 0,
        write === 1 ? 0 : 1,
      ]);
      const { data } = await (await ask(`/v1/events?limit=100&type=run.completed`)).json();
      assert.equal(data.length, write, "each run has ended once");
    }
  }));

test("an erasure whose hold another one has writes nothing", async () => {
  const { db, close, clock, organization: { id } } = await createTestHub();
  try {
    const first = (await holdOrganization(db, id, "erasing 1"))!;
    await renewHold(db, first);
    assert.equal(await holdOrganization(db, id, "erasing 2"), null);
    clock.ms += 31_000;
    assert.notEqual(await holdOrganization(db, id, "erasing 2"), null);
    await assert.rejects(() => renewHold(db, first), isFenced);
  } finally {
    close();
  }
});

test("a request whose key another request has taken over writes nothing any more", async () => {
  const { db, close, clock, organization: { id } } = await createTestHub();
  try {
    const key = { organizationId: id, caller: "tok_1", route: "/v1/x", keyHash: "h" };
    await claimKey(db, key, "first", clock.ms);
    const first = fencedDatabase(db, ownClaim("first"));
    const rename = (name: string) => db.run(sql`update organizations set name = ${name} where id = ${id}`);
    assert.equal((await first.write([rename("by the first")])).length, 1);
    assert.equal((await claimKey(db, key, "second", clock.ms)).is, "running");
    clock.ms += 31_000;
    assert.equal((await claimKey(db, key, "second", clock.ms)).is, "mine");
    await assert.rejects(() => first.write([rename("late")]), isFenced);
    await fencedDatabase(db, ownClaim("second")).write([rename("by the second")]);
    assert.deepEqual(await db.rows(sql`select name from organizations where id = ${id}`), [["by the second"]]);
  } finally {
    close();
  }
});
