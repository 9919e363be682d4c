import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eq } from "drizzle-orm";
import { findConnection } from "../../src/store/connections/connections.ts";
import { findOrganization } from "../../src/store/organizations.ts";
import { links } from "../../src/store/people/schema.ts";
import { runs } from "../../src/store/runs/schema.ts";
import { findUser } from "../../src/store/people/users.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { insertLink, insertUser } from "../support/people.ts";

let hub: TestHub;
let ask: Ask;

before(async () => {
  hub = await createTestHub();
  ask = createAsk(hub, await createTestToken(hub));
});
after(() => hub.close());

const stored = async (slug: string) => (await findConnection(hub.db, hub.organization.id, slug))!;
const references = async () => (await findOrganization(hub.db, hub.organization.id))!.referenceVersion;
const create = (json: unknown) => ask("/v1/connections", { json });

test("a connection is created as the request describes it, under a slug made of its name, and found by id or slug", async () => {
  const answer = await create({
    connector: "csv-upload",
    name: "Münster HR file",
    preset: "betterworks",
    settings: { delimiter: ";" },
    key: "employee_id",
    mapping: { "Pers. No": "employee_id", Notes: null },
    policy: { missing: "deactivate", only_statuses: ["Full-Time"] },
    limits: { deactivate: { percent: 10, cap: null } },
  });
  assert.equal(answer.status, 201);
  const made = await answer.json();
  assert.equal(made.slug, "mu-nster-hr-file");
  assert.deepEqual(made.limits, { deactivate: { percent: 10, cap: null } });
  for (const name of [made.id, made.slug]) {
    const read = await ask(`/v1/connections/${name}`);
    assert.equal(read.headers.get("etag"), '"1"');
    assert.deepEqual(await read.json(), made);
  }
  assert.equal((await ask("/v1/connections/nothing")).status, 404);
});

test("what cannot be is refused by its place: connector, slug, settings, policy, limits, mapping", async () => {
  const base = { connector: "csv-upload", name: "Wrong" };
  for (
    const [input, status, pointer] of [
      [{ ...base, connector: "telepathy" }, 422, undefined],
      [{ ...base, slug: "csv" }, 409, undefined],
      [{ ...base, slug: "Not a slug" }, 400, "/slug"],
      [{ ...base, settings: { delimiter: "#" } }, 400, "/settings/delimiter"],
      [{ ...base, settings: { colour: 1 } }, 400, "/settings/colour"],
      [{ ...base, policy: { missing: "delete" } }, 400, "/policy/missing"],
      [{ ...base, policy: { mising: "keep" } }, 400, "/policy/mising"],
      [{ ...base, policy: { missing_after_runs: 0 } }, 400, "/policy/missing_after_runs"],
      [{ ...base, policy: { protected: ["ana"] } }, 400, "/policy/protected/0"],
      [{ ...base, limits: { deactivate: { percent: 101 } } }, 400, "/limits/deactivate/percent"],
      [{ ...base, limits: { everything: {} } }, 400, "/limits/everything"],
      [{ ...base, mapping: { "A/B": "shoe" } }, 400, "/mapping/A~1B"],
      [{ ...base, preset: "unknown" }, 400, "/preset"],
      [{ ...base, key: "title" }, 400, "/key"],
      [{ ...base, schedule: {} }, 400, "/schedule"],
      [{ ...base, name: "???" }, 400, "/slug"],
    ] as const
  ) {
    const answer = await create(input);
    assert.equal(answer.status, status, JSON.stringify(input));
    assert.equal((await answer.json()).errors[0]?.pointer, pointer, JSON.stringify(input));
  }
});

test("a change of what a row means moves the settings version; a name does not", async () => {
  await create({ connector: "csv-upload", name: "Moves" });
  const change = async (json: unknown) => {
    const { settingsVersion } = await stored("moves");
    const answer = await ask("/v1/connections/moves", { method: "PATCH", json });
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await stored("moves")).settingsVersion - settingsVersion;
  };
  assert.equal(await change({ name: "Moved" }), 0);
  assert.equal(await change({ limits: { update: { percent: 90 } } }), 0);
  assert.equal(await change({ key: "email" }), 1);
  assert.equal(await change({ mapping: { Mail: "email" } }), 1);
  assert.equal(await change({ settings: { delimiter: ";" } }), 1);
  assert.equal(await change({ policy: { empty_cells: "keep" } }), 1);
});

