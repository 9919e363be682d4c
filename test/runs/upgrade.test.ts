/** Upgrades of connectors: shown as people before anything changes, applied as one, and taken back. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createOrganization } from "../../src/store/organizations.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { upgrading } from "../support/upgrading.ts";

const jobs = (
  run: { changes: readonly { fields: Readonly<Record<string, unknown>>; subject: { email?: unknown } }[] },
) => run.changes.map(({ subject, fields }) => [subject.email, fields]);

const TWO = [
  ["p4@acme.test", { title: { before: "Eng.", after: "Engineer" } }],
  ["p8@acme.test", { title: { before: "Eng.", after: "Engineer" } }],
];

test("a plan of an upgrade shows exactly the two of thirty people whom the new version changes, and writes nothing", () =>
  upgrading(async ({ fetchNow, plan, connection, people, post }) => {
    assert.equal((await fetchNow()).counts.created, 30);
    const before = await connection();
    assert.equal(before.upgrade_available, "2.0.0");
    const run = await plan();
    assert.deepEqual([run.status, run.trigger, run.mode], ["planned", "upgrade", "plan"], JSON.stringify(run));
    assert.deepEqual(jobs(run), TWO);
    assert.deepEqual([run.counts.updated, run.counts.unchanged, run.counts.created], [2, 28, 0]);
    assert.deepEqual(await connection(), before);
    assert.equal((await people()).filter(({ title }) => title === "Eng.").length, 2);
    const approved = await post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    assert.equal(approved.status, 409);
    assert.match(approved.body.detail, /apply the upgrade of the connection instead/);
  }));

test("what the present version would change as well is not blamed on the upgrade, though it is due at the same people", () =>
  upgrading(async ({ fetchNow, plan, set }) => {
    await fetchNow();
    // The next run gives everybody a location, by whichever version.
    await set("hr", { mapping: { last: "location" } });
    const run = await plan();
    assert.deepEqual(jobs(run), TWO);
    assert.deepEqual([run.counts.updated, run.counts.failed, run.issues], [2, 0, []]);
  }));

test("new people, and rows that only the new version refuses, are compared too", () =>
  upgrading(async ({ fetchNow, plan, feed, set }) => {
    await set("hr", { policy: { create: false } });
    feed.rows = feed.rows.slice(0, 9);
    await fetchNow();
    await set("hr", { policy: { create: true } });
    const run = await plan();
    assert.deepEqual(run.changes.map(({ action, subject }) => [action, subject.email]), [
      ["create", "p4@acme.test"],
      ["create", "p8@acme.test"],
    ], "seven others would be new by both versions, with the same values");
    assert.deepEqual(run.issues.map(({ code, severity }) => [code, severity]), [["email_invalid", "error"]]);
    assert.match(run.note ?? "", /New people whom it does not make any more: 1/);
  }, {
    normalize: (row: { cells: readonly unknown[] }) => {
      const [id, mail, first_name, last_name, job] = row.cells as string[];
      const email = id === "2" ? "no address" : mail;
      return { source_id: id, email, first_name, last_name, title: job === "Eng." ? "Engineer" : job } as never;
    },
  }));

test("an upgrade renames a setting and a secret, and the next run changes exactly whom the plan showed, under its guards", () =>
  upgrading(async ({ fetchNow, plan, upgrade, connection, set, feed, hub, post, carry }) => {
    await fetchNow();
    const older = await plan();
    await set("hr", { name: "HR" });
    const stale = await upgrade({ mode: "apply", to: "2.0.0", run: older.id });
    assert.deepEqual([stale.status, stale.body.code], [409, "plan_changed"]);
    const planned = await plan();
    const applied = await upgrade({ mode: "apply", to: "2.0.0", run: planned.id });
    assert.equal(applied.status, 200, JSON.stringify(applied.body));
    assert.deepEqual(applied.body.secrets_renamed, { token: "api_key" });
    const after = await connection();
    assert.deepEqual(after.settings, { address: "127.0.0.1:1" });
    assert.deepEqual([after.secrets.api_key.set, after.secrets.token, after.secrets_required], [true, undefined, []]);
    assert.equal(after.upgrade_available, null);
    await set("hr", { limits: { update: { percent: 1, floor: 1 } } });
    const run = await fetchNow();
    assert.deepEqual([run.status, run.held_by.map(({ guard, count }) => [guard, count])], ["held", [["update", 2]]]);
    assert.deepEqual(jobs(run), TWO);
    await post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    await carry();
    assert.deepEqual(feed.lasts, [null, { since: 1, from: "1.0.0" }], "the state came along, made by the new version");
    assert.ok(hub.lines.every(({ details }) => !JSON.stringify(details).includes("a secret text")));
    assert.equal((await fetchNow()).counts.unchanged, 30);
    assert.deepEqual(feed.lasts.at(-1), { since: 1 }, "a state of the same version is as it was saved");
  }));

test("a connection goes back to version, settings, secret and state from before the upgrade, once", () =>
  upgrading(async ({ fetchNow, upgrade, connection, feed, people }) => {
    await fetchNow();
    const before = await connection();
    await upgrade({ mode: "apply", to: "2.0.0" });
    await fetchNow();
    const back = await upgrade({ mode: "back" });
    assert.equal(back.status, 200, JSON.stringify(back.body));
    assert.deepEqual([back.body.from, back.body.to, back.body.secrets_renamed], ["2.0.0", "1.0.0", {
      api_key: "token",
    }]);
    const after = await connection();
    assert.deepEqual([after.settings, after.secrets.token.set], [before.settings, true]);
    assert.equal(after.upgrade_available, "2.0.0");
    await fetchNow();
    assert.deepEqual(feed.lasts.at(-1), { since: 1 }, "the state is that of version 1.0.0, not of the newer one");
    assert.equal((await people()).filter(({ title }) => title === "Eng.").length, 2);
    const again = await upgrade({ mode: "back" });
    assert.equal(again.status, 409);
    assert.match(again.body.detail, /has gone back already/);
  }));

test("going back is refused where the settings were changed since, as the older version may not know them", () =>
  upgrading(async ({ upgrade, set }) => {
    await upgrade({ mode: "apply", to: "2.0.0" });
    await set("hr", { settings: { address: "127.0.0.1:2" } });
    const { status, body } = await upgrade({ mode: "back" });
    assert.equal(status, 409);
    assert.match(body.detail, /settings were changed since the upgrade/);
  }));

test("a state that the new version cannot migrate is left, and the source is read anew", () =>
  upgrading(async ({ fetchNow, upgrade, feed }) => {
    await fetchNow();
    const { body } = await upgrade({ mode: "apply", to: "2.0.0" });
    assert.equal(body.state, "read_anew");
    await fetchNow();
    assert.deepEqual(feed.lasts, [null, null]);
  }, { migrateState: undefined }));

test("without an input a plan shows the settings alone, and says so", () =>
  upgrading(async ({ upgrade }) => {
    const { status, body } = await upgrade({ mode: "plan", to: "2.0.0" });
    assert.deepEqual([status, body.run, body.settings], [200, null, { address: "127.0.0.1:1" }]);
    assert.match(body.detail, /no input to compare/);
  }));

test("an upgrade is refused with what to do: unknown, older and present versions, settings that do not fit, the hub's own", () =>
  upgrading(async ({ upgrade, connection }) => {
    const before = await connection();
    const refused = async (json: object, slug?: string) => {
      const { status, body } = await upgrade({ mode: "apply", ...json }, slug);
      return [status, body.detail];
    };
    assert.match(String(await refused({ to: "9.0.0" })), /422,Version 9.0.0 of "written" is not installed here/);
    assert.match(String(await refused({ to: "1.0.0" })), /422,.*has version 1.0.0 of "written" already/);
    assert.match(String(await refused({})), /400,The version is missing/);
    assert.match(String(await refused({ to: "2.0.0" }, "csv")), /422,.*comes with the hub, and is upgraded with it/);
    assert.match(String(await refused({ to: "2.0.0", settings: { host: "x" } })), /400,.*settings are invalid/);
    assert.match(String(await refused({ to: "2.0.0", run: "run_1" })), /409,.*no finished plan of this upgrade/);
    assert.deepEqual(await connection(), before);
    await upgrade({ mode: "apply", to: "2.0.0" });
    assert.match(String(await refused({ to: "1.0.0" })), /422,Version 1.0.0 is older than 2.0.0/);
  }));

test("a secret that only the new version needs is named, and can be given with the upgrade", () =>
  upgrading(async ({ upgrade, connection }) => {
    const lacking = await upgrade({ mode: "apply", to: "2.0.0" });
    assert.equal(lacking.status, 422, JSON.stringify(lacking.body));
    assert.match(lacking.body.detail, /Version 2.0.0 needs "api_key"/);
    const done = await upgrade({ mode: "apply", to: "2.0.0", secrets: { api_key: "another text" } });
    assert.equal(done.status, 200, JSON.stringify(done.body));
    assert.deepEqual(done.body.secrets_former, ["token"]);
    const { secrets } = await connection();
    assert.deepEqual([secrets.api_key.set, secrets.token.set], [true, true], "the former one can be cleared");
  }, {
    migrateSettings: ((from: { value: { host: string } }) => ({ settings: { address: from.value.host } })) as never,
  }));

test("settings that a version cannot migrate refuse the upgrade, as its own fault and without its words", () =>
  upgrading(
    async ({ upgrade }) => {
      const { status, body } = await upgrade({ mode: "plan", to: "2.0.0" });
      assert.equal(body.code, "unprocessable", JSON.stringify([status, body]));
      assert.match(body.detail, /"migrateSettings" throws \(TypeError\)/);
    },
    {
      migrateSettings: () => {
        throw new TypeError("ana@acme.test");
      },
    },
  ));

test("an upgrade is of one connection: those of another organization, and others of the same one, stay as they are", () =>
  upgrading(async ({ hub, upgrade, connect, connection }) => {
    const input = { connector: "written", schedule: null, settings: { address: "127.0.0.1:1" } };
    await connect("beside", input);
    await createOrganization(hub.db, { slug: "acme", name: "Acme", timezone: "UTC" }, hub.clock.ms);
    const theirs = createAsk(hub, await createTestToken(hub, { organization: "acme" }));
    const made = await (await theirs("/v1/connections", { json: { ...input, name: "Theirs", slug: "hr" } })).json();
    await hub.db.write([hub.db.run(sql`update connections set connector_version = '1.0.0', connector_digest = 'd1',
      settings = '{"host":"127.0.0.1:1"}' where slug in ('beside', 'hr')`)]);
    assert.equal((await upgrade({ mode: "apply", to: "2.0.0" }, made.id)).status, 404);
    assert.equal((await upgrade({ mode: "apply", to: "2.0.0" })).status, 200);
    const other = await (await theirs("/v1/connections/hr")).json();
    for (const { settings, upgrade_available } of [await connection("beside"), other]) {
      assert.deepEqual([settings, upgrade_available], [{ host: "127.0.0.1:1" }, "2.0.0"]);
    }
  }));

test("an upgrade of a connection that somebody has changed since it was read is refused", () =>
  upgrading(async ({ ask, connection }) => {
    const json = { mode: "apply", to: "2.0.0" }, headers = { "if-match": '"999"' };
    assert.equal((await ask("/v1/connections/hr/upgrade", { json, headers })).status, 412);
    assert.equal((await connection()).connector_version, "1.0.0");
  }));
