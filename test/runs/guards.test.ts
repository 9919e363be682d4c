import assert from "node:assert/strict";
import { test } from "node:test";
import { crowd, csv, HEADER, type Importing, importing, type Outcome, said } from "../support/imports.ts";

const header = `${HEADER},is_active,title`;

/** `n` people of whom the first `k` are `first`, the others active. */
function people(n: number, k = 0, first = "no", title = ""): string {
  return csv(header, ...crowd(n, 1, (i) => i <= k ? `,${first},${title}` : ",yes,"));
}

/** Imports `text`; tells status and guards. */
async function tell(world: Importing, text: string): Promise<[string, ...string[]]> {
  const run = await world.import(text);
  return [run.status, ...run.held_by.map(({ guard, count, limit, base }) => `${guard} ${count} > ${limit} of ${base}`)];
}

test("deactivations up to the floor pass, one more is held", () =>
  importing(async (world) => {
    await world.import(people(60));
    assert.deepEqual(await tell(world, people(60, 6)), ["held", "deactivate 6 > 5 of 60"]);
    assert.deepEqual(await tell(world, people(60, 5)), ["succeeded"]);
  }));

test("deactivations up to the percentage pass, one more is held", () =>
  importing(async (world) => {
    await world.import(people(200));
    assert.deepEqual(await tell(world, people(200, 11)), ["held", "deactivate 11 > 10 of 200"]);
    assert.deepEqual(await tell(world, people(200, 10)), ["succeeded"]);
  }));

test("more than half is always too much, from two on", () =>
  importing(async (world) => {
    await world.import(people(4));
    assert.deepEqual(await tell(world, people(4, 3)), ["held", "deactivate 3 > 2 of 4"]);
    assert.deepEqual(await tell(world, people(4, 2)), ["succeeded"]);
  }));

test("a single person may leave", () =>
  importing(async (world) => {
    await world.import(people(1));
    assert.deepEqual(await tell(world, people(1, 1)), ["succeeded"]);
  }));

test("reactivations have a guard of their own", () =>
  importing(async (world) => {
    await world.set("csv", { limits: { deactivate: { enabled: false } } });
    await world.import(people(60));
    await world.import(people(60, 6));
    assert.deepEqual(await tell(world, people(60)), ["held", "reactivate 6 > 5 of 54"]);
    assert.deepEqual(await tell(world, people(60, 1)), ["succeeded"]);
  }));

test("emails and employee ids of known people have a guard of their own", () =>
  importing(async (world) => {
    const moved = (k: number) =>
      csv(HEADER, ...crowd(60).map((line, i) => i < k ? line.replace("@acme.test", "@new.acme.test") : line));
    await world.import(csv(HEADER, ...crowd(60)));
    assert.deepEqual(await tell(world, moved(6)), ["held", "identity 6 > 5 of 60"]);
    assert.deepEqual(await tell(world, moved(5)), ["succeeded"]);
  }));

/** `n` people, the first `k` of whom have another title than before. */
const titled = (n: number, k: number) => csv(header, ...crowd(n, 1, (i) => `,yes,${i <= k ? "Lead" : "Clerk"}`));

test("updates up to half pass, beyond the floor of 50", () =>
  importing(async (world) => {
    await world.import(titled(110, 0));
    assert.deepEqual(await tell(world, titled(110, 56)), ["held", "update 56 > 55 of 110"]);
    assert.deepEqual(await tell(world, titled(110, 55)), ["succeeded"]);
  }));

test("creations are guarded only once a complete full input was applied", () =>
  importing(async (world) => {
    assert.deepEqual(await tell(world, csv(HEADER, ...crowd(120)).trimEnd()), ["succeeded"]);
    assert.deepEqual(await tell(world, csv(HEADER, ...crowd(300))), ["succeeded"]);
    // Those whom this run makes do not count for the base.
    assert.deepEqual(await tell(world, csv(HEADER, ...crowd(300 + 61))), ["held", "create 61 > 60 of 300"]);
    assert.deepEqual(await tell(world, csv(HEADER, ...crowd(360))), ["succeeded"]);
  }));

test("rows in error are held beyond two in five, from 50 on", () =>
  importing(async (world) => {
    const rows = (bad: number) =>
      csv(HEADER, ...crowd(130).map((line, i) => i < bad ? line.replace("@acme.test", "@") : line));
    assert.deepEqual(await tell(world, rows(53)), ["held", "errors 53 > 52 of 130"]);
    assert.deepEqual(await tell(world, rows(52)), ["partial"]);
  }));

