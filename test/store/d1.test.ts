import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createD1Database } from "../../src/store/d1.ts";
import { sequences } from "../../src/store/schema.ts";
import { fakeD1 } from "../support/d1.ts";

function openEmpty() {
  const database = new DatabaseSync(":memory:");
  database.exec("create table sequences (name text primary key not null, next integer not null)");
  return createD1Database(fakeD1(database));
}

test("a batch on D1 takes statements written as SQL text with their parameters beside drizzle's own", async () => {
  const db = openEmpty();
  const [inserted, , selected] = await db.write([
    db.orm.insert(sequences).values({ name: "a", next: 1 }).returning({ next: sequences.next }),
    db.orm.run(sql`insert into sequences (name, next) values (${"b"}, ${2})`),
    db.orm.all(sql`select name, next from sequences where next > ${1}`),
  ]);
  assert.deepEqual(inserted, [{ next: 1 }]);
  assert.deepEqual(selected, [{ name: "b", next: 2 }]);
});

test("a batch on D1 is all or nothing", async () => {
  const db = openEmpty();
  const statement = () => db.orm.run(sql`insert into sequences (name, next) values (${"a"}, ${1})`);
  await assert.rejects(db.write([statement(), statement()]), /UNIQUE constraint failed/);
  assert.deepEqual(await db.orm.select().from(sequences), []);
});
