/** What is kept for a time only goes, also where no hub serves and there are only commands. */
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { createRegistry } from "../../src/runtime/registry.ts";
import { sweep, sweepBriefly } from "../../src/upkeep/sweep.ts";
import { DAY_MS } from "../../src/std/time.ts";
import { createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { withTerminal } from "../support/terminal.ts";
import { runNext } from "../../src/runs/next.ts";
import { onlyInCheck } from "../support/rounds.ts";

const HEADER = "employee_id,email,first_name,last_name\n";
const fileOf = (day: number) => `${HEADER}1,ana@example.com,Ana,Lopez${day}\n`;

async function importEveryNight(hub: TestHub, nights: number, sweepAfter: boolean): Promise<void> {
  const ask = createAsk(hub, await createTestToken(hub));
  for (let night = 0; night < nights; night++) {
    hub.clock.ms += DAY_MS;
    await ask("/v1/connections/csv/drops", { body: fileOf(night), headers: { "content-type": "text/csv" } });
    while (await runNext(hub, { signal: new AbortController().signal, owner: "test" }) !== null);
    if (sweepAfter) await sweepBriefly(hub);
  }
}

const countIn = async (hub: TestHub, table: string): Promise<number> =>
  (await hub.db.rows<[number]>(sql`select count(*) from ${sql.identifier(table)}`))[0]![0];

/** Events that are older than the hub keeps them. */
const ofLongAgo = async (hub: TestHub): Promise<number> =>
  (await hub.db.rows<[number]>(
    sql`select count(*) from events where created_at < ${hub.clock.ms - hub.retainDays * DAY_MS}`,
  ))[0]![0];

test(
  "weeks of nightly imports with nothing but commands keeps what is in its time, and no more",
  { skip: onlyInCheck },
  async () => {
    const hub = await createTestHub({ registry: createRegistry() });
    try {
      await importEveryNight(hub, 40, true);
      assert.equal(await countIn(hub, "drop_chunks"), 10);
      assert.equal(await ofLongAgo(hub), 0);
      assert.equal(await countIn(hub, "runs"), 40);
    } finally {
      hub.close();
    }
  },
);

test(
  "what cannot be deleted in the time that there is is deleted the next time, in batches",
  { skip: onlyInCheck },
  async () => {
    const hub = await createTestHub({ registry: createRegistry() });
    try {
      await importEveryNight(hub, 40, false);
      assert.equal(await countIn(hub, "drop_chunks"), 40);
      let asked = 0;
      await sweep(hub, () => ++asked > 1);
      assert.equal(await countIn(hub, "drop_chunks"), 20, "one batch");
      assert.ok(await ofLongAgo(hub) > 0);
      await sweep(hub);
      assert.equal(await countIn(hub, "drop_chunks"), 10);
      assert.equal(await ofLongAgo(hub), 0);
      assert.ok(await countIn(hub, "events") > 0);
    } finally {
      hub.close();
    }
  },
);

test("muster import deletes what is due after its work, and gives back the room of a file that is mostly free", () =>
  withTerminal(async ({ run, dir, env }) => {
    const people = join(dir, "people.csv");
    await writeFile(people, fileOf(0));
    assert.equal((await run("import", people)).code, 0);
    const path = join(env.MUSTER_DATA_DIR!, "muster.db");
    const database = new DatabaseSync(path);
    // As if the first import were long ago, and much had been deleted since.
    database.exec("update drops set expires_at = 1");
    database.exec("update events set created_at = 1");
    database.exec("create table much (bytes blob)");
    database.exec("insert into much values (zeroblob(20000000))");
    database.exec("drop table much");
    database.exec("pragma wal_checkpoint(truncate)");
    const chunks = () => database.prepare("select count(*) n from drop_chunks").get()!.n;
    const before = statSync(path).size;
    assert.ok(before > 20_000_000);
    await writeFile(people, fileOf(1));
    const second = await run("import", people);
    assert.equal(second.code, 0, second.err);
    assert.equal(second.err.includes("could not"), false);
    assert.equal(chunks(), 1);
    assert.equal(database.prepare("select count(*) n from events where created_at = 1").get()!.n, 0);
    database.exec("pragma wal_checkpoint(truncate)");
    assert.ok(statSync(path).size < before / 4, `${statSync(path).size} bytes`);
    database.close();
  }));