test("policy and limits are changed name by name, and null brings a default back", async () => {
  await create({ connector: "csv-upload", name: "Merged", policy: { missing: "deactivate", create: false } });
  const change = async (json: unknown) => await (await ask("/v1/connections/merged", { method: "PATCH", json })).json();
  assert.deepEqual((await change({ policy: { update: false } })).policy, {
    missing: "deactivate",
    create: false,
    update: false,
  });
  assert.deepEqual((await change({ policy: { create: null } })).policy, { missing: "deactivate", update: false });
  await change({ limits: { update: { percent: 1 } } });
  assert.deepEqual((await change({ limits: { create: { enabled: false } } })).limits, {
    update: { percent: 1 },
    create: { enabled: false },
  });
});

test("a change of priority moves the organization's references; a stale one moves nothing", async () => {
  await create({ connector: "csv-upload", name: "Ranked" });
  const before = await references();
  const patch = (json: unknown, tag: string) =>
    ask("/v1/connections/ranked", { method: "PATCH", json, headers: { "if-match": tag } });
  assert.equal((await patch({ policy: { priority: 1 } }, '"1"')).status, 200);
  assert.equal(await references(), before + 1);
  assert.equal((await patch({ policy: { priority: 2 } }, '"1"')).status, 412);
  assert.equal(await references(), before + 1);
});

test("a connection is paused and resumed; resuming says that a run may be waiting", async () => {
  await create({ connector: "csv-upload", name: "Paused" });
  const paused = await (await ask("/v1/connections/paused/pause", { method: "POST" })).json();
  assert.equal(paused.paused_at, "2026-03-02T08:00:00.000Z");
  assert.equal((await (await ask("/v1/connections/paused/pause", { method: "POST" })).json()).version, paused.version);
  const woken = hub.woken.count;
  assert.equal((await (await ask("/v1/connections/paused/resume", { method: "POST" })).json()).paused_at, null);
  assert.equal(hub.woken.count, woken + 1);
});

test("deleting a connection takes its links and waiting runs with it, and leaves its people", async () => {
  await create({ connector: "csv-upload", name: "Doomed" });
  const { id } = await stored("doomed");
  const user = await insertUser(hub, { email: "ana@example.com" });
  await insertLink(hub, id, "1", user);
  await insertLink(hub, 1, "1", user);
  const { run } =
    await (await ask("/v1/connections/doomed/drops", { body: "email\n", headers: { "content-type": "text/csv" } }))
      .json();
  const before = await references();

  await hub.db.write([hub.db.orm.update(runs).set({ status: "applying" }).where(eq(runs.connectionId, id))]);
  const busy = await ask("/v1/connections/doomed", { method: "DELETE" });
  assert.equal(busy.status, 409);
  assert.match((await busy.json()).detail, /is active/);
  assert.equal((await hub.db.orm.select().from(links)).length, 2);

  await hub.db.write([hub.db.orm.update(runs).set({ status: "held" }).where(eq(runs.connectionId, id))]);
  assert.equal((await ask("/v1/connections/doomed", { method: "DELETE", headers: { "if-match": '"9"' } })).status, 412);
  assert.equal((await ask("/v1/connections/doomed", { method: "DELETE" })).status, 204);
  assert.equal((await ask("/v1/connections/doomed")).status, 404);
  assert.deepEqual((await hub.db.orm.select().from(links)).map(({ connectionId }) => connectionId), [1]);
  assert.ok(await findUser(hub.db, hub.organization.id, user));
  assert.equal(await references(), before + 1);
  const left = await (await ask(`/v1/runs/${run.id}`)).json();
  assert.deepEqual([left.status, left.connection.id, left.connection.slug], ["cancelled", run.connection.id, null]);
});

test("the catalogue shows each connector's settings as JSON Schema", async () => {
  const { data } = await (await ask("/v1/connectors")).json();
  const connector = data.find(({ name }: { name: string }) => name === "csv-upload");
  assert.deepEqual(connector.settings.properties.delimiter, { type: "string", enum: ["auto", ",", ";"] });
  assert.equal(connector.takes_drops, true);
});

test("a slug that another connection has is refused in a change too", async () => {
  await create({ connector: "csv-upload", name: "Renamed" });
  const refused = await ask("/v1/connections/renamed", { method: "PATCH", json: { slug: "csv" } });
  assert.equal(refused.status, 409);
  assert.equal((await refused.json()).detail, 'There is already a connection "csv"');
});

test("a stale If-Match neither pauses nor resumes", async () => {
  await create({ connector: "csv-upload", name: "Watched" });
  for (const verb of ["pause", "resume"]) {
    const refused = await ask(`/v1/connections/watched/${verb}`, { method: "POST", headers: { "if-match": '"9"' } });
    assert.equal(refused.status, 412, verb);
  }
  assert.equal((await stored("watched")).pausedAt, null);
});