test("a column that loses more than 30 points of its values is held", () =>
  importing(async (world) => {
    const rows = (filled: number) => csv(`${HEADER},location`, ...crowd(30, 1, (i) => i <= filled ? ",Oslo" : ","));
    await world.import(rows(30));
    const run = await world.import(rows(20));
    assert.deepEqual([run.status, run.held_by.map(({ guard, field }) => [guard, field])], ["held", [[
      "column",
      "location",
    ]]]);
    assert.deepEqual(await tell(world, rows(21)), ["succeeded"]);
  }));

test("a vanished column does not hold, nor diffs, nor where empty cells keep", () =>
  importing(async (world) => {
    await world.set("csv", { limits: { update: { enabled: false } } });
    await world.import(csv(`${HEADER},location`, ...crowd(30, 1, () => ",Oslo")));
    const gone = await world.import(csv(HEADER, ...crowd(30)));
    assert.deepEqual([gone.status, said(gone)], ["succeeded", ["- column_vanished"]]);
    await world.import(csv(`${HEADER},location`, ...crowd(30, 1, () => ",Oslo ")));
    const diff = await world.import(csv(`${HEADER},location`, ...crowd(30, 1, () => ",")), { coverage: "diff" });
    assert.equal(diff.status, "succeeded");
    await world.set("csv", { policy: { empty_cells: "keep" } });
    await world.import(csv(`${HEADER},location`, ...crowd(30, 1, () => ",Bergen")));
    assert.deepEqual(await tell(world, csv(`${HEADER},location`, ...crowd(30, 1, () => ","))), ["succeeded"]);
  }));

test("limits can be set per connection, and guards switched off", () =>
  importing(async (world) => {
    await world.set("csv", { limits: { deactivate: { percent: 50, floor: 1, cap: 2 } } });
    await world.import(people(60));
    assert.deepEqual(await tell(world, people(60, 3)), ["held", "deactivate 3 > 2 of 60"]);
    await world.set("csv", { limits: { deactivate: { enabled: false } } });
    assert.deepEqual(await tell(world, people(60, 40)), ["succeeded"]);
  }));

async function hold(world: Importing): Promise<Outcome> {
  await world.import(people(20));
  const run = await world.import(people(20, 8));
  assert.equal(run.status, "held");
  return run;
}

test("a held run changes nobody, lists everybody, and is applied once its hash is approved", () =>
  importing(async (world) => {
    const run = await hold(world);
    assert.equal(run.changes.length, 8);
    assert.ok((await world.people()).every(({ status }) => status === "active"));
    const wrong = await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: "0".repeat(64) });
    assert.deepEqual([wrong.status, wrong.body.code], [409, "plan_changed"]);
    const right = await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    assert.equal(right.status, 202);
    await world.carry();
    const after = await world.run(run.id);
    assert.deepEqual([after.status, after.counts.deactivated, after.held_by], ["succeeded", 8, []]);
    assert.equal((await world.people()).filter(({ status }) => status === "inactive").length, 8);
    const twice = await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    assert.equal(twice.status, 409);
  }));

test("when the hub has moved since, approving answers 409 and the run is planned afresh, guards and all", () =>
  importing(async (world) => {
    const run = await hold(world);
    await world.edit(await world.person("E0001"), { status: "inactive" });
    const answer = await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    assert.deepEqual([answer.status, answer.body.code], [409, "plan_changed"]);
    await world.carry();
    const again = await world.run(run.id);
    assert.deepEqual([again.status, again.held_by[0]!.count], ["held", 7]);
    assert.notEqual(again.plan_hash, run.plan_hash);
    await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: again.plan_hash });
    await world.carry();
    assert.equal((await world.run(run.id)).status, "succeeded");
  }));

test("a held run that is planned afresh and is harmless by then is applied", () =>
  importing(async (world) => {
    const run = await hold(world);
    for (const id of ["E0001", "E0002", "E0003", "E0004", "E0005", "E0006"]) {
      await world.edit(await world.person(id), { status: "inactive" });
    }
    await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    await world.carry();
    assert.deepEqual([(await world.run(run.id)).status, (await world.run(run.id)).counts.deactivated], [
      "succeeded",
      2,
    ]);
  }));

