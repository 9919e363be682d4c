/** Two records of one person become one: what moves, what leads where, what later inputs find, and taking it back. */
import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { verifyAudit } from "../../src/store/audit.ts";
import { fillSearchIndex } from "../../src/store/people/search-index.ts";
import { runs } from "../../src/store/runs/schema.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { csv, DAY_MS, HOUR_MS, type Importing, importing, type Person } from "../support/imports.ts";

const HEADER = "employee_id,email,first_name,last_name,title,phone,manager_id";
const ANA = "E1,ana@acme.test,Ana,Lund,Lead,,", AGAIN = "P7,ana.lund@acme.test,Ana,Lund,Boss,+47 2222 3333,";
const BO = "E2,bo@acme.test,Bo,Berg,Engineer,,", CY = "P8,cy@acme.test,Cy,Cole,Engineer,,P7";

// deno-lint-ignore no-explicit-any
type Json = any;

interface Two {
  /** The record that stays, and the one that goes. */
  readonly into: Person;
  readonly from: Person;
}

/** Ana is known twice: by the file of one system, and by that of another, where Cy reports to her. */
async function twice(world: Importing): Promise<Two> {
  await world.connect("payroll", { policy: { coverage: "diff" } });
  await world.import(csv(HEADER, ANA, BO));
  world.later(HOUR_MS);
  await world.import(csv(HEADER, AGAIN, CY), { connection: "payroll" });
  return { into: await world.person("E1"), from: await world.person("P7") };
}

function merge(world: Importing, { from, into }: Two, more: object = {}) {
  return world.post(`/v1/users/${from.id}/merge`, { into: into.id, mode: "apply", ...more });
}

async function merged(world: Importing, two: Two, more: object = {}): Promise<Json> {
  const { status, body } = await merge(world, two, more);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.status, "merged");
  return body;
}

async function read(world: Importing, { id }: Pick<Person, "id">): Promise<Json> {
  const answer = await world.ask(`/v1/users/${id}`);
  assert.equal(answer.status, 200);
  return await answer.json();
}

async function undo(world: Importing, { from }: Two): Promise<{ status: number; body: Json }> {
  const answer = await world.ask(`/v1/users/${from.id}/merge`, { method: "DELETE" });
  return { status: answer.status, body: await answer.json() };
}

test("a plan says what would move, what is filled and what is lost, and changes nothing", () =>
  importing(async (world) => {
    const two = await twice(world), before = await world.people();
    const { status, body } = await merge(world, two, { mode: "plan" });
    assert.equal(status, 200);
    assert.deepEqual([body.status, body.undo_until, body.contradicts, body.obstacles], ["planned", null, [], []]);
    assert.deepEqual(body.links.map((link: Json) => link.source_key), ["P7"]);
    assert.deepEqual(body.reports, [(await world.person("P8")).id]);
    assert.deepEqual(body.filled, ["phone"]);
    const lost = new Map(body.lost.map((each: Json) => [each.field, [each.kept, each.lost]]));
    assert.deepEqual([...lost.keys()].sort(), ["email", "employee_id", "title"]);
    assert.deepEqual(lost.get("title"), ["Lead", "Boss"]);
    assert.deepEqual(await world.people(), before);
  }));

test("links, reports and missing values move; the other record leads there, and is in no list any more", () =>
  importing(async (world) => {
    const two = await twice(world);
    const { body: hook } = await world.post("/v1/webhook-endpoints", { url: "https://hooks.example.com/" });
    assert.ok(hook.id);
    const answer = await merged(world, two);
    assert.equal(Date.parse(answer.undo_until) - world.hub.now(), 30 * DAY_MS);
    const into = await read(world, two.into);
    assert.deepEqual([into.employee_id, into.email, into.title, into.phone], [
      "E1",
      "ana@acme.test",
      "Lead",
      "+47 2222 3333",
    ]);
    assert.deepEqual(into.sources.map((source: Json) => source.source_key), ["E1", "P7"]);
    assert.equal((await world.person("P8")).manager!.id, two.into.id);
    for (const more of ["", "/history?limit=5", "/fields", "/record", "/erasure"]) {
      const sent = await world.ask(`/v1/users/${two.from.id}${more}`);
      assert.deepEqual([sent.status, sent.headers.get("location")], [301, `/v1/users/${two.into.id}${more}`]);
      assert.equal((await sent.json()).code, "merged");
    }
    assert.deepEqual((await world.people()).map(({ id }) => id).includes(two.from.id), false);
    await fillSearchIndex(world.hub.db, { forMs: 60_000 });
    for (const [q, found] of [["lund", [two.into.id]], [two.from.id, []], ["P7", []]] as const) {
      const { data } = await (await world.ask(`/v1/users?q=${encodeURIComponent(q)}`)).json();
      assert.deepEqual(data.map(({ id }: Json) => id), found, q);
    }
  }));

