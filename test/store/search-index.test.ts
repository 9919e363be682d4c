/** The index of people's words: on every database, killed anywhere, and after what is erased. */
import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openDatabase } from "../../src/runtime/database.ts";
import { eraseUser } from "../../src/people/erase.ts";
import { createD1Database } from "../../src/store/d1.ts";
import type { Database } from "../../src/store/database.ts";
import { createOrganization, findOrganization } from "../../src/store/organizations.ts";
import { deleteOrganization } from "../../src/store/organization-end.ts";
import { fillSearchIndex } from "../../src/store/people/search-index.ts";
import { findUserIds } from "../../src/store/people/search.ts";
import { fakeD1 } from "../support/d1.ts";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";
import { startLibsqlServer } from "../support/libsql-server.ts";

const ANYBODY = {
  email: null,
  employeeId: null,
  status: null,
  departmentId: null,
  updatedSince: null,
  inactiveUntil: null,
};
const ALL = { forMs: 60_000 };

async function count(db: Database, organizationId: number, q: string): Promise<number> {
  return (await findUserIds(db, organizationId, { ...ANYBODY, q }, { after: 0, limit: 1000 })).ids.length;
}

/** Throws where the index does not hold exactly the words that stand beside it. */
async function check({ hub }: Importing): Promise<void> {
  await hub.db.rows(sql`insert into user_words (user_words) values ('integrity-check')`);
}

async function fileOf(db: Database): Promise<string> {
  const [row] = await db.rows<[string]>(sql`select file from pragma_database_list where name = 'main'`);
  return row![0];
}

test("on D1 and on a libSQL server the index is filled and searched as in a file", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ...crowd(300), "E9,zoe@acme.test,Zoë,Østergård"));
    const { hub } = world;
    const folder = mkdtempSync(join(tmpdir(), "muster-search-"));
    const copies = ["d1", "libsql"].map((name) => join(folder, `${name}.db`));
    for (const copy of copies) await hub.db.rows(sql`vacuum into ${copy}`);
    const database = new DatabaseSync(copies[0]!);
    const server = await startLibsqlServer(copies[1]!, "token");
    const remote = await openDatabase({ url: server.url, authToken: "token", role: "main" });
    try {
      for (const db of [hub.db, createD1Database(fakeD1(database)), remote.db]) {
        assert.equal(await fillSearchIndex(db, ALL), true);
        const counts: number[] = [];
        for (const q of ["acme", "first01 last01", "ostergard zo", "nobody"]) {
          counts.push(await count(db, hub.organization.id, q));
        }
        assert.deepEqual(counts, [301, 100, 1, 0]);
      }
    } finally {
      remote.db.close();
      await server.close();
      database.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }));

test("filling goes on where it stopped, step by step, and several may do it at once", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ...crowd(1000)));
    const { db } = world.hub, mine = world.hub.organization.id;
    let steps = 0;
    // Each time it is broken off after its first step.
    while (!await fillSearchIndex(db, { forMs: 60_000, isWanted: () => steps++ % 2 === 1 })) {
      const [cursor] = await db.rows<[number]>(sql`select count(*) from user_words`);
      assert.equal(await count(db, mine, "acme"), Math.min(cursor![0], 1000));
      assert.ok(steps < 100);
    }
    assert.ok(steps > 4, String(steps));
    await check(world);
    await world.import(csv(HEADER, ...crowd(500, 501).map((row) => row.replaceAll("Last", "Other"))), {
      coverage: "diff",
    });
    await Promise.all([1, 2, 3].map(() => fillSearchIndex(db, ALL)));
    assert.equal(await count(db, mine, "other"), 500);
    assert.equal(await count(db, mine, "last"), 500);
    await check(world);
  }));

test("a person who changes while their words are written is looked at again", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ...crowd(5)));
    const { db } = world.hub;
    const person = await world.person("E0003");
    let edited = false;
    const slow: Database = {
      ...db,
      async write(statements) {
        if (!edited) {
          edited = true;
          await world.edit(person, { title: "Lead", last_name: "Meanwhile" });
        }
        return await db.write(statements);
      },
    };
    assert.equal(await fillSearchIndex(slow, ALL), true);
    assert.equal(edited, true);
    assert.equal(await count(db, world.hub.organization.id, "meanwhile"), 1);
    assert.equal(await count(db, world.hub.organization.id, "last0003"), 0);
    await check(world);
  }));

test("who is erased leaves nothing in the index, nor in the file, and is not put in again", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ...crowd(400), "ZQ1,zqmail@acme.test,Zqfirst,Zqlast"));
    const { hub } = world, { db } = hub;
    await fillSearchIndex(db, ALL);
    const person = await world.person("ZQ1");
    await world.edit(person, { last_name: "Zqother" });
    await fillSearchIndex(db, ALL);
    assert.equal(await count(db, hub.organization.id, "zqother"), 1);
    const words = async () => {
      await db.rows(sql`create virtual table if not exists temp.terms using fts5vocab('main', 'user_words', 'row')`);
      return (await db.rows<[string]>(sql`select term from temp.terms where term like '%zq%' order by term`)).flat();
    };
    const mine = hub.organization.id;
    assert.deepEqual(await words(), ["zq1", "zqfirst", "zqmail", "zqother"].map((word) => `${mine}x${word}`));
    await eraseUser(hub, mine, world.number("usr", person.id));
    assert.deepEqual(await words(), []);
    await fillSearchIndex(db, ALL);
    assert.deepEqual(await words(), []);
    for (const name of ["user_words_data", "user_words_idx", "user_words_content"]) {
      const rows = await db.rows(sql.raw(`select * from ${name}`));
      for (const cell of rows.flat()) {
        const text = typeof cell === "string"
          ? cell
          : ArrayBuffer.isView(cell) || cell instanceof ArrayBuffer
          ? new TextDecoder("latin1").decode(cell as Uint8Array)
          : "";
        assert.doesNotMatch(text, /zq|qother/, name);
      }
    }
    // What a server's file holds is its operator's matter.
    if (hub.server !== undefined) return await check(world);
    const file = await fileOf(db);
    const other = new DatabaseSync(file);
    other.exec("pragma wal_checkpoint(truncate)");
    other.close();
    assert.doesNotMatch(readFileSync(file, "latin1"), /xzq/);
    await check(world);
  }));

test("the words of an organization that is deleted go, and those of others stay", () =>
  importing(async (world) => {
    const { hub } = world, { db } = hub;
    await world.import(csv(HEADER, ...crowd(50)));
    await fillSearchIndex(db, ALL);
    const other = await createOrganization(db, { slug: "gone", name: "Gone", timezone: "UTC" }, 1);
    const mine = hub.organization.id;
    // Its people lie among those of the other one.
    await db.rows(sql`insert into users (id, organization_id, status, created_at, updated_at)
      select id * 2, ${other.id}, 'active', 1, 1 from users where id * 2 not in (select id from users)`);
    await db.rows(sql`insert into user_words (rowid, words) select id, ${`${other.id}xgone`} from users
      where organization_id = ${other.id}`);
    assert.ok(await count(db, other.id, "gone") > 10);
    assert.equal(await deleteOrganization(db, (await findOrganization(db, other.id))!, 2), true);
    assert.equal(await fillSearchIndex(db, ALL), true);
    assert.deepEqual(await db.rows(sql`select count(*) from user_words where words like ${`${other.id}x%`}`), [[0]]);
    assert.deepEqual(await db.rows(sql`select count(*) from search_removals`), [[0]]);
    assert.equal(await count(db, mine, "acme"), 50);
    await check(world);
  }));
