import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, type Importing, importing, type Outcome, rowsCounted, said } from "../support/imports.ts";

const header = `${HEADER},title,manager_id`;
const ANA = "1,ana@acme.test,Ana,Lopez";
const BO = "2,bo@acme.test,Bo,Berg";
const CY = "3,cy@acme.test,Cy,Dahl";

/** Takes a run back as far as a plan; gives that plan. */
async function revert(world: Importing, run: Outcome): Promise<Outcome> {
  const { status, body } = await world.post(`/v1/runs/${run.id}/revert`);
  assert.equal(status, 202, JSON.stringify(body));
  await world.carry();
  return await world.run(body.run.id);
}

async function approve(world: Importing, run: Outcome): Promise<Outcome> {
  const { status, body } = await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
  assert.equal(status, 202, JSON.stringify(body));
  await world.carry();
  return await world.run(run.id);
}

test("a revert is planned first, and changes nobody before it is approved", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},Engineer,`, `${BO},,1`));
    const run = await world.import(csv(header, `${ANA},Lead,`, `${BO},,`, `${CY},,1`));
    const plan = await revert(world, run);
    assert.deepEqual([plan.trigger, plan.status, plan.mode], ["revert", "planned", "plan"]);
    assert.deepEqual([plan.counts.read, plan.counts.updated, plan.counts.deactivated], [3, 2, 1]);
    assert.equal(rowsCounted(plan), plan.counts.read);
    assert.equal((await world.person("1")).title, "Lead");
  }));

test("a create becomes inactive and unlinked, other changes get their values back", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},Engineer,`, `${BO},,1`));
    const run = await world.import(csv(header, `${ANA},Lead,`, `${BO},,`, `${CY},,1`));
    const done = await approve(world, await revert(world, run));
    assert.deepEqual([done.status, said(done)], ["succeeded", []]);
    const [ana, bo, cy] = await world.people();
    assert.deepEqual([ana!.title, bo!.manager?.employee_id], ["Engineer", "1"]);
    assert.deepEqual([cy!.status, cy!.sources], ["inactive", []]);
  }));

test("a deactivation, and an email that went from one to another, are taken back too", () =>
  importing(async (world) => {
    const wide = `${HEADER},is_active`;
    const others = [4, 5, 6].map((i) => `${i},p${i}@acme.test,P${i},Q,yes`);
    await world.import(csv(wide, `${ANA},yes`, `${BO},yes`, `${CY},yes`, ...others));
    const run = await world.import(
      csv(wide, "1,bo@acme.test,Ana,Lopez,yes", "2,berg@acme.test,Bo,Berg,yes", `${CY},no`, ...others),
    );
    assert.equal(run.status, "succeeded");
    const done = await approve(world, await revert(world, run));
    assert.deepEqual([done.counts.reactivated, done.counts.updated, said(done)], [1, 2, []]);
    assert.deepEqual((await world.people()).slice(0, 3).map(({ email, status }) => [email, status]), [
      ["ana@acme.test", "active"],
      ["bo@acme.test", "active"],
      ["cy@acme.test", "active"],
    ]);
  }));

test("who has changed since is left, and listed as not reverted", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},Engineer,`, `${BO},Clerk,`));
    const run = await world.import(csv(header, `${ANA},Lead,`, `${BO},Cook,`));
    await world.edit(await world.person("1"), { location: "Oslo" });
    const plan = await revert(world, run);
    assert.deepEqual([said(plan), plan.counts.updated, plan.counts.skipped], [["- not_reverted"], 1, 1]);
    assert.match(plan.issues[0]!.message, /Ana Lopez/);
    await approve(world, plan);
    assert.deepEqual((await world.people()).map(({ title }) => title), ["Lead", "Clerk"]);
  }));

test("after a revert the next run is held until somebody approves it", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},Engineer,`));
    const text = csv(header, `${ANA},Lead,`);
    await approve(world, await revert(world, await world.import(text)));
    assert.equal((await world.person("1")).title, "Engineer");
    const next = await world.import(text);
    assert.deepEqual([next.status, next.held_by.map(({ guard }) => guard)], ["held", ["revert"]]);
    assert.equal((await approve(world, next)).status, "succeeded");
    assert.equal((await world.person("1")).title, "Lead");
    assert.equal((await world.import(csv(header, `${ANA},Boss,`))).status, "succeeded");
  }));

