import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, type Importing, importing, type Outcome, said } from "../support/imports.ts";

const users = `${HEADER},department_name`;
const ANA = "1,ana@acme.test,Ana,Lopez";
const BO = "2,bo@acme.test,Bo,Berg";

function departments(world: Importing, ...lines: string[]): Promise<Outcome> {
  return world.import(csv(...lines), { name: "departments.csv" });
}

async function names(world: Importing): Promise<string[]> {
  return (await world.departments()).map(({ name, parent }) => parent === null ? name : `${name} < ${parent}`)
    .toSorted();
}

test("a people file whose key is not known makes no departments, and is refused with the headers it has", () =>
  importing(async (world) => {
    const german =
      "\ufeffPersonal-Nr.;E-Mail-Adresse;Name;Vorname;Abteilung\r\n5001;ana@acme.test;Novak;Ana;Vertrieb\r\n";
    const run = await world.import(german);
    assert.deepEqual([run.status, run.error?.code], ["failed", "header_missing"]);
    assert.match(run.error!.message, /the headers here are "Personal-Nr\.", "E-Mail-Adresse", "Name"/);
    assert.deepEqual(await names(world), []);
  }));

test("a key column that was renamed fails the file, with what it was called before; another one is reported", () =>
  importing(async (world) => {
    const rows = ["1,ana@acme.test,Ana,Lopez,Lead", "2,bo@acme.test,Bo,Berg,Clerk"];
    await world.set("csv", { mapping: { "Staff ID": "employee_id" }, key: "employee_id" });
    await world.import(csv("Staff ID,email,first_name,last_name,Job Title", ...rows));
    const renamed = await world.import(csv("Personnel,email,first_name,last_name,Job Title", ...rows));
    assert.equal(renamed.error?.code, "header_missing");
    assert.match(renamed.error!.message, /the last file called it "Staff ID"/);
    const other = await world.import(csv("Staff ID,email,first_name,last_name,Role", ...rows), { mode: "plan" });
    assert.ok(other.issues.some(({ message }) => message.includes('had a column for "title", called "Job Title"')));
  }));

test("departments that people name are made, once whatever the spelling", () =>
  importing(async (world) => {
    const run = await world.import(csv(users, `${ANA},Care  Team`, `${BO},care team`));
    assert.deepEqual([run.counts.departments_created, run.counts.created], [1, 2]);
    assert.equal((await world.departments()).length, 1);
    const again = await world.import(csv(users, `${ANA},CARE TEAM`, `${BO},care team`));
    assert.deepEqual([again.counts.unchanged, again.counts.departments_created], [2, 0]);
  }));

test("a department that only a rejected row names is not made", () =>
  importing(async (world) => {
    const run = await world.import(csv(users, `${ANA},Care`, `2,bo@,Bo,Berg,Nowhere`, `3,c@acme.test,,D,Nowhere`));
    assert.deepEqual([run.counts.departments_created, await names(world)], [1, ["Care"]]);
  }));

test("an inactive department is not given: the old one stays, with a warning", () =>
  importing(async (world) => {
    await departments(world, "department_name,is_active", "Care,yes", "Old,yes");
    await departments(world, "department_name,is_active", "Care,yes", "Old,no");
    await world.import(csv(users, `${ANA},Care`));
    const run = await world.import(csv(users, `${ANA},Old`));
    assert.deepEqual([said(run), run.status], [["2 department_inactive"], "succeeded"]);
    assert.equal((await world.person("1")).department?.name, "Care");
  }));

test("parents may come in any order, and a column `parent` that is absent leaves them alone", () =>
  importing(async (world) => {
    const run = await departments(world, "name,parent", "Night,Care", "Care,Company", "Company,", "Sales,Company");
    assert.deepEqual([run.entity, run.status, run.counts.departments_created], ["departments", "succeeded", 4]);
    assert.deepEqual(await names(world), ["Care < Company", "Company", "Night < Care", "Sales < Company"]);
    await departments(world, "department_name,is_active", "Night,yes");
    assert.ok((await names(world)).includes("Night < Care"));
    const again = await departments(world, "name,parent", "Sales,Company", "Company,", "Care,Company", "Night,Care");
    assert.deepEqual([again.counts.unchanged, again.changes.length], [4, 0]);
  }));

