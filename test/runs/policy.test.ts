import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, importing, rowsCounted, said } from "../support/imports.ts";

const ANA = "1,ana@acme.test,Ana,Lopez";
const BO = "2,bo@acme.test,Bo,Berg";
const CY = "3,cy@acme.test,Cy,Dahl";
const header = `${HEADER},is_active`;

test("creating can be switched off", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA));
    await world.set("csv", { policy: { create: false } });
    const run = await world.import(csv(HEADER, "1,ana@acme.test,Ana,Neu", BO));
    assert.deepEqual([run.counts.created, run.counts.skipped, run.counts.updated], [0, 1, 1]);
    assert.equal((await world.people()).length, 1);
  }));

test("updating can be switched off, also of managers, and does not stop a status", () =>
  importing(async (world) => {
    await world.import(csv(`${header},manager_id`, `${ANA},yes,`, `${BO},yes,`, `${CY},yes,`));
    await world.set("csv", { policy: { update: false } });
    const run = await world.import(
      csv(`${header},manager_id`, "1,ana@acme.test,Ana,Neu,yes,", "2,bo@acme.test,Bo,Neu,no,", `${CY},yes,1`),
    );
    assert.deepEqual([run.counts.updated, run.counts.skipped, run.counts.deactivated], [0, 2, 1]);
    assert.equal(rowsCounted(run), 3);
    const people = await world.people();
    assert.deepEqual(people.map(({ last_name, status }) => [last_name, status]), [
      ["Lopez", "active"],
      ["Berg", "inactive"],
      ["Dahl", "active"],
    ]);
    assert.equal(people[2]!.manager, null);
  }));

test("deactivating and reactivating can be switched off", () =>
  importing(async (world) => {
    await world.import(csv(header, `${ANA},yes`, `${BO},yes`, `${CY},yes`));
    await world.set("csv", { policy: { deactivate: false } });
    const run = await world.import(csv(header, `${ANA},no`, `${BO},yes`, `${CY},yes`));
    assert.deepEqual([run.counts.deactivated, run.counts.skipped, (await world.person("1")).status], [0, 1, "active"]);
    await world.set("csv", { policy: { deactivate: true, reactivate: false } });
    await world.import(csv(header, `${ANA},no`, `${BO},yes`, `${CY},yes`));
    const back = await world.import(csv(header, `${ANA},yes`, `${BO},yes`, `${CY},yes`));
    assert.deepEqual(
      [back.counts.reactivated, back.counts.skipped, (await world.person("1")).status],
      [0, 1, "inactive"],
    );
  }));

test("what a switched-off kind leaves out is made up for once it is switched on again", () =>
  importing(async (world) => {
    const text = csv(`${HEADER},title`, `${ANA},Lead`);
    await world.import(csv(`${HEADER},title`, `${ANA},Engineer`));
    await world.set("csv", { policy: { update: false } });
    await world.import(text);
    await world.set("csv", { policy: { update: true } });
    const run = await world.import(text);
    assert.deepEqual([run.status, run.counts.updated], ["succeeded", 1]);
  }));

test("the same bytes again are skipped, with a reason", () =>
  importing(async (world) => {
    const text = csv(HEADER, ANA, BO);
    await world.import(text);
    const run = await world.import(text);
    assert.deepEqual([run.status, run.error?.code, said(run)], ["skipped", "duplicate_input", []]);
  }));

test("the same bytes are looked at again after a hand edit, a change of settings or fields, or to plan", () =>
  importing(async (world) => {
    const text = csv(`${HEADER},title`, `${ANA},Lead`, `${BO},`);
    await world.import(text);
    await world.edit(await world.person("1"), { title: "Boss" });
    assert.deepEqual([(await world.import(text)).counts.updated, (await world.import(text)).status], [1, "skipped"]);
    await world.set("csv", { policy: { empty_cells: "keep" } });
    assert.equal((await world.import(text)).status, "succeeded");
    assert.equal((await world.import(text)).status, "skipped");
    assert.equal((await world.import(text, { mode: "plan" })).status, "planned");
    const field = await world.ask("/v1/custom-fields/badge", {
      method: "PUT",
      json: { label: "Badge", type: "text" },
    });
    assert.ok(field.ok);
    assert.equal((await world.import(text)).status, "succeeded");
  }));

