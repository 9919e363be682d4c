import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { leaseIn, listGone } from "../../src/store/lease.ts";
import type { Statement } from "../../src/store/database.ts";
import { unchanged } from "../../src/store/unchanged.ts";
import { organizations } from "../../src/store/schema.ts";
import { createTestHub } from "../support/hub.ts";

const LEASE = leaseIn("lease_owner", "lease_until");

test("a lease is free until it is claimed, and again after its release, its time, or its holder's death", async () => {
  const { db, close, organization: { id } } = await createTestHub();
  try {
    const set = (assignments: ReturnType<typeof LEASE.release>) =>
      db.write([db.orm.run(sql`update organizations set ${assignments} where id = ${id}`) as Statement]);
    const isFree = async (now: number, gone?: string[]) => {
      const [row] = await db.rows<[number]>(
        sql`select ${LEASE.isFree(now, gone)} from organizations where id = ${id}`,
      );
      return row![0] === 1;
    };
    assert.equal(await isFree(0), true);
    await set(LEASE.claim("a", 100));
    assert.equal(await isFree(100), false);
    assert.equal(await isFree(101), true);
    assert.equal(await isFree(100, ["b"]), false);
    assert.equal(await isFree(100, ["b", "a"]), true);
    await set(LEASE.renew(200));
    assert.equal(await isFree(101), false);
    await set(LEASE.release());
    assert.equal(await isFree(101), true);
  } finally {
    close();
  }
});

test("of the holders those that have died are listed, never the one that asks", async () => {
  const { db, close } = await createTestHub();
  try {
    const names = sql`select value from json_each('["a", "b", "c"]')`;
    assert.deepEqual(await listGone(db, names, { name: "a", isGone: (name) => name !== "b" }), ["c"]);
    assert.deepEqual(await listGone(db, names, { name: "a" }), []);
  } finally {
    close();
  }
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