test("an unknown parent is an error, also for those below it", () =>
  importing(async (world) => {
    const run = await departments(world, "name,parent", "Care,Nowhere", "Night,Care", "Sales,");
    assert.deepEqual(said(run), ["2 department_parent_not_found", "3 department_parent_not_found"]);
    assert.deepEqual([run.status, run.counts.failed, await names(world)], ["partial", 2, ["Sales"]]);
  }));

test("parents in a circle are an error with the path", () =>
  importing(async (world) => {
    const run = await departments(world, "name,parent", "A,C", "B,A", "C,B", "D,");
    assert.deepEqual(said(run), ["2 department_cycle", "3 department_cycle", "4 department_cycle"]);
    assert.match(run.issues[0]!.message, /A → C → B → A/);
    assert.deepEqual(await names(world), ["D"]);
    const own = await departments(world, "name,parent", "D,D");
    assert.deepEqual(said(own), ["2 department_cycle"]);
  }));

test("a circle with departments that are not in the input is found", () =>
  importing(async (world) => {
    await departments(world, "name,parent", "A,", "B,A", "C,B");
    const run = await departments(world, "name,parent", "A,C");
    assert.deepEqual(said(run), ["2 department_cycle"]);
    assert.deepEqual(await names(world), ["A", "B < A", "C < B"]);
  }));

test("with a department_id a new name is a rename, and people stay in it", () =>
  importing(async (world) => {
    await departments(world, "name,department_id", "Care,D1", "Sales,D2");
    await world.import(csv(users, `${ANA},Care`));
    const run = await departments(world, "name,department_id", "Care & Cure,D1", "Sales,D2");
    assert.deepEqual([run.counts.departments_updated, run.counts.departments_created], [1, 0]);
    assert.equal((await world.person("1")).department?.name, "Care & Cure");
    const swap = await departments(world, "name,department_id", "Sales,D1", "Care & Cure,D2");
    assert.deepEqual([swap.status, said(swap)], ["succeeded", []]);
    assert.equal((await world.person("1")).department?.name, "Sales");
  }));

test("after a rename the same file of people is looked at again", () =>
  importing(async (world) => {
    await departments(world, "name,department_id", "Care,D1");
    const text = csv(users, `${ANA},Care`);
    await world.import(text);
    await departments(world, "name,department_id", "Cure,D1");
    const run = await world.import(text);
    assert.deepEqual([run.status, run.counts.departments_created], ["succeeded", 1]);
    assert.equal((await world.person("1")).department?.name, "Care");
  }));

test("a name that another department has is refused", () =>
  importing(async (world) => {
    await departments(world, "name,department_id", "Care,D1", "Sales,D2");
    const run = await departments(world, "name,department_id", "Sales,D1");
    assert.deepEqual(said(run), ["2 identity_conflict"]);
    const twice = await departments(world, "name,parent", "Care,", "care,");
    assert.deepEqual(said(twice), ["2 duplicate_in_input", "3 duplicate_in_input"]);
  }));

test("a department with active people is not deactivated; it is tried again once they have moved", () =>
  importing(async (world) => {
    await departments(world, "department_name,is_active", "Care,yes", "Sales,yes");
    await world.import(csv(users, `${ANA},Care`, `${BO},Care`));
    const run = await departments(world, "department_name,is_active", "Care,no", "Sales,yes");
    assert.deepEqual([said(run), run.status, run.counts.failed], [["2 department_has_active_users"], "partial", 1]);
    assert.match(run.issues[0]!.message, /2 active people/);
    assert.ok((await world.departments()).every(({ active }) => active));
    await world.import(csv(users, `${ANA},Sales`, `${BO},Care`));
    assert.ok((await world.departments()).every(({ active }) => active));
    await world.import(csv(users, `${ANA},Sales`, `${BO},Sales`));
    assert.deepEqual((await world.departments()).filter(({ active }) => !active).map(({ name }) => name), ["Care"]);
    const retry = (await world.runs()).at(-1)!;
    assert.deepEqual([retry.trigger, retry.entity, retry.status], ["retry", "departments", "succeeded"]);
  }));

