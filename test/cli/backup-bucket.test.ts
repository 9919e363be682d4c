/** `muster backup` and `muster restore` with a bucket, and a hub that backs up into one. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { promisify } from "node:util";
import { createTokenText } from "../../src/security/token.ts";
import { until } from "../support/bridging.ts";
import { fetch } from "../support/checked.ts";
import { type FakeS3, KEY, startS3 } from "../support/fake-s3.ts";
import { without } from "../support/programs.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";
import { type TestTerminal, withTerminal } from "../support/terminal.ts";

const CREDENTIALS = { AWS_ACCESS_KEY_ID: KEY.accessKeyId, AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey };
const PEOPLE = "employee_id,email,first_name,last_name\n1001,person1001@example.com,Person,Number1001\n";

/** A data directory with a person, and a store. */
async function withBucket(work: (world: TestTerminal & { store: FakeS3; data: string }) => Promise<void>) {
  const store = await startS3();
  try {
    await withTerminal(async (terminal) => {
      Object.assign(terminal.env, CREDENTIALS);
      await writeFile(join(terminal.dir, "people.csv"), PEOPLE);
      assert.equal((await terminal.run("import", join(terminal.dir, "people.csv"))).code, 0);
      await work({ ...terminal, store, data: terminal.env.MUSTER_DATA_DIR! });
    });
  } finally {
    await store.close();
  }
}

function countUsers(data: string): unknown {
  const database = new DatabaseSync(join(data, "muster.db"));
  try {
    return database.prepare("select count(*) as count from users").get()!.count;
  } finally {
    database.close();
  }
}

test("a backup is made in a bucket and restored from it; a bucket alone says what is there", () =>
  withBucket(async ({ store, data, dir, env, run }) => {
    const empty = await run("restore", store.address());
    assert.equal(empty.code, 2);
    assert.match(empty.err, /^s3:\/\/backups\/muster\/\S* has no backups$/m);

    // Under a name of its own, and under one by hub and time.
    const named = store.address("by-hand/before.backup");
    const made = await run("backup", named, "--json");
    assert.equal(made.code, 0, made.err);
    assert.equal(JSON.parse(made.out).address, named);
    assert.match((await run("backup", named)).err, /before\.backup\S* exists: give the backup another name/);
    assert.match(
      (await run("backup", store.address())).out,
      /^Backed up to s3:\/\/backups\/muster\/[0-9a-f]{32}\/muster-/,
    );
    assert.deepEqual((await readdir(data)).filter((name) => name.endsWith(".part")), []);

    const listed = await run("restore", store.address());
    assert.equal(listed.code, 2, "nothing is restored unless a backup is named");
    const [first, line] = listed.err.split("\n");
    assert.match(first!, /has 1 backup; say which one to restore:$/);
    const address = /s3:\S+$/.exec(line!)![0];

    const other = env.MUSTER_DATA_DIR = join(dir, "elsewhere");
    await mkdir(other);
    await cp(join(data, "master-key"), join(other, "master-key"));
    assert.match(
      (await run("restore", store.address("muster/none.backup"))).err,
      /The bucket "backups" at \S+ has no backup of that name/,
    );
    store.misbehave("read", { after: 1500 }, 2);
    const restored = await run("restore", address);
    assert.equal(restored.code, 0, restored.err);
    assert.equal(countUsers(other), 1);
    assert.match((await run("restore", named)).err, /There is a database at \S+muster\.db: with --replace/);

    const bytes = store.objects.get("by-hand/before.backup")!;
    bytes[bytes.length - 1]! ^= 1;
    assert.match(
      (await run("restore", named, "--replace")).err,
      /^s3:\/\/backups\/by-hand\/before\.backup\S* is damaged/,
    );
    store.objects.set("by-hand/before.backup", bytes.subarray(0, 0));
    assert.match((await run("restore", named, "--replace")).err, /is not a backup of Muster/);
    assert.deepEqual((await readdir(other)).filter((name) => name.endsWith(".part")), []);
  }));

