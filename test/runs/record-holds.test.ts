import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { onlyInCheck, rounds } from "../support/rounds.ts";
import { HOUR_MS, type Importing, importing } from "../support/imports.ts";

const record = (i: number, more: object = {}) => ({
  employee_id: `E${i}`,
  email: `p${i}@acme.test`,
  first_name: `P${i}`,
  last_name: "Q",
  ...more,
});
const leaver = (i: number) => record(i, { is_active: false });
const lead = (i: number) => record(i, { title: "Lead" });

interface Answer {
  readonly run: { readonly id: string; readonly status: string; readonly counts: Record<string, number> };
  readonly results: readonly { readonly result: string; readonly run?: string; readonly waits_for?: string }[];
}

/** Posts records, and carries runs until the request is answered. */
const post = (world: Importing, ...users: object[]) => send(world, users, "auto");
/** As post, without applying anything. */
const preview = (world: Importing, ...users: object[]) => send(world, users, "plan");

async function send(world: Importing, users: readonly object[], mode: "auto" | "plan"): Promise<Answer> {
  const asked = world.ask("/v1/users/import", { json: { users, mode }, headers: { prefer: "wait=20" } });
  let isAnswered = false;
  asked.finally(() => isAnswered = true);
  while (!isAnswered) {
    await world.carry();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const answer = await asked;
  assert.equal(answer.status, 200);
  return await answer.json();
}

/** A request's answer without what is another's by its nature: the run itself, and runs that it has queued. */
const outcomeOf = ({ run: { counts }, results }: Answer) => ({
  counts,
  results: results.map(({ result, waits_for }) => [result, waits_for]),
});

const resultsOf = ({ results }: Answer) => results.map(({ result }) => result);

/** 20 people, of whom two have left within the hour; a third one more is held. Gives the held run's id. */
async function hold(world: Importing): Promise<string> {
  await post(world, ...Array.from({ length: 20 }, (_, i) => record(i)));
  await post(world, leaver(0), leaver(1));
  const { run } = await post(world, leaver(2));
  assert.equal(run.status, "held");
  return run.id;
}

async function approve(world: Importing, id: string): Promise<void> {
  const { plan_hash } = await world.run(id);
  const { status, body } = await world.post(`/v1/runs/${id}/approve`, { plan_hash });
  assert.deepEqual([status, body.code], [202, undefined]);
  await world.carry();
}

const statusOf = async (world: Importing, i: number) => (await world.person(`E${i}`)).status;
const titleOf = async (world: Importing, i: number) => (await world.person(`E${i}`)).title;

test("while a run is held, records about other people go on", () =>
  importing(async (world) => {
    const held = await hold(world);
    const { run, results } = await post(world, lead(5), record(30));
    assert.deepEqual([run.status, results.map(({ result }) => result)], ["succeeded", ["updated", "created"]]);
    assert.equal(await titleOf(world, 5), "Lead");
    assert.equal((await world.run(held)).status, "held");
  }));

test("a record about somebody in the held run waits for the decision, and is applied after it", () =>
  importing(async (world) => {
    const held = await hold(world);
    const answer = await post(world, lead(2), lead(3));
    assert.equal(answer.run.status, "succeeded");
    assert.deepEqual(resultsOf(answer), ["waiting", "updated"]);
    assert.deepEqual([answer.run.counts.read, answer.run.counts.updated], [1, 1]);
    const [waiting] = answer.results;
    assert.equal(waiting!.waits_for, held);
    assert.equal((await world.run(waiting!.run!)).status, "queued");
    assert.deepEqual([await titleOf(world, 2), await titleOf(world, 3)], [null, "Lead"]);
    await approve(world, held);
    const [left, brought] = [await world.run(held), await world.run(waiting!.run!)];
    assert.deepEqual([left.status, left.counts.deactivated], ["succeeded", 1]);
    assert.deepEqual([brought.status, brought.counts.read], ["succeeded", 1]);
    assert.equal(await titleOf(world, 2), "Lead");
  }));

test("several records of one person in a held run wait in their order", () =>
  importing(async (world) => {
    const held = await hold(world);
    const titles = ["Lead", "Cook", "Boss"];
    for (const title of titles) assert.deepEqual(resultsOf(await post(world, record(2, { title }))), ["waiting"]);
    // What the next one is about is known from the one before it, too.
    assert.deepEqual(resultsOf(await post(world, record(2, { email: "new@acme.test" }))), ["waiting"]);
    assert.deepEqual(resultsOf(await post(world, record(40, { email: "new@acme.test" }))), ["waiting"]);
    await world.post(`/v1/runs/${held}/cancel`);
    await world.carry();
    const { title, email, status } = await world.person("E2");
    assert.deepEqual([title, email, status], ["Boss", "new@acme.test", "active"]);
    assert.equal((await world.runs()).at(-1)!.status, "failed");
  }));

test("what the same guard stops within the hour is added to the held run, which is announced once", () =>
  importing(async (world) => {
    const held = await hold(world);
    const { plan_hash: before } = await world.run(held);
    const answer = await post(world, leaver(3), lead(5));
    assert.deepEqual(resultsOf(answer), ["waiting", "updated"]);
    assert.deepEqual([answer.results[0]!.run, answer.results[0]!.waits_for], [held, held]);
    assert.deepEqual(resultsOf(await post(world, leaver(4))), ["waiting"]);
    assert.deepEqual(resultsOf(await post(world, record(4, { title: "Boss" }))), ["waiting"]);
    const run = await world.run(held);
    assert.deepEqual([run.status, run.counts.deactivated, run.held_by[0]!.count], ["held", 3, 5]);
    assert.notEqual(run.plan_hash, before);
    assert.equal((await world.runs()).filter(({ status }) => status === "held").length, 1);
    const events = await (await world.ask("/v1/events?type=run.held")).json();
    assert.equal(events.data.length, 1);
    const refused = await world.post(`/v1/runs/${held}/approve`, { plan_hash: before });
    assert.deepEqual([refused.status, refused.body.code], [409, "plan_changed"]);
    await approve(world, held);
    for (const i of [2, 3, 4]) assert.equal(await statusOf(world, i), "inactive");
    assert.deepEqual((await world.run(held)).counts.deactivated, 3);
    assert.equal(await titleOf(world, 4), "Boss");
  }));

test("nothing of a held run that was added to is applied once it is cancelled, and nothing of it comes back", () =>
  importing(async (world) => {
    const held = await hold(world);
    await post(world, leaver(3), lead(5));
    await world.post(`/v1/runs/${held}/cancel`);
    await world.carry();
    assert.deepEqual(resultsOf(await post(world, lead(3))), ["updated"]);
    for (const i of [2, 3]) assert.equal(await statusOf(world, i), "active");
    world.later(HOUR_MS + 1);
    await world.tick();
    assert.deepEqual(await world.hub.db.rows(sql`select name from run_names`), []);
    assert.deepEqual(resultsOf(await post(world, leaver(3))), ["deactivated"]);
  }));

test("a guard that counts over an hour stops only the changes that it counts", () =>
  importing(async (world) => {
    await post(world, ...Array.from({ length: 20 }, (_, i) => record(i)));
    const answer = await post(world, leaver(0), lead(5), leaver(1), lead(6), leaver(2));
    assert.deepEqual(resultsOf(answer), ["waiting", "updated", "waiting", "updated", "waiting"]);
    assert.equal(answer.run.status, "succeeded");
    const held = await world.run(answer.results[0]!.run!);
    assert.deepEqual([held.status, held.counts.read, held.counts.deactivated], ["held", 3, 3]);
    assert.deepEqual(held.changes.map(({ line }) => line), [1, 3, 5]);
    await approve(world, held.id);
    for (const i of [0, 1, 2]) assert.equal(await statusOf(world, i), "inactive");
    assert.deepEqual([await statusOf(world, 5), await titleOf(world, 5)], ["active", "Lead"]);
  }));

test("records that have to do with each other stay together", () =>
  importing(async (world) => {
    await post(world, ...Array.from({ length: 20 }, (_, i) => record(i)));
    const moved = [0, 1, 2, 3].map((i) => record(i, { email: `new${i}@acme.test` }));
    // The new person takes an address that one of those gives up.
    const answer = await post(world, ...moved, record(30, { email: "p1@acme.test" }), lead(5));
    assert.deepEqual(resultsOf(answer), [...Array(5).fill("waiting"), "updated"]);
    await approve(world, answer.results[0]!.waits_for!);
    assert.equal((await world.person("E30")).email, "p1@acme.test");
    assert.equal((await world.person("E1")).email, "new1@acme.test");
  }));

test("a request that is held as a whole stops the people in it, and no others", () =>
  importing(async (world) => {
    const all = (more: object) => Array.from({ length: 25 }, (_, i) => record(i, more));
    await post(world, ...all({ title: "Clerk" }));
    const { run } = await post(world, ...all({ title: "Boss" }).slice(0, 20));
    assert.equal(run.status, "held");
    const answer = await post(world, lead(3), lead(22));
    assert.deepEqual(resultsOf(answer), ["waiting", "updated"]);
    assert.equal(answer.results[0]!.waits_for, run.id);
    await approve(world, run.id);
    assert.deepEqual(await Promise.all([2, 3, 22, 24].map((i) => titleOf(world, i))), [
      "Boss",
      "Lead",
      "Lead",
      "Clerk",
    ]);
  }));

test("people who are in a held run without being changed by it wait as well", () =>
  importing(async (world) => {
    const all = (title: string, n: number) => Array.from({ length: n }, (_, i) => record(i, { title }));
    await post(world, ...all("Clerk", 25));
    const unchanged = record(24, { title: "Clerk" });
    const { run } = await post(world, ...all("Boss", 20), unchanged);
    assert.equal(run.status, "held");
    assert.deepEqual(resultsOf(await post(world, lead(24))), ["waiting"]);
    // Somebody in it is edited, so it is planned afresh: all the same, nothing in it is newer than what waits.
    await world.edit(await world.person("E2"), { location: "Oslo" });
    const refused = await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: (await world.run(run.id)).plan_hash });
    assert.deepEqual([refused.status, refused.body.code], [409, "plan_changed"]);
    await world.carry();
    await approve(world, run.id);
    assert.deepEqual([await titleOf(world, 2), await titleOf(world, 24)], ["Boss", "Lead"]);
  }));