test("a department that is to close, alone in its file, closes after the next input of users", () =>
  importing(async (world) => {
    await departments(world, "department_name,is_active", "Care,yes", "Sales,yes");
    await world.import(csv(users, `${ANA},Care`, `${BO},Sales`));
    const plan = await world.import(csv("department_name,is_active", "Care,no"), { mode: "plan" });
    assert.deepEqual([plan.status, plan.counts.failed, plan.counts.departments_updated], ["planned", 1, 0]);
    const run = await departments(world, "department_name,is_active", "Care,no");
    assert.equal(run.status, "partial");
    assert.deepEqual(said(run), ["2 department_has_active_users"]);
    // The department is as it was, so nothing counts as changed yet.
    const { read, failed, updated, deactivated, departments_updated } = run.counts;
    assert.deepEqual({ read, failed, updated, deactivated, departments_updated }, {
      read: 1,
      failed: 1,
      updated: 0,
      deactivated: 0,
      departments_updated: 0,
    });
    assert.deepEqual(run.changes, []);
    const again = await departments(world, "department_name,is_active", "Care,no", "");
    assert.deepEqual([again.status, said(again)], ["partial", ["2 department_has_active_users"]]);
    assert.equal((await connectionOf(world)).failures_in_a_row, 0);
    await world.import(csv(users, `${ANA},Sales`, `${BO},Sales`));
    assert.deepEqual((await world.departments()).filter(({ active }) => !active).map(({ name }) => name), ["Care"]);
    const closing = (await world.runs()).at(-1)!;
    assert.deepEqual([closing.entity, closing.status, closing.counts.departments_updated], [
      "departments",
      "succeeded",
      1,
    ]);
  }));

test("a failed run counts nothing as done: what its plan would have changed is not among its counts", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    await world.import(csv(users, `${ANA},Care`, `${BO},Care`));
    // No row can be used; Bo would have been missing.
    const run = await world.import(csv(users, "1,ana@,Ana,,Care"));
    assert.deepEqual([run.status, run.error?.code], ["failed", "rows_rejected"]);
    const { read, failed, warned, ...done } = run.counts;
    assert.deepEqual([read, failed, warned], [1, 1, 0]);
    assert.deepEqual(Object.entries(done).filter(([, count]) => count !== 0), []);
    assert.deepEqual(run.changes, []);
    assert.equal((await connectionOf(world)).failures_in_a_row, 1);
    const departed = await departments(world, "department_name,parent", "Care,Nowhere");
    assert.deepEqual([departed.status, departed.counts.failed, departed.counts.departments_updated], ["failed", 1, 0]);
  }));

async function connectionOf(world: Importing): Promise<{ failures_in_a_row: number }> {
  return await (await world.ask("/v1/connections/csv")).json();
}

test("a deactivation that is taken back no longer waits", () =>
  importing(async (world) => {
    await departments(world, "department_name,is_active", "Care,yes", "Sales,yes");
    await world.import(csv(users, `${ANA},Care`));
    await departments(world, "department_name,is_active", "Care,no", "Sales,yes");
    await departments(world, "department_name,is_active", "Care,yes", "Sales,yes");
    await world.import(csv(users, `${ANA},Sales`));
    assert.ok((await world.departments()).every(({ active }) => active));
  }));

test("departments are never deactivated by omission", () =>
  importing(async (world) => {
    await departments(world, "name,parent", "Care,", "Sales,");
    const run = await departments(world, "name,parent", "Care,");
    assert.deepEqual([run.status, run.counts.missing, run.changes.length], ["succeeded", 0, 0]);
    assert.ok((await world.departments()).every(({ active }) => active));
  }));

test("a department's deactivation date that has come deactivates it", () =>
  importing(async (world) => {
    const run = await departments(world, "department_name,deactivation_date", "Care,2026-03-02", "Sales,");
    assert.deepEqual([run.counts.skipped, await names(world)], [1, ["Sales"]]);
    await departments(world, "department_name,deactivation_date", "Sales,2026-03-02");
    assert.deepEqual((await world.departments()).map(({ active }) => active), [false]);
  }));