test("a folder alone is a place, too: backups get a name in it, and a restore says what is there", () =>
  withBucket(async ({ dir, run }) => {
    const folder = join(dir, "backups");
    await mkdir(folder);
    assert.match((await run("backup", folder)).out, /^Backed up to \S+\/backups\/muster-\d{8}T\d{6}Z\.backup \(/);
    const [name] = await readdir(folder);
    const { code, err } = await run("restore", folder, "--replace");
    assert.equal(code, 2);
    assert.ok(err.endsWith(`  ${join(folder, name!)}\n`), err);
  }));

test("a command without the bucket's key is refused, and says what is missing", () =>
  withBucket(async ({ store, env, run }) => {
    delete env.AWS_SECRET_ACCESS_KEY;
    for (const command of ["backup", "restore"]) {
      const { code, err } = await run(command, store.address());
      assert.deepEqual([code, err], [2, "AWS_SECRET_ACCESS_KEY is not set: a bucket for backups needs it\n"]);
    }
    assert.match(
      (await run("backup", "gs://acme/x")).err,
      /^The address begins with "gs:\/\/", where no backup can be/,
    );
    assert.equal(store.done.length, 0);
  }));

test("a hub with a bucket for backups makes one, says when in its figures, and until when it may hold the erased", {
  skip: onlyInCheckOnDeno,
}, () =>
  withBucket(async ({ store, data, dir, env, run }) => {
    const token = createTokenText();
    const settings = { MUSTER_DATA_DIR: data, MUSTER_ADMIN_TOKEN: token, MUSTER_BACKUP: store.address() };
    const refused = startServing(settings);
    await assert.rejects(refused, /AWS_ACCESS_KEY_ID is not set: a bucket for backups needs it/);
    store.misbehave("part", "cut");
    store.misbehave("complete", "lost");
    const hub = await startServing({ ...settings, ...CREDENTIALS, MUSTER_BACKUP_KEEP: "3" });
    try {
      const ask = async (path: string, method = "GET") =>
        await fetch(`${hub.url}${path}`, { method, headers: { authorization: `Bearer ${token}` } });
      await until(
        "the backup is made",
        async () => await (await ask("/metrics")).text(),
        (figures) => /^muster_backup_last_timestamp_seconds 1\d{9}/m.test(figures),
      );
      const { data: [user] } = await (await ask("/v1/users?limit=1")).json();
      const { erasure: { left, erased_at } } = await (await ask(`/v1/users/${user.id}/erase`, "POST")).json();
      assert.equal(left[0].what, "backups");
      assert.equal(Date.parse(left[0].until) - Date.parse(erased_at), 4 * 24 * 3_600_000);
    } finally {
      assert.equal(await hub.stop(), 0);
    }
    assert.ok(!hub.said().err.includes(KEY.secretAccessKey));
    const [key] = [...store.objects.keys()];
    env.MUSTER_DATA_DIR = join(dir, "elsewhere");
    await mkdir(env.MUSTER_DATA_DIR);
    await cp(join(data, "master-key"), join(env.MUSTER_DATA_DIR, "master-key"));
    assert.equal((await run("restore", store.address(key))).code, 0);
    assert.equal(countUsers(env.MUSTER_DATA_DIR), 1);
  }));

test(
  "a hub that is stopped while it sends a backup leaves no parts of it",
  { skip: onlyInCheckOnDeno },
  () =>
    withBucket(async ({ store, data }) => {
      store.misbehave("part", "hang");
      const hub = await startServing({ MUSTER_DATA_DIR: data, MUSTER_BACKUP: store.address(), ...CREDENTIALS });
      await until("a part is on its way", () => store.done.includes("part"), Boolean);
      assert.equal(store.uploads.size, 1);
      assert.equal(await hub.stop(), 0);
      assert.deepEqual([store.uploads.size, store.objects.size], [0, 0]);
      assert.deepEqual((await readdir(data)).filter((name) => name.endsWith(".part")), []);
    }),
);

test("another program's client of S3 finds in the store what was backed up", {
  skip: onlyInCheckOnDeno || without("rclone", "rclone"),
}, () =>
  withBucket(async ({ store, dir, run }) => {
    assert.equal((await run("backup", store.address("muster/one.backup"))).code, 0);
    const env = {
      PATH: "/usr/bin:/bin",
      HOME: dir,
      RCLONE_CONFIG_STORE_TYPE: "s3",
      RCLONE_CONFIG_STORE_PROVIDER: "Other",
      RCLONE_CONFIG_STORE_ENDPOINT: store.endpoint,
      RCLONE_CONFIG_STORE_REGION: store.settings.region,
      RCLONE_CONFIG_STORE_ACCESS_KEY_ID: KEY.accessKeyId,
      RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: KEY.secretAccessKey,
      RCLONE_CONFIG_STORE_LIST_VERSION: "2",
    };
    const rclone = (...args: string[]) => promisify(execFile)("rclone", args, { env, timeout: 60_000 });
    await rclone("copyto", "store:backups/muster/one.backup", join(dir, "copied.backup"));
    assert.ok(store.objects.get("muster/one.backup")!.equals(await readFile(join(dir, "copied.backup"))));
    await rclone("copyto", join(dir, "copied.backup"), "store:backups/other/two.backup", "--s3-no-check-bucket");
    assert.match((await run("restore", store.address("other/two.backup"))).err, /with --replace/);
  }));
