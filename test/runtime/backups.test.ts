/** Scheduled backups, on a clock of the test's own. */
import assert from "node:assert/strict";
import { readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { readHubId } from "../../src/runtime/backups/make.ts";
import { verify } from "../../src/runtime/backups/format.ts";
import { type BackupSettings, startBackups } from "../../src/runtime/backups/schedule.ts";
import type { BackupFigures } from "../../src/model/metrics.ts";
import { DAY_MS, HOUR_MS } from "../../src/std/time.ts";
import { KEY, startS3 } from "../support/fake-s3.ts";
import { withTerminal } from "../support/terminal.ts";

const MIDDAY = Date.parse("2026-03-01T12:00:00Z");

test("one backup is made a night, at once where a night was missed, and the last ones are kept", () =>
  withTerminal(async ({ dir, env, run }) => {
    await run("org", "create", "--slug", "acme");
    const folder = join(dir, "backups"), database = join(env.MUSTER_DATA_DIR!, "muster.db");
    let now = MIDDAY;
    const figures: BackupFigures = { lastAt: null, failures: 0 };
    const events: string[] = [];
    const log = (event: string) => void events.push(event);
    const settings: BackupSettings = { place: { kind: "folder", dir: folder }, keep: 2 };
    const backups = startBackups(`file:${database}`, settings, figures, { now: () => now, log });
    try {
      const names = async () => (await readdir(folder)).sort();
      await backups.look();
      assert.deepEqual(await names(), ["muster-20260301T120000Z.backup"]);
      assert.equal(figures.lastAt, now);
      now += 13 * HOUR_MS;
      await backups.look();
      assert.equal((await names()).length, 1, "the next night has not come");
      now += 2 * HOUR_MS;
      await writeFile(join(folder, "notes.txt"), "of somebody else");
      await backups.look();
      now += DAY_MS;
      await backups.look();
      assert.deepEqual(await names(), [
        "muster-20260302T030000Z.backup",
        "muster-20260303T030000Z.backup",
        "notes.txt",
      ]);
      for (const name of (await names()).slice(0, 2)) await verify(join(folder, name));

      // The oldest is removed only once there is a new one.
      now += DAY_MS;
      await rename(database, `${database}.away`);
      await backups.look();
      assert.equal(figures.failures, 1);
      assert.equal((await names()).length, 3);
      await rename(`${database}.away`, database);
      await backups.look();
      assert.equal((await names()).length, 3, "it is not tried again at once");
      now += HOUR_MS;
      await backups.look();
      assert.deepEqual((await names())[1], "muster-20260304T040000Z.backup");
      assert.deepEqual(events, ["backup.made", "backup.made", "backup.made", "backup.failed", "backup.made"]);
    } finally {
      await backups.stop();
    }
    assert.deepEqual((await readdir(folder)).filter((name) => name.endsWith(".part")), []);
  }));

test("two hubs can share a folder: each keeps its own backups, and leaves the other's", () =>
  withTerminal(async ({ dir, env, run }) => {
    const folder = join(dir, "backups");
    for (const hub of ["one", "two"]) {
      env.MUSTER_DATA_DIR = join(dir, hub);
      await run("org", "create", "--slug", "acme");
      const url = `file:${join(env.MUSTER_DATA_DIR, "muster.db")}`;
      const settings: BackupSettings = { place: { kind: "folder", dir: folder }, keep: 1 };
      let now = MIDDAY + (hub === "two" ? DAY_MS : 0);
      const backups = startBackups(url, settings, { lastAt: null, failures: 0 }, { now: () => now, log: () => {} });
      await backups.look();
      now += DAY_MS;
      if (hub === "two") await backups.look();
      await backups.stop();
    }
    assert.deepEqual((await readdir(folder)).sort(), [
      "muster-20260301T120000Z.backup",
      "muster-20260303T120000Z.backup",
    ]);
  }));

test("a bucket gets one backup a night, and keeps the last ones of this hub; what fails is seen and tried again", () =>
  withTerminal(async ({ dir, env, run }) => {
    await run("org", "create", "--slug", "acme");
    const url = `file:${join(env.MUSTER_DATA_DIR!, "muster.db")}`, hubId = await readHubId(url);
    const store = await startS3();
    const others = `muster/${"f".repeat(32)}/muster-20200101T000000Z.backup`;
    store.objects.set(others, Buffer.from("of another hub"));
    let now = MIDDAY;
    const figures: BackupFigures = { lastAt: null, failures: 0 };
    const lines: { event: string; error?: unknown }[] = [];
    const log = (event: string, details: { error?: unknown } = {}) => void lines.push({ event, error: details.error });
    // The first look is refused.
    store.misbehave("list", { status: 403, reason: "AccessDenied" });
    const backups = startBackups(url, { place: store.settings, keep: 1 }, figures, { now: () => now, log });
    const keyAt = (text: string) => `muster/${hubId}/muster-${text}.backup`;
    try {
      await backups.look();
      assert.deepEqual(lines.splice(0), [{
        event: "backup.failed",
        error:
          `Fault: The bucket "backups" at ${new URL(store.endpoint).host} does not let this key list what is in it: ` +
          "let it list, read, write and delete in the bucket",
      }]);
      assert.deepEqual(figures, { lastAt: null, failures: 1 });
      await backups.look();
      assert.equal(figures.failures, 1, "it is not tried again at once");
      now += HOUR_MS;
      await backups.look();
      assert.deepEqual([...store.objects.keys()], [others, keyAt("20260301T130000Z")]);
      assert.equal(figures.lastAt, now);
      await writeFile(join(dir, "a.backup"), store.objects.get(keyAt("20260301T130000Z"))!);
      assert.equal((await verify(join(dir, "a.backup"))).hub_id, hubId);
      const asked = store.done.length;
      await backups.look();
      assert.equal(store.done.length, asked, "a store is not asked each minute");

      // Old ones that cannot be removed are seen, and removed an hour later.
      now += DAY_MS;
      store.misbehave("remove", { status: 403, reason: "AccessDenied" });
      await backups.look();
      assert.deepEqual(lines.splice(0).map(({ event }) => event), ["backup.made", "backup.made", "backup.old_kept"]);
      assert.equal(store.objects.size, 3);
      assert.equal(figures.failures, 2);
      now += HOUR_MS;
      await backups.look();
      assert.deepEqual([...store.objects.keys()], [others, keyAt("20260302T130000Z")]);

      // A backup of a clock that was ahead is older by its name, and not the one that stays.
      store.objects.set(keyAt("20300101T000000Z"), store.objects.get(keyAt("20260302T130000Z"))!);
      now += DAY_MS;
      await backups.look();
      assert.deepEqual([...store.objects.keys()], [others, keyAt("20260303T140000Z")]);
      assert.ok(!JSON.stringify(lines).includes(KEY.accessKeyId));
    } finally {
      await backups.stop();
      await store.close();
    }
    assert.deepEqual((await readdir(env.MUSTER_DATA_DIR!)).filter((name) => name.endsWith(".part")), []);
  }));

test("a hub that is stopped does not wait for a store that is silent", () =>
  withTerminal(async ({ env, run }) => {
    await run("org", "create", "--slug", "acme");
    const store = await startS3(), figures: BackupFigures = { lastAt: null, failures: 0 };
    const listed = new Promise<void>((resolve) => store.onNext("list", resolve));
    store.misbehave("list", "hang", 100);
    const url = `file:${join(env.MUSTER_DATA_DIR!, "muster.db")}`, events: string[] = [];
    const log = (event: string) => void events.push(event);
    const backups = startBackups(url, { place: store.settings, keep: 1 }, figures, { now: () => MIDDAY, log });
    await listed;
    await backups.stop();
    await store.close();
    assert.deepEqual([figures.failures, events], [0, []]);
  }));