test("the same bytes are not skipped after issues, which are reported again, nor while a run is held", () =>
  importing(async (world) => {
    const text = csv(`${HEADER},title`, `${ANA},Lead`, `${BO},Cook`, "3,cy@,Cy,Dahl,");
    for (let i = 0; i < 2; i++) {
      const run = await world.import(text);
      assert.deepEqual([run.status, said(run)], ["partial", ["4 email_invalid"]]);
    }
    const people = Array.from({ length: 6 }, (_, i) => `${i + 3},p${i}@acme.test,P${i},Q,Clerk`);
    const whole = csv(`${HEADER},title`, `${ANA},Lead`, `${BO},Cook`, ...people);
    await world.import(whole);
    assert.equal((await world.import(whole.replaceAll(/,(Lead|Cook|Clerk)$/gm, ","))).status, "held");
    assert.notEqual((await world.import(whole)).status, "skipped");
  }));

test("the same bytes are not skipped while somebody's absence is counted", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_hours: 0 } });
    await world.import(csv(HEADER, ANA, BO, CY));
    const text = csv(HEADER, ANA, CY);
    await world.import(text);
    const run = await world.import(text);
    assert.deepEqual(run.changes.map(({ reason }) => reason), ["missing"]);
    assert.equal((await world.person("2")).status, "inactive");
  }));

test("the same bytes are not skipped after another connection's run changed somebody", () =>
  importing(async (world) => {
    await world.connect("second", { policy: { priority: 1 } });
    const text = csv(`${HEADER},title`, `${ANA},Lead`);
    await world.import(text);
    await world.import(csv(`${HEADER},title`, `${BO},Clerk`), { connection: "second" });
    assert.equal((await world.import(text)).status, "succeeded");
  }));

test("of full inputs waiting together the latest counts", () =>
  importing(async (world) => {
    const ids = [];
    for (const title of ["A", "B", "C"]) ids.push(await world.handIn(csv(`${HEADER},title`, `${ANA},${title}`)));
    await world.carry();
    const statuses = (await world.runs()).map(({ status }) => status);
    assert.deepEqual(statuses, ["superseded", "superseded", "succeeded"]);
    assert.equal((await world.person("1")).title, "C");
  }));

test("where the policy says all, every full input counts, oldest first", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { pick: "all" } });
    for (const title of ["A", "B", "C"]) await world.handIn(csv(`${HEADER},title`, `${ANA},${title}`));
    await world.carry();
    assert.deepEqual((await world.runs()).map(({ status }) => status), ["succeeded", "succeeded", "succeeded"]);
    assert.equal((await world.person("1")).title, "C");
  }));

test("diffs all count, oldest first, and none is lost to a full input of departments", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA, BO));
    await world.handIn(csv("employee_id,title", "1,A"), { coverage: "diff" });
    await world.handIn(csv("employee_id,title", "1,B"), { coverage: "diff" });
    await world.handIn(csv("employee_id,location", "1,Oslo"), { coverage: "diff" });
    await world.handIn(csv("name,parent", "Sales,"), { name: "departments.csv" });
    await world.carry();
    assert.deepEqual((await world.runs()).map(({ status }) => status), Array(5).fill("succeeded"));
    const { title, location } = await world.person("1");
    assert.deepEqual([title, location], ["B", "Oslo"]);
  }));

test("a plan changes nobody, and says what it would change", () =>
  importing(async (world) => {
    await world.import(csv(`${HEADER},title`, `${ANA},Engineer`, `${BO},`));
    const run = await world.import(
      csv(`${HEADER},title,department_name`, `${ANA},Lead,Care`, `${BO},,`, `${CY},,Care`),
      {
        mode: "plan",
      },
    );
    assert.deepEqual([run.status, run.counts.updated, run.counts.created, run.counts.unchanged], ["planned", 1, 1, 1]);
    assert.deepEqual(run.changes.map(({ entity, action, status }) => `${entity} ${action} ${status}`).toSorted(), [
      "department create planned",
      "user create planned",
      "user update planned",
    ]);
    assert.deepEqual(run.changes.find(({ action }) => action === "update")!.fields.title, {
      before: "Engineer",
      after: "Lead",
    });
    assert.deepEqual([(await world.people()).length, (await world.departments()).length], [2, 0]);
    const approved = await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    assert.equal(approved.status, 202);
    await world.carry();
    assert.equal((await world.run(run.id)).status, "succeeded");
    const { title, department } = await world.person("1");
    assert.deepEqual([title, department?.name], ["Lead", "Care"]);
  }));
