/** The policy `only_rows`: a connection that imports only rows with certain cells. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, importing, said } from "../support/imports.ts";

const OPEN = { limits: { deactivate: { enabled: false } } };
const header = `${HEADER},Company`;
const row = (id: number, company: string) => `${id},p${id}@acme.test,First${id},Last${id},${company}`;
const ACME = { policy: { only_rows: [{ column: "company", is: ["Acme", "Acme North"] }] } };

test("rows of others are not created, and people whose row is another's by now are deactivated as filtered", () =>
  importing(async (world) => {
    await world.set("csv", { ...OPEN, ...ACME });
    const first = await world.import(csv(header, row(1, "Acme"), row(2, " acme north "), row(3, "Other")));
    assert.deepEqual([said(first), first.counts.created, first.counts.skipped], [[], 2, 1]);
    const moved = csv(header, row(1, "Other"), row(2, "Acme North"), row(3, "Other"));
    const run = await world.import(moved);
    assert.deepEqual(run.changes.map(({ line, action, reason }) => [line, action, reason]), [[
      2,
      "deactivate",
      "filtered",
    ]]);
    assert.deepEqual((await world.people()).map(({ status }) => status), ["inactive", "active"]);
    const again = await world.import(`${moved}\n`);
    assert.deepEqual([again.changes.length, again.counts.missing], [0, 0]);
    const back = await world.import(csv(header, row(1, "Acme"), row(2, "Acme North")));
    assert.deepEqual(back.changes.map(({ action }) => action), ["reactivate"]);
  }));

test("a person with a new number whose row is another's by now is deactivated as filtered, as under the old one", () =>
  importing(async (world) => {
    await world.set("csv", { limits: { deactivate: { enabled: false }, identity: { enabled: false } }, ...ACME });
    await world.import(csv(header, row(1, "Acme"), row(2, "Acme")));
    const run = await world.import(csv(header, "9,p1@acme.test,First1,Last1,Other", row(2, "Acme")));
    assert.deepEqual(run.changes.map(({ line, action, reason }) => [line, action, reason]), [[
      2,
      "deactivate",
      "filtered",
    ]]);
    const again = await world.import(csv(header, row(2, "Acme"), "9,p1@acme.test,First1,Last1,Other"));
    assert.deepEqual([again.changes, again.counts.missing], [[], 0]);
  }));

test("every condition counts, and the column may be one of the people's fields", () =>
  importing(async (world) => {
    await world.set("csv", {
      policy: { only_rows: [{ column: "Company", is: ["Acme"] }, { column: "Title", is_not: ["Robot", "Intern"] }] },
    });
    const run = await world.import(
      csv(
        `${header},title`,
        `${row(1, "Acme")},Lead`,
        `${row(2, "Acme")},robot`,
        `${row(3, "Other")},Lead`,
        `${row(4, "Acme")},`,
      ),
    );
    assert.deepEqual([run.counts.created, run.counts.skipped], [2, 2]);
    assert.deepEqual((await world.people()).map(({ employee_id, title }) => [employee_id, title]), [["1", "Lead"], [
      "4",
      null,
    ]]);
  }));

test("the change of a column that has no field is seen when the columns come in another order", () =>
  importing(async (world) => {
    await world.set("csv", { ...OPEN, ...ACME });
    await world.import(csv(header, row(1, "Acme"), row(2, "Acme")));
    const run = await world.import(
      csv(`Company,${HEADER}`, "Acme,1,p1@acme.test,First1,Last1", "Other,2,p2@acme.test,First2,Last2"),
    );
    assert.deepEqual(run.changes.map(({ line, reason }) => [line, reason]), [[3, "filtered"]]);
  }));

test("an empty cell deactivates and creates nobody, and the row says so, unless the list names it", () =>
  importing(async (world) => {
    await world.set("csv", { ...OPEN, ...ACME });
    await world.import(csv(header, row(1, "Acme"), row(2, "Acme")));
    const rows = [row(1, ""), row(2, "#N/A"), row(3, "")];
    const run = await world.import(csv(header, ...rows));
    assert.deepEqual([said(run), run.changes.length], [
      ["2 filter_unclear", "3 filter_unclear", "4 filter_unclear"],
      0,
    ]);
    assert.equal(run.issues[0]!.field, "company");
    await world.set("csv", { policy: { only_rows: [{ column: "company", is: ["Acme", ""] }] } });
    const named = await world.import(csv(header, ...rows));
    assert.deepEqual([said(named), named.counts.created], [["3 filter_unclear"], 1]);
  }));

test("a column that is not there is told once on the run, and filters nobody", () =>
  importing(async (world) => {
    await world.set("csv", { ...OPEN, ...ACME });
    await world.import(csv(header, row(1, "Acme"), row(2, "Acme")));
    const without = csv(HEADER, "1,p1@acme.test,First1,Last1", "2,p2@acme.test,First2,Last2", "3,p3@acme.test,C,D");
    const run = await world.import(without);
    assert.deepEqual([said(run), run.counts.created, run.counts.deactivated], [["- filter_column_missing"], 1, 0]);
    assert.match(run.issues[0]!.message, /"company"/);
    assert.deepEqual(said(await world.import(`${without}\n`)), ["- filter_column_missing"]);
  }));

test("records are chosen by their keys, of whatever type their values are", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { only_rows: [{ column: "plant", is: ["7"] }] } });
    const person = (id: string, plant: unknown) => ({
      employee_id: id,
      email: `p${id}@acme.test`,
      first_name: "A",
      last_name: "B",
      plant,
    });
    const run = await world.import(JSON.stringify([person("1", 7), person("2", 8), person("3", "7")]), {
      name: "people.json",
      type: "application/json",
    });
    assert.deepEqual([said(run), run.counts.created, run.counts.skipped], [[], 2, 1]);
  }));

test("a column of statuses that rows are chosen by is not an unclear one", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { only_rows: [{ column: "Status", is: ["Employed", "Terminated"] }] } });
    const run = await world.import(
      csv(`${HEADER},Status`, row(1, "Employed"), row(2, "Terminated"), row(3, "Retired")),
    );
    assert.deepEqual([said(run), run.counts.created, run.counts.skipped], [[], 2, 1]);
  }));

test("the setting is checked, shown with where it comes from, and taken back with null", () =>
  importing(async (world) => {
    const patch = (only_rows: unknown) =>
      world.ask("/v1/connections/csv", { method: "PATCH", json: { policy: { only_rows } } });
    for (
      const wrong of [[{ column: "A" }], [{ column: "A", is: [] }], [{ column: "", is: ["x"] }], [{
        column: "A",
        is: ["x"],
        is_not: ["y"],
      }], { column: "A", is: ["x"] }]
    ) {
      const answer = await patch(wrong);
      assert.equal(answer.status, 400, JSON.stringify(wrong));
      assert.match(await answer.text(), /only_rows/);
    }
    const read = async () => (await (await world.ask("/v1/connections/csv")).json()).in_force.policy.only_rows;
    assert.deepEqual(await read(), { value: null, from: "default" });
    assert.equal((await patch(ACME.policy.only_rows)).status, 200);
    assert.deepEqual(await read(), { value: ACME.policy.only_rows, from: "connection" });
    assert.equal((await patch(null)).status, 200);
    assert.deepEqual(await read(), { value: null, from: "default" });
  }));