test("a person who was created, reverted and comes again is the same person, active again", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},,`));
    const text = csv(header, `${ANA},,`, `${BO},,1`);
    await approve(world, await revert(world, await world.import(text)));
    const run = await approve(world, await world.import(text));
    assert.deepEqual([run.counts.reactivated, run.counts.created], [1, 0]);
    assert.equal((await world.person("2")).status, "active");
  }));

test("a revert can itself be taken back", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},Engineer,`));
    const first = await approve(world, await revert(world, await world.import(csv(header, `${ANA},Lead,`))));
    await approve(world, await revert(world, first));
    assert.equal((await world.person("1")).title, "Lead");
  }));

test("departments that the run made are closed, and changed ones get their names back", () =>
  importing(async (world) => {
    await world.import(csv("name,department_id", "Care,D1"), { name: "departments.csv" });
    const renamed = await world.import(csv("name,department_id", "Cure,D1", "New,D2"), { name: "departments.csv" });
    const done = await approve(world, await revert(world, renamed));
    assert.deepEqual([done.status, said(done)], ["succeeded", []]);
    assert.deepEqual((await world.departments()).map(({ name, active }) => [name, active]), [
      ["Care", true],
      ["New", false],
    ]);
  }));

test("people leave the departments that a run made, which are closed with them", () =>
  importing(async (world) => {
    const users = `${HEADER},department_name`;
    await world.import(csv(users, `${ANA},Care`));
    const run = await world.import(csv(users, `${ANA},New`, `${BO},New`));
    const done = await approve(world, await revert(world, run));
    assert.deepEqual([done.status, said(done)], ["succeeded", []]);
    assert.equal((await world.person("1")).department?.name, "Care");
    assert.deepEqual((await world.departments()).map(({ name, active }) => [name, active]), [
      ["Care", true],
      ["New", false],
    ]);
  }));

test("only a run that applied something can be reverted", () =>
  importing(async (world) => {
    const plan = await world.import(csv(header, `${ANA},,`), { mode: "plan" });
    assert.equal((await world.post(`/v1/runs/${plan.id}/revert`)).status, 409);
    const failed = await world.import(csv(header));
    assert.equal((await world.post(`/v1/runs/${failed.id}/revert`)).status, 409);
  }));

test("what a file by hand wrote belongs again to whom it did before, once the file is taken back, managers too", () =>
  importing(async (world) => {
    await world.connect("hr", { policy: { manual_edits: "keep" } });
    const wide = `${header},is_active`, free = { deactivate: { enabled: false }, update: { enabled: false } };
    await world.set("csv", { limits: free });
    const night = [wide, `${ANA},Engineer,,yes`, `${BO},Clerk,1,yes`, `${CY},Cook,1,yes`];
    await world.import(csv(...night), { connection: "hr" });
    await world.edit(await world.person("3"), { title: "Chef" });
    const writers = async () =>
      (await world.people()).map(({ title, manager, status, edited_by_hand: edited }) => [
        title,
        manager?.employee_id ?? null,
        status,
        edited,
      ]);
    const before = await writers();
    assert.deepEqual(before[2], ["Chef", "1", "active", ["title"]]);
    const lines = [wide, `${ANA},Lead,,yes`, `${BO},Clerk,3,yes`, `${CY},Boss,,no`];
    const run = await world.import(csv(...lines), { by_hand: "true", coverage: "diff" });
    assert.deepEqual((await writers()).map(([, , , edited]) => edited), [
      ["title"],
      ["manager"],
      ["manager", "status", "title"],
    ]);
    const done = await approve(world, await revert(world, run));
    assert.equal(done.status, "succeeded");
    assert.deepEqual(await writers(), before);
    // The feed's word counts for what it wrote, and not for what was edited by hand before the file.
    const next = await world.import(csv(wide, `${ANA},Head,,yes`, `${BO},Guard,3,yes`, `${CY},Cook,1,yes`), {
      connection: "hr",
    });
    assert.equal(next.status, "succeeded");
    assert.deepEqual((await writers()).map(([title, manager]) => [title, manager]), [
      ["Head", null],
      ["Guard", "3"],
      ["Chef", "1"],
    ]);
  }));

test("what a hand wrote is a hand's again, once the run that overwrote it is taken back", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},Engineer,`, `${BO},Clerk,1`));
    await world.edit(await world.person("2"), { title: "Cook", manager: null });
    const run = await world.import(csv(header, `${ANA},Engineer,`, `${BO},Clerk,1`, ""));
    assert.deepEqual((await world.person("2")).edited_by_hand, []);
    await approve(world, await revert(world, run));
    const { title, manager, edited_by_hand } = await world.person("2");
    assert.deepEqual([title, manager, edited_by_hand], ["Cook", null, ["manager", "title"]]);
  }));
