/** Work that was taken over meanwhile: what the late one writes changes nothing, for each kind of lease. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { sql } from "drizzle-orm";
import { migrateDatabase, openDatabase } from "../../src/runtime/database.ts";
import { createTurns } from "../../src/std/turns.ts";
import { findHeld, holdConnections, ownLease } from "../../src/store/bridges/bridge-leases.ts";
import { bridges } from "../../src/store/bridges/schema-bridge.ts";
import { claimFetch, note, queueFetch, releaseFetch, writeFetch } from "../../src/store/connections/fetches.ts";
import { createD1Database } from "../../src/store/d1.ts";
import type { Database } from "../../src/store/database.ts";
import { claimDeliveries, type Outcome, releaseOfDead, settleDeliveries } from "../../src/store/notify/deliveries.ts";
import { deliveries, webhookEndpoints } from "../../src/store/notify/schema-webhooks.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { carry } from "../../src/runs/run.ts";
import { leaseRun } from "../../src/runs/next.ts";
import { claimOrganization, listRunnable, renewLease } from "../../src/store/runs/queue.ts";
import { fencedDatabase, isFenced } from "../../src/store/fence.ts";
import { claimKey, ownClaim } from "../../src/store/idempotency.ts";
import { holdOrganization, renewHold } from "../../src/store/people/erasure.ts";
import { updateRun } from "../../src/store/runs/run-steps.ts";
import { crowd, csv, HEADER, importing } from "../support/imports.ts";
import { fakeD1 } from "../support/d1.ts";
import { createTestHub } from "../support/hub.ts";
import { startLibsqlServer } from "../support/libsql-server.ts";

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

test("what a reader of a source has read is not written once another reader has claimed the fetch", () =>
  importing(async ({ hub, connect }) => {
    const { db } = hub;
    await connect("fetched");
    const [[connectionId]] = await db.rows<[number]>(sql`select id from connections where slug = 'fetched'`) as [
      [number],
    ];
    const run = { organizationId: hub.organization.id, connectionId, trigger: "manual", mode: "auto" } as const;
    await queueFetch(db, { ...run, brings: [{ entity: "users", coverage: "full" }] }, hub.now());
    const claim = (owner: string) =>
      claimFetch(db, owner, hub.now(), { isGone: () => false, busy: [], turns: createTurns() });
    const first = (await claim("same process"))!.fetch;
    assert.equal(await claim("same process"), null);
    hub.clock.ms += 31_000;
    const second = (await claim("same process"))!.fetch;
    await assert.rejects(() => writeFetch(db, first, 7, [note(db, first, { records: 7 })]), isFenced);
    await releaseFetch(db, first, true);
    await writeFetch(db, second, 2, [note(db, second, { records: 2 })]);
    const rows = await db.rows(sql`select records, owner, r.progress ->> '$.done' from fetches
      join runs r on r.id = run_id`);
    assert.deepEqual(rows, [[2, "same process", 2]]);
  }));

test("the outcome of a delivery that was claimed again since changes nothing of it", async () => {
  const { db, close, clock, organization: { id: organizationId } } = await createTestHub();
  try {
    const at = { createdAt: clock.ms, updatedAt: clock.ms };
    const endpoint = { id: 1, organizationId, url: "https://hooks.example.com", secret: "", seenEvent: 0 };
    const delivery = { id: 1, organizationId, endpointId: 1, eventId: 1, type: "x", eventAt: 0 };
    await db.write([
      db.orm.insert(webhookEndpoints).values({ ...endpoint, ...at, secretUpdatedAt: 0 }),
      db.orm.insert(deliveries).values({ ...delivery, dueAt: clock.ms, createdAt: clock.ms }),
    ]);
    const claim = async (name: string) => {
      await releaseOfDead(db, { name });
      const options = { sender: { name }, busy: [], each: 1, eachFailing: 1, limit: 1 };
      return (await claimDeliveries(db, clock.ms, options))[0]?.delivery ?? null;
    };
    const outcomeOf = ({ epoch }: { epoch: number }, status: Outcome["status"]): Outcome => ({
      id: 1,
      organizationId,
      endpointId: 1,
      epoch,
      at: clock.ms,
      latencyMs: 1,
      statusCode: 200,
      error: null,
      answer: null,
      status,
      dueAt: null,
      counts: true,
    });
    const first = (await claim("first"))!;
    assert.equal(await claim("second"), null, "it is held");
    clock.ms += 31_000;
    const second = (await claim("second"))!;
    await settleDeliveries(db, [outcomeOf(first, "failed")], clock.ms);
    const read = () => db.rows(sql`select status, sender, attempts from deliveries`);
    assert.deepEqual(await read(), [["pending", "second", 1]]);
    await settleDeliveries(db, [outcomeOf(second, "succeeded")], clock.ms);
    assert.deepEqual(await read(), [["succeeded", null, 2]]);
  } finally {
    close();
  }
});

test("what a bridge's request writes is not written once another bridge has the connection", () =>
  importing(async ({ hub }) => {
    const { db } = hub;
    await db.write([
      db.run(sql`update connections set settings = '{"mode":"remote"}'`),
      ...[1, 2].map((id) =>
        db.orm.insert(bridges).values({
          id,
          name: `bridge ${id}`,
          thumbprint: `${id}`,
          publicKey: { kty: "", crv: "", x: "", y: "" },
          bearer: "own",
          version: "1",
          seenAt: 0,
          createdAt: 0,
        })
      ),
    ]);
    const [one, two] = await db.orm.select().from(bridges);
    const reach = { connectors: ["csv-upload"], organizations: null };
    const hold = async (bridge: typeof one) => (await holdConnections(db, bridge!, reach, hub.now())).length;
    assert.ok(await hold(one) > 0);
    assert.equal(await hold(two), 0);
    const [[connectionId]] = await db.rows<[number]>(sql`select min(connection_id) from bridge_leases`) as [[number]];
    const first = fencedDatabase(db, ownLease((await findHeld(db, one!, connectionId))!.lease));
    const rename = (name: string) => db.run(sql`update connections set name = ${name} where id = ${connectionId}`);
    await first.write([rename("by the first")]);
    hub.clock.ms += 44_000;
    assert.equal(await hold(two), 0, "its lease lasts for 45 seconds");
    await hold(one);
    hub.clock.ms += 44_000;
    assert.equal(await hold(two), 0, "it was renewed");
    hub.clock.ms += 46_000;
    assert.ok(await hold(two) > 0);
    await assert.rejects(() => first.write([rename("late")]), isFenced);
    assert.deepEqual(await db.rows(sql`select name from connections where id = ${connectionId}`), [["by the first"]]);
  }));

async function failsWhole(db: Database): Promise<void> {
  const add = (name: string) => db.run(sql`insert into sequences (name, next) values (${name}, 1)`);
  await fencedDatabase(db, sql`select 1`).write([add("written")]);
  await assert.rejects(() => fencedDatabase(db, sql`select 1 where 0`).write([add("late")]), isFenced);
  await assert.rejects(() => db.write([add("written")]), (error) => !isFenced(error));
  assert.deepEqual(await db.rows(sql`select name from sequences where name in ('written', 'late')`), [["written"]]);
}

test("a fenced batch fails as a whole on D1", async () => {
  const database = new DatabaseSync(":memory:");
  database.exec("create table sequences (name text primary key not null, next integer not null)");
  await failsWhole(createD1Database(fakeD1(database)));
});

test("on a libSQL server, too; there a lease ends by the server's clock, whatever the hub's says", async () => {
  const dir = mkdtempSync(join(tmpdir(), "muster-fence-"));
  const server = await startLibsqlServer(join(dir, "server.db"), "token");
  try {
    await migrateDatabase(server.url, "token");
    const { db } = await openDatabase({ url: server.url, authToken: "token", role: "main" });
    await failsWhole(db);
    // As by a hub whose clock is wrong by years.
    const { id } = await createOrganization(db, { slug: "acme", name: "Acme", timezone: "UTC" }, 1);
    const claim = (name: string) => claimOrganization(db, id, { name }, null, sql`true`);
    const first = (await claim("first"))!;
    assert.equal(await claim("second"), null);
    await db.write([db.run(sql`update organizations set lease_until = lease_until - 31000`)]);
    assert.notEqual(await claim("second"), null);
    await assert.rejects(() => db.write(renewLease(db, first)), isFenced);
    db.close();
  } finally {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
