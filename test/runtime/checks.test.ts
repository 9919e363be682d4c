/** What `/readyz` notices, each as it really happens. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { sql } from "drizzle-orm";
import { createReadiness } from "../../src/model/readiness.ts";
import { createChecks } from "../../src/runtime/checks.ts";
import { migrateDatabase, openDatabase } from "../../src/runtime/database.ts";
import { ensureDefaultOrganization } from "../../src/runtime/install.ts";
import { startRunner } from "../../src/runtime/threads/runner.ts";
import { until } from "../support/bridging.ts";
import { createAsk, createTestHub } from "../support/hub.ts";
import { leaveNone, leaveRoom } from "../support/room.ts";
import { mountSmallDisk, noSmallDisk } from "../support/tmpfs.ts";

const well = { schema: { found: () => null }, runner: { isRunning: () => true } };

async function openIn(t: TestContext, folder: string) {
  const url = `file:${join(folder, "muster.db")}`;
  await migrateDatabase(url, null);
  const { db } = await openDatabase({ url, authToken: null, role: "main" });
  t.after(() => db.close());
  await ensureDefaultOrganization(db, 0);
  return { db, url };
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "muster-checks-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a hub that is well is ready, and asking a thousand times does not make its file grow", async (t) => {
  const { db, url } = await openIn(t, folderOf(t));
  const checks = createChecks({ db, databaseUrl: url, ...well });
  const ask = createReadiness(checks, () => performance.now() * 1e9);
  assert.deepEqual(await ask(), []);
  await db.file!.truncateLog();
  const size = () => statSync(url.slice("file:".length)).size;
  const before = size();
  for (let n = 0; n < 1000; n++) assert.equal(await checks.writes!(), null);
  await db.file!.truncateLog();
  assert.equal(size(), before);
});

test("a database that cannot be written is named, with what to do", async (t) => {
  const { db, url } = await openIn(t, folderOf(t));
  await db.rows(sql`pragma query_only = on`);
  const ask = createReadiness(createChecks({ db, databaseUrl: url, ...well }));
  assert.deepEqual(await ask(), [
    "The database cannot be written (SQLITE_READONLY): let the hub write to its file and folder, or look at its disk",
  ]);
});

test("a disk that is nearly full is named with the bytes that are left", { skip: noSmallDisk }, async (t) => {
  const disk = mountSmallDisk(t, "size=32m");
  const { db, url } = await openIn(t, disk.path);
  let now = 0;
  const ask = createReadiness(createChecks({ db, databaseUrl: url, ...well }), () => now += 60_000);
  assert.deepEqual(await ask(), []);
  disk.fill(1_048_576);
  assert.deepEqual(await ask(), [
    "The database's disk has 1,048,576 bytes left: free space, until it has at least 16,777,216 bytes",
  ]);
  disk.free();
  assert.deepEqual(await ask(), []);
});

test("a write that found the disk full makes the hub not ready, until there is room", async (t) => {
  const hub = await createTestHub();
  t.after(() => hub.close());
  const ask = createReadiness(createChecks({ db: hub.db, databaseUrl: "file:/tmp/any.db", ...well }));
  await leaveNone(hub);
  // What needs several pages at once may leave one.
  await assert.rejects(async () => {
    for (let n = 0; n < 10; n++) await hub.db.write([hub.db.run(sql.raw(`create table more_${n} (n integer)`))]);
  });
  assert.deepEqual(await ask(), ["The database's disk is full: free space"]);
  await leaveRoom(hub, null);
});

test("a thread for runs that has ended is named, and no more once another carries them", async (t) => {
  const { db, url } = await openIn(t, folderOf(t));
  const runner = startRunner({
    databaseUrl: "file::memory:",
    databaseAuthToken: null,
    keys: { texts: [], file: null },
    connectors: [],
    retainDays: 1,
    allowHosts: "",
    publicUrl: "die",
    gate: null,
  }, { gate: null, log: () => {}, file: new URL("./threads/runner-ends.ts", import.meta.url), minPauseMs: 200 });
  t.after(() => runner.stop());
  let now = 0;
  const ask = createReadiness(createChecks({ db, databaseUrl: url, ...well, runner }), () => now += 60_000);
  const [reason] = await until("it has ended", ask, (reasons) => reasons.length > 0);
  assert.match(reason!, /^The thread that carries runs has ended, and is started again soon/);
  await until("another carries them", ask, (reasons) => reasons.length === 0);
});

test("/readyz answers 503 with every reason, without paths, and asks once for many that come together", async (t) => {
  const hub = await createTestHub();
  t.after(() => hub.close());
  let asked = 0;
  const readiness = createReadiness({
    one: () => {
      asked++;
      return "One is wrong";
    },
    two: () => Promise.resolve("Two is wrong"),
    well: () => null,
    broken: () => {
      throw new Error("/secret/path");
    },
  });
  const ask = createAsk({ ...hub, readiness }, null);
  const answers = await Promise.all([1, 2, 3].map(() => ask("/readyz")));
  for (const answer of answers) {
    assert.equal(answer.status, 503);
    assert.equal(
      (await answer.json()).detail,
      'One is wrong. Two is wrong. The check "broken" failed; the hub\'s log has more',
    );
  }
  assert.equal(asked, 1);
  assert.equal((await createAsk({ ...hub, readiness: () => Promise.resolve([]) }, null)("/readyz")).status, 200);
});
