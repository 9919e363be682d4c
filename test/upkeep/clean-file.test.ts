import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createFileCleaner } from "../../src/upkeep/clean-file.ts";
import { openDatabase } from "../../src/runtime/database.ts";
import type { Statement } from "../../src/store/database.ts";
import { type BridgeFile, settleFile } from "../../src/store/bridges/bridge-files.ts";
import { listUncleaned } from "../../src/store/people/erasures.ts";
import { bridgeFiles } from "../../src/store/bridges/schema-bridge.ts";
import { erasures, treeErasures } from "../../src/store/people/schema-erasures.ts";
import { createTestHub } from "../support/hub.ts";

test("what was deleted is in no room that the file does not use, and in no log", async () => {
  const dir = mkdtempSync(join(tmpdir(), "muster-clean-"));
  const path = join(dir, "it's a file.db");
  const { db } = await openDatabase({ url: `file:${encodeURI(path)}`, authToken: null, role: "alone" });
  try {
    const run = (text: string) => db.orm.run(sql.raw(text)) as Statement;
    await db.write([run("create table t (id integer primary key, a text, b text)"), run("create index i on t (a)")]);
    // In an order and of sizes that move rows from page to page.
    for (let i = 0; i < 4000; i += 100) {
      await db.write(Array.from({ length: 100 }, (_, j) => {
        const id = (i + j) * 7919 % 4001;
        return run(`insert into t values (${id}, 'zq${crypto.randomUUID()}', '${"x".repeat(id % 90)}')`);
      }));
    }
    await db.write([run("delete from t where id % 5 = 0")]);
    const left = () => {
      const bytes = [path, `${path}-wal`].map((file) => readFileSync(file, "latin1")).join("");
      return new Set(bytes.match(/zq[0-9a-f-]{36}/g)).size;
    };
    assert.ok(left() > 3300, "the log has what was deleted");
    assert.equal(await db.file!.compact(), true);
    const [[kept]] = await db.rows<[number]>(sql`select count(*) from t`) as [[number]];
    assert.equal(left(), kept);
    assert.equal(readFileSync(`${path}-wal`).length, 0);
  } finally {
    db.close();
    rmSync(dir, { recursive: true, force: true });
  }
});

test("the file is cleaned once for all erasures before, a little of the time, and not again while that fails", async () => {
  const hub = await createTestHub();
  try {
    let ms = 0, tries = 0, outcome: () => boolean = () => true;
    const compact = () => {
      tries++;
      ms += 1_000;
      return new Promise<boolean>((resolve) => resolve(outcome()));
    };
    const db = { ...hub.db, file: { ...hub.db.file!, compact, truncateLog: () => Promise.resolve(true) } };
    const clean = createFileCleaner({ ...hub, db }, () => ms);
    const erase = (userId: number) =>
      hub.db.write([
        hub.db.orm.insert(erasures).values({
          userId,
          organizationId: 1,
          erasedAt: 0,
          askedAt: 0,
          counts: { changes: 0, report_rows: 0, drops: 0, uploads: 0 },
          connections: [],
        }),
      ]);
    await clean();
    assert.equal(tries, 0);
    await erase(1);
    await erase(2);
    await clean();
    assert.deepEqual([tries, await listUncleaned(hub.db)], [1, []]);
    await erase(3);
    await clean();
    assert.equal(tries, 1, "a second of work is a hundred of rest");
    ms += 100_000;
    outcome = () => {
      throw Object.assign(new Error("full"), { code: "SQLITE_FULL" });
    };
    await clean();
    ms += 600_000;
    await clean();
    assert.equal(tries, 2);
    assert.equal((await listUncleaned(hub.db)).length, 1);
    assert.deepEqual(hub.lines.map(({ event }) => event), ["database.cleaned", "database.not_cleaned"]);
  } finally {
    hub.close();
  }
});

test("the file is cleaned once more when the name of a file is hidden later, also while it is being cleaned", async () => {
  const hub = await createTestHub();
  try {
    let meanwhile = () => Promise.resolve();
    const compact = async () => {
      hub.clock.ms += 1_000;
      await meanwhile();
      return true;
    };
    const db = { ...hub.db, file: { ...hub.db.file!, compact, truncateLog: () => Promise.resolve(true) } };
    let ms = 0;
    const clean = () => createFileCleaner({ ...hub, db }, () => ms += 1_000_000)();
    const counts = { changes: 0, report_rows: 0, drops: 0, uploads: 0 };
    const at = { organizationId: hub.organization.id, askedAt: 9 };
    const fileOf = (id: number, takenAt = 8) => ({
      ...{ id, takenAt, organizationId: hub.organization.id, connectionId: 3, folder: "/incoming", name: `${id}.csv` },
      ...{ bytes: 1, modifiedAt: 1, sha256: `keyed:${id}`, dropId: id, runId: id, settledAt: null, returnedAt: null },
    });
    await hub.db.write([
      ...[1, 2].map((userId) =>
        hub.db.orm.insert(erasures).values({ ...at, userId, erasedAt: 1, counts, connections: [3] })
      ),
      hub.db.orm.insert(treeErasures).values({ ...at, userId: 1, connectionId: 3, bridgeId: 4 }),
      ...[4, 5, 6].map((id) => hub.db.orm.insert(bridgeFiles).values(fileOf(id))),
    ]);
    const uncleaned = async () => (await listUncleaned(hub.db)).map(({ userId }) => userId);
    const hide = (file: BridgeFile, name = `keyed:${file.id}`) =>
      settleFile(hub.db, file, hub.clock.ms, undefined, name);
    await clean();
    assert.deepEqual(await uncleaned(), []);
    await hide(fileOf(4), "4.csv");
    await hide(fileOf(4, 10));
    assert.deepEqual(await uncleaned(), [], "neither for a name that stays, nor for a file that came later");
    await hide(fileOf(5));
    assert.deepEqual(await uncleaned(), [1]);
    meanwhile = () => hide(fileOf(6));
    await clean();
    assert.deepEqual(await uncleaned(), [1]);
    meanwhile = () => Promise.resolve();
    hub.clock.ms++;
    await clean();
    assert.deepEqual(await uncleaned(), []);
  } finally {
    hub.close();
  }
});
