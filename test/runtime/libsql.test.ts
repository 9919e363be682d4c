/** A database on a libSQL server, spoken to over HTTP alone. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { sql } from "drizzle-orm";
import { migrateDatabase, type OpenDatabase, openDatabase } from "../../src/runtime/database.ts";
import { ownSchema } from "../../src/runtime/schema-version.ts";
import { createOrganization, findOrganizationNamed } from "../../src/store/organizations.ts";
import { openServer } from "../../src/runtime/libsql.ts";
import { describeError } from "../../src/runtime/log.ts";
import { tokens } from "../../src/store/schema.ts";
import { describeTrouble, isAway, isFull, mayBeDone } from "../../src/store/trouble.ts";
import { type LibsqlServer, type Received, type ServerFault, startLibsqlServer } from "../support/libsql-server.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const TOKEN = "a token of the server's";

async function onServer(
  work: (scene: { open: OpenDatabase; server: LibsqlServer; file: string }) => Promise<void>,
): Promise<void> {
  await onNewServer(async (server, file) => {
    await migrateDatabase(server.url, TOKEN);
    const open = await openDatabase({ url: server.url, authToken: TOKEN, role: "main" });
    try {
      await work({ open, server, file });
    } finally {
      open.db.close();
    }
  });
}

async function onNewServer(work: (server: LibsqlServer, file: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "muster-libsql-"));
  const file = join(dir, "server.db");
  const server = await startLibsqlServer(file, TOKEN);
  try {
    await work(server, file);
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
    await assert.rejects(migrateDatabase(server.url, "another"), /refused the token: correct DATABASE_AUTH_TOKEN/);
    assert.ok(server.refused.count > 0);
  }));

const isFirst = ({ texts }: Received) => texts.some((text) => /create table/i.test(text));

test("of several first starts at once one makes the tables, in one batch, and the others wait for it", async () => {
  await onNewServer(async (server) => {
    // Of one of them the answer is lost on the way.
    server.fail("lost", { when: isFirst });
    await Promise.all([1, 2, 3].map(() => migrateDatabase(server.url, TOKEN)));
    const { db } = await openDatabase({ url: server.url, authToken: TOKEN, role: "main" });
    assert.deepEqual(await db.rows(sql`select count(distinct hash) = count(*) from __drizzle_migrations`), [[1]]);
    db.close();
    assert.equal(server.openStreams(), 0);
    assert.ok(server.received.every(({ bytes }) => bytes < 1024 * 1024));
  });
});

test("a start that finds its tables up to date only reads", () =>
  onServer(async ({ server }) => {
    server.received.length = 0;
    await migrateDatabase(server.url, TOKEN);
    assert.deepEqual(server.received.flatMap(({ texts }) => texts).filter((text) => !/^select /i.test(text)), []);
  }));

test("tables of a newer version are left as they are, and the start is refused", () =>
  onServer(async ({ open: { db }, server }) => {
    await db.write([db.orm.run(sql`insert into __drizzle_migrations (hash, created_at) values ('later', 1e15)`)]);
    await assert.rejects(migrateDatabase(server.url, TOKEN), /brought up to date by (a later version of )?Muster/);
  }));

test("what a server refuses is one sentence: what, where, and what to do", () =>
  onServer(async ({ open: { db }, server }) => {
    const host = server.url.slice("http://".length);
    const sentences: [ServerFault, string][] = [
      ["refused_token", `The database at ${host} refused the token: correct DATABASE_AUTH_TOKEN`],
      ["no_database", `The server at ${host} has no database of that name: correct DATABASE_URL`],
      [413, `The database at ${host} refused a request of 1 KiB as too large: raise its limit to 2 MiB`],
      [502, `The database at ${host} failed with the status 502: check the server and what is before it`],
      [
        "lost",
        `The connection to the database at ${host} broke off before its answer: check the server and the way to it`,
      ],
      [
        "cut",
        `The connection to the database at ${host} broke off before its answer: check the server and the way to it`,
      ],
      [
        200,
        `What answers at ${host} does not speak libSQL's protocol: check that DATABASE_URL is a libSQL server's address`,
      ],
    ];
    for (const [fault, sentence] of sentences) {
      server.fail(fault);
      const error = await db.write([db.orm.run(sql`select ${"Zoë"}`)]).then(() => null, (error) => error);
      assert.equal(describeTrouble(error), sentence);
      assert.equal(describeError(error).error, sentence);
    }
    const broken = await db.write([db.orm.run(sql`insert into pets values (${"Zoë"})`)]).catch((error) => error);
    assert.equal(describeTrouble(broken), "The database refused a statement: no such table: pets (SQLITE_ERROR)");
    const read = await db.orm.select({ n: sql`x'00' ->> ${"Zoë"}` }).from(tokens).where(sql`nobody = 1`)
      .catch((error) => error);
    assert.equal(describeTrouble(read), "The database refused a statement: no such column: nobody (SQLITE_ERROR)");
    assert.doesNotMatch(JSON.stringify(describeError(read)), /Zo|select/);
  }));

test("an answer that does not come in time is a trouble, and whether the write was made is not known", () =>
  onServer(async ({ server }) => {
    const { engine, close } = openServer({ url: server.url, authToken: TOKEN, answerMs: 50 });
    for (const fault of ["late", "silent"] as const) {
      server.fail(fault);
      const error = await engine.batch([{ text: "select 1", values: [] }]).then(() => null, (error) => error);
      assert.match(describeTrouble(error)!, /^The database at 127\.0\.0\.1:\d+ did not answer in 0\.05 s: /);
      assert.deepEqual([isAway(error), mayBeDone(error)], [true, true]);
    }
    close();
  }));

test("a read is repeated while the server is away, and a write only where it was certainly not made", () =>
  onServer(async ({ open: { db }, server }) => {
    await db.write([db.orm.run(sql`create table t (n integer)`)]);
    for (const fault of ["dropped", "cut", 502, 429] as const) {
      server.fail(fault);
      assert.deepEqual(await db.rows(sql`select count(*) from t`), [[0]]);
    }
    const insert = () => db.write([db.orm.run(sql`insert into t values (1)`)]);
    server.fail(429);
    await insert();
    assert.deepEqual(await db.rows(sql`select count(*) from t`), [[1]]);
    // Made or not: it fails, and is not made a second time.
    for (const [fault, count] of [["lost", 2], ["cut", 3], ["dropped", 3], [502, 3]] as const) {
      server.fail(fault);
      await assert.rejects(insert(), (error) => mayBeDone(error));
      assert.deepEqual(await db.rows(sql`select count(*) from t`), [[count]], String(fault));
    }
  }));

test(
  "a server that starts again is waited for, and one that nobody listens at is named",
  { skip: onlyInCheckOnDeno },
  () =>
    onServer(async ({ open: { db }, server }) => {
      await server.down();
      const error = await db.rows(sql`select 1`).then(() => null, (error) => error);
      const host = server.url.slice("http://".length);
      assert.equal(
        describeTrouble(error),
        `The database at ${host} cannot be reached, as nothing listens there: check DATABASE_URL, and that the server runs`,
      );
      const waiting = db.write([db.orm.run(sql`create table t (n integer)`)]);
      await server.up();
      await waiting;
      assert.deepEqual(await db.rows(sql`select count(*) from t`), [[0]]);
    }),
);

test("once a later version has brought a server's tables up to date, no batch of this one is written, and reads go on", () =>
  onServer(async ({ open: { db }, server }) => {
    const add = (name: string) => db.run(sql`insert into sequences (name, next) values (${name}, 1)`);
    const read = () => db.rows(sql`select name from sequences where name in ('before', 'late')`);
    await db.write([add("before")]);
    await assert.rejects(db.write([add("before")]), /UNIQUE constraint failed/);
    const later = ownSchema().last.when + 1;
    // In the batch of this version itself, so that it is the last one to be written.
    await db.write([
      db.run(sql`insert into __drizzle_migrations (hash, created_at) values ('later', ${later})`),
      db.run(sql`insert into schema_versions (migration, version, migrated_at) values (${later}, '99.1.0', 1)`),
    ]);
    server.received.length = 0;
    await assert.rejects(db.write([add("late")]), /brought up to date by Muster 99\.1\.0.*Nothing was written/);
    assert.equal(server.received.filter(({ texts }) => texts.some((text) => /^begin/i.test(text))).length, 1);
    assert.deepEqual(await read(), [["before"]]);
  }));
