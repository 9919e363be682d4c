import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { gunzipSync } from "node:zlib";
import { sql } from "drizzle-orm";
import { HUB } from "../../src/model/audit.ts";
import { eraseUser } from "../../src/people/erase.ts";
import { addErased, erasedListFile } from "../../src/runtime/backups/erased-list.ts";
import { runNext } from "../../src/runs/next.ts";
import { verify } from "../../src/runtime/backups/format.ts";
import { createTokenText } from "../../src/security/token.ts";
import { createMasterKeyText, masterKeyId } from "../../src/security/secrets.ts";
import { createEndpoint } from "../../src/store/notify/endpoints.ts";
import { reserve } from "../../src/store/sequences.ts";
import { countedOver, loadMarks, nextAfterRestore } from "../../src/store/restore.ts";
import { until } from "../support/bridging.ts";
import { fetch } from "../support/checked.ts";
import { onlyInCheck, onlyInCheckOnDeno, roundsOnDeno } from "../support/rounds.ts";
import { startCommand, startServing } from "../support/serve.ts";
import { type TestTerminal, withTerminal } from "../support/terminal.ts";

const HEADER = "employee_id,email,first_name,last_name\n";
const person = (n: number) => `${n},person${n}@example.com,Person,Number${n}\n`;
const people = (count: number, from = 1001) => Array.from({ length: count }, (_, i) => person(from + i)).join("");

/** A data directory with people, and a backup of it. */
async function withBackup(work: (world: TestTerminal & { data: string; file: string }) => Promise<void>, count = 20) {
  await withTerminal(async (terminal) => {
    const file = join(terminal.dir, "muster.backup");
    await importPeople(terminal, people(count));
    const made = await terminal.run("backup", file);
    assert.equal(made.code, 0, made.err);
    await work({ ...terminal, data: terminal.env.MUSTER_DATA_DIR!, file });
  });
}

async function importPeople({ dir, run }: TestTerminal, rows: string): Promise<void> {
  const file = join(dir, "people.csv");
  await writeFile(file, HEADER + rows);
  const { code, err } = await run("import", file);
  assert.equal(code, 0, err);
}

/** Goes on with another data directory, which has the master key of the first one. */
async function elsewhere({ dir, env }: TestTerminal, name = "elsewhere"): Promise<string> {
  const other = join(dir, name);
  await mkdir(other);
  await cp(join(env.MUSTER_DATA_DIR!, "master-key"), join(other, "master-key"));
  env.MUSTER_DATA_DIR = other;
  return other;
}

/** The first column of a query over a database's file. */
function column(file: string, query: string): unknown[] {
  const database = new DatabaseSync(file);
  try {
    return database.prepare(query).all().map((row) => Object.values(row)[0]);
  } finally {
    database.close();
  }
}

test("a backup is one private file that says which master key it needs, and never holds the key", () =>
  withBackup(async ({ data, file, dir, run }) => {
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const [key] = (await readFile(join(data, "master-key"), "utf8")).split("\n");
    const bytes = await readFile(file);
    const [first, facts] = bytes.subarray(0, 1024).toString().split("\n");
    assert.equal(first, "muster-backup 1");
    assert.equal(JSON.parse(facts!).master_key, await masterKeyId(key!));
    const database = gunzipSync(bytes.subarray(1024));
    assert.ok(!bytes.includes(key!) && !database.includes(key!));
    await writeFile(join(dir, "by-hand.db"), database);
    assert.deepEqual(column(join(dir, "by-hand.db"), "select count(*) from users"), [20]);
    assert.deepEqual((await readdir(dir)).filter((name) => name.endsWith(".part")), []);

    const again = await run("backup", file);
    assert.equal(again.code, 2);
    assert.match(again.err, /muster\.backup exists: give the backup another name/);
    assert.deepEqual(await readFile(file), bytes);
  }));

