/** Who may upgrade a connection, when it is refused, and what becomes of it when a version or a value has gone. */
import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { test } from "node:test";
import type { Connector } from "../../src/connector.ts";
import type { Hub } from "../../src/hub.ts";
import { type Ask, createAsk, createTestToken } from "../support/hub.ts";
import { type Upgrading, upgrading } from "../support/upgrading.ts";

const APPLY = { mode: "apply", to: "2.0.0" } as const;
const BACK = { mode: "back" } as const;
const ELSEWHERE = { address: "127.0.0.1:9" };

const asking = (ask: Ask) => async (json: object) => {
  const answer = await ask("/v1/connections/hr/upgrade", { json });
  return { status: answer.status, body: await answer.json() };
};

/** Upgrades as somebody who may change connections, and may not approve runs. */
const byAdmin = async ({ hub }: Upgrading) =>
  asking(createAsk(hub, await createTestToken(hub, { scopes: ["connections:read", "connections:write"] })));

async function refusesWithoutApproval(
  { connection }: Upgrading,
  why: RegExp,
  work: ReturnType<typeof asking>,
  json: object,
) {
  const before = await connection();
  const { status, body } = await work(json);
  assert.deepEqual([status, body.code], [403, "forbidden"], JSON.stringify(body));
  assert.match(body.detail, /lacks the scope "runs:approve"/);
  assert.match(body.detail, why);
  assert.deepEqual(await connection(), before);
}

test("an upgrade that sends nothing elsewhere and sets no secret needs no right to approve, and neither does its way back", () =>
  upgrading(async (world) => {
    const upgrade = await byAdmin(world);
    assert.equal((await upgrade({ mode: "plan", to: "2.0.0" })).status, 200);
    assert.equal((await upgrade(APPLY)).status, 200);
    assert.equal((await upgrade(BACK)).status, 200);
  }));

test("an upgrade to other hosts or with secrets needs runs:approve, and so does the way back from other hosts", () =>
  upgrading(async (world) => {
    const upgrade = await byAdmin(world);
    await refusesWithoutApproval(world, /sends secrets to other hosts/, upgrade, { ...APPLY, settings: ELSEWHERE });
    await refusesWithoutApproval(world, /setting secrets/, upgrade, { ...APPLY, secrets: { api_key: "a new text" } });
    assert.equal((await world.upgrade({ ...APPLY, settings: ELSEWHERE })).status, 200);
    await refusesWithoutApproval(world, /sends secrets to other hosts/, upgrade, BACK);
    assert.equal((await world.upgrade(BACK)).status, 200);
  }));

test("a version that takes a list of changes for everybody needs runs:approve", () =>
  upgrading(
    async (world) => {
      const upgrade = await byAdmin(world);
      await refusesWithoutApproval(world, /taking its input for everybody/, upgrade, APPLY);
      assert.equal((await world.upgrade(APPLY)).status, 200);
      assert.equal((await upgrade(BACK)).status, 200, "back to changes alone protects more");
    },
    {},
    { coverage: { users: "diff" } },
  ));

test("going back to a version that takes its input for everybody needs runs:approve", () =>
  upgrading(async (world) => {
    const upgrade = await byAdmin(world);
    assert.equal((await upgrade(APPLY)).status, 200);
    await refusesWithoutApproval(world, /taking its input for everybody/, upgrade, BACK);
    assert.equal((await world.upgrade(BACK)).status, 200);
  }, { coverage: { users: "diff" } }));

test("where the present version is not installed any more, the upgrade needs runs:approve, and the next run goes on", () =>
  upgrading(async (world) => {
    await world.fetchNow();
    world.pinned.delete("d1");
    assert.equal((await world.connection()).installed, false);
    const upgrade = await byAdmin(world);
    await refusesWithoutApproval(world, /sends secrets to other hosts/, upgrade, APPLY);
    const planned = await world.upgrade({ mode: "plan", to: "2.0.0" });
    assert.deepEqual([planned.status, planned.body.run], [200, null]);
    assert.match(planned.body.detail, /the present version is not installed/);
    assert.equal((await world.upgrade(APPLY)).status, 200);
    const after = await world.connection();
    assert.deepEqual([after.installed, after.state === "error"], [true, false]);
    assert.equal((await world.fetchNow()).counts.updated, 2);
    const back = await world.upgrade(BACK);
    assert.equal(back.status, 422);
    assert.match(back.body.detail, /Version 1\.0\.0 is not installed here any more; the operator can add it/);
    assert.equal((await world.connection()).connector_version, "2.0.0");
  }));

test("where no version is installed, nothing can be upgraded, and with them back it can", () =>
  upgrading(async (world) => {
    await world.fetchNow();
    const versions = [...world.pinned];
    world.pinned.clear();
    for (const mode of ["plan", "apply"]) {
      const { status, body } = await world.upgrade({ mode, to: "2.0.0" });
      assert.deepEqual([status, body.code], [422, "unprocessable"]);
      assert.match(body.detail, /Version 2\.0\.0 of "written" is not installed here; the operator can add it/);
    }
    for (const [digest, installed] of versions) world.pinned.set(digest, installed);
    assert.equal((await world.plan()).counts.updated, 2);
    assert.equal((await world.upgrade(APPLY)).status, 200);
  }));

/** The hub with work that is done before each batch that it writes. */
function beforeWrites(hub: Hub, work: () => Promise<void>): Hub {
  const write: Hub["db"]["write"] = async (statements) => {
    await work();
    return await hub.db.write(statements);
  };
  return { ...hub, db: { ...hub.db, write } };
}