test("the counts of departments stand apart from those of rows", () =>
  importing(async (world) => {
    await departments(world, "name,parent", "Care,", "Sales,");
    const run = await departments(
      world,
      "name,parent,is_active",
      "Care,Sales,yes",
      "Sales,,yes",
      "New,,yes",
      "Bad,No,yes",
    );
    assert.deepEqual(
      [run.counts.read, run.counts.created, run.counts.updated, run.counts.unchanged, run.counts.failed],
      [4, 1, 1, 1, 1],
    );
    assert.deepEqual([run.counts.departments_created, run.counts.departments_updated], [1, 1]);
    const closed = await departments(world, "department_name,is_active", "New,no");
    assert.deepEqual([closed.counts.deactivated, closed.counts.departments_updated], [1, 1]);
  }));

test("departments go first when a file of people and one of departments wait together, whichever came first", async () => {
  await importing(async (w) => {
    const people = "email,first_name,last_name,department_name\nana@example.com,Ana,Lopez,Sales\n";
    const tree = "name,parent\nSales,Company\nCompany,\n";
    const first = await w.handIn(people, { name: "users.csv" });
    const second = await w.handIn(tree, { name: "departments.csv" });
    await w.carry();
    const [users, departments] = [await w.run(first), await w.run(second)];
    assert.deepEqual([users.status, departments.status], ["succeeded", "succeeded"]);
    assert.deepEqual([users.entity, departments.entity], ["users", "departments"]);
    // Nothing was made up in passing that the other file would then have had to correct.
    assert.equal(users.counts.departments_created, 0);
    assert.deepEqual([departments.counts.departments_created, departments.counts.departments_updated], [2, 0]);
    assert.ok(departments.finished_at! <= users.finished_at!);
  });
});

test("a file of people waits for no file of departments that cannot go itself", async () => {
  await importing(async (w) => {
    const people = (count: number) =>
      "email,first_name,last_name\n" +
      Array.from({ length: count }, (_, i) => `p${i}@example.com,P,${i}\n`).join("");
    await w.import(people(40));
    await w.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    const held = await w.import(people(10));
    assert.equal(held.status, "held");
    // The diff of departments waits behind the held run; the full file of people is to take that one's place.
    const departments = await w.handIn("name,parent\nSales,\n", { name: "departments.csv", coverage: "diff" });
    const users = await w.handIn(people(40));
    const more = await w.handIn("name,parent\nSales,\nOps,\n", { name: "more.csv", coverage: "diff" });
    await w.carry();
    assert.equal((await w.run(users)).status, "succeeded");
    assert.equal((await w.run(held.id)).status, "superseded");
    assert.deepEqual([(await w.run(departments)).status, (await w.run(more)).status], ["succeeded", "succeeded"]);
  });
});
test("a long ring, a long row of failures and many of one name are told in few words and little time", () =>
  importing(async (world) => {
    const n = 3_000;
    const rows = (line: (i: number) => string) => csv("name,parent", ...Array.from({ length: n }, (_, i) => line(i)));
    const started = performance.now();
    for (
      const [input, code, message] of [
        [rows((i) => `r${i},r${(i + 1) % n}`), "department_cycle", /circle: r0 → r1 → .* → r9 → 2990 more → r0$/],
        [rows((i) => `c${i},${i === 0 ? "nowhere" : `c${i - 1}`}`), "department_parent_not_found", /"nowhere"/],
        [rows((i) => `u${i},${i === n - 1 ? "nowhere" : `u${i + 1}`}`), "department_parent_not_found", /"u1"/],
        [rows(() => "same,"), "duplicate_in_input", /is also the name of line 3, 4, 5, 6, 7, 8, 9, 10, 11, 12: /],
      ] as const
    ) {
      const id = await world.handIn(input, { entity: "departments", coverage: "diff" });
      await world.carry();
      const { data } = await (await world.ask(`/v1/runs/${id}/issues?limit=1`)).json();
      assert.equal(data[0].code, code);
      assert.match(data[0].message, message);
      const run = await (await world.ask(`/v1/runs/${id}`)).json();
      assert.deepEqual([run.status, run.counts.failed], ["failed", n]);
    }
    assert.ok(performance.now() - started < 20_000);
    assert.deepEqual(await world.departments(), []);
  }));
