import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { sql } from "drizzle-orm";
import { migrateDatabase, openDatabase } from "../../src/runtime/database.ts";
import { onlyInCheck } from "../support/rounds.ts";

async function withFile(work: (url: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  try {
    await work(`file:${join(dir, "muster.db")}`);
  } finally {
    await rm(dir, { recursive: true });
  }
}

test("starts at the same time bring the tables up to date once", () =>
  withFile(async (url) => {
    await Promise.all([1, 2, 3, 4].map(() => migrateDatabase(url, null)));
    await migrateDatabase(url, null);
    const { db } = await openDatabase({ url, authToken: null, role: "alone" });
    assert.deepEqual(await db.rows(sql`select count(distinct hash) = count(*) from __drizzle_migrations`), [[1]]);
    assert.deepEqual(await db.rows(sql`select * from users`), []);
    db.close();
  }));

test("the main thread leaves the log to the runner", () =>
  withFile(async (url) => {
    for (const [role, pages] of [["main", 0], ["runner", 65536], ["alone", 16384]] as const) {
      const { db } = await openDatabase({ url, authToken: null, role });
      assert.deepEqual(await db.rows(sql`pragma wal_autocheckpoint`), [[pages]]);
      assert.deepEqual(await db.rows(sql`pragma journal_mode`), [["wal"]]);
      assert.deepEqual(await db.rows(sql`pragma synchronous`), [[1]]);
      db.close();
    }
  }));

test("a write that reads first waits for another connection's write instead of failing half-way", () =>
  withFile(async (url) => {
    const one = await openDatabase({ url, authToken: null, role: "alone" });
    const two = await openDatabase({ url, authToken: null, role: "alone" });
    await one.db.write([
      one.db.orm.run(sql`create table t (n integer)`),
      one.db.orm.run(sql`insert into t values (0)`),
    ]);
    await Promise.all([one, two].flatMap(({ db }) =>
      Array.from({ length: 50 }, () =>
        db.write([
          db.orm.all(sql`select n from t`),
          db.orm.run(sql`update t set n = n + 1`),
        ]))
    ));
    assert.deepEqual(await one.db.rows(sql`select n from t`), [[100]]);
    one.db.close();
    two.db.close();
  }));

test("a write that met another connection's lock is made once that is free, and so are the ones after it", () =>
  withFile(async (url) => {
    const { db } = await openDatabase({ url, authToken: null, role: "alone" });
    await db.write([db.orm.run(sql`create table t (n integer)`)]);
    const other = new DatabaseSync(url.slice("file:".length));
    other.exec("begin immediate");
    const waiting = db.write([db.orm.run(sql`insert into t values (1)`)]);
    // Reads go on meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(await db.rows(sql`select n from t`), []);
    other.exec("commit");
    await waiting;
    await db.write([db.orm.run(sql`insert into t values (2)`)]);
    assert.deepEqual(await db.rows(sql`select n from t`), [[1], [2]]);
    other.close();
    db.close();
  }));

test("a write is all or nothing", () =>
  withFile(async (url) => {
    const { db } = await openDatabase({ url, authToken: null, role: "alone" });
    await db.write([db.orm.run(sql`create table t (n integer primary key)`)]);
    await assert.rejects(db.write([
      db.orm.run(sql`insert into t values (1)`),
      db.orm.run(sql`insert into t values (1)`),
    ]));
    assert.deepEqual(await db.rows(sql`select n from t`), []);
    db.close();
  }));

test("what is deleted is overwritten, so that an erased person is not left in the file", () =>
  withFile(async (url) => {
    for (const role of ["main", "runner", "alone"] as const) {
      const { db } = await openDatabase({ url, authToken: null, role });
      assert.deepEqual(await db.rows(sql`pragma secure_delete`), [[1]], role);
      db.close();
    }
  }));

/** As if a later version had brought the tables up to date. */
const LATER = [
  "insert into __drizzle_migrations (hash, created_at) values ('later', 4000000000000)",
  "insert into schema_versions (migration, version, migrated_at) values (4000000000000, '9.9.9', 0)",
];

test("tables of a later version are refused before anything is written, also by a connection that was open", () =>
  withFile(async (url) => {
    await migrateDatabase(url, null);
    const open = await openDatabase({ url, authToken: null, role: "main" });
    const add = () =>
      open.db.write([open.db.orm.run(sql`insert into tallies (name, label, value) values ('a', '', 1)`)]);
    await add();
    assert.equal(await open.newer(), null);
    const later = new DatabaseSync(url.slice("file:".length));
    for (const statement of ["create table later (n integer)", ...LATER]) later.exec(statement);

    const refused =
      /brought up to date by Muster 9\.9\.9, to a migration of 2096-10-02.*use Muster 9\.9\.9 or a later one/;
    await assert.rejects(migrateDatabase(url, null), refused);
    await assert.rejects(add(), ({ code, message }) => code === "unavailable" && refused.test(message));
    assert.match((await open.newer())!.message, refused);
    assert.deepEqual(await open.db.rows(sql`select count(*) from tallies where name = 'a'`), [[1]]);
    open.db.close();
    later.close();
  }));

test(
  "a start that waits for another process says so, and goes on once that has ended",
  { skip: onlyInCheck },
  () =>
    withFile(async (url) => {
      const other = new DatabaseSync(url.slice("file:".length));
      other.exec("begin immediate");
      const said: number[] = [];
      const waiting = (seconds: number) => {
        said.push(seconds);
        other.exec("rollback");
      };
      await migrateDatabase(url, null, { waiting });
      assert.deepEqual(said, [3]);
      assert.deepEqual(other.prepare("select count(*) n from schema_versions").get()!.n, 1);
      other.close();
    }),
);
