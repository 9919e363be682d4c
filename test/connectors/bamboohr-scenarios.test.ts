/** What BambooHR accounts are like, and what becomes of people by it: each night as somebody would expect it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hire, hireCrowd } from "../support/bamboohr/company.ts";
import type { Mishap } from "../support/bamboohr/faults.ts";
import { type Connected, connected } from "../support/bamboohr/world.ts";
import { type Outcome, said } from "../support/imports.ts";

const NOW = { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 };

/** Email of each active person. */
async function active(world: Connected): Promise<(string | null)[]> {
  return (await world.people()).filter(({ status }) => status === "active").map(({ email }) => email).sort();
}

const ends = ({ status, issues, changes }: Outcome) => [status, issues.map(({ code }) => code), changes.length];

test("the first night everybody is added, with managers by BambooHR's own ids; the second changes nothing", () =>
  connected(async (world) => {
    hireCrowd(world.fake.company, 40);
    hire(world.fake.company, 99, { terminationDate: "2024-05-31" });
    const first = await world.sync();
    assert.deepEqual([first.status, first.counts.created, first.counts.skipped, said(first)], ["succeeded", 40, 1, []]);
    const five = await world.person("105");
    assert.deepEqual(
      [
        five.email,
        five.first_name,
        five.title,
        five.department?.name,
        five.location,
        five.hire_date,
        five.manager?.employee_id,
      ],
      ["p5@acme.test", "First5", "Clerk", "Department 5", "Lindon", "2020-01-06", "101"],
    );
    assert.equal(five.sources[0]!.source_key, "5");
    world.nextDay();
    const second = await world.sync();
    assert.deepEqual([second.status, second.counts.unchanged, second.changes.length], ["succeeded", 40, 0]);
  }));

test("two people with one Employee # are both refused, and taken once it is corrected", () =>
  connected(async (world) => {
    hire(world.fake.company, 1);
    hire(world.fake.company, 2, { employeeNumber: "77" });
    const three = hire(world.fake.company, 3, { employeeNumber: "77" });
    const run = await world.sync();
    assert.equal(run.status, "partial");
    assert.deepEqual(run.issues.map(({ code }) => code), ["duplicate_in_input", "duplicate_in_input"]);
    assert.deepEqual(await active(world), ["p1@acme.test"]);
    three.employeeNumber = "78";
    await world.sync();
    assert.equal((await active(world)).length, 3);
  }));

test("a person who is their own manager, a cycle, and a manager whom nobody sees are warnings", () =>
  connected(async (world) => {
    const { company, access } = world.fake;
    hire(company, 1, { reportsTo: 1 });
    hire(company, 2, { reportsTo: 3 });
    hire(company, 3, { reportsTo: 2 });
    hire(company, 4, { reportsTo: 9 });
    hire(company, 9);
    access.sees = ({ id }) => id !== 9;
    const run = await world.sync();
    const codes = run.issues.map(({ code }) => code).sort();
    assert.deepEqual([run.status, codes], [
      "succeeded",
      ["manager_cycle", "manager_cycle", "manager_is_self", "manager_not_found"],
    ]);
    assert.ok((await world.people()).every(({ manager }) => manager === null));
    // As soon as the manager is seen, the rest follows.
    access.sees = () => true;
    await world.sync();
    assert.equal((await world.person("104")).manager?.employee_id, "109");
  }));

test("a manager who left stays the manager until BambooHR says another", () =>
  connected(async (world) => {
    const { company } = world.fake;
    hireCrowd(company, 12);
    await world.sync();
    company.employees.get(10)!.terminationDate = "2026-03-01";
    const run = await world.sync();
    assert.deepEqual([run.status, run.counts.deactivated], ["succeeded", 1]);
    assert.equal((await world.person("111")).manager?.employee_id, "110");
  }));