test("the phone that came from the other record still names its source", () =>
  importing(async (world) => {
    const two = await twice(world);
    await merged(world, two);
    const { fields } = await (await world.ask(`/v1/users/${two.into.id}/fields`)).json();
    const of = new Map(fields.map((each: Json) => [each.field, each.source.connection_id]));
    const idOf = async (slug: string) => (await (await world.ask(`/v1/connections/${slug}`)).json()).id;
    assert.deepEqual([of.get("phone"), of.get("title")], [await idOf("payroll"), await idOf("csv")]);
  }));

test("every write on the record that went is refused in words, and asking for the same merge again answers it again", () =>
  importing(async (world) => {
    const two = await twice(world), path = `/v1/users/${two.from.id}`;
    const first = await merged(world, two);
    const answers = [
      await world.ask(path, { method: "PATCH", json: { title: "x" } }),
      await world.ask(`${path}/erase`, { method: "POST", json: {} }),
      await world.ask(`${path}/accept`, { json: { run: "run_00000000001", issue: "iss_00000000001" } }),
      await world.ask(`${path}/release`, { method: "DELETE" }),
      await world.ask(`${path}/accept`, { method: "DELETE" }),
      await world.ask(`${path}/merge`, { json: { into: (await world.person("E2")).id, mode: "apply" } }),
    ];
    for (const answer of answers) {
      assert.equal(answer.status, 409, answer.url);
      assert.match((await answer.json()).detail, new RegExp(`was merged into "${two.into.id}"`));
    }
    assert.deepEqual(await merged(world, two), { ...first, lost: [] });
    const manager = await world.ask(`/v1/users/${(await world.person("E2")).id}`, {
      method: "PATCH",
      json: { manager: two.from.id },
    });
    assert.equal(manager.status, 422);
  }));

test("later inputs of the old key find the record that stayed, and nobody is made twice", () =>
  importing(async (world) => {
    const two = await twice(world);
    await merged(world, two);
    world.later(HOUR_MS);
    const run = await world.import(csv(HEADER, AGAIN.replace("2222 3333", "2222 4444"), CY.replace(",P7", ",E1")), {
      connection: "payroll",
    });
    assert.deepEqual([run.counts.created, run.counts.failed], [0, 0]);
    assert.equal((await read(world, two.into)).phone, "+47 2222 4444");
    const again = await world.import(csv(HEADER, ANA, BO));
    assert.deepEqual([again.counts.created, again.counts.failed], [0, 0]);
    assert.equal((await world.people()).length, 3);
  }));

test("two rows of one connection are an obstacle with a way out, and the key that is given up is nobody's", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA, AGAIN, BO));
    const two = { into: await world.person("E1"), from: await world.person("P7") };
    const { body: plan } = await merge(world, two, { mode: "plan" });
    assert.match(plan.obstacles[0], /has a row for each of the two.*"E1".*"unlink".*"P7"/);
    const refused = await merge(world, two);
    assert.equal(refused.status, 409);
    const { id } = await (await world.ask("/v1/connections/csv")).json();
    const body = await merged(world, two, { unlink: [id] });
    assert.deepEqual(body.unlinked.map((link: Json) => link.source_key), ["P7"]);
    assert.deepEqual((await read(world, two.into)).sources.map((source: Json) => source.source_key), ["E1"]);
    const back = await undo(world, two);
    assert.deepEqual([back.status, back.body.left], [200, []]);
    assert.deepEqual((await read(world, two.from)).sources.map((source: Json) => source.source_key), ["P7"]);
  }));