test("the same records again behind a held run wait, too", () =>
  importing(async (world) => {
    await post(world, ...Array.from({ length: 20 }, (_, i) => record(i)));
    await post(world, leaver(0), leaver(1));
    const back = [lead(2)];
    await post(world, ...back);
    assert.equal((await post(world, leaver(2))).run.status, "held");
    assert.deepEqual(resultsOf(await post(world, ...back)), ["waiting"]);
  }));

test("a held run whose person is edited while it is applied is repeated before what waits for it", () =>
  importing(async (world) => {
    const held = await hold(world);
    await post(world, leaver(3));
    await post(world, record(2, { is_active: true, title: "Lead" }));
    const { plan_hash } = await world.run(held);
    const person = await world.person("E2");
    const edited = await world.post(`/v1/runs/${held}/approve`, { plan_hash });
    assert.equal(edited.status, 202);
    await world.edit(person, { location: "Oslo" });
    await world.carry();
    const [retry] = (await world.runs()).filter(({ trigger }) => trigger === "retry");
    assert.equal(retry!.status, "held");
    assert.deepEqual([await statusOf(world, 3), await titleOf(world, 2)], ["inactive", null]);
    await approve(world, retry!.id);
    const { status, title } = await world.person("E2");
    assert.deepEqual([status, title], ["active", "Lead"]);
  }));