test("a backup that was made while an import ran is of one moment, and its run goes on where it is restored", {
  skip: onlyInCheck,
}, () =>
  withTerminal(async (terminal) => {
    const { dir, env, run } = terminal;
    const count = 40_000;
    assert.equal((await run("org", "create", "--slug", "acme")).code, 0);
    const file = join(dir, "many.csv");
    await writeFile(file, HEADER + people(count));
    const importing = startCommand(["import", file], { MUSTER_DATA_DIR: env.MUSTER_DATA_DIR! });
    const ended = new Promise((resolve) => importing.on("exit", resolve));
    const backups: string[] = [];
    const database = join(env.MUSTER_DATA_DIR!, "muster.db");
    await until("the run is there", () => column(database, "select count(*) from runs")[0], (runs) => runs === 1);
    while (importing.exitCode === null && backups.length < 20) {
      const backup = join(dir, `${backups.length}.backup`);
      assert.equal((await run("backup", backup)).code, 0);
      backups.push(backup);
    }
    assert.equal(await ended, 0);
    for (const [n, backup] of backups.entries()) {
      if (n % Math.ceil(backups.length / 3) !== 0) continue;
      const restored = join(await elsewhere(terminal, `elsewhere${n}`), "muster.db");
      assert.equal((await run("restore", backup)).code, 0);
      assert.deepEqual(column(restored, "pragma integrity_check"), ["ok"]);
      const [applied] = column(
        restored,
        "select coalesce(sum(count), 0) from change_pages where applied_at is not null",
      );
      assert.deepEqual(column(restored, "select count(*) from users"), [applied]);
      // As a hub that starts there does.
      const options = { signal: new AbortController().signal, owner: "test", rethrow: true };
      await terminal.withHub(async (hub) => {
        while (await runNext(hub, options) !== null);
      });
      assert.deepEqual(column(restored, "select count(*) from users"), [count]);
      assert.deepEqual(column(restored, "select status from runs"), ["succeeded"]);
    }
  }));

test("a damaged backup is refused, and nothing is changed", () =>
  withBackup(async ({ data, file, run }) => {
    const before = await readFile(join(data, "muster.db"));
    const names = await readdir(data);
    const good = await readFile(file);
    const refused = async (bytes: Uint8Array, message: RegExp) => {
      await writeFile(file, bytes);
      const { code, err } = await run("restore", file, "--replace");
      assert.equal(code, 2, err);
      assert.match(err, message);
      assert.deepEqual(await readFile(join(data, "muster.db")), before);
      assert.deepEqual(await readdir(data), names);
    };
    for (const at of [30, 1024, 1500, good.length - 1]) {
      const bad = Uint8Array.from(good);
      bad[at]! ^= 1;
      await refused(bad, /is damaged/);
    }
    await refused(good.subarray(0, good.length - 100), /is damaged/);
    await refused(good.subarray(0, 200), /is damaged/);
    await refused(new TextEncoder().encode("employee_id,email\n"), /is not a backup of Muster/);
    await refused(new TextEncoder().encode(good.toString("latin1").replace("backup 1", "backup 9")), /a newer Muster/);
  }));