test("records that look like two people are merged only if somebody says that they are one", () =>
  importing(async (world) => {
    const { into } = await twice(world), from = await world.person("E2");
    const { id } = await (await world.ask("/v1/connections/csv")).json();
    const refused = await merge(world, { into, from }, { unlink: [id] });
    assert.equal(refused.status, 409);
    assert.match(refused.body.detail, /look like two people, by email, first_name, last_name.*same_person/);
    await merged(world, { into, from }, { unlink: [id], same_person: true });
  }));

test("somebody who left and is active elsewhere is active, unless a hand or somebody with their address is in the way", () =>
  importing(async (world) => {
    const two = await twice(world), status = async () => (await read(world, two.into)).status;
    await world.import(csv(`${HEADER},is_active`, `${ANA},no`, `${BO},yes`));
    assert.equal(await status(), "inactive");
    const other = await world.edit(await world.person("E2"), { email: "ana@acme.test" });
    const refused = await merge(world, two);
    assert.deepEqual([refused.status, /another active user has its email/.test(refused.body.detail)], [409, true]);
    await world.edit(other, { email: "bo@acme.test" });
    await merged(world, two);
    assert.equal(await status(), "active");
    assert.equal((await undo(world, two)).status, 200);
    assert.equal(await status(), "inactive");
    await world.edit(await read(world, two.into), { status: "active" });
    await world.edit(await read(world, two.into), { status: "inactive" });
    await merged(world, two);
    assert.equal(await status(), "inactive");
  }));

test("a merge that makes no sense is refused: with itself, with nobody, with one that went, or in a circle of managers", () =>
  importing(async (world) => {
    const two = await twice(world), bo = await world.person("E2"), cy = await world.person("P8");
    const detail = async (from: Person, into: string) => {
      const { status, body } = await world.post(`/v1/users/${from.id}/merge`, {
        into,
        mode: "apply",
        same_person: true,
      });
      return [status, body.detail];
    };
    assert.match(String(await detail(bo, bo.id)), /422,A user cannot be merged into itself/);
    assert.match(String(await detail(bo, "usr_00000000099")), /422,There is no user/);
    assert.match(String(await detail(bo, "bo")), /422,"bo" is no id of a user/);
    await world.edit(bo, { manager: cy.id });
    await world.edit(two.into, { manager: bo.id });
    assert.match(String(await detail(two.from, two.into.id)), /409,The managers would form a circle/);
    await world.edit(two.into, { manager: null });
    await merged(world, two);
    assert.match(String(await detail(bo, two.from.id)), /was itself merged into/);
  }));

test("somebody who reported to their own other record gets its manager, and the feed has every change in order", () =>
  importing(async (world) => {
    const two = await twice(world), bo = await world.person("E2");
    await world.edit(two.from, { manager: bo.id });
    await world.edit(two.into, { manager: two.from.id });
    const feed = async (): Promise<Json[]> => (await (await world.ask("/v1/changes?limit=200")).json()).data;
    const before = (await feed()).length;
    await merged(world, two);
    assert.equal((await read(world, two.into)).manager.id, bo.id);
    const changes = (await feed()).slice(before);
    assert.deepEqual(changes.map(({ subject, action, reason }) => [subject.id, action, reason]), [
      [two.from.id, "deactivate", "merged"],
      [two.into.id, "update", "merged"],
      [(await world.person("P8")).id, "update", "merged"],
    ]);
    assert.deepEqual(changes[0].fields.email, { before: "ana.lund@acme.test", after: null });
    const seqs = changes.map(({ seq }) => seq);
    assert.deepEqual(seqs, [seqs[0], seqs[0] + 1, seqs[0] + 2]);
    const { data } = await (await world.ask("/v1/events?type=users.changed&limit=1")).json();
    assert.deepEqual(data[0].data.changes, changes);
    assert.deepEqual([data[0].data.first_seq, data[0].data.last_seq], [seqs[0], seqs[2]]);
  }));