test("an import that was stopped at any write goes on as if it had run once", () =>
  importing(async (world) => {
    await post(world, ...Array.from({ length: 90 }, (_, i) => record(i)));
    await post(world, ...[80, 81, 82, 83, 84].map(leaver));
    const held = (await post(world, leaver(85))).run.id;
    const { db } = world.hub;
    const expected = [85];
    for (let fatal = 1, isDone = false; !isDone; fatal += rounds(1, 8)) {
      const [gone, promoted] = [2 * fatal, 2 * fatal + 1];
      await world.handIn(JSON.stringify({ users: [leaver(gone), lead(promoted)] }), {
        connection: "api",
        name: "users.json",
        type: "application/json",
      });
      let writes = 0;
      const write: typeof db.write = (statements) => {
        if (++writes === fatal) return Promise.reject(new Error("stopped"));
        return db.write(statements);
      };
      await world.carry({}, { ...world.hub, db: { ...db, write } }).catch(() => {});
      isDone = writes < fatal;
      await db.write([db.run(sql`update organizations set lease_owner = null, lease_run = null, lease_until = null`)]);
      await world.carry();
      expected.push(gone);
      assert.equal(await titleOf(world, promoted), "Lead");
      const run = await world.run(held);
      assert.deepEqual([run.status, run.counts.deactivated], ["held", expected.length], `write ${fatal}`);
      assert.ok(fatal < 40);
    }
    await approve(world, held);
    for (const i of expected) assert.equal(await statusOf(world, i), "inactive");
  }));

