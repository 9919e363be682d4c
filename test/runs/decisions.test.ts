import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry } from "../../src/runtime/registry.ts";
import { sql } from "drizzle-orm";
import { crowd, csv, HEADER, type Importing, importing, rowsCounted, said } from "../support/imports.ts";

const header = `${HEADER},title`;
const ANA = "1,ana@acme.test,Ana,Lopez";
const BO = "2,bo@acme.test,Bo,Berg";
const CY = "3,cy@acme.test,Cy,Dahl";

/** Carries every run; `act` happens once, as soon as one of them has the status. */
async function carryWhile(
  world: Importing,
  status: "planning" | "applying",
  act: () => Promise<unknown>,
): Promise<void> {
  const { db } = world.hub;
  let done = false;
  const write: typeof db.write = async (statements) => {
    const results = await db.write(statements);
    if (!done && (await db.rows(sql`select 1 from runs where status = ${status}`)).length > 0) {
      done = true;
      await act();
    }
    return results;
  };
  await world.carry({}, { ...world.hub, db: { ...db, write } });
  assert.ok(done);
}

test("a person edited by hand between plan and apply keeps the edit, and the row is planned again", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},Engineer`, `${BO},Clerk`));
    const ana = await world.person("1");
    const id = await world.handIn(csv(header, `${ANA},Lead`, `${BO},Cook`));
    await carryWhile(world, "applying", () => world.edit(ana, { location: "Oslo" }));
    const run = await world.run(id);
    assert.deepEqual([run.status, said(run), run.issues[0]!.severity], [
      "succeeded",
      ["2 changed_since_plan"],
      "warning",
    ]);
    assert.deepEqual([run.counts.updated, run.counts.skipped, rowsCounted(run)], [1, 1, run.counts.read]);
    assert.deepEqual(run.changes.map(({ status }) => status).toSorted(), ["applied", "superseded"]);
    const retry = await world.run((await world.runs()).at(-1)!.id);
    assert.deepEqual([retry.trigger, retry.status, retry.counts.updated, retry.counts.unchanged], [
      "retry",
      "succeeded",
      1,
      1,
    ]);
    const { title, location } = await world.person("1");
    assert.deepEqual([title, location], ["Lead", "Oslo"]);
  }));

test("an email that somebody else got meanwhile is not taken away", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},`, `${BO},`));
    const id = await world.handIn(csv(header, `${ANA},`, `${BO},`, `${CY},`));
    const ana = await world.person("1");
    await carryWhile(world, "applying", () => world.edit(ana, { email: "cy@acme.test" }));
    const run = await world.run(id);
    assert.deepEqual([run.status, said(run), run.counts.created], ["succeeded", ["4 changed_since_plan"], 0]);
    // Planned again, Ana's own row gives the address back.
    assert.deepEqual((await world.people()).map(({ email }) => email), [
      "ana@acme.test",
      "bo@acme.test",
      "cy@acme.test",
    ]);
  }));

test("a row that was left out is told at its own line, whatever else is told of rows near it", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},`, `${BO},`, `${CY},`));
    const input = csv(`${header},hire_date`, `${ANA},Lead,`, `${BO},,`, `${CY},,someday`, "4,di@acme.test,Di,Dorn,,");
    const id = await world.handIn(input, { coverage: "diff" });
    const ana = await world.person("1");
    await carryWhile(world, "applying", () => world.edit(ana, { location: "Oslo" }));
    assert.deepEqual(said(await world.run(id)), ["2 changed_since_plan", "4 date_invalid"]);
  }));

test("a record that was left out is answered with that too, beside what else is wrong with it", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},`, `${BO},`));
    const users = [
      { employee_id: "1", title: "Lead", hire_date: "someday" },
      { employee_id: "2", title: "Cook", hire_date: "someday" },
    ];
    const answer = world.ask("/v1/users/import", { json: { users }, headers: { prefer: "wait=20" } });
    while ((await world.runs()).length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
    const ana = await world.person("1");
    await carryWhile(world, "applying", () => world.edit(ana, { location: "Oslo" }));
    const { results } = await (await answer).json();
    const codes = results.map(({ issues }: { issues: { code: string }[] }) => issues.map(({ code }) => code));
    assert.deepEqual(codes, [["date_invalid", "changed_since_plan"], ["date_invalid"]]);
  }));