test("a newer complete full input takes the place of a held one", () =>
  importing(async (world) => {
    const run = await hold(world);
    const newer = await world.import(people(20, 1));
    assert.deepEqual([(await world.run(run.id)).status, newer.status], ["superseded", "succeeded"]);
    assert.equal((await world.people()).filter(({ status }) => status === "inactive").length, 1);
  }));

test("a newer full input that is not complete waits behind the held one", () =>
  importing(async (world) => {
    const run = await hold(world);
    const newer = await world.import(people(20, 1).trimEnd());
    assert.deepEqual([(await world.run(run.id)).status, newer.status, newer.held_by], ["held", "queued", []]);
    await world.post(`/v1/runs/${run.id}/cancel`);
    await world.carry();
    assert.equal((await world.run(newer.id)).status, "succeeded");
  }));

test("a newer input that fails takes nobody's place", () =>
  importing(async (world) => {
    const run = await hold(world);
    const newer = await world.import(csv(header));
    assert.deepEqual([(await world.run(run.id)).status, newer.status], ["held", "failed"]);
  }));

test("diffs wait behind a held run, in their order; other connections go on", () =>
  importing(async (world) => {
    await world.connect("second", { policy: { priority: 1 } });
    const run = await hold(world);
    const first = await world.import(csv("employee_id,title", "E0020,A"), { coverage: "diff" });
    const second = await world.import(csv("employee_id,title", "E0020,B"), { coverage: "diff" });
    assert.deepEqual([first.status, second.status], ["queued", "queued"]);
    const other = await world.import(csv("employee_id,location", "E0020,Oslo"), {
      connection: "second",
      coverage: "diff",
    });
    assert.equal(other.status, "succeeded");
    const answer = await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    assert.equal(answer.status, 409);
    await world.carry();
    const again = await world.run(run.id);
    assert.equal(again.status, "held");
    assert.equal((await world.run(first.id)).status, "queued");
    assert.equal((await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: again.plan_hash })).status, 202);
    await world.carry();
    assert.deepEqual(
      [(await world.run(run.id)).status, (await world.run(first.id)).status, (await world.run(second.id)).status],
      ["succeeded", "succeeded", "succeeded"],
    );
    const { title, location } = await world.person("E0020");
    assert.deepEqual([title, location], ["B", "Oslo"]);
  }));

test("a held run that is cancelled lets those behind it go on", () =>
  importing(async (world) => {
    const run = await hold(world);
    const diff = await world.import(csv("employee_id,title", "E0020,A"), { coverage: "diff" });
    assert.equal(diff.status, "queued");
    const answer = await world.post(`/v1/runs/${run.id}/cancel`);
    assert.deepEqual([answer.status, answer.body.run.status], [200, "cancelled"]);
    await world.carry();
    assert.equal((await world.run(diff.id)).status, "succeeded");
  }));

test("records that come one by one are counted over an hour", () =>
  importing(async (world) => {
    const post = (records: object[]) =>
      world.import(JSON.stringify({ users: records }), {
        connection: "api",
        name: "users.json",
        type: "application/json",
      });
    const record = (i: number) => ({
      employee_id: `E${i}`,
      email: `p${i}@acme.test`,
      first_name: `P${i}`,
      last_name: "Q",
    });
    await post(Array.from({ length: 60 }, (_, i) => record(i)));
    for (let i = 0; i < 5; i++) assert.equal((await post([{ ...record(i), is_active: false }])).status, "succeeded");
    const sixth = await post([{ ...record(5), is_active: false }]);
    assert.deepEqual([sixth.status, sixth.held_by[0]?.guard, sixth.held_by[0]?.count], ["held", "deactivate", 6]);
    await world.post(`/v1/runs/${sixth.id}/cancel`);
    world.later(61 * 60_000);
    assert.equal((await post([{ ...record(5), is_active: false }])).status, "succeeded");
  }));

test("a failure report sent again waits behind a held run like any diff", () =>
  importing(async (world) => {
    const broken = await world.import(csv(header, ...crowd(20, 1, () => ",yes,"), "E0099,x@,X,Y,yes,"));
    const report = (await world.failures(broken)).replace("x@", "x@acme.test");
    const run = await world.import(people(20, 8));
    assert.equal(run.status, "held");
    const again = await world.import(report);
    assert.deepEqual([again.status, again.coverage, again.held_by], ["queued", "diff", []]);
    await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    await world.carry();
    assert.deepEqual([(await world.run(run.id)).status, (await world.run(again.id)).status], [
      "succeeded",
      "succeeded",
    ]);
    assert.equal((await world.person("E0099")).status, "active");
  }));