test("a backup of newer tables and one that needs another master key are refused by name", () =>
  withBackup(async (terminal) => {
    const { file, run, env, dir } = terminal;
    const bytes = await readFile(file);
    await writeFile(
      join(dir, "newer"),
      Buffer.from(bytes.toString("latin1").replace(/"schema":"0/, '"schema":"9'), "latin1"),
    );
    await elsewhere(terminal);
    assert.match(
      (await run("restore", join(dir, "newer"))).err,
      /has the schema "9\w+", made by Muster [\d.]+: this version/,
    );

    const other = createMasterKeyText();
    env.MUSTER_MASTER_KEY = other;
    const needed = JSON.parse(bytes.subarray(0, 1024).toString().split("\n")[1]!).master_key;
    const refused = await run("restore", file);
    assert.equal(refused.code, 2);
    assert.ok(refused.err.includes(`needs the master key "${needed}"`), refused.err);
    assert.ok(refused.err.includes(`MUSTER_MASTER_KEY is the key "${await masterKeyId(other)}"`), refused.err);
    assert.ok(!refused.err.includes(other));
    delete env.MUSTER_MASTER_KEY;
    assert.equal((await run("restore", file)).code, 0);
  }));

test("a database is replaced only when that is asked for, and is kept; never while a process uses it", () =>
  withBackup(async (terminal) => {
    const { data, file, run } = terminal;
    await importPeople(terminal, people(1, 5000));
    const refused = await run("restore", file);
    assert.equal(refused.code, 2);
    assert.match(refused.err, /There is a database at \S+muster\.db: with --replace/);

    const user = new DatabaseSync(join(data, "muster.db"));
    user.prepare("select count(*) from users").get();
    const running = await run("restore", file, "--replace");
    user.close();
    assert.equal(running.code, 2);
    assert.match(running.err, /A process uses \S+muster\.db: stop the hub/);

    const done = await run("restore", file, "--replace");
    assert.equal(done.code, 0, done.err);
    const [kept] = (await readdir(data)).filter((name) => name.startsWith("muster.db.replaced-"));
    assert.ok(done.out.includes(kept!));
    assert.deepEqual(column(join(data, kept!), "select count(*) from users"), [21]);
    assert.deepEqual(column(join(data, "muster.db"), "select count(*) from users"), [20]);
    assert.ok(!(await readdir(data)).includes("muster.db-wal"));
  }));

test("a hub with a folder for backups makes one, says when in its figures, and until when it may hold the erased", {
  skip: onlyInCheck,
}, () =>
  withBackup(async ({ data, dir, file, run }) => {
    const folder = join(dir, "nightly"), token = createTokenText();
    const hub = await startServing({ MUSTER_DATA_DIR: data, MUSTER_ADMIN_TOKEN: token, MUSTER_BACKUP: folder });
    try {
      const ask = async (path: string, method = "GET") =>
        await fetch(`${hub.url}${path}`, { method, headers: { authorization: `Bearer ${token}` } });
      await until(
        "the backup is made",
        async () => await (await ask("/metrics")).text(),
        (figures) => /^muster_backup_last_timestamp_seconds 1\d{9}/m.test(figures),
      );
      const [name] = await readdir(folder);
      await verify(join(folder, name!));
      assert.match((await run("restore", file, "--replace")).err, /A process uses \S+muster\.db: stop the hub/);
      const { data: [user] } = await (await ask("/v1/users?limit=1")).json();
      const { erasure: { left, erased_at } } = await (await ask(`/v1/users/${user.id}/erase`, "POST")).json();
      assert.equal(left[0].what, "backups");
      assert.equal(Date.parse(left[0].until) - Date.parse(erased_at), 15 * 24 * 3_600_000);
      assert.match(await readFile(join(data, "erased"), "utf8"), new RegExp(`^[0-9a-f]{32} ${user.id}$`, "m"));
    } finally {
      assert.equal(await hub.stop(), 0);
    }
  }));

const IDS = ["users", "runs", "events", "drops", "change_pages"];
const idsOf = (database: string) =>
  new Set([
    ...IDS.flatMap((table) => column(database, `select id from ${table}`).map((id) => `${table} ${id}`)),
    ...column(database, "select seq from change_pages where seq is not null").map((seq) => `seq ${seq}`),
  ]);

test(
  "no id is given out a second time, however often a backup is restored",
  { skip: onlyInCheckOnDeno },
  () =>
    withBackup(async (terminal) => {
      const { data, file, run, env } = terminal;
      const before = idsOf(join(data, "muster.db"));
      const given: Set<string>[] = [];
      const goOn = async (database: string, from: number) => {
        await importPeople(terminal, people(10, from));
        given.push(new Set([...idsOf(database)].filter((id) => !before.has(id))));
      };
      await goOn(join(data, "muster.db"), 6000);
      assert.equal((await run("restore", file, "--replace")).code, 0);
      await goOn(join(data, "muster.db"), 6000);
      assert.equal((await run("restore", file, "--replace")).code, 0);
      await goOn(join(data, "muster.db"), 7000);
      const other = join(await elsewhere(terminal), "muster.db");
      assert.equal((await run("restore", file)).code, 0);
      await goOn(other, 6000);
      for (const [n, ids] of given.entries()) {
        assert.ok(ids.size >= 14, [...ids].join());
        for (const later of given.slice(n + 1)) assert.deepEqual([...ids].filter((id) => later.has(id)), []);
      }
      env.MUSTER_DATA_DIR = data;
      assert.deepEqual(
        (await terminal.withHub((hub) =>
          hub.db.rows<[number]>(sql`select count(*) from audit_entries
        where action = 'hub.restored'`)
        ))[0],
        [1],
      );
      assert.match((await run("audit", "verify")).out, /\S/);
    }),
);

test("numbers after a restore are beyond all that can have been given out, and leave runs their 31 bits", () => {
  const at = Date.parse("2026-06-01T00:00:00Z"), later = at + 60_000;
  const first = nextAfterRestore("event", 500, at);
  assert.ok(nextAfterRestore("event", 500, later) > first + 60 * 1_000_000);
  assert.ok(nextAfterRestore("event", first, at) > first);
  for (const ms of [0, 1, 999]) {
    const over = countedOver(at + ms);
    assert.equal(over, at + 1000);
    assert.ok(nextAfterRestore("run", 500, over) > nextAfterRestore("run", 500, at + ms));
  }
  assert.ok(nextAfterRestore("run", 500, later) > nextAfterRestore("run", 500, at));
  assert.ok(nextAfterRestore("run", 500, Date.parse("2058-01-01T00:00:00Z")) < 2 ** 31);
  assert.ok(Number.isSafeInteger(nextAfterRestore("event", 500, Date.parse("2200-01-01T00:00:00Z"))));
});

test("a person who was erased after the backup is erased again, also from inputs that waited", () =>
  withTerminal(async (terminal) => {
    const { env, dir, run } = terminal;
    const data = env.MUSTER_DATA_DIR!, file = join(dir, "muster.backup"), database = join(data, "muster.db");
    await importPeople(terminal, people(3));
    await writeFile(join(dir, "plan.csv"), HEADER + people(3).replaceAll("Person", "Somebody"));
    assert.equal((await run("import", join(dir, "plan.csv"), "--dry-run")).code, 0);
    assert.equal((await run("backup", file)).code, 0);
    const id = column(database, "select id from users where employee_id = '1001'")[0] as number;
    await terminal.withHub(async (hub) => {
      const { hubId } = await loadMarks(hub.db);
      const listed = { ...hub, erased: (user: number) => addErased(erasedListFile({ dataDir: data }), hubId, [user]) };
      await eraseUser(listed, 1, id, HUB);
    });
    assert.match(await readFile(join(data, "erased"), "utf8"), /^\n[0-9a-f]{32} usr_\w{11}\n$/);
    assert.equal((await stat(join(data, "erased"))).mode & 0o777, 0o600);

    await elsewhere(terminal);
    await cp(join(data, "erased"), join(env.MUSTER_DATA_DIR!, "erased"));
    const restored = await run("restore", file);
    assert.equal(restored.code, 0, restored.err);
    assert.match(restored.out, /^Erased again, as they were since then: 1 person$/m);
    const other = join(env.MUSTER_DATA_DIR!, "muster.db");
    assert.deepEqual(column(other, "select email from users order by id"), [
      null,
      "person1002@example.com",
      "person1003@example.com",
    ]);
    assert.ok(!(await readFile(other)).includes("person1001@"));

    // The list may be lost where the replaced database is not.
    env.MUSTER_DATA_DIR = data;
    await rm(join(data, "erased"));
    assert.equal((await run("restore", file, "--replace")).code, 0);
    assert.deepEqual(column(database, "select email from users where employee_id = '1001'"), []);
  }));

test("what waited to be sent is asked about, and a restore without an answer says how much it is", () =>
  withTerminal(async (terminal) => {
    const { dir, run } = terminal;
    const file = join(dir, "muster.backup");
    await importPeople(terminal, people(1));
    await terminal.withHub(async (hub) => {
      const id = await reserve(hub.db, "endpoint");
      const secret = await hub.secrets.seal(`webhook-endpoint:${id}`, "whsec_x");
      const url = "https://hooks.example.com/";
      await createEndpoint(hub.db, 1, { id, url, secret, description: null, eventTypes: null }, hub.now(), HUB);
    });
    await importPeople(terminal, people(1, 2000));
    assert.equal((await run("backup", file)).code, 0);
    await elsewhere(terminal);
    const refused = await run("restore", file);
    assert.equal(refused.code, 2);
    assert.match(refused.err, /^2 webhooks and 0 mails waited to be sent .*: say --waiting send or --waiting drop/);
    assert.match(
      (await run("restore", file, "--waiting", "maybe")).err,
      /--waiting is "maybe": it should be send or drop/,
    );
    assert.equal((await run("restore", file, "--waiting", "drop")).code, 0);
    const database = join(terminal.env.MUSTER_DATA_DIR!, "muster.db");
    const WAITING = "select count(*) from events e join webhook_endpoints p on e.id > p.seen_event";
    assert.deepEqual(column(database, WAITING), [0]);
    assert.equal((await run("restore", file, "--replace", "--waiting", "send")).code, 0);
    assert.deepEqual(column(database, WAITING), [2]);
  }));

test("a backup or restore that is killed leaves what was there, and the next one works", {
  skip: onlyInCheckOnDeno,
}, () =>
  withBackup(async ({ data, file, dir, env, run }) => {
    const before = column(join(data, "muster.db"), "select hub_id || coalesce(restored_at, '') from hub_marks");
    const strike = async (args: string[], folder: string) => {
      const child = startCommand(args, { MUSTER_DATA_DIR: env.MUSTER_DATA_DIR! });
      const ended = new Promise((resolve) => child.on("exit", resolve));
      await until("it writes", async () => {
        const names = await readdir(folder);
        return child.exitCode !== null || names.some((name) => name.endsWith(".part"));
      }, Boolean);
      child.kill("SIGKILL");
      await ended;
    };
    for (let n = 0; n < 10; n++) {
      const made = join(dir, "killed.backup");
      await strike(["backup", made], dir);
      await rm(made, { force: true });
      assert.equal((await run("backup", made)).code, 0);
      await rm(made);
      assert.deepEqual((await readdir(dir)).filter((name) => name.endsWith(".part")), []);

      await strike(["restore", file, "--replace"], data);
      assert.deepEqual(column(join(data, "muster.db"), "select count(*) from users"), [20]);
      if (!(await readdir(data)).some((name) => name.includes("replaced"))) {
        const now = column(join(data, "muster.db"), "select hub_id || coalesce(restored_at, '') from hub_marks");
        assert.deepEqual(now, before);
      }
    }
    assert.equal((await run("restore", file, "--replace")).code, 0);
    assert.deepEqual((await readdir(data)).filter((name) => name.includes(".part")), []);
  }));

test("commands leave no log behind, also while another process has the file open: a copy of the file has all runs", () =>
  withTerminal(async (terminal) => {
    const { dir, env, run } = terminal;
    const database = join(env.MUSTER_DATA_DIR!, "muster.db"), copy = join(dir, "copy.db");
    await importPeople(terminal, people(1));
    const other = new DatabaseSync(database);
    try {
      const count = roundsOnDeno(30, 1);
      for (let n = 0; n < count; n++) {
        other.prepare("select count(*) from users").get();
        const file = join(dir, "people.csv");
        await writeFile(file, HEADER + people(n + 2));
        const child = startCommand(["import", file], { MUSTER_DATA_DIR: env.MUSTER_DATA_DIR! });
        assert.equal(await new Promise((resolve) => child.on("exit", resolve)), 0);
      }
      assert.equal((await run("token", "create", "--scopes", "runs:read")).code, 0);
      await cp(database, copy);
      assert.deepEqual(column(copy, "select count(*) from runs"), [count + 1]);
      assert.deepEqual(column(copy, "select count(*) from tokens"), [1]);
    } finally {
      other.close();
    }
  }));