test("a run that is approved while more is about to be added to it gets nothing more", () =>
  importing(async (world) => {
    const held = await hold(world);
    const { plan_hash } = await world.run(held);
    const id = await world.handIn(JSON.stringify({ users: [leaver(3), lead(5)] }), {
      connection: "api",
      name: "users.json",
      type: "application/json",
    });
    const { db } = world.hub;
    let isApproved = false;
    const write: typeof db.write = async (statements) => {
      const isPlanned = (await db.rows(sql`select 1 from change_pages p join runs r on r.id = p.run_id
        where r.status = 'planning' and r.rows is null`)).length > 0;
      if (isPlanned && !isApproved) {
        isApproved = true;
        assert.equal((await world.post(`/v1/runs/${held}/approve`, { plan_hash })).status, 202);
      }
      return await db.write(statements);
    };
    await world.carry({}, { ...world.hub, db: { ...db, write } });
    const [approved, imported] = [await world.run(held), await world.run(id)];
    assert.deepEqual([approved.status, approved.counts.deactivated], ["succeeded", 1]);
    assert.deepEqual([imported.status, imported.counts.updated], ["succeeded", 1]);
    const rest = (await world.runs()).at(-1)!;
    assert.deepEqual([rest.status, rest.counts.deactivated, rest.counts.read], ["held", 1, 1]);
    assert.deepEqual([await statusOf(world, 2), await statusOf(world, 3)], ["inactive", "active"]);
  }));

test("people whose day comes leave while a run is held, but for those in it", () =>
  importing(async (world) => {
    await post(world, ...Array.from({ length: 20 }, (_, i) => record(i)));
    const leaving = (i: number) => record(i, { deactivation_date: "2030-01-02" });
    world.hub.clock.ms = Date.parse("2030-01-01T12:00:00Z");
    await post(world, leaving(0), leaving(1));
    assert.equal((await post(world, leaver(0))).run.status, "held");
    world.later(24 * HOUR_MS);
    await world.tick();
    await world.carry();
    assert.deepEqual([await statusOf(world, 0), await statusOf(world, 1)], ["active", "inactive"]);
  }));

