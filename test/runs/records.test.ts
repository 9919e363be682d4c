import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, DAY_MS, HEADER, HOUR_MS, importing, rowsCounted, said } from "../support/imports.ts";

const ANA = "1,ana@acme.test,Ana,Lopez";

test("an absent column leaves the field alone, an empty cell clears it", () =>
  importing(async (world) => {
    await world.import(csv(`${HEADER},title,location`, `${ANA},Engineer,Oslo`));
    await world.import(csv(`${HEADER},title`, `${ANA},`));
    const { title, location } = await world.person("1");
    assert.deepEqual({ title, location }, { title: null, location: "Oslo" });
  }));

test("a field that some records do not name is left alone, among others that do", () =>
  importing(async (world) => {
    const people = (titled: (i: number) => boolean) =>
      JSON.stringify(Array.from({ length: 40 }, (_, i) => ({
        employee_id: `E${i}`,
        email: `p${i}@acme.test`,
        first_name: `First${i}`,
        last_name: `Last${i}`,
        ...(titled(i) ? { title: "Engineer" } : {}),
      })));
    const as = { name: "people.json", type: "application/json" };
    await world.import(people(() => true), as);
    const run = await world.import(people((i) => i % 4 !== 0), as);
    assert.deepEqual([run.status, run.changes.length], ["succeeded", 0]);
    assert.equal((await world.person("E4")).title, "Engineer");
  }));

test("an empty cell leaves the field alone where the policy keeps", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { empty_cells: "keep" } });
    await world.import(csv(`${HEADER},title`, `${ANA},Engineer`));
    const run = await world.import(csv(`${HEADER},title`, "1,,Ana,Lopez,"));
    const { title, email } = await world.person("1");
    assert.deepEqual([title, email, run.counts.unchanged, said(run)], ["Engineer", "ana@acme.test", 1, []]);
  }));

test("an empty required field rejects the row, a wrong optional value only that value", () =>
  importing(async (world) => {
    const run = await world.import(
      csv(
        `${HEADER},hire_date,title`,
        `${ANA},2020-13-40,Lead`,
        "2,bo@acme.test,,Berg,,",
        "3,cy@acme,Cy,Dahl,,",
      ),
    );
    assert.deepEqual(said(run), ["2 date_invalid", "3 required_field_missing", "4 email_invalid"]);
    assert.deepEqual(run.issues.map(({ severity }) => severity), ["warning", "error", "error"]);
    assert.deepEqual(
      [run.status, run.counts.created, run.counts.failed, run.counts.warned],
      ["partial", 1, 2, 1],
    );
    const { title, hire_date } = await world.person("1");
    assert.deepEqual([title, hire_date], ["Lead", null]);
  }));

test("nobody is taken for active by a typo: a status that cannot be read rejects the row", () =>
  importing(async (world) => {
    const run = await world.import(
      csv(
        `${HEADER},is_active,deactivation_date`,
        `${ANA},actve,`,
        "2,bo@acme.test,Bo,Berg,,31/12/2020",
      ),
    );
    assert.deepEqual(said(run), ["2 value_invalid", "3 date_invalid"]);
    assert.deepEqual([run.status, run.error?.code], ["failed", "rows_rejected"]);
    assert.deepEqual(await world.people(), []);
  }));

test("a row that says inactive needs only its key; its other mistakes are warnings", () =>
  importing(async (world) => {
    await world.import(csv(`${HEADER},is_active`, `${ANA},yes`, "2,bo@acme.test,Bo,Berg,yes"));
    const run = await world.import(csv(`${HEADER},is_active`, "1,ana@,,Lopez,no", "2,bo@acme.test,Bo,Berg,yes"));
    assert.deepEqual(run.issues.map(({ line, severity }) => [line, severity]), [[2, "warning"], [2, "warning"]]);
    assert.deepEqual([run.status, run.counts.deactivated], ["succeeded", 1]);
    const { status, first_name } = await world.person("1");
    assert.deepEqual([status, first_name], ["inactive", "Ana"]);
  }));

