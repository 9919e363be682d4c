import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { type Statement, writeNamed } from "../../src/store/database.ts";
import { createTestHub } from "../support/hub.ts";

test("a batch gives each result by its name, whatever comes before it", async () => {
  const { db, close } = await createTestHub();
  try {
    const value = (n: number) => db.orm.all(sql`select ${n}`) as Statement;
    const { none, several, one } = await writeNamed(db, {
      none: [],
      several: [value(1), value(2)],
      one: value(3),
      last: value(4),
    });
    const figure = (rows: unknown) => (rows as [number][])[0]![0];
    assert.deepEqual(none, []);
    assert.deepEqual(several.map(figure), [1, 2]);
    assert.equal(figure(one), 3);
  } finally {
    close();
  }
});