const refusedAtWork = async ({ upgrade, connection }: Upgrading, json: object) => {
  const before = await connection();
  const { status, body } = await upgrade(json);
  assert.deepEqual([status, body.code], [409, "conflict"]);
  assert.match(body.detail, /A run of "hr" is at work; wait until it ends, or cancel it/);
  assert.deepEqual(await connection(), before);
};

test("while its source is read neither an upgrade nor a way back is possible", () =>
  upgrading(async (world) => {
    let asked = 0;
    const refusing = (json: object) => async () => {
      asked++;
      await refusedAtWork(world, json);
    };
    world.feed.meanwhile = refusing(APPLY);
    assert.equal((await world.fetchNow()).status, "succeeded");
    world.feed.meanwhile = () => Promise.resolve();
    assert.equal((await world.upgrade(APPLY)).status, 200);
    world.feed.meanwhile = refusing(BACK);
    assert.equal((await world.fetchNow()).status, "succeeded");
    assert.equal(asked, 2);
  }));

test("while a run plans or applies neither an upgrade nor a way back is possible", () =>
  upgrading(async (world) => {
    const { hub } = world;
    const carryRefusing = async (json: object) => {
      await world.post("/v1/connections/hr/runs");
      await world.fetch();
      const seen = new Set<string>();
      await world.carry(
        {},
        beforeWrites(hub, async () => {
          const [row] = await hub.db.rows<[string]>(
            sql`select status from runs where status in ('planning', 'applying')`,
          );
          if (row === undefined || seen.has(row[0])) return;
          seen.add(row[0]);
          await refusedAtWork(world, json);
        }),
      );
      assert.deepEqual([...seen], ["planning", "applying"]);
    };
    await carryRefusing(APPLY);
    assert.equal((await world.upgrade(APPLY)).status, 200);
    await carryRefusing(BACK);
    assert.equal((await world.upgrade(BACK)).status, 200);
  }));

test("a run that begins between the look and the write is noticed by the write itself", () =>
  upgrading(async (world) => {
    const { hub } = world;
    await world.post("/v1/connections/hr/runs");
    const token = await createTestToken(hub);
    const begin = () => hub.db.write([hub.db.run(sql`update runs set status = 'planning'`)]);
    let writes = 0;
    const ask = createAsk(
      {
        ...beforeWrites(hub, async () => {
          if (writes++ === 0) await begin();
        }),
      } as typeof hub,
      token,
    );
    const before = await world.connection();
    const { status, body } = await asking(ask)(APPLY);
    assert.deepEqual([status, body.code, writes], [409, "conflict", 1], JSON.stringify(body));
    assert.match(body.detail, /A run of "hr" is at work/);
    assert.deepEqual(await world.connection(), before);
    assert.match((await world.upgrade(BACK)).body.detail, /was not upgraded/);
  }));

test("going back gives people back what the upgrade changed, and leaves what somebody has edited since", () =>
  upgrading(async (world) => {
    await world.fetchNow();
    assert.equal((await world.upgrade(APPLY)).status, 200);
    await world.fetchNow();
    const titleOf = async (email: string) => (await world.person(email)).title;
    assert.deepEqual([await titleOf("p4@acme.test"), await titleOf("p8@acme.test")], ["Engineer", "Engineer"]);
    await world.set("hr", { policy: { manual_edits: "keep" } });
    await world.edit(await world.person("p4@acme.test"), { title: "Chief" });
    world.feed.rows = [...world.feed.rows.slice(0, 29), {
      id: "31",
      mail: "p31@acme.test",
      first: "Bo",
      last: "Lund",
      job: "Eng.",
    }];
    await world.fetchNow();
    assert.equal(await titleOf("p31@acme.test"), "Engineer");
    assert.equal((await world.upgrade(BACK)).status, 200);
    const run = await world.fetchNow();
    assert.deepEqual(run.changes.map(({ subject, fields }) => [subject.email, fields]), [
      ["p8@acme.test", { title: { before: "Engineer", after: "Eng." } }],
      ["p31@acme.test", { title: { before: "Engineer", after: "Eng." } }],
    ]);
    assert.equal(await titleOf("p4@acme.test"), "Chief");
  }));

test("runs and checks use the version that the connection is pinned to, while a newer one is installed", () => {
  const check = (detail: string) => (): ReturnType<NonNullable<Connector["check"]>> =>
    Promise.resolve({ ok: true, detail, found: {} });
  return upgrading(
    async (world) => {
      const checked = async () => (await world.post("/v1/connections/hr/check")).body.detail;
      const titles = async () => new Set((await world.people()).map(({ title }) => title));
      await world.fetchNow();
      assert.deepEqual([await checked(), await titles()], ["by 1.0.0", new Set(["Lead", "Eng."])]);
      world.feed.rows = [...world.feed.rows, {
        id: "31",
        mail: "p31@acme.test",
        first: "Bo",
        last: "Lund",
        job: "Eng.",
      }];
      assert.equal((await world.fetchNow()).counts.created, 1);
      assert.deepEqual(await titles(), new Set(["Lead", "Eng."]));
      assert.equal((await world.upgrade(APPLY)).status, 200);
      await world.fetchNow();
      assert.deepEqual([await checked(), await titles()], ["by 2.0.0", new Set(["Lead", "Engineer"])]);
    },
    { check: check("by 2.0.0") },
    { check: check("by 1.0.0") },
  );
});