test("an inactive stranger is passed over", () =>
  importing(async (world) => {
    const run = await world.import(csv(`${HEADER},is_active`, `${ANA},no`, "2,bo@acme.test,Bo,Berg,yes"));
    assert.deepEqual([run.counts.skipped, run.counts.created, run.status, said(run)], [1, 1, "succeeded", []]);
  }));

test("the first applied input fixes the key, and later ones must have its column", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA));
    const run = await world.import(csv("email,first_name,last_name", "ana@acme.test,Ana,Lopez"));
    assert.deepEqual([run.status, run.error?.code], ["failed", "header_missing"]);
    assert.match(run.error!.message, /employee_id/);
  }));

test("without an employee_id column the email is the key", () =>
  importing(async (world) => {
    await world.import(csv("email,first_name,last_name", "Ana@Acme.test,Ana,Lopez"));
    const { sources, email } = await world.person("ana@acme.test");
    assert.deepEqual([sources[0]!.source_key, email], ["ana@acme.test", "ana@acme.test"]);
    const run = await world.import(csv("email,first_name,last_name,title", "ANA@acme.test,Ana,Lopez,Lead"));
    assert.deepEqual([run.counts.updated, run.counts.created], [1, 0]);
  }));

test("a run that only planned fixes no key", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA), { mode: "plan" });
    const run = await world.import(csv("email,first_name,last_name", "ana@acme.test,Ana,Lopez"));
    assert.deepEqual([run.status, run.counts.created], ["succeeded", 1]);
  }));

test("a row without a key is an error", () =>
  importing(async (world) => {
    const run = await world.import(csv(HEADER, ANA, ",bo@acme.test,Bo,Berg"));
    assert.deepEqual([said(run), run.counts.failed, run.counts.created], [["3 required_field_missing"], 1, 1]);
  }));

test("every row with the same key is rejected, each naming the lines of the others", () =>
  importing(async (world) => {
    const run = await world.import(
      csv(HEADER, ANA, "2,bo@acme.test,Bo,Berg", "1,ana.two@acme.test,Ana,Lopez", "1,ana.three@acme.test,Ana,Lopez"),
    );
    assert.deepEqual(said(run), ["2 duplicate_in_input", "4 duplicate_in_input", "5 duplicate_in_input"]);
    assert.match(run.issues[0]!.message, /lines 4 and 5/);
    assert.match(run.issues[1]!.message, /lines 2 and 5/);
    assert.deepEqual([run.counts.failed, run.counts.created], [3, 1]);
    assert.deepEqual((await world.people()).map(({ employee_id }) => employee_id), ["2"]);
  }));

test("the same email on two active rows rejects both; on an inactive one it does not matter", () =>
  importing(async (world) => {
    const run = await world.import(
      csv(
        `${HEADER},is_active`,
        `${ANA},yes`,
        "2,ANA@acme.test,Bo,Berg,yes",
        "3,cy@acme.test,Cy,Dahl,yes",
        "4,cy@acme.test,Cy,Former,no",
      ),
    );
    assert.deepEqual(said(run), ["2 duplicate_in_input", "3 duplicate_in_input"]);
    assert.match(run.issues[0]!.message, /line 3/);
    assert.deepEqual([run.counts.failed, run.counts.created, run.counts.skipped], [2, 1, 1]);
  }));

test("duplicates of people who did not change are found too", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA, "2,bo@acme.test,Bo,Berg"));
    const run = await world.import(csv(HEADER, ANA, "2,bo@acme.test,Bo,Berg", ANA.replace("Ana", "Anna")));
    assert.deepEqual(said(run), ["2 duplicate_in_input", "4 duplicate_in_input"]);
    assert.deepEqual([run.counts.failed, run.counts.unchanged, run.counts.read], [2, 1, 3]);
  }));