test("the history of both is one, the latest first, in pages of any size", () =>
  importing(async (world) => {
    const two = await twice(world);
    await world.edit(two.from, { title: "Chief" });
    world.later(HOUR_MS);
    await merged(world, two);
    world.later(HOUR_MS);
    await world.edit(await read(world, two.into), { title: "Head" });
    const list = async (limit: number) => {
      const all: Json[] = [];
      for (let cursor = "";;) {
        const { data, next_cursor } =
          await (await world.ask(`/v1/users/${two.into.id}/history?limit=${limit}${cursor}`)).json();
        assert.ok(data.length <= limit);
        all.push(...data);
        if (next_cursor === null) return all;
        cursor = `&cursor=${next_cursor}`;
      }
    };
    const whole = await list(50);
    assert.deepEqual(whole.map(({ subject, action, reason }) => [subject.id === two.into.id, action, reason]), [
      [true, "update", "hand"],
      [false, "deactivate", "merged"],
      [true, "update", "merged"],
      [false, "update", "hand"],
      [false, "create", null],
      [true, "create", null],
    ]);
    for (const limit of [1, 2, 3]) assert.deepEqual(await list(limit), whole, String(limit));
  }));

test("undone at once, everything is as it was", () =>
  importing(async (world) => {
    const two = await twice(world);
    const state = async () =>
      (await world.people()).map(({ version: _, ...person }) => ({ ...person, updated_at: null }));
    const before = await state();
    await merged(world, two);
    const { status, body } = await undo(world, two);
    assert.deepEqual([status, body.from, body.left], [200, two.into.id, []]);
    assert.deepEqual([body.links[0].source_key, body.reports], ["P7", [(await world.person("P8")).id]]);
    assert.deepEqual(await state(), before);
    assert.equal((await undo(world, two)).status, 404);
    const run = await world.import(csv(HEADER, AGAIN, CY), { connection: "payroll" });
    assert.deepEqual([run.counts.created, run.counts.unchanged], [0, 2]);
    const found = await verifyAudit(world.hub.db, world.hub.organization.id).catch(() => null);
    assert.notEqual(found, null);
  }));

test("undone after imports and edits, what has changed since stays, and is named", () =>
  importing(async (world) => {
    const two = await twice(world), cy = await world.person("P8");
    await merged(world, two);
    world.later(HOUR_MS);
    await world.edit(await read(world, two.into), { phone: "+47 9999 0000" });
    await world.edit(await world.person("P8"), { manager: (await world.person("E2")).id });
    await world.import(csv(HEADER, "N9,ana.lund@acme.test,Nora,New,,,"), { coverage: "diff" });
    const { status, body } = await undo(world, two);
    assert.equal(status, 200);
    assert.deepEqual(body.reports, []);
    assert.deepEqual(body.left, [
      "The email belongs to somebody else by now, or has changed since",
      `phone of ${two.into.id} has changed since, and stays`,
      `${cy.id} has another manager by now`,
    ]);
    const [from, into] = [await read(world, two.from), await read(world, two.into)];
    assert.deepEqual([from.employee_id, from.email, from.phone, from.status], ["P7", null, "+47 2222 3333", "active"]);
    assert.equal(into.phone, "+47 9999 0000");
  }));

test(
  "after 30 days a merge stays, and what undoing it needed is deleted",
  { skip: onlyInCheck },
  () =>
    importing(async (world) => {
      const two = await twice(world);
      await merged(world, two);
      world.later(30 * DAY_MS + HOUR_MS);
      assert.equal((await undo(world, two)).status, 404);
      await world.tick();
      assert.deepEqual(await world.hub.db.rows(sql`select * from merges`), []);
      assert.equal((await world.ask(`/v1/users/${two.from.id}`)).status, 301);
    }),
);

