/** How much an organization may have stored at once: limits that many requests at once cannot pass. */
import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { createRegistry } from "../../src/runtime/registry.ts";
import { decodeId } from "../../src/model/id.ts";
import { MAX_CONNECTIONS, MAX_LIVE_TOKENS, MAX_OPEN_UPLOADS, MAX_QUEUED_RUNS } from "../../src/model/limits.ts";
import { HINTED } from "../../src/store/connections/unwind.ts";
import { tick } from "../../src/upkeep/tick.ts";
import { bridging, isHeld } from "../support/bridging.ts";
import { createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import { DAY_MS, importing } from "../support/imports.ts";

/** `count` rows like the one that the statement makes of `value`. */
const fill = (hub: TestHub, count: number, statement: ReturnType<typeof sql>) =>
  hub.db.rows(sql`${statement} from (with recursive n(value) as
    (select 1 union all select value + 1 from n where value < ${count}) select value from n)`);

/** Runs that wait for their turn and will never have it. */
const fillQueue = (hub: TestHub, count: number) =>
  fill(
    hub,
    count,
    sql`insert into runs (id, organization_id, connection_id, trigger, mode, entity, coverage, status, created_at)
    select 1000000 + value, ${hub.organization.id}, 999, 'drop', 'plan', 'users', 'diff', 'queued', 0`,
  );

async function makeRoom(hub: TestHub, count = 1): Promise<void> {
  await hub.db.rows(sql`update runs set status = 'cancelled' where id in
    (select id from runs where status = 'queued' and id > 1000000 limit ${count})`);
}

async function assertFull(answer: Response): Promise<void> {
  assert.deepEqual([answer.status, answer.headers.get("retry-after")], [429, "60"]);
  const { code, detail } = await answer.json();
  assert.equal(code, "queue_full");
  assert.match(detail, /^500 runs of the organization wait for their turn; send this again once some of them have/);
}

test("many drops at once do not pass the limit of queued runs; nothing is left of those that are refused", () =>
  importing(async ({ hub, ask }) => {
    await fillQueue(hub, MAX_QUEUED_RUNS - 1);
    const drop = () =>
      ask("/v1/connections/csv/drops", { body: "email\n", headers: { "content-type": "text/csv", prefer: "wait=0" } });
    const answers = await Promise.all(Array.from({ length: 5 }, drop));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [202, 429, 429, 429, 429]);
    for (const refused of answers.filter(({ status }) => status === 429)) await assertFull(refused);
    assert.deepEqual(await hub.db.rows(sql`select count(*) from drops`), [[1]]);
    await assertFull(await ask("/v1/users/import", { json: { users: [] } }));
    await makeRoom(hub);
    assert.equal((await drop()).status, 202);
    await assertFull(await drop());
  }));

test("an upload whose seal comes when the queue is full can be sealed again later; no other is opened meanwhile", () =>
  importing(async ({ hub, ask }) => {
    const open = () => ask("/v1/connections/csv/uploads", { json: { name: "people.csv" } });
    const { upload } = await (await open()).json();
    assert.equal((await ask(`/v1/uploads/${upload.id}/parts/1`, { method: "PUT", body: "email\n" })).status, 204);
    await fillQueue(hub, MAX_QUEUED_RUNS);
    await assertFull(await open());
    const seal = () => ask(`/v1/uploads/${upload.id}/seal`, { json: {} });
    await assertFull(await seal());
    await makeRoom(hub);
    assert.equal((await seal()).status, 202);
  }));

test("a revert and a fetch that somebody asks for are refused while the queue is full, and done once there is room", () =>
  importing(async (world) => {
    const { hub, ask } = world;
    const applied = await world.import("employee_id,email,first_name,last_name\n1,ana@example.com,Ana,Lopez\n");
    await world.connect("hr", { connector: "bamboohr", settings: { subdomain: "acme" } });
    await fillQueue(hub, MAX_QUEUED_RUNS);
    const asked = [`/v1/runs/${applied.id}/revert`, "/v1/connections/hr/runs"];
    for (const path of asked) await assertFull(await ask(path, { json: {} }));
    await makeRoom(hub, 2);
    for (const path of asked) assert.equal((await ask(path, { json: {} })).status, 202, path);
  }));

test("what is due by the clock stays due while the queue is full: schedules, hints and people's last days", () =>
  importing(async (world) => {
    const { hub } = world;
    await world.import(
      "employee_id,email,first_name,last_name,deactivation_date\n1,ana@example.com,Ana,Lopez,2026-03-03\n",
    );
    const connection = { connector: "bamboohr", settings: { subdomain: "acme" } };
    await world.connect("hr", { ...connection, schedule: { every_minutes: 60 } });
    await world.connect("hinted", { ...connection, schedule: null });
    await tick(hub);
    await hub.db.rows(sql`insert into connection_clocks (connection_id, organization_id, basis, next_at)
      select id, organization_id, ${HINTED}, ${hub.clock.ms} from connections where slug = 'hinted'`);
    await fillQueue(hub, MAX_QUEUED_RUNS);
    hub.clock.ms += DAY_MS;
    await tick(hub);
    const triggers = async () =>
      (await hub.db.rows<[string]>(sql`select trigger from runs where id < 1000000 and trigger <> 'drop' order by id`))
        .map(([trigger]) => trigger).sort();
    assert.deepEqual(await triggers(), []);
    await makeRoom(hub, 3);
    await tick(hub);
    assert.deepEqual(await triggers(), ["due", "schedule", "schedule"]);
  }));