test("a deactivation date that has come deactivates; a later one is stored and carried out on its day", () =>
  importing(async (world) => {
    const header = `${HEADER},deactivation_date`;
    await world.import(csv(header, `${ANA},`, "2,bo@acme.test,Bo,Berg,", "3,cy@acme.test,Cy,Dahl,"));
    const run = await world.import(
      csv(header, `${ANA},2026-03-02`, "2,bo@acme.test,Bo,Berg,2026-03-04", "3,cy@acme.test,Cy,Dahl,"),
    );
    // Two of three is more than half.
    assert.equal(run.status, "held");
    await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    await world.carry();
    assert.deepEqual((await world.people()).map(({ status }) => status), ["inactive", "active", "active"]);
    assert.equal((await world.person("2")).deactivation_date, "2026-03-04");

    world.later(DAY_MS);
    await world.tick();
    await world.carry();
    assert.equal((await world.person("2")).status, "active");
    world.later(DAY_MS);
    await world.tick();
    await world.carry();
    assert.equal((await world.person("2")).status, "inactive");
    const due = (await world.runs()).at(-1)!;
    assert.deepEqual([due.trigger, due.counts.deactivated, due.status], ["due", 1, "succeeded"]);
    assert.equal((await world.run(due.id)).changes[0]!.reason, "due");
    await world.tick();
    assert.equal((await world.runs()).at(-1)!.id, due.id);
  }));

test("many due on one day are held like any other", () =>
  importing(async (world) => {
    const header = `${HEADER},deactivation_date`;
    const rows = (date: string) =>
      Array.from({ length: 12 }, (_, i) => `${i},p${i}@acme.test,P${i},Q,${i < 7 ? date : ""}`);
    await world.import(csv(header, ...rows("2026-03-03")));
    world.later(DAY_MS);
    await world.tick();
    await world.carry();
    const due = (await world.runs()).at(-1)!;
    assert.deepEqual([due.trigger, due.status], ["due", "held"]);
    assert.deepEqual(due.held_by, [{ guard: "deactivate", count: 7, limit: 2, base: 12 }]);
    assert.equal((await world.people()).filter(({ status }) => status === "inactive").length, 0);
  }));

test("leaving days that were let pass or approved when they came do not count again on the day", () =>
  importing(async (world) => {
    const header = `${HEADER},deactivation_date`;
    const rows = (leaving: number) =>
      Array.from({ length: 20 }, (_, i) => `${i},p${i}@acme.test,P${i},Q,${i < leaving ? "2026-03-04" : ""}`);
    await world.import(csv(header, ...rows(0)));
    for (const leaving of [2, 4]) {
      assert.equal((await world.import(csv(header, ...rows(leaving)))).status, "succeeded");
    }
    const run = await world.import(csv(header, ...rows(8)));
    assert.deepEqual(run.held_by, [{ guard: "deactivate", count: 4, limit: 2, base: 20 }]);
    await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    await world.carry();
    world.later(2 * DAY_MS);
    await world.tick();
    await world.carry();
    const due = (await world.runs()).at(-1)!;
    assert.deepEqual([due.trigger, due.status, due.counts.deactivated], ["due", "succeeded", 8]);
  }));

test("a leaving day that was given up and comes back by hand counts on the day", () =>
  importing(async (world) => {
    const header = `${HEADER},deactivation_date`;
    const rows = (date: string) =>
      Array.from({ length: 12 }, (_, i) => `${i},p${i}@acme.test,P${i},Q,${i < 2 ? date : ""}`);
    for (const date of ["", "2026-03-04", ""]) await world.import(csv(header, ...rows(date)));
    for (const key of ["0", "1", "2"]) {
      await world.edit(await world.person(key), { deactivation_date: "2026-03-04" });
    }
    world.later(2 * DAY_MS);
    await world.tick();
    await world.carry();
    const due = (await world.runs()).at(-1)!;
    assert.deepEqual([due.trigger, due.status, due.held_by[0]?.count], ["due", "held", 3]);
  }));