test("an erased person is in no held run any more", () =>
  importing(async (world) => {
    await post(world, ...Array.from({ length: 20 }, (_, i) => record(i)));
    const { run } = await post(world, leaver(0), leaver(1), leaver(2));
    assert.equal(run.status, "held");
    const names = async () => (await world.hub.db.rows(sql`select name from run_names`)).length;
    assert.equal(await names(), 3 * 4);
    const { id } = await world.person("E1");
    assert.equal((await world.post(`/v1/users/${id}/erase`)).status, 200);
    assert.equal(await names(), 2 * 4);
  }));

test("a plan of records says what would happen now: people of held runs wait, and what a guard stops is held", () =>
  importing(async (world) => {
    const held = await hold(world);
    const records = [lead(2), lead(3), leaver(4)];
    const plan = await preview(world, ...records);
    assert.equal(plan.run.status, "planned");
    assert.deepEqual(resultsOf(plan), ["waiting", "updated", "waiting"]);
    assert.deepEqual(plan.results.map(({ run }) => run), [undefined, undefined, undefined]);
    assert.deepEqual((await world.run(plan.run.id)).held_by.map(({ guard }) => guard), ["deactivate"]);
    assert.deepEqual([await titleOf(world, 3), (await world.run(held)).counts.deactivated], [null, 1]);
    // The same for real: the same counts, the same results, the same runs to decide about.
    const done = await post(world, ...records);
    assert.deepEqual(outcomeOf(done), outcomeOf(plan));
    assert.deepEqual([await titleOf(world, 3), (await world.run(held)).counts.deactivated], ["Lead", 2]);
  }));

test("approving a plan of records applies what it shows, and the others wait as if they came now", () =>
  importing(async (world) => {
    const held = await hold(world);
    const plan = await preview(world, lead(2), lead(3), leaver(4));
    await approve(world, plan.run.id);
    assert.deepEqual([await titleOf(world, 2), await titleOf(world, 3), await statusOf(world, 4)], [
      null,
      "Lead",
      "active",
    ]);
    const { counts } = await world.run(held);
    assert.equal(counts.deactivated, 2);
    const rest = (await world.runs()).find(({ status }) => status === "queued");
    await approve(world, held);
    assert.equal((await world.run(rest!.id)).status, "succeeded");
    assert.deepEqual([await statusOf(world, 4), await titleOf(world, 2)], ["inactive", "Lead"]);
  }));

test("a plan of records that a guard stops as a whole shows them all, and says which guard", () =>
  importing(async (world) => {
    await post(world, ...Array.from({ length: 20 }, (_, i) => record(i)));
    const { run, results } = await preview(world, leaver(0), leaver(1), leaver(2));
    assert.deepEqual(results.map(({ result }) => result), Array(3).fill("deactivated"));
    const plan = await world.run(run.id);
    assert.deepEqual([plan.status, plan.counts.deactivated, plan.held_by[0]!.count], ["planned", 3, 3]);
    await approve(world, run.id);
    for (const i of [0, 1, 2]) assert.equal(await statusOf(world, i), "inactive");
  }));

test("a held run takes up to 5000 records, and what the guard stops then is held together in the next one", {
  skip: onlyInCheck,
}, () =>
  importing(async (world) => {
    const from = (first: number, n: number, of = record) => Array.from({ length: n }, (_, i) => of(first + i));
    await world.set("api", { limits: { deactivate: { percent: 0, floor: 0 } } });
    await post(world, ...from(0, 5_000));
    await post(world, ...from(5_000, 10));
    const full = (await post(world, ...from(0, 5_000, leaver))).run;
    assert.equal(full.status, "held");
    const next = (await post(world, leaver(5_000))).run;
    assert.equal(next.status, "held");
    const more = await post(world, leaver(5_001), lead(5_002));
    assert.deepEqual(resultsOf(more), ["waiting", "updated"]);
    assert.deepEqual([more.results[0]!.run, more.results[0]!.waits_for], [next.id, next.id]);
    const held = (await world.runs()).filter(({ status }) => status === "held");
    assert.deepEqual(held.map(({ id, counts }) => [id, counts.deactivated]), [[full.id, 5_000], [next.id, 2]]);
  }));