test("a file over SFTP stays where it is while the queue is full, and is taken once there is room", async () => {
  const hub = await createTestHub({ registry: createRegistry() });
  const admin = createAsk(hub, await createTestToken(hub));
  const bridge = await bridging(hub);
  try {
    const made = await admin("/v1/connections", { json: { connector: "sftp-drop", name: "drops", slug: "drops" } });
    const { id } = await made.json();
    await isHeld(bridge, id);
    const server = bridge.server(id);
    server.drop("/incoming/users.csv", "email,first_name,last_name\nana@example.com,Ana,Lopez\n", 1_700_000_000_000);
    await fillQueue(hub, MAX_QUEUED_RUNS);
    const startedAt = performance.now();
    const trouble = await bridge.poller.visit(id).then(() => null, (error) => error.trouble);
    assert.equal(trouble?.code, "hub_busy");
    assert.match(trouble.message, /files wait where they are, and are taken automatically/);
    assert.ok(performance.now() - startedAt < 30_000, "the bridge does not wait for the minute that the hub names");
    assert.deepEqual([server.names("/incoming"), server.names("/.bak")], [["users.csv"], []]);
    const core = bridge.poller.hub;
    core.reportHealth(core.connections().find((each) => each.id === id)!, trouble);
    for (let code = null; code !== "hub_busy";) {
      code = (await (await admin("/v1/connections/drops")).json()).sftp.trouble?.code ?? null;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }

    await makeRoom(hub);
    hub.clock.ms += 60_000;
    await bridge.poller.visit(id);
    assert.deepEqual([server.names("/incoming"), server.names("/.bak").length], [[], 1]);
    const { data } = await (await admin("/v1/runs?connection=drops")).json();
    assert.equal(data.length, 1);
  } finally {
    await bridge.kill();
    hub.close();
  }
});

test("an organization has so many uploads open, however many open them at once, and each that ends makes room", () =>
  importing(async ({ hub, ask, connect }) => {
    await connect("other");
    // Not as many to one connection as it may have itself.
    await fill(
      hub,
      MAX_OPEN_UPLOADS - 1,
      sql`insert into drops (id, organization_id, connection_id, name, content_type, expires_at, created_at)
      select 1000000 + value, ${hub.organization.id}, 100 + value, 'people.csv', 'text/csv', ${
        hub.clock.ms + DAY_MS
      }, 0`,
    );
    const open = (slug: string) => ask(`/v1/connections/${slug}/uploads`, { json: { name: "people.csv" } });
    const answers = await Promise.all(["csv", "csv", "api", "other", "other"].map(open));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 429, 429, 429, 429]);
    const refused = answers.find(({ status }) => status === 429)!;
    assert.equal(refused.headers.get("retry-after"), "60");
    const { code, detail } = await refused.json();
    assert.deepEqual([code, /^The organization has 100 uploads that are not sealed; seal or/.test(detail)], [
      "too_many_in_flight",
      true,
    ]);
    const { upload } = await answers.find(({ status }) => status === 201)!.json();
    assert.equal((await ask(`/v1/uploads/${upload.id}`, { method: "DELETE" })).status, 204);
    assert.equal((await open("csv")).status, 201);
  }));

test("an organization has so many connections, and the next is refused with what to do", () =>
  importing(async ({ hub, ask }) => {
    await fill(
      hub,
      MAX_CONNECTIONS - 3,
      sql`insert into connections (id, organization_id, slug, name, connector, salt, created_at, updated_at)
      select 1000 + value, ${hub.organization.id}, 'c' || value, 'C', 'csv-upload', 'salt', 0, 0`,
    );
    const make = (n: number) =>
      ask("/v1/connections", { json: { connector: "csv-upload", name: `New ${n}`, preset: "ops-com" } });
    const answers = await Promise.all([1, 2, 3].map(make));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409]);
    const { code, detail } = await answers.find(({ status }) => status === 409)!.json();
    assert.equal(code, "conflict");
    assert.match(detail, /^The organization has 200 connections; delete one that is not needed any more first/);
    assert.equal((await ask("/v1/connections/c1", { method: "DELETE" })).status, 204);
    assert.equal((await make(4)).status, 201);
  }));

test("an organization has so many tokens that have not expired, and the next is refused with what to do", () =>
  importing(async ({ hub, ask }) => {
    await fill(
      hub,
      MAX_LIVE_TOKENS + 48,
      sql`insert into tokens (id, organization_id, name, hash, scopes, expires_at, created_at)
      select 1000 + value, ${hub.organization.id}, 'T', 'h' || value, '[]',
        iif(value <= 50, ${hub.clock.ms - 1}, ${hub.clock.ms + DAY_MS}), 0`,
    );
    const make = () => ask("/v1/tokens", { json: { name: "script", scopes: ["users:read"] } });
    const answers = await Promise.all([make(), make(), make()]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409]);
    const { detail } = await answers.find(({ status }) => status === 409)!.json();
    assert.match(detail, /^The organization has 200 tokens that have not expired; delete one of them first/);
    const { id } = await answers.find(({ status }) => status === 201)!.json();
    assert.notEqual(decodeId("tok", id), null);
    assert.equal((await ask(`/v1/tokens/${id}`, { method: "DELETE" })).status, 204);
    assert.equal((await make()).status, 201);
  }));
