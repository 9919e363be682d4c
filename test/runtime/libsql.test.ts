/** A database on a libSQL server, spoken to over HTTP alone. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { sql } from "drizzle-orm";
import { migrateDatabase, type OpenDatabase, openDatabase } from "../../src/runtime/database.ts";
import { createOrganization, findOrganizationNamed } from "../../src/store/organizations.ts";
import { isFull } from "../../src/store/trouble.ts";
import { type LibsqlServer, startLibsqlServer } from "../support/libsql-server.ts";

const TOKEN = "a token of the server's";

async function onServer(
  work: (scene: { open: OpenDatabase; server: LibsqlServer; file: string }) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "muster-libsql-"));
  const file = join(dir, "server.db");
  const server = await startLibsqlServer(file, TOKEN);
  try {
    // Two starts at once: one brings the tables up to date, and the other waits for it.
    await Promise.all([1, 2].map(() => migrateDatabase(server.url, TOKEN)));
    const open = await openDatabase({ url: server.url, authToken: TOKEN, role: "main" });
    try {
      await work({ open, server, file });
    } finally {
      open.db.close();
    }
  } finally {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

test("a server's tables are brought up to date, and the store reads and writes there as in a file", () =>
  onServer(async ({ open: { db }, server }) => {
    assert.deepEqual(await db.rows(sql`select count(distinct hash) = count(*) from __drizzle_migrations`), [[1]]);
    const made = await createOrganization(db, { slug: "acme", name: "Acme", timezone: "UTC" }, 1);
    assert.deepEqual(await findOrganizationNamed(db, "acme"), made);
    const bytes = new Uint8Array([0, 1, 255]);
    const [row] = await db.rows(sql`select ${"Zoë"}, ${2 ** 40}, ${1.5}, ${null}, ${bytes}, ${true}`);
    assert.deepEqual([...row!.slice(0, 4), new Uint8Array(row![4] as ArrayBuffer), row![5]], [
      "Zoë",
      2 ** 40,
      1.5,
      null,
      bytes,
      1,
    ]);
    assert.equal(server.refused.count, 0);
    assert.equal(
      await openDatabase({ url: server.url, authToken: TOKEN, role: "main" }).then(({ attach }) => attach("x")),
      false,
    );
  }));

test("a batch on a server is all or nothing, and waits for another writer", () =>
  onServer(async ({ open: { db }, file }) => {
    await db.write([db.orm.run(sql`create table t (n integer primary key)`)]);
    const insert = (n: number) => db.orm.run(sql`insert into t values (${n})`);
    await assert.rejects(db.write([insert(1), insert(1)]));
    assert.deepEqual(await db.rows(sql`select * from t`), []);
    const other = new DatabaseSync(file);
    other.exec("begin immediate");
    const waiting = db.write([insert(2), db.orm.all(sql`select n from t`)]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    other.exec("commit");
    assert.deepEqual((await waiting)[1], [[2]]);
    other.close();
  }));

test("a server without room is told from one that fails otherwise", () =>
  onServer(async ({ open: { db }, file }) => {
    await db.write([db.orm.run(sql`create table t (body blob)`)]);
    const other = new DatabaseSync(file);
    const pages = Number(Object.values(other.prepare("pragma page_count").get()!)[0]);
    other.close();
    const insert = db.orm.run(sql`insert into t values (${new Uint8Array(4096 * 100)})`);
    const limited = db.write([db.orm.all(sql.raw(`pragma max_page_count = ${pages}`)), insert]);
    assert.ok(isFull(await limited.then(() => null, (error) => error)));
    const wrong = await db.write([db.orm.run(sql`insert into nothing values (1)`)]).then(() => null, (error) => error);
    assert.ok(wrong instanceof Error && !isFull(wrong));
  }));

test("an address of a server's WebSocket is asked over HTTP, and a wrong token is refused", () =>
  onServer(async ({ server }) => {
    const { db } = await openDatabase({ url: server.url.replace("http", "ws"), authToken: TOKEN, role: "main" });
    assert.deepEqual(await db.rows(sql`select 1`), [[1]]);
    db.close();
    await assert.rejects(migrateDatabase(server.url, "another"), ({ cause }) => /401/.test(String(cause)));
    assert.ok(server.refused.count > 0);
  }));