test("a merge of a merge is undone the last one first", () =>
  importing(async (world) => {
    const two = await twice(world);
    await merged(world, two);
    await world.connect("third", { policy: { coverage: "diff" } });
    await world.import(csv(HEADER, "T1,lund@acme.test,Ana,Lund,,,"), { connection: "third" });
    const third = await world.person("T1"), { id } = await (await world.ask("/v1/connections/third")).json();
    await merged(world, { from: two.into, into: third }, { unlink: [id] });
    const refused = await undo(world, two);
    assert.deepEqual([refused.status, /undo that merge first/.test(refused.body.detail)], [409, true]);
    assert.equal((await undo(world, { from: two.into, into: third })).status, 200);
    assert.equal((await undo(world, two)).status, 200);
    assert.deepEqual((await world.person("P7")).sources.map((source) => source.source_key), ["P7"]);
  }));

test("erasing the record that stayed erases the other one with it, from everywhere", () =>
  importing(async (world) => {
    const two = await twice(world);
    await merged(world, two);
    const record = await (await world.ask(`/v1/users/${two.into.id}/record`)).json();
    assert.deepEqual(record.merged.map(({ user_id, values }: Json) => [user_id, values.email]), [[
      two.from.id,
      "ana.lund@acme.test",
    ]]);
    assert.equal((await world.post(`/v1/users/${two.into.id}/erase`)).status, 200);
    const tables = await world.hub.db.rows<[string]>(sql`select name from sqlite_master where type = 'table'`);
    for (const [table] of tables) {
      const text = JSON.stringify(await world.hub.db.rows(sql.raw(`select * from "${table}"`)));
      for (const word of ["ana@acme", "ana.lund", "2222 3333", "22223333"]) {
        assert.equal(text.includes(word), false, `${table}: ${word}`);
      }
    }
    assert.equal((await undo(world, two)).status, 404);
    const erased = await world.hub.db.rows<[number]>(sql`select user_id from erasures order by user_id`);
    assert.deepEqual(
      erased.flat(),
      [two.into, two.from].map(({ id }) => world.number("usr", id)).sort((a, b) => a - b),
    );
  }));

test("while a run is at work nobody is merged, and a plan that waits is made again", () =>
  importing(async (world) => {
    const two = await twice(world);
    const plan = await world.import(csv(HEADER, AGAIN.replace("Boss", "Chief")), {
      connection: "payroll",
      mode: "plan",
    });
    const { db } = world.hub, id = world.number("run", plan.id);
    await db.write([db.orm.update(runs).set({ status: "applying" }).where(sql`id = ${id}`)]);
    const refused = await merge(world, two);
    assert.equal(refused.status, 409);
    assert.match(refused.body.detail, /A run of the organization is at work/);
    await db.write([db.orm.update(runs).set({ status: "planned" }).where(sql`id = ${id}`)]);
    await merged(world, two);
    const approved = await world.post(`/v1/runs/${plan.id}/approve`, { plan_hash: plan.plan_hash });
    assert.deepEqual([approved.status, approved.body.code], [409, "plan_changed"]);
  }));

test("merging needs both scopes and the version that was read, is in the audit, and shows no value without users:read", () =>
  importing(async (world) => {
    const two = await twice(world), path = `/v1/users/${two.from.id}/merge`;
    const json = { into: two.into.id, mode: "apply" };
    for (const scope of ["users:write", "runs:approve"] as const) {
      const ask = createAsk(world.hub, await createTestToken(world.hub, { scopes: [scope] }));
      assert.equal((await ask(path, { json })).status, 403);
      assert.equal((await ask(path, { method: "DELETE" })).status, 403);
    }
    assert.equal((await world.ask(path, { json, headers: { "if-match": '"99"' } })).status, 412);
    const blind = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["users:write", "runs:approve"] }));
    const answer = await blind(path, { json }), text = await answer.text();
    assert.equal(answer.status, 200);
    for (const word of ["P7", "Boss", "acme.test"]) assert.equal(text.includes(word), false, word);
    assert.equal((await world.ask(path, { method: "DELETE", headers: { "if-match": '"99"' } })).status, 412);
    await undo(world, two);
    const { data } = await (await world.ask("/v1/audit")).json();
    const entries = data.filter(({ action }: Json) => action.startsWith("user.merge"));
    assert.deepEqual(entries.map(({ action, subjects }: Json) => [action, subjects]), [
      ["user.merge_undone", [two.from.id, two.into.id]],
      ["user.merged", [two.from.id, two.into.id]],
    ]);
  }));
