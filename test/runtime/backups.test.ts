/** Scheduled backups, on a clock of the test's own. */
import assert from "node:assert/strict";
import { readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { verify } from "../../src/runtime/backups/format.ts";
import { startBackups } from "../../src/runtime/backups/schedule.ts";
import type { BackupFigures } from "../../src/model/metrics.ts";
import { DAY_MS, HOUR_MS } from "../../src/std/time.ts";
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
    const backups = startBackups(`file:${database}`, { dir: folder, keep: 2 }, figures, { now: () => now, log });
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
