import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import { HUB } from "../../src/model/audit.ts";
import { openDatabase } from "../../src/runtime/database.ts";
import { listUnsealed, recordAudit, sealAudit, verifyAudit } from "../../src/store/audit.ts";
import type { Database } from "../../src/store/database.ts";
import { tick } from "../../src/upkeep/tick.ts";
import { createTestHub, type TestHub } from "../support/hub.ts";

const NOW = Date.UTC(2026, 2, 2, 8);

async function withHub(work: (hub: TestHub) => Promise<void>): Promise<void> {
  const hub = await createTestHub();
  try {
    await work(hub);
  } finally {
    hub.close();
  }
}

function note(db: Database, organizationId: number, subject: string) {
  return recordAudit(db, HUB, { organizationId, action: "user.changed", subjects: [subject] }, NOW, sql`true`);
}

async function fill(hub: TestHub, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await hub.db.write([note(hub.db, hub.organization.id, `usr_${i}`)]);
}

/** What somebody with the file in hand can do: take the guards away and put them back. */
async function tamper(hub: TestHub, trigger: string, statement: string): Promise<void> {
  const [[text]] = await hub.db.rows<[string]>(sql`select sql from sqlite_master where name = ${trigger}`) as [
    [string],
  ];
  await hub.db.write([
    hub.db.orm.run(sql.raw(`drop trigger ${trigger}`)),
    hub.db.orm.run(sql.raw(statement)),
    hub.db.orm.run(sql.raw(text)),
  ] as never);
}

test("an entry can neither be changed, nor deleted, nor put in the place of another, and nor can its hash", async () => {
  await withHub(async (hub) => {
    await fill(hub, 3);
    await sealAudit(hub.db, hub.organization.id);
    for (
      const statement of [
        "update audit_entries set action = 'user.erased'",
        "delete from audit_entries where seq = 2",
        "insert or replace into audit_entries select * from audit_entries where seq = 2",
        "update audit_seals set hash = ''",
        "delete from audit_seals",
        "insert or replace into audit_seals select * from audit_seals where seq = 2",
      ]
    ) {
      await assert.rejects(
        hub.db.write([hub.db.orm.run(sql.raw(statement)) as never]),
        (error: Error) => /append-only/.test(`${error.message} ${(error.cause as Error)?.message}`),
        statement,
      );
    }
    assert.equal((await verifyAudit(hub.db, hub.organization.id)).broken, null);
  });
});

test("what is recorded belongs to what was written: neither is there without the other", async () => {
  await withHub(async (hub) => {
    const { db, organization } = hub;
    const count = async () => (await db.rows(sql`select 1 from audit_entries`)).length;
    const before = await count();
    const wrote = { organizationId: organization.id, action: "organization.changed", subjects: [] } as const;
    await db.write([
      db.orm.run(sql`update organizations set name = 'x' where id = -1`) as never,
      recordAudit(db, HUB, wrote, NOW),
    ]);
    assert.equal(await count(), before);
    await assert.rejects(db.write([
      db.orm.run(sql`update organizations set name = 'x'`) as never,
      recordAudit(db, HUB, wrote, NOW),
      db.orm.run(sql`select json('moved')`) as never,
    ]));
    assert.equal(await count(), before);
    await db.write([db.orm.run(sql`update organizations set name = 'x'`) as never, recordAudit(db, HUB, wrote, NOW)]);
    assert.equal(await count(), before + 1);
  });
});