test("only chosen statuses are imported; people who change to another one are deactivated", () =>
  connected(async (world) => {
    const { company } = world.fake;
    hireCrowd(company, 20);
    hire(company, 31, { employmentStatus: "Contractor" });
    hire(company, 32, { employmentStatus: null });
    await world.set("bamboohr", { policy: { only_statuses: ["Full-Time"] } });
    const first = await world.sync();
    assert.deepEqual([first.counts.created, said(first)], [20, ["- status_unknown"]]);
    company.employees.get(5)!.employment.push({ date: "2026-03-01", status: "Contractor" });
    const second = await world.sync();
    assert.deepEqual(second.changes.map(({ action, reason }) => [action, reason]), [["deactivate", "filtered"]]);
  }));

test("a chosen status that was renamed deactivates nobody: the run is held, and says which", () =>
  connected(async (world) => {
    const { company } = world.fake;
    hireCrowd(company, 20);
    for (const id of [3, 4]) company.employees.get(id)!.employment = [{ date: "2020-01-06", status: "Part-Time" }];
    await world.set("bamboohr", { policy: { only_statuses: ["Full-Time", "Part-Time"] } });
    await world.sync();
    company.statuses.find(({ name }) => name === "Part-Time")!.name = "Part Time (EU)";
    for (const id of [3, 4]) company.employees.get(id)!.employment = [{ date: "2020-01-06", status: "Part Time (EU)" }];
    const run = await world.sync();
    assert.deepEqual([run.status, run.held_by], [
      "held",
      [{ guard: "deactivate", count: 2, limit: 0, base: 20 }],
    ]);
    const issue = run.issues.find(({ code }) => code === "status_not_in_source")!;
    assert.match(issue.message, /BambooHR has no employment status "Part-Time"/);
    assert.match(issue.suggestion, /Part Time \(EU\)/);
    assert.equal(run.issues.filter(({ code }) => code === "status_not_in_source").length, 1);
    await world.set("bamboohr", { policy: { only_statuses: ["Full-Time", "Part Time (EU)"] } });
    const corrected = await world.sync();
    assert.deepEqual([corrected.status, corrected.counts.deactivated, said(corrected)], ["succeeded", 0, []]);
    assert.equal((await world.run(run.id)).status, "superseded");
    assert.equal((await active(world)).length, 20);
  }));

test("a chosen status that BambooHR has, and nobody just now, holds nothing", () =>
  connected(async (world) => {
    const { company } = world.fake;
    hireCrowd(company, 20);
    await world.set("bamboohr", { policy: { only_statuses: ["Full-Time", "Intern"] } });
    await world.sync();
    company.employees.get(5)!.employment.push({ date: "2026-03-01", status: "Contractor" });
    const run = await world.sync();
    assert.deepEqual([run.status, run.counts.deactivated, said(run)], ["succeeded", 1, []]);
  }));

test("where the list of statuses may not be read, a chosen one that nobody has is a warning, and holds nothing", () =>
  connected(async (world) => {
    const { company, faults } = world.fake;
    hireCrowd(company, 20);
    await world.set("bamboohr", { policy: { only_statuses: ["Full-Time", "Intern"] } });
    faults.add({ on: /meta.lists/, times: 2, mishap: { kind: "status", status: 403 } });
    assert.deepEqual(said(await world.sync()), ["- source_changed"]);
    company.employees.get(5)!.employment.push({ date: "2026-03-01", status: "Contractor" });
    const run = await world.sync();
    assert.deepEqual([run.status, run.counts.deactivated], ["succeeded", 1]);
  }));

test("a key that sees half the people deactivates nobody, whether the missing are to leave or not", () =>
  connected(async (world) => {
    const { company, access } = world.fake;
    hireCrowd(company, 40);
    await world.sync();
    for (const policy of [{ missing: "keep" }, NOW, NOW]) {
      await world.set("bamboohr", { policy });
      access.sees = ({ id }) => id <= 20;
      world.nextDay();
      const run = await world.sync();
      assert.equal(run.status, "held");
      const guard = run.held_by.find(({ guard }) => guard === "missing")!;
      assert.deepEqual([guard.count, guard.base], [20, 40]);
      assert.equal((await active(world)).length, 40);
    }
    access.sees = () => true;
    const run = await world.sync();
    assert.deepEqual(ends(run), ["succeeded", [], 0]);
    assert.ok((await world.people()).every(({ sources }) => sources[0]!.missing_since === null));
  }));