test("gaining a deactivation date counts for the guard of deactivations", () =>
  importing(async (world) => {
    const header = `${HEADER},deactivation_date`;
    const rows = (date: string) => Array.from({ length: 12 }, (_, i) => `${i},p${i}@acme.test,P${i},Q,${date}`);
    await world.import(csv(header, ...rows("")));
    const run = await world.import(csv(header, ...rows("2027-01-01")));
    assert.deepEqual([run.status, run.held_by[0]?.guard, run.held_by[0]?.count], ["held", "deactivate", 12]);
  }));

test("a filter on statuses: others are not created, linked ones are deactivated, blank ones left alone", () =>
  importing(async (world) => {
    const header = `${HEADER},employment_status`;
    const rest = ["3,cy@acme.test,Cy,Dahl,Permanent", "4,di@acme.test,Di,Eng,Permanent"];
    await world.import(csv(header, `${ANA},Permanent`, "2,bo@acme.test,Bo,Berg,Permanent", ...rest));
    await world.set("csv", { policy: { only_statuses: ["permanent"] } });
    const run = await world.import(
      csv(header, `${ANA},Contractor`, "2,bo@acme.test,Bo,Berg,", ...rest, "5,ed@acme.test,Ed,Falk,Contractor"),
    );
    assert.deepEqual(
      [run.counts.deactivated, run.counts.skipped, run.counts.created, said(run)],
      [1, 1, 0, ["3 status_unknown"]],
    );
    assert.equal(run.changes.find(({ action }) => action === "deactivate")?.reason, "filtered");
    assert.deepEqual([(await world.person("1")).status, (await world.person("2")).status], ["inactive", "active"]);
    assert.equal(rowsCounted(run), run.counts.read);
  }));

test("a selected status that the source no longer knows is said of the run", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { only_statuses: ["Permanent", "Intern"] } });
    const text = csv(`${HEADER},employment_status`, `${ANA},permanent`, "2,bo@acme.test,Bo,Berg,Contractor");
    const run = await world.import(text);
    assert.deepEqual(said(run), ["- status_not_in_source"]);
    assert.match(run.issues[0]!.message, /"Intern"/);
    assert.equal(run.status, "succeeded");
    // Rows known by their digests have statuses too.
    const again = await world.import(text + "\n3,cy@acme.test,Cy,Dahl,Permanent\n");
    assert.deepEqual(said(again), ["- status_not_in_source"]);
    const diff = await world.import(csv(`${HEADER},employment_status`, "2,bo@acme.test,Bo,Berg,Contractor"), {
      coverage: "diff",
    });
    assert.deepEqual(said(diff), []);
  }));

test("a row with another number of cells is an error of its own", () =>
  importing(async (world) => {
    const run = await world.import(csv(HEADER, ANA, "2,bo@acme.test,Bo,Berg,Clerk"));
    assert.deepEqual([said(run), run.counts.failed, run.counts.created], [["3 cell_count"], 1, 1]);
  }));

test("a full input without rows fails, a diff without rows succeeds with zeros", () =>
  importing(async (world) => {
    const full = await world.import(csv(HEADER));
    assert.deepEqual([full.status, full.error?.code, said(full)], ["failed", "input_empty", ["- input_empty"]]);
    const diff = await world.import(csv(HEADER), { coverage: "diff" });
    assert.deepEqual([diff.status, diff.counts.read], ["succeeded", 0]);
  }));

test("the order of rows does not matter, and the same input twice plans nothing", () =>
  importing(async (world) => {
    const rows = [`${ANA},2,Sales`, "2,bo@acme.test,Bo,Berg,,Sales", "3,cy@acme.test,Cy,Dahl,1,Care"];
    const header = `${HEADER},manager_id,department_name`;
    await world.import(csv(header, ...rows));
    const run = await world.import(csv(header, ...rows.toReversed()));
    assert.deepEqual([run.counts.unchanged, run.changes.length, run.counts.read], [3, 0, 3]);
  }));

