import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";
import { getTableColumns, getTableName, is, sql } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { createMasterKeyText, createSecrets, type Secrets } from "../../src/security/secrets.ts";
import type { Statement } from "../../src/store/database.ts";
import { resealAll, SEALED } from "../../src/store/connections/sealed.ts";
import { createTestHub, type TestHub } from "../support/hub.ts";

const COLUMNS = [{ table: "doors", column: "secret" }, { table: "doors", column: "old" }];

async function withDoors(
  count: number,
  work: (hub: TestHub, keys: { old: Secrets; next: Secrets; alone: Secrets }) => Promise<void>,
): Promise<void> {
  const [before, now] = [createMasterKeyText(), createMasterKeyText()];
  const old = await createSecrets([before]);
  const hub = await createTestHub();
  try {
    await hub.db.orm.run(sql`create table doors (id text primary key, secret text, old text)`);
    const rows: Statement[] = [];
    for (let i = 0; i < count; i++) {
      const secret = await old.seal(`door:${i}`, `secret ${i}`);
      const spare = i % 2 === 0 ? await old.seal(`door:${i}`, `old ${i}`) : null;
      rows.push(hub.db.orm.run(sql`insert into doors values (${`door ${i}`}, ${secret}, ${spare})`) as Statement);
    }
    await hub.db.write(rows);
    await work(hub, { old, next: await createSecrets([now, before]), alone: await createSecrets([now]) });
  } finally {
    hub.close();
  }
}

async function openAll(hub: TestHub, secrets: Secrets): Promise<string[]> {
  const rows = await hub.db.rows<[string, string, string | null]>(
    sql`select id, secret, old from doors order by rowid`,
  );
  const texts: string[] = [];
  for (const [id, secret, old] of rows) {
    const purpose = id.replace(" ", ":");
    texts.push(await secrets.open(purpose, secret));
    if (old !== null) texts.push(await secrets.open(purpose, old));
  }
  return texts;
}

test("everything that an earlier key sealed is sealed with the current one, once", () =>
  withDoors(35, async (hub, { old, next, alone }) => {
    const before = await openAll(hub, old);
    assert.equal(await resealAll(hub.db, next, COLUMNS), 35 + 18);
    assert.deepEqual(await openAll(hub, alone), before);
    assert.equal(await resealAll(hub.db, next, COLUMNS), 0);
  }));

test("killed half-way, sealing again goes on with what is left", () =>
  withDoors(35, async (hub, { old, next, alone }) => {
    const before = await openAll(hub, old);
    let writes = 0;
    const dying = {
      ...hub.db,
      write: (statements: readonly Statement[]) => {
        if (++writes === 3) throw new Error("killed");
        return hub.db.write(statements);
      },
    };
    await assert.rejects(resealAll(dying, next, COLUMNS), /killed/);
    // Both keys open all that there is in between.
    assert.deepEqual(await openAll(hub, next), before);
    assert.equal(await resealAll(hub.db, next, COLUMNS), 35 + 18 - 20);
    assert.deepEqual(await openAll(hub, alone), before);
  }));

test("a secret that is changed while it is sealed again stays as it was changed", () =>
  withDoors(1, async (hub, { old, next }) => {
    const changed = await old.seal("door:0", "changed");
    const meddling: Secrets = {
      ...next,
      async reseal(sealed) {
        await hub.db.write([hub.db.orm.run(sql`update doors set secret = ${changed}, old = null`) as Statement]);
        return await next.reseal(sealed);
      },
    };
    await resealAll(hub.db, meddling, COLUMNS);
    assert.deepEqual(await openAll(hub, next), ["changed"]);
  }));

test("every column for sealed text is known to the rotation of the key, and is there", async () => {
  const folder = new URL("../../src/store/", import.meta.url);
  const found: { table: string; column: string }[] = [];
  const all: string[] = [];
  const isSchema = (name: string) => /(^|\/)schema[^/]*\.ts$/.test(name);
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(isSchema)) {
    for (const table of Object.values(await import(new URL(name, folder).href))) {
      if (!is(table, SQLiteTable)) continue;
      for (const column of Object.values(getTableColumns(table))) {
        const named = { table: getTableName(table), column: column.name };
        all.push(JSON.stringify(named));
        if (column.getSQLType() === "text" && /secret|sealed/.test(column.name)) found.push(named);
      }
    }
  }
  const text = (columns: readonly object[]) => columns.map((column) => JSON.stringify(column));
  assert.deepEqual(text(found).filter((column) => !text(SEALED).includes(column)), [], "add them to SEALED");
  assert.deepEqual(text(SEALED).filter((column) => !all.includes(column)), []);
});