test("an employee_id that somebody else got meanwhile is not taken away", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email" });
    await world.import(csv(header, `${ANA},`, `${BO},`));
    const id = await world.handIn(csv("email,first_name,last_name,employee_id", "cy@acme.test,Cy,Dahl,3"), {
      coverage: "diff",
    });
    const ana = await world.person("1");
    await carryWhile(world, "applying", () => world.edit(ana, { employee_id: "3" }));
    assert.deepEqual(said(await world.run(id)), ["2 changed_since_plan"]);
    const retry = await world.run((await world.runs()).at(-1)!.id);
    assert.deepEqual([retry.status, said(retry)], ["failed", ["2 identity_conflict"]]);
    assert.equal((await world.people()).length, 2);
  }));

test("of an email that goes from one to another nothing is applied if one of them has changed", () =>
  importing(async (world) => {
    await world.import(csv(header, ...[ANA, BO, CY, ...crowd(2)].map((row) => `${row},`)));
    const id = await world.handIn(
      csv(header, "1,bo@acme.test,Ana,Lopez,", "2,berg@acme.test,Bo,Berg,", `${CY},Lead`, ...crowd(2, 1, () => ",")),
    );
    const ana = await world.person("1");
    await carryWhile(world, "applying", () => world.edit(ana, { location: "Oslo" }));
    const run = await world.run(id);
    assert.deepEqual(said(run), ["2 changed_since_plan", "3 changed_since_plan"]);
    assert.deepEqual((await world.people()).slice(0, 3).map(({ email, title }) => [email, title]), [
      ["bo@acme.test", null],
      ["berg@acme.test", null],
      ["cy@acme.test", "Lead"],
    ]);
  }));

test("an approved plan is applied as it was approved, without those who changed after that", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},Engineer`, `${BO},Clerk`));
    const plan = await world.import(csv(header, `${ANA},Lead`, `${BO},Cook`), { mode: "plan" });
    await world.post(`/v1/runs/${plan.id}/approve`, { plan_hash: plan.plan_hash });
    await world.edit(await world.person("1"), { location: "Oslo" });
    await world.carry();
    const run = await world.run(plan.id);
    assert.deepEqual([run.status, said(run), run.counts.updated], ["succeeded", ["2 changed_since_plan"], 1]);
    assert.deepEqual((await world.people()).map(({ title }) => title), ["Engineer", "Cook"]);
    // Somebody approved this plan, not another.
    assert.equal((await world.runs()).at(-1)!.id, plan.id);
  }));

test("a plan's hash is the same for the same plan, and covers the versions of what it touches", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},Engineer`, `${BO},Clerk`));
    const text = csv(header, `${ANA},Lead`, `${BO},Clerk`);
    const first = await world.import(text, { mode: "plan" });
    const second = await world.import(text, { mode: "plan" });
    assert.equal(first.plan_hash, second.plan_hash);
    await world.edit(await world.person("1"), { location: "Oslo" });
    assert.notEqual((await world.import(text, { mode: "plan" })).plan_hash, first.plan_hash);
  }));

test("a waiting run is cancelled at once, a planned one too, an ended one not any more", () =>
  importing(async (world) => {
    const id = await world.handIn(csv(header, `${ANA},`));
    const queued = await world.post(`/v1/runs/${id}/cancel`);
    assert.deepEqual([queued.status, queued.body.run.status], [200, "cancelled"]);
    await world.carry();
    assert.deepEqual(await world.people(), []);
    const plan = await world.import(csv(header, `${ANA},`), { mode: "plan" });
    assert.equal((await world.post(`/v1/runs/${plan.id}/cancel`)).body.run.status, "cancelled");
    const done = await world.import(csv(header, `${ANA},`));
    assert.equal((await world.post(`/v1/runs/${done.id}/cancel`)).status, 409);
    assert.equal((await world.post(`/v1/runs/${plan.id}/approve`, { plan_hash: plan.plan_hash })).status, 409);
  }));

test("a run that is cancelled while it reads changes nobody", () =>
  importing(async (world) => {
    const id = await world.handIn(csv(header, `${ANA},`));
    await carryWhile(world, "planning", () => world.post(`/v1/runs/${id}/cancel`));
    assert.equal((await world.run(id)).status, "cancelled");
    assert.deepEqual(await world.people(), []);
  }));