test("an unknown header is said, and its column is not processed", () =>
  importing(async (world) => {
    const run = await world.import(csv(`${HEADER},titel`, `${ANA},Lead`));
    assert.deepEqual(said(run), ["- header_unknown"]);
    assert.match(run.issues[0]!.message, /"title"/);
    assert.equal((await world.person("1")).title, null);
  }));

test("a last line that is cut off applies nothing", () =>
  importing(async (world) => {
    const run = await world.import(csv(HEADER, ANA, "2,bo@acme.test,Bo,Berg") + "3,cy@acm");
    assert.deepEqual([run.status, run.error?.code], ["failed", "input_incomplete"]);
    assert.deepEqual(await world.people(), []);
    const quote = await world.import(csv(HEADER, ANA) + '2,bo@acme.test,Bo,"Berg');
    assert.equal(quote.status, "failed");
    assert.deepEqual(await world.people(), []);
  }));

test("a new person needs what the organization requires, custom fields too; a known one only what is given", () =>
  importing(async (world) => {
    await world.import(csv(HEADER, ANA));
    const field = await world.ask("/v1/custom-fields/badge", {
      method: "PUT",
      json: { label: "Badge", type: "text", required: true },
    });
    assert.ok(field.ok);
    const run = await world.import(csv(`${HEADER},title`, `${ANA},Lead`, "2,bo@acme.test,Bo,Berg,"));
    assert.deepEqual([said(run), run.counts.updated], [["3 required_field_missing"], 1]);
    assert.equal(run.issues[0]!.field, "badge");
    const both = await world.import(csv(`${HEADER},badge`, `${ANA},A1`, "2,bo@acme.test,Bo,Berg,B2"));
    assert.deepEqual([said(both), both.counts.created], [["- column_vanished"], 1]);
    assert.deepEqual((await world.people()).map(({ custom }) => custom), [{ badge: "A1" }, { badge: "B2" }]);
  }));

test("a custom field is cleared by an empty cell and left alone by an absent column", () =>
  importing(async (world) => {
    for (const key of ["badge", "floor"]) {
      await world.ask(`/v1/custom-fields/${key}`, { method: "PUT", json: { label: key, type: "text" } });
    }
    await world.import(csv(`${HEADER},badge,floor`, `${ANA},A1,3`));
    await world.import(csv(`${HEADER},badge`, `${ANA},`));
    assert.deepEqual((await world.person("1")).custom, { floor: "3" });
  }));

test("the day is the organization's own", () =>
  importing(async (world) => {
    // 08:00 in UTC is still the evening before in Honolulu.
    const answer = await world.ask("/v1/organization", { method: "PATCH", json: { timezone: "Pacific/Honolulu" } });
    assert.equal(answer.status, 200);
    await world.import(csv(`${HEADER},deactivation_date`, `${ANA},`, "2,bo@acme.test,Bo,Berg,"));
    await world.import(csv(`${HEADER},deactivation_date`, `${ANA},2026-03-02`, "2,bo@acme.test,Bo,Berg,"));
    assert.equal((await world.person("1")).status, "active");
    world.later(3 * HOUR_MS);
    await world.tick();
    await world.carry();
    assert.equal((await world.person("1")).status, "inactive");
  }));

test("a leaver whose date is taken back stays", () =>
  importing(async (world) => {
    const rows = (date: string) => csv(`${HEADER},deactivation_date`, `${ANA},${date}`, "2,bo@acme.test,Bo,Berg,");
    await world.import(rows("2026-03-03"));
    await world.import(rows(""));
    world.later(2 * DAY_MS);
    await world.tick();
    await world.carry();
    assert.equal((await world.person("1")).status, "active");
  }));
