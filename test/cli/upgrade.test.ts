/** A database of an earlier version is brought up to date with everything in it; one of a later version is left alone. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test, { type TestContext } from "node:test";
import { gunzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import { until } from "../support/bridging.ts";
import { fetch } from "../support/checked.ts";
import { ADMIN, BY_HAND, EARLIER_KEY, PEOPLE, SEAMED, secondPeople } from "../support/earlier/people.ts";
import { LATER, makeLaterVersion } from "../support/later-version.ts";
import { startReceiver } from "../support/receiver.ts";
import { onlyInCheckOnDeno, roundsOnDeno } from "../support/rounds.ts";
import { startCommand, startServing } from "../support/serve.ts";

const WITH_WEBHOOKS = "webhooks";

function dataDir(t: TestContext): { dir: string; file: string; env: Record<string, string> } {
  const dir = mkdtempSync(join(tmpdir(), "muster-upgrade-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return { dir, file: join(dir, "muster.db"), env: { MUSTER_DATA_DIR: dir, MUSTER_ADMIN_TOKEN: ADMIN } };
}

/** Runs a command to its end. */
async function command(args: string[], env: Record<string, string>, root?: string) {
  const child = startCommand(args, env, undefined, root);
  let out = "", err = "";
  child.stdout!.on("data", (data) => out += data);
  child.stderr!.on("data", (data) => err += data);
  return { code: await new Promise<number | null>((resolve) => child.on("close", resolve)), out, err };
}

const rowsOf = (file: string, query: string): unknown[][] => {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const statement = database.prepare(query);
    statement.setReturnArrays(true);
    return statement.all() as unknown as unknown[][];
  } finally {
    database.close();
  }
};

/** What an upgrade must not change. */
const KEPT = {
  people: `select id, organization_id, status, email, first_name, last_name, title, manager_id, department_id, version
    from users`,
  runs: "select id, organization_id, connection_id, status, counts from runs where id <= 4",
  drops: "select id, organization_id, connection_id, name, bytes, sha256 from drops where id <= 4",
  links: "select connection_id, source_key, user_id, active from links",
  departments: "select id, organization_id, name from departments",
  tokens: "select id, hash from tokens where name = 'reader'",
};
const keptIn = (file: string) =>
  Object.fromEntries(Object.entries(KEPT).map(([name, query]) => [name, rowsOf(file, `${query} order by 1, 2`)]));