test("verifying names the first entry that is not what was sealed, and how many hold before it", async () => {
  const cases = [
    [
      "audit_entries_stay",
      "update audit_entries set actor_name = 'somebody else' where seq = 4",
      4,
      /not what was sealed/,
    ],
    ["audit_entries_stay", "update audit_entries set at = at + 1 where seq = 2", 2, /not what was sealed/],
    ["audit_entries_are_kept", "delete from audit_entries where seq = 3", 3, /it is gone/],
    ["audit_entries_are_kept", "delete from audit_entries where seq = 6", 6, /it is gone/],
    ["audit_seals_are_kept", "delete from audit_seals where seq = 5", 5, /its hash is gone/],
    ["audit_seals_stay", "update audit_seals set hash = 'a' where seq = 1", 1, /not what was sealed/],
  ] as const;
  for (const [trigger, statement, seq, what] of cases) {
    await withHub(async (hub) => {
      // The first entry is the organization's own beginning.
      await fill(hub, 5);
      await sealAudit(hub.db, hub.organization.id);
      assert.equal((await verifyAudit(hub.db, hub.organization.id)).rows, 6);
      await tamper(hub, trigger, statement);
      const { broken, rows } = await verifyAudit(hub.db, hub.organization.id);
      assert.equal(broken?.seq, seq, statement);
      assert.match(broken!.what, what);
      assert.equal(rows, seq - 1);
    });
  }
});

test("an end that was cut off with its hashes is seen by whoever kept a hash of it", async () => {
  await withHub(async (hub) => {
    const { id } = hub.organization;
    await fill(hub, 5);
    await sealAudit(hub.db, id);
    const { head } = await verifyAudit(hub.db, id);
    await tamper(hub, "audit_entries_are_kept", "delete from audit_entries where seq > 3");
    await tamper(hub, "audit_seals_are_kept", "delete from audit_seals where seq > 3");
    assert.equal((await verifyAudit(hub.db, id)).broken, null);
    assert.match((await verifyAudit(hub.db, id, { seq: 6, hash: head })).broken!.what, /was there once/);
    await fill(hub, 5);
    await sealAudit(hub.db, id);
    assert.match((await verifyAudit(hub.db, id, { seq: 6, hash: head })).broken!.what, /not the one known/);
  });
});

test("many that write and seal at once, each with a connection of its own, make one chain", async () => {
  await withHub(async (hub) => {
    const { id } = hub.organization;
    const [[file]] = await hub.db.rows<[string]>(sql`select file from pragma_database_list where name = 'main'`) as [
      [string],
    ];
    const others = await Promise.all(
      Array.from({ length: 4 }, () => openDatabase({ url: `file:${file}`, authToken: null, role: "alone" })),
    );
    await Promise.all(others.map(async ({ db }, who) => {
      for (let i = 0; i < 25; i++) {
        await db.write([note(db, id, `usr_${who}_${i}`)]);
        if (i % 3 === who % 3) await sealAudit(db, id);
      }
    }));
    await Promise.all(others.map(({ db }) => sealAudit(db, id)));
    for (const { db } of others) db.close();
    const found = await verifyAudit(hub.db, id);
    assert.deepEqual([found.rows, found.unsealed, found.broken], [101, 0, null]);
  });
});

test("what no request sealed, the next tick seals", async () => {
  await withHub(async (hub) => {
    await fill(hub, 3);
    assert.deepEqual(await listUnsealed(hub.db), [hub.organization.id]);
    assert.equal((await verifyAudit(hub.db, hub.organization.id)).unsealed, 4);
    await tick(hub);
    assert.deepEqual(await listUnsealed(hub.db), []);
    assert.deepEqual((await verifyAudit(hub.db, hub.organization.id)).rows, 4);
  });
});

test("a chain longer than what is read at once holds, and breaks where it was broken", async () => {
  await withHub(async (hub) => {
    const { id } = hub.organization;
    await hub.db.write(Array.from({ length: 1200 }, (_, i) => note(hub.db, id, `usr_${i}`)));
    await sealAudit(hub.db, id);
    assert.equal((await verifyAudit(hub.db, id)).rows, 1201);
    await tamper(hub, "audit_entries_stay", "update audit_entries set address = '192.0.2.1' where seq = 1100");
    assert.equal((await verifyAudit(hub.db, id)).broken?.seq, 1100);
  });
});