test("cancelling while applying stops after the current chunk, and the counts say what was done", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},Engineer`));
    const id = await world.handIn(csv(`${header},department_name`, `${ANA},Lead,Care`, `${BO},,Care`, `${CY},,Care`));
    const phases: string[] = [];
    let asked = false;
    await world.carry({
      onProgress: ({ phase, done }) => void phases.push(`${phase} ${done}`),
      pause: async () => {
        if (asked || phases.at(-1) !== "apply 2") return;
        asked = true;
        await world.post(`/v1/runs/${id}/cancel`);
      },
    });
    const run = await world.run(id);
    assert.equal(run.status, "cancelled");
    assert.deepEqual(
      [run.counts.updated, run.counts.created, run.counts.skipped, run.counts.departments_created],
      [1, 0, 2, 1],
    );
    assert.equal(rowsCounted(run), run.counts.read);
    assert.deepEqual((await world.people()).map(({ title }) => title), ["Lead"]);
    // Whoever is told of changes is told of this one.
    const { data: told } = await (await world.ask("/v1/events?type=users.changed&limit=1")).json();
    assert.deepEqual([told[0].data.count, told[0].data.changes], [
      1,
      run.changes.filter(({ seq, entity }) => seq !== null && entity === "user"),
    ]);
    // The next input makes up for it.
    const next = await world.import(csv(`${header},department_name`, `${ANA},Lead,Care`, `${BO},,Care`, `${CY},,Care`));
    assert.deepEqual([next.status, next.counts.created, next.counts.unchanged], ["succeeded", 2, 1]);
  }));

test("a run that breaks is tried again, and after ten times it has failed", () => {
  const registry = createRegistry();
  const upload = registry.get("csv-upload")!;
  let broken = 3;
  registry.set("csv-upload", {
    ...upload,
    fetch(context) {
      if (broken-- > 0) throw new TypeError("broken");
      return upload.fetch(context);
    },
  });
  return importing(async (world) => {
    const first = await world.handIn(csv(header, `${ANA},`));
    await world.carry({ rethrow: false });
    assert.equal((await world.run(first)).status, "succeeded");
    broken = Infinity;
    const second = await world.handIn(csv(header, `${ANA},Lead`));
    await world.carry({ rethrow: false });
    const run = await world.run(second);
    assert.deepEqual([run.status, run.error?.code, said(run)], ["failed", "run_failed", ["- run_failed"]]);
    assert.equal(
      10 - 3 * 0,
      world.hub.lines.filter(({ event, details }) => event === "run.interrupted" && details.run_id === second).length,
    );
    broken = 0;
    assert.equal((await world.import(csv(header, `${ANA},Lead`))).status, "succeeded");
  }, { registry });
});

test("a run that fails while it applies says what was done", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},Engineer`));
    await world.hub.db.write([
      world.hub.db.orm.run(sql`create trigger broken before insert on users begin select raise(abort, 'broken'); end`),
    ] as never);
    const id = await world.handIn(csv(header, `${ANA},Lead`, `${BO},`, `${CY},`));
    await world.carry({ rethrow: false });
    const run = await world.run(id);
    assert.deepEqual([run.status, run.error?.code], ["failed", "run_failed"]);
    assert.deepEqual([run.counts.updated, run.counts.created, run.counts.skipped], [1, 0, 2]);
    assert.equal((await world.person("1")).title, "Lead");
  }));

test("the counts add up: each row in one, missing people apart", () =>
  importing(async (world) => {
    await world.set("csv", {
      policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 },
      limits: { deactivate: { floor: 5 } },
    });
    const wide = `${header},is_active`;
    const rows = (from: number, to: number, end: string) => crowd(to - from + 1, from).map((row) => `${row},${end}`);
    await world.import(csv(wide, ...rows(1, 20, "A,yes"), ...rows(21, 21, "A,no")));
    const run = await world.import(
      csv(
        wide,
        ...rows(1, 10, "A,yes"),
        ...rows(11, 13, "B,yes"),
        ...rows(14, 15, "A,no"),
        ...rows(22, 24, "A,yes"),
        ...rows(25, 26, "A,no"),
        "E0099,p@,F,L,A,yes",
        ...rows(16, 18, "A,yes"),
      ),
    );
    assert.deepEqual(run.status, "partial");
    const { read, created, updated, unchanged, deactivated, reactivated, skipped, failed, missing } = run.counts;
    assert.deepEqual(
      { read, created, updated, unchanged, deactivated, reactivated, skipped, failed, missing },
      {
        read: 24,
        created: 3,
        updated: 3,
        unchanged: 13,
        deactivated: 2,
        reactivated: 0,
        skipped: 2,
        failed: 1,
        missing: 2,
      },
    );
    assert.equal(run.changes.filter(({ reason }) => reason === "missing").length, 2);
  }));