// The first tables of all have no webhooks yet; the first with webhooks are upgraded in `npm test`, too.
for (const name of roundsOnDeno(["first", WITH_WEBHOOKS], [WITH_WEBHOOKS])) {
  test(`a database that the earliest version made (${name}) is brought up to date, and everything is there`, async (t) => {
    const { file, env } = dataDir(t);
    const hasWebhooks = name === WITH_WEBHOOKS;
    const packed = readFileSync(new URL(`../support/earlier/${name}.db.gz`, import.meta.url));
    writeFileSync(file, gunzipSync(packed));
    // Drops have the day in them on which they are deleted, and this test should not end on it.
    const earlier = new DatabaseSync(file);
    earlier.exec("update drops set expires_at = 9000000000000");
    earlier.close();
    const before = keptIn(file);
    assert.equal(before.people!.length, PEOPLE + 20);
    assert.equal(before.runs!.filter((run) => run[1] === 1).length, 3);
    const hub = await startServing({
      ...env,
      MUSTER_ALLOW_HOSTS: "127.0.0.0/8",
      MUSTER_RETAIN_DAYS: "3650",
      ...(hasWebhooks ? { MUSTER_MASTER_KEY: EARLIER_KEY } : {}),
    });
    t.after(() => hub.stop("SIGKILL"));
    const after = keptIn(file);
    for (const [what, rows] of Object.entries(before)) assert.deepEqual(after[what], rows, what);

    const ask = async (path: string, method = "GET", body?: BodyInit, type = "application/json") => {
      const headers = { authorization: `Bearer ${ADMIN}`, ...(body === undefined ? {} : { "content-type": type }) };
      const answer = await fetch(`${hub.url}${path}`, { method, headers, body });
      assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${answer.ok ? "" : await answer.clone().text()}`);
      return answer;
    };
    assert.equal((await (await ask("/v1/users?limit=1&email=person500@example.com")).json()).data.length, 1);
    const runs = (await (await ask("/v1/runs?limit=100")).json()).data;
    for (const run of runs) {
      await (await ask(`/v1/runs/${run.id}/changes`)).body?.cancel();
      await (await ask(`/v1/runs/${run.id}/issues`)).body?.cancel();
    }

    const receiver = await startReceiver();
    t.after(() => receiver.close());
    const endpoints = (await (await ask("/v1/webhook-endpoints")).json()).data;
    if (hasWebhooks) {
      const [endpoint] = endpoints;
      assert.equal(endpoint.description, "the earlier receiver");
      assert.ok((await (await ask(`/v1/webhook-endpoints/${endpoint.id}/deliveries`)).json()).data.length > 0);
      await (await ask(`/v1/webhook-endpoints/${endpoint.id}`, "PATCH", JSON.stringify({ url: receiver.url }))).json();
    } else {
      await (await ask("/v1/webhook-endpoints", "POST", JSON.stringify({ url: receiver.url }))).json();
    }

    const people = secondPeople(hasWebhooks ? BY_HAND : undefined);
    const queued = await (await ask("/v1/connections/csv/drops", "POST", people, "text/csv")).json();
    const run = await until(
      "the run ends",
      async () => (await (await ask(`/v1/runs/${queued.run.id}`)).json()),
      (found) => !["queued", "running", "applying", "planning"].includes(found.status),
      60_000,
    );
    assert.equal(run.status, "succeeded", JSON.stringify(run));
    const { read, created, updated, deactivated } = run.counts;
    assert.deepEqual({ read, created, updated, deactivated }, { read: PEOPLE, created: 0, updated: 0, deactivated: 0 });
    assert.deepEqual(keptIn(file).people, before.people);
    await receiver.has(1, 60_000);
    assert.equal(JSON.parse(receiver.received[0]!.body).type, "run.completed");
    assert.equal((await ask(`/v1/organizations/${SEAMED}`)).status, 200);
    assert.equal(await hub.stop(), 0);
    const verified = await command(["audit", "verify"], {
      ...env,
      ...(hasWebhooks ? { MUSTER_MASTER_KEY: EARLIER_KEY } : {}),
    });
    assert.equal(verified.code, 0, verified.out + verified.err);
  });
}

const digestOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

test("a database of a later version is refused by every command, with both versions, and nothing is written", {
  skip: onlyInCheckOnDeno,
}, async (t) => {
  const later = makeLaterVersion(t, "create table later (n integer)");
  const { dir, file, env } = dataDir(t);
  assert.equal((await command(["org", "create", "--slug", "acme"], env, later)).code, 0);
  // As a backup is restored: without the log, in one file.
  const database = new DatabaseSync(file);
  database.exec("pragma journal_mode = delete");
  database.close();
  const before = digestOf(file);
  const people = join(dir, "people.csv");
  writeFileSync(people, secondPeople());
  for (
    const args of [
      ["serve"],
      ["import", people],
      ["token", "create", "--scopes", "users:read"],
      ["org", "create", "--slug", "globex"],
      ["audit", "verify"],
    ]
  ) {
    const { code, err } = await command(args, { ...env, PORT: "0" });
    assert.equal(code, 2, `${args[0]}: ${err}`);
    assert.match(err, new RegExp(`brought up to date by Muster ${LATER.replaceAll(".", "\\.")}, to a migration of 20`));
    assert.match(
      err,
      /this is Muster \d+\.\d+\.\d+, which knows them up to \d{4}_\w+\. Nothing was written: use Muster/,
    );
    assert.equal(digestOf(file), before, args[0]);
  }
});

test("a hub beside which a later version brings the database up to date writes nothing more, and ends", {
  skip: onlyInCheckOnDeno,
}, async (t) => {
  const later = makeLaterVersion(t, "create table later (n integer)");
  const { file, env } = dataDir(t);
  const old = await startServing(env);
  t.after(() => old.stop("SIGKILL"));
  const headers = { authorization: `Bearer ${ADMIN}`, "content-type": "text/csv" };
  const send = (url: string) =>
    fetch(`${url}/v1/connections/csv/drops`, { method: "POST", headers, body: secondPeople() });
  assert.equal((await fetch(`${old.url}/readyz`)).status, 200);
  const next = await startServing(env, undefined, later);
  t.after(() => next.stop("SIGKILL"));

  const refused = await send(old.url);
  assert.equal(refused.status, 503, "the earlier version writes nothing, from the first request on");
  assert.match((await refused.json()).detail, /brought up to date by Muster 99\.1\.0/);
  const ready = await until(
    "it is not ready",
    () => fetch(`${old.url}/readyz`),
    ({ status }) => status === 503,
    20_000,
  );
  assert.match((await ready.json()).detail, /brought up to date by Muster 99\.1\.0/);
  assert.equal(await old.ended, 2);
  assert.match(old.said().err, /"event":"database\.newer"/);
  assert.match(old.said().err, /Nothing was written: use Muster 99\.1\.0 or a later one/);

  const taken = await send(next.url);
  assert.equal(taken.status, 202);
  await until(
    "the later version carries the run",
    () => rowsOf(file, "select status from runs"),
    (rows) => rows.length === 1 && rows[0]![0] === "succeeded",
    60_000,
  );
  assert.equal(await next.stop(), 0, next.said().err);
});

test("a migration that was killed leaves the tables as they were", { skip: onlyInCheckOnDeno }, async (t) => {
  // Long enough to be killed in the middle on any machine.
  const slow =
    "create table later as with recursive c(n) as (select 1 union all select n + 1 from c limit 4000000000) " +
    "select count(*) from c";
  const later = makeLaterVersion(t, `create table first_part (n integer);\n--> statement-breakpoint\n${slow}`);
  const { file, env } = dataDir(t);
  assert.equal((await command(["org", "create", "--slug", "acme"], env)).code, 0);
  const tables = () => rowsOf(file, "select name, sql from sqlite_master order by 1");
  const before = tables();
  const child = startCommand(["org", "create", "--slug", "globex"], env, undefined, later);
  const ended = new Promise((resolve) => child.on("close", resolve));
  const isLocked = () => {
    const other = new DatabaseSync(file, { timeout: 0 });
    try {
      other.exec("begin immediate; rollback");
      return false;
    } catch {
      return true;
    } finally {
      other.close();
    }
  };
  await until("it migrates", isLocked, Boolean, 60_000);
  const waiting = startCommand(["org", "create", "--slug", "initech"], env, undefined, later);
  let said = "";
  waiting.stderr!.on("data", (data) => said += data);
  const waited = new Promise((resolve) => waiting.on("close", resolve));
  await until(
    "a second start says that it waits",
    () => said,
    (text) => /Waiting for \d+ s: another process/.test(text),
    60_000,
  );
  assert.equal(waiting.exitCode, null);
  waiting.kill("SIGKILL");
  child.kill("SIGKILL");
  await Promise.all([ended, waited]);
  assert.deepEqual(tables(), before);
  assert.equal((await command(["org", "create", "--slug", "hooli"], env)).code, 0, "this version goes on with it");
});
