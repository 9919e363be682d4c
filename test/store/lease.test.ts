import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { isFree, leaseIn, stateOf } from "../../src/store/lease.ts";
import { BY_SERVER, createLeaseWatch } from "../../src/store/lease-watch.ts";
import type { Statement } from "../../src/store/database.ts";
import { unchanged } from "../../src/store/unchanged.ts";
import { organizations } from "../../src/store/schema.ts";
import { createTestHub } from "../support/hub.ts";

const LEASE = leaseIn({ owner: "lease_owner", until: "lease_until", epoch: "lease_epoch", beat: "lease_beat" });

test("a lease is free until it is claimed, and again after its release, its length without a beat, or its holder's death", async () => {
  // On a server its own clock ends leases, as below.
  const { db, close, clock, organization: { id } } = await createTestHub({ onServer: false });
  try {
    const set = (assignments: ReturnType<typeof LEASE.release>) =>
      db.write([db.orm.run(sql`update organizations set ${assignments} where id = ${id}`) as Statement]);
    const isFreeNow = async (gone?: string) => {
      const [row] = await db.rows<[string]>(sql`select ${LEASE.state} from organizations where id = ${id}`);
      return isFree(db, "lease", stateOf(row![0]), (name) => name === gone);
    };
    assert.equal(await isFreeNow(), true);
    await set(LEASE.claim("a"));
    assert.equal(await isFreeNow(), false);
    assert.equal(await isFreeNow("b"), false);
    assert.equal(await isFreeNow("a"), true);
    clock.ms += 29_000;
    assert.equal(await isFreeNow(), false);
    await set(LEASE.renew());
    clock.ms += 29_000;
    assert.equal(await isFreeNow(), false, "it was renewed");
    clock.ms += 29_000;
    assert.equal(await isFreeNow(), false, "and is watched since that was seen");
    clock.ms += 2_000;
    assert.equal(await isFreeNow(), true);
    await set(LEASE.claim("b"));
    assert.equal(await isFreeNow(), false);
    await set(LEASE.release());
    assert.equal(await isFreeNow(), true);
  } finally {
    close();
  }
});

test("on a file no clock ends a lease but the monotonic one of the process that watches it; on a server, its clock does", () => {
  const held = { owner: "a", epoch: 1, beat: 1, isPast: true };
  let elapsed = 0;
  const watch = createLeaseWatch(() => elapsed);
  assert.equal(watch.isOver("lease", held, 30_000), false, "whatever the clock says");
  elapsed = 30_000;
  assert.equal(watch.isOver("lease", { ...held, isPast: false }, 30_000), false);
  assert.equal(watch.isOver("another", held, 30_000), false);
  elapsed = 30_001;
  assert.equal(watch.isOver("lease", { ...held, epoch: 2 }, 30_000), false, "another holder");
  elapsed = 60_002;
  assert.equal(watch.isOver("lease", { ...held, epoch: 2, isPast: false }, 30_000), true);
  assert.equal(BY_SERVER.isOver("lease", held, 30_000), true);
  assert.equal(BY_SERVER.isOver("lease", { ...held, isPast: false }, 30_000), false);
});

test("of very many leases only those looked at last are watched", () => {
  let elapsed = 0;
  const watch = createLeaseWatch(() => elapsed);
  const held = { owner: "a", epoch: 1, beat: 1, isPast: false };
  watch.isOver("first", held, 30_000);
  for (let n = 0; n < 10_000; n++) watch.isOver(`other ${n}`, held, 30_000);
  elapsed = 31_000;
  assert.equal(watch.isOver("other 9999", held, 30_000), true);
  assert.equal(watch.isOver("first", held, 30_000), false, "it is watched from the beginning");
});

test("a row is unchanged until one of its columns is, null or not", async () => {
  const { db, close, organization } = await createTestHub();
  try {
    const isUnchanged = async (row: { id: number; version: number; leaseOwner: string | null }) => {
      const [found] = await db.rows<[number]>(
        sql`select ${unchanged(organizations, row, ["id", "version", "leaseOwner"])}`,
      );
      return found![0] === 1;
    };
    const { id, version } = organization;
    assert.equal(await isUnchanged({ id, version, leaseOwner: null }), true);
    assert.equal(await isUnchanged({ id, version, leaseOwner: "a" }), false);
    assert.equal(await isUnchanged({ id, version: version + 1, leaseOwner: null }), false);
    await db.write([db.orm.run(sql`update organizations set lease_owner = 'a'`) as Statement]);
    assert.equal(await isUnchanged({ id, version, leaseOwner: null }), false);
    assert.equal(await isUnchanged({ id, version, leaseOwner: "a" }), true);
  } finally {
    close();
  }
});