for (const source of ["employees", "report", "dataset"]) {
  test(`${source}: a key that may see less changes nobody, whatever it is that it may not see any more`, () =>
    connected(async (world) => {
      const { access, company } = world.fake;
      hireCrowd(company, 40);
      assert.equal((await world.sync()).status, "succeeded");
      const before = await world.people();
      const half = ({ id }: { id: number }) => id % 2 === 0;
      const narrowed: [what: string, narrow: () => void, ends: RegExp][] = [
        ["half the people", () => (access.sees = half), /^held: .*missing/],
        ["one field", () => access.hidden.add("department"), /^held: field_gone department_name/],
        ["one field, by another's refusal", () => {
          company.switches.datasetRestricted = "empty";
          access.hidden.add("department");
        }, /^held: field_gone department_name/],
        ["one field of half the people", () => {
          access.hides = (field, person) => field === "department" && half(person);
        }, /^held: column department_name/],
        ["everybody's manager", () => access.hidden.add("supervisorEId"), /^held: field_gone manager_key/],
        ["everybody's email", () => access.hidden.add("workEmail"), /^failed: .*nobody's "workEmail"/],
        ["everybody's status", () => access.hidden.add("status"), /^failed: .*nobody's "status"/],
        ["anybody", () => (access.sees = () => false), /^failed: .*shows no employees/],
      ];
      for (const [what, narrow, ends] of narrowed) {
        Object.assign(access, { sees: () => true, hides: () => false });
        access.hidden.clear();
        narrow();
        world.nextDay();
        const run = await world.sync();
        const guards = run.held_by.map(({ guard, field }) => `${guard} ${field ?? ""}`).join();
        assert.match(`${run.status}: ${guards}${run.error?.message ?? ""}`, ends, what);
        assert.deepEqual(
          (await world.people()).map(({ version }) => version),
          before.map(({ version }) => version),
          what,
        );
      }
      Object.assign(access, { sees: () => true, hides: () => false });
      access.hidden.clear();
      const run = await world.sync();
      assert.deepEqual(ends(run), ["succeeded", [], 0]);
    }, { policy: NOW, settings: { subdomain: "acme", source } }));
}

test("that people are gone can be approved, and the next night is quiet", () =>
  connected(async (world) => {
    const { company } = world.fake;
    hireCrowd(company, 40);
    await world.sync();
    for (let id = 31; id <= 36; id++) company.employees.delete(id);
    const held = await world.sync();
    assert.equal(held.status, "held");
    const { status } = await world.post(`/v1/runs/${held.id}/approve`, { plan_hash: held.plan_hash });
    assert.equal(status, 202);
    await world.carry();
    world.nextDay();
    const run = await world.sync();
    assert.deepEqual([run.status, run.counts.missing], ["succeeded", 6]);
    assert.equal((await active(world)).length, 40);
  }));

test("one who disappeared is not taken for one who left", () =>
  connected(async (world) => {
    hireCrowd(world.fake.company, 40);
    await world.sync();
    world.fake.company.employees.delete(7);
    for (let night = 0; night < 4; night++) {
      world.nextDay();
      const run = await world.sync();
      assert.deepEqual([run.status, run.counts.missing, run.changes.length], ["succeeded", 1, 0]);
    }
    assert.equal((await world.person("107")).status, "active");
  }));

test("a field of which nothing comes any more is held, cleared nowhere, and kept when that is approved", () =>
  connected(async (world) => {
    hireCrowd(world.fake.company, 30);
    await world.sync();
    world.fake.access.hidden.add("jobTitle");
    const run = await world.sync();
    assert.deepEqual([run.status, run.held_by.map(({ guard, field }) => [guard, field])], [
      "held",
      [["field_gone", "title"]],
    ]);
    assert.ok(run.issues.some(({ code, field }) => code === "field_restricted" && field === "title"));
    await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    await world.carry();
    const next = await world.sync();
    assert.deepEqual([next.status, next.changes.length], ["succeeded", 0]);
    assert.equal((await world.person("103")).title, "Engineer");
    // Back again, it is an update like any other.
    world.fake.access.hidden.clear();
    assert.equal((await world.sync()).status, "succeeded");
  }));

test("a field that is hidden of half the people clears nothing, and holds", () =>
  connected(async (world) => {
    hireCrowd(world.fake.company, 40);
    await world.sync();
    world.fake.access.hides = (field, { id }) => field === "jobTitle" && id % 2 === 0;
    const run = await world.sync();
    assert.deepEqual([run.status, run.held_by.map(({ guard, field }) => [guard, field]), run.changes.length], [
      "held",
      [["column", "title"]],
      0,
    ]);
    await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    await world.carry();
    assert.equal((await world.person("104")).title, "Clerk");
  }));

test("a field that was taken out of the mapping is not gone", () =>
  connected(async (world) => {
    hireCrowd(world.fake.company, 30);
    await world.sync();
    await world.set("bamboohr", { mapping: { jobTitle: null } });
    const run = await world.sync();
    assert.deepEqual([run.status, run.changes.length], ["succeeded", 0]);
  }));

test("without emails, statuses, or anybody at all the run fails, says what is lacking, and touches nobody", () =>
  connected(async (world) => {
    hireCrowd(world.fake.company, 30);
    await world.sync();
    for (const field of ["workEmail", "status"]) {
      world.fake.access.hidden.clear();
      world.fake.access.hidden.add(field);
      const run = await world.sync();
      assert.deepEqual([run.status, run.error?.code, run.changes.length], ["failed", "source_refused", 0]);
      assert.match(run.error!.message, new RegExp(`nobody's "${field}"`));
    }
    world.fake.access.hidden.clear();
    world.fake.access.sees = () => false;
    const nobody = await world.sync();
    assert.deepEqual([nobody.status, nobody.error?.code], ["failed", "source_refused"]);
    assert.equal((await active(world)).length, 30);
  }));

test("a blank status is unknown: the row is refused and the person left alone", () =>
  connected(async (world) => {
    hireCrowd(world.fake.company, 30);
    await world.sync();
    world.fake.company.employees.get(4)!.status = "";
    world.fake.company.employees.get(5)!.status = null;
    hire(world.fake.company, 50, { status: "" });
    const run = await world.sync();
    assert.deepEqual([run.status, run.counts.failed, run.changes.length], ["partial", 3, 0]);
    assert.deepEqual(run.issues.map(({ code, field, value }) => [code, field, value]), [
      ["value_invalid", "is_active", "(blank)"],
      ["value_invalid", "is_active", "(blank)"],
      ["value_invalid", "is_active", "(blank)"],
    ]);
    assert.equal((await active(world)).length, 30);
  }));

test("who leaves is deactivated, who is to leave stays until the day, who comes back is the same person", () =>
  connected(async (world) => {
    const { company } = world.fake;
    hireCrowd(company, 30);
    await world.sync();
    const five = company.employees.get(5)!, six = company.employees.get(6)!;
    five.terminationDate = "2026-03-02";
    six.terminationDate = "2026-03-04";
    const leaving = await world.sync();
    assert.deepEqual([leaving.counts.deactivated, leaving.counts.updated], [1, 1]);
    const later = await world.person("106");
    assert.deepEqual([later.status, later.deactivation_date], ["active", "2026-03-04"]);
    world.nextDay();
    assert.equal((await world.sync()).changes.length, 0);
    world.nextDay();
    await world.sync();
    assert.equal((await world.person("106")).status, "inactive");
    // Rehired: the old last day is still entered.
    Object.assign(five, { status: "Active", hireDate: "2026-03-04", originalHireDate: "2020-01-06" });
    const { id } = await world.person("105");
    const back = await world.sync();
    assert.deepEqual([back.status, back.counts.reactivated], ["succeeded", 1]);
    const again = await world.person("105");
    assert.deepEqual([again.id, again.status, again.deactivation_date, again.hire_date], [
      id,
      "active",
      null,
      "2026-03-04",
    ]);
    world.nextDay();
    assert.equal((await world.sync()).changes.length, 0);
  }));

test("a new Employee #, email and name are the same person, by BambooHR's own id", () =>
  connected(async (world) => {
    hireCrowd(world.fake.company, 60);
    await world.sync();
    const { id } = await world.person("105");
    Object.assign(world.fake.company.employees.get(5)!, {
      employeeNumber: "X-5",
      workEmail: "new@acme.test",
      lastName: "Married",
    });
    const run = await world.sync();
    assert.deepEqual([run.status, run.counts.updated], ["succeeded", 1]);
    const person = await world.person("X-5");
    assert.deepEqual([person.id, person.email, person.last_name], [id, "new@acme.test", "Married"]);
  }));

test("before their first day people are added with what is to come, or wait for it", () =>
  connected(async (world) => {
    const { company } = world.fake;
    hireCrowd(company, 30);
    hire(company, 50, { hireDate: "2026-03-04", jobTitle: "Pilot", reportsTo: 1 });
    await world.set("bamboohr", { policy: { pre_hires: "wait" }, settings: { subdomain: "acme", source: "report" } });
    const first = await world.sync();
    assert.deepEqual([first.counts.created, first.counts.skipped, said(first)], [30, 1, []]);
    world.nextDay();
    assert.equal((await world.sync()).counts.created, 0);
    world.nextDay();
    assert.equal((await world.sync()).counts.created, 1);
    hire(company, 51, { hireDate: "2026-06-01", jobTitle: "Pilot", reportsTo: 1 });
    await world.set("bamboohr", { policy: { pre_hires: "import" } });
    await world.sync();
    const early = await world.person("151");
    assert.deepEqual([early.title, early.manager?.employee_id], ["Pilot", "101"]);
    // Whose first day is put off is not sent away for it.
    await world.set("bamboohr", { policy: { pre_hires: "wait" } });
    company.employees.get(3)!.hireDate = "2026-08-01";
    assert.equal((await world.sync()).counts.deactivated, 0);
    assert.equal((await world.person("103")).status, "active");
  }));

test("custom fields come by report", () =>
  connected(async (world) => {
    const { company } = world.fake;
    company.customFields.set("customShirt", { id: "4711.1", name: "Shirt" });
    hire(company, 1, { custom: { customShirt: "M" } });
    await world.ask("/v1/custom-fields/shirt", { method: "PUT", json: { type: "text" } });
    await world.set("bamboohr", { mapping: { customShirt: "shirt", location: "location" } });
    assert.deepEqual(ends(await world.sync()), ["succeeded", [], 2]);
    const { custom, location } = await world.person("101");
    assert.deepEqual([custom, location], [{ shirt: "M" }, "Salt Lake City, Utah"]);
  }));

test("after limits, errors, dropped, slow and cut answers the same people are here as without them", async () => {
  const troubles: Mishap[] = [
    { kind: "status", status: 429, retryAfter: "3" },
    { kind: "cut", bytes: 700 },
    { kind: "status", status: 503 },
    { kind: "short", bytes: 2_000 },
    { kind: "drop" },
    { kind: "status", status: 500 },
  ];
  const SLOW: Mishap = { kind: "slow", ms: 1 };
  const nights = async (source: string, script: readonly Mishap[]) => {
    let people: object[] = [];
    await connected(async (world) => {
      const { company, faults } = world.fake;
      hireCrowd(company, 40);
      for (let night = 0; night < 2; night++) {
        faults.add(...script.map((mishap) => ({ mishap })));
        const run = await world.sync();
        assert.deepEqual([run.status, run.complete], ["succeeded", true], `${source}, night ${night}`);
        faults.clear();
        company.employees.get(5)!.lastName = "Changed";
        hire(company, 7, { terminationDate: "2020-01-01" });
        world.nextDay();
      }
      const again = world.hub.lines.filter(({ event }) => event === "source.asked_again").length;
      assert.ok(script.length === 0 ? again === 0 : again >= 4, `${source}: asked again ${again} times`);
      people = await world.people();
    }, { settings: { subdomain: "acme", source } });
    return people;
  };
  for (const source of ["employees", "report", "dataset"]) {
    const undisturbed = await nights(source, []);
    assert.equal(undisturbed.length, 40);
    for (const turn of [0, 3]) {
      assert.deepEqual(await nights(source, [...troubles.slice(turn), ...troubles.slice(0, turn), SLOW]), undisturbed);
    }
  }
});

test("a read that breaks off adds and changes, and makes nobody missing", () =>
  connected(async (world) => {
    const { company, faults } = world.fake;
    await world.set("bamboohr", { policy: NOW, settings: { subdomain: "acme", source: "dataset" } });
    hireCrowd(company, 1_100);
    await world.sync();
    company.employees.get(3)!.lastName = "Changed";
    faults.add({ on: /dataset/, skip: 1, times: 100, mishap: { kind: "status", status: 503 } });
    const run = await world.sync();
    assert.deepEqual([run.status, run.complete, run.counts.updated, run.counts.missing, run.counts.deactivated], [
      "partial",
      false,
      1,
      0,
      0,
    ]);
    assert.ok(run.issues.some(({ code }) => code === "fetch_incomplete"));
    faults.clear();
    const next = await world.sync();
    assert.deepEqual([next.status, next.complete, next.changes.length], ["succeeded", true, 0]);
  }));

test("ten nights with a file feed of the same people: nobody flaps, nobody leaves by one while the other says active", () =>
  connected(async (world) => {
    const { company } = world.fake;
    hireCrowd(company, 30);
    // The file is the older one; it has titles of its own, phones that BambooHR has not, and one who left BambooHR.
    const line = (id: number) => `${100 + id},p${id}@acme.test,First${id},Last${id},File title,+1 555 ${1000 + id},yes`;
    const file = (from: number) =>
      [
        "employee_id,email,first_name,last_name,title,mobile_phone,is_active",
        ...Array.from({ length: 30 }, (_, i) => line(from + i)),
        "",
      ].join("\n");
    await world.set("csv", { policy: { ...NOW, priority: 0, manual_edits: "keep" } });
    await world.set("bamboohr", {
      policy: { ...NOW, priority: 1, manual_edits: "keep" },
      limits: { update: { floor: 50 } },
    });
    await world.import(file(1));
    await world.sync();
    // BambooHR's word counts more.
    assert.equal((await world.person("103")).title, "Engineer");
    await world.edit(await world.person("104"), { title: "By hand" });
    company.employees.delete(8);
    await world.sync();
    const before = await world.people();
    for (let night = 1; night <= 10; night++) {
      world.nextDay();
      const fed = await world.import(`${file(1)}${"\n".repeat(night)}`);
      assert.deepEqual([fed.status, fed.changes.length], ["succeeded", 0], `file, night ${night}`);
      const run = await world.sync();
      assert.deepEqual([run.status, run.changes.length], ["succeeded", 0], `BambooHR, night ${night}`);
    }
    const after = await world.people();
    assert.deepEqual(after.map(({ version }) => version), before.map(({ version }) => version));
    // Gone from BambooHR, the file says active.
    assert.equal((await world.person("108")).status, "active");
    assert.equal((await world.person("104")).title, "By hand");
    // Gone from both.
    const short = file(1).split("\n").filter((each) => !each.startsWith("108,")).join("\n");
    await world.import(short);
    assert.equal((await world.person("108")).status, "inactive");
  }));

test("three failures in a row put the connection into error, a wrong key is asked seldom, and a good one recovers it", () =>
  connected(async (world) => {
    const { fake } = world;
    hireCrowd(fake.company, 10);
    await world.set("bamboohr", { secrets: { api_key: "0".repeat(40) } });
    const connection = async () => await (await world.ask("/v1/connections/bamboohr")).json();
    for (let n = 1; n <= 3; n++) {
      const run = await world.sync();
      assert.deepEqual([run.status, run.error?.code], ["failed", "source_refused"]);
      assert.match(run.error!.message, /API key not provided or invalid/);
      const { state, failures_in_a_row } = await connection();
      assert.deepEqual([state, failures_in_a_row], [n === 3 ? "error" : "ok", n]);
    }
    assert.ok(fake.requests.length <= 6, `${fake.requests.length} requests`);
    await world.set("bamboohr", { secrets: { api_key: fake.key } });
    const run = await world.sync();
    assert.equal(run.status, "succeeded");
    assert.equal((await connection()).state, "ok");
    const events = (await (await world.ask("/v1/events")).json()).data.map(({ type }: { type: string }) => type);
    assert.ok(events.includes("connection.error") && events.includes("connection.recovered"));
  }));

test("the check gives an admin everything in one answer, and names a key that is none or was taken away", () =>
  connected(async (world) => {
    hireCrowd(world.fake.company, 12);
    world.fake.access.hidden.add("city");
    const { status, body } = await world.post("/v1/connections/bamboohr/check");
    assert.equal(status, 200);
    assert.deepEqual([body.ok, body.found.employees, body.found.active], [true, 12, 12]);
    assert.ok(body.found.statuses.includes("Full-Time"));
    assert.deepEqual(body.found.missing, [
      { field: "city", fills: "location", of: "everybody", costs: '"location" is left as it is' },
    ]);
    await world.set("bamboohr", { secrets: { api_key: "0".repeat(40) } });
    const wrong = (await world.post("/v1/connections/bamboohr/check")).body;
    assert.deepEqual([wrong.ok, wrong.code], [false, "source_refused"]);
    assert.match(wrong.detail, /API key not provided or invalid/);
    // Another subdomain takes the key away: it might go to somebody else. Another spelling does not.
    await world.set("bamboohr", { secrets: { api_key: world.fake.key } });
    await world.set("bamboohr", { settings: { subdomain: "https://ACME.bamboohr.com/" } });
    assert.equal((await world.post("/v1/connections/bamboohr/check")).body.ok, true);
    const asked = world.fake.requests.length;
    await world.set("bamboohr", { settings: { subdomain: "other" } });
    const lacking = (await world.post("/v1/connections/bamboohr/check")).body;
    assert.deepEqual([lacking.ok, lacking.code], [false, "secrets_required"]);
    assert.equal(world.fake.requests.length, asked);
  }));

test("an admin allows it by OAuth, and the hub renews its tokens night after night", () =>
  connected(async (world) => {
    const { fake } = world;
    const { oauth, company } = fake;
    oauth.now = () => world.hub.clock.ms;
    hireCrowd(company, 10);
    // The list as it was first described wants OAuth, and says less.
    company.switches.listEdition = "2026-04";
    await world.set("bamboohr", {
      settings: { subdomain: "acme", client_id: oauth.clientId },
      secrets: { client_secret: oauth.clientSecret },
    });
    const early = await world.sync();
    assert.deepEqual([early.status, early.error?.code], ["failed", "secrets_required"]);
    const { body } = await world.post("/v1/connections/bamboohr/authorize");
    const url = new URL(body.authorization_url);
    assert.equal(url.origin, "https://acme.bamboohr.com");
    const consent = await fetch(`http://127.0.0.1:${fake.port}${url.pathname}${url.search}`, { redirect: "manual" });
    await consent.body?.cancel();
    const back = new URL(consent.headers.get("location")!);
    assert.equal(`${back.origin}${back.pathname}`, body.redirect_uri);
    assert.equal((await world.ask(`${back.pathname}${back.search}`)).status, 200);
    const first = await world.sync();
    assert.deepEqual([first.status, first.counts.created], ["succeeded", 10]);
    assert.ok(
      fake.asked.some(({ path, headers }) =>
        path === "/reports/custom" && headers.authorization?.startsWith("Bearer ")
      ),
    );
    for (const rotates of [false, true, true]) {
      oauth.rotates = rotates;
      world.nextDay();
      assert.equal((await world.sync()).status, "succeeded");
    }
    assert.equal(oauth.refreshed, 3);
    oauth.revoke();
    const revoked = await world.sync();
    assert.deepEqual([revoked.status, revoked.changes.length], ["failed", 0]);
    assert.match(revoked.error!.code, /source_refused|secrets_required/);
  }));
