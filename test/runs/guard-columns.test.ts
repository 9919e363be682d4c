import assert from "node:assert/strict";
import { test } from "node:test";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";

/** Imports `text`; tells the status, and of each column that holds it how many of how many have a value. */
async function tell(world: Importing, text: string): Promise<string[]> {
  const run = await world.import(text);
  return [run.status, ...run.held_by.map(({ guard, field, count, base }) => `${guard} ${field} ${count} of ${base}`)];
}

/** Only the guard of columns looks. */
async function columnsAlone(work: (world: Importing) => Promise<void>): Promise<void> {
  const off = { enabled: false };
  await importing(async (world) => {
    await world.set("csv", { limits: { update: off, deactivate: off, reactivate: off, create: off, identity: off } });
    await work(world);
  });
}

const header = `${HEADER},location`;
/** `n` people, the first `filled` of whom have a location. */
const located = (n: number, filled: number, from = 1) => crowd(n, from, (i) => i < from + filled ? ",Oslo" : ",");

test("a small firm whose export comes with blank columns keeps what it has", () =>
  importing(async (world) => {
    const wide = `${HEADER},title,department_name,manager_id,phone`;
    const rows = (more: (i: number) => string) => csv(wide, ...crowd(12, 1, more));
    await world.import(
      rows((i) => `,Clerk,Sales,${i === 1 ? "" : "E0001"},+1 555 010 01${String(i).padStart(2, "0")}`),
    );
    const run = await world.import(rows(() => ",,,,"));
    assert.equal(run.status, "held");
    const columns = run.held_by.filter(({ guard }) => guard === "column");
    assert.deepEqual(columns.map(({ field, count, base }) => [field, count, base]), [
      ["title", 0, 12],
      ["department_name", 0, 12],
      ["manager_id", 0, 12],
      ["phone", 0, 12],
    ]);
    assert.deepEqual((await world.person("E0002")).title, "Clerk");
  }));

test("a column's share of values is compared from 5 people on", () =>
  columnsAlone(async (world) => {
    await world.import(csv(header, ...located(5, 5)));
    assert.deepEqual(await tell(world, csv(header, ...located(5, 3))), ["held", "column location 3 of 5"]);
    assert.deepEqual(await tell(world, csv(header, ...located(5, 4))), ["succeeded"]);
    await world.connect("four", { limits: { update: { enabled: false } } });
    const four = (filled: number) => world.import(csv(header, ...located(4, filled, 50)), { connection: "four" });
    await four(4);
    assert.equal((await four(1)).status, "succeeded");
  }));

test("at any size, a column is not emptied that three people had a value in", () =>
  columnsAlone(async (world) => {
    await world.import(csv(header, ...located(3, 3)));
    assert.deepEqual(await tell(world, csv(header, ...located(3, 0))), ["held", "column location 0 of 3"]);
    assert.deepEqual(await tell(world, csv(header, ...located(3, 2))), ["succeeded"]);
    assert.deepEqual(await tell(world, csv(header, ...located(3, 0))), ["succeeded"]);
    await world.connect("large", { limits: { update: { enabled: false } } });
    const large = (filled: number) => world.import(csv(header, ...located(100, filled, 50)), { connection: "large" });
    await large(3);
    assert.deepEqual((await large(0)).held_by.map(({ count, limit, base }) => [count, limit, base]), [[0, 1, 100]]);
  }));

test("only people who are in both inputs count: others come and go with or without a value", () =>
  columnsAlone(async (world) => {
    await world.import(csv(header, ...located(10, 10)));
    // Thirty new people without a location would be a fall of 75 points.
    assert.deepEqual(await tell(world, csv(header, ...located(10, 10), ...located(30, 0, 11))), ["succeeded"]);
    // And thirty with one would hide that the others' are gone.
    assert.deepEqual(await tell(world, csv(header, ...located(40, 0), ...located(30, 30, 41))), [
      "held",
      "column location 0 of 40",
    ]);
  }));

test("values that were edited by hand, or another connection's, are not this column's to lose", () =>
  columnsAlone(async (world) => {
    await world.import(csv(header, ...located(6, 0)));
    for (const person of await world.people()) await world.edit(person, { location: "Bergen" });
    assert.deepEqual(await tell(world, csv(header, ...located(6, 0))), ["succeeded"]);
  }));

test("values are missed whose rows had a warning, or came in an input without the column", () =>
  columnsAlone(async (world) => {
    const wide = `${header},phone`;
    const rows = (location: string) => csv(wide, ...crowd(6, 1, () => `,${location},n/a`));
    await world.import(rows("Oslo"));
    await world.import(csv(HEADER, ...crowd(6)));
    assert.deepEqual(await tell(world, rows("")), ["held", "column location 0 of 6"]);
  }));

test("a key that records do not have any more clears nothing, and is missed once", () =>
  columnsAlone(async (world) => {
    const records = (location: object) =>
      JSON.stringify({
        users: Array.from({ length: 8 }, (_, i) => ({
          employee_id: `E${i}`,
          email: `p${i}@acme.test`,
          first_name: `P${i}`,
          last_name: "Q",
          ...(i === 0 ? { location: "Rome" } : location),
        })),
      });
    const send = (text: string) => world.import(text, { name: "people.json", type: "application/json" });
    await send(records({ location: "Oslo" }));
    const run = await send(records({}));
    assert.deepEqual([run.status, run.held_by[0]?.field, run.held_by[0]?.count], ["held", "location", 1]);
    await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    await world.carry();
    assert.equal((await world.person("E1")).location, "Oslo");
    await world.set("csv", { policy: { priority: 1 } });
    assert.equal((await send(records({}))).status, "succeeded");
    assert.equal((await send(records({ location: null }))).held_by[0]?.field, "location");
  }));

test("rows that are refused are not counted, nor twice where somebody has two: they clear nothing", () =>
  columnsAlone(async (world) => {
    await world.set("csv", { limits: { errors: { enabled: false } } });
    await world.import(csv(header, ...located(8, 8)));
    // Three people have two rows each that do not agree, and say nothing of where they are.
    const twins = [1, 2, 3].flatMap((i) => [...located(1, 0, i), ...crowd(1, i, () => ",Bergen")]);
    assert.deepEqual(await tell(world, csv(header, ...twins, ...located(5, 5, 4))), ["partial"]);
    const run = await tell(world, csv(header, ...twins, ...located(3, 3, 4), ...located(2, 0, 7)));
    assert.deepEqual(run, ["held", "column location 3 of 5"]);
  }));

test("an input whose end is in doubt is looked at as well: it clears as any other", () =>
  columnsAlone(async (world) => {
    await world.import(csv(header, ...located(6, 6)));
    assert.deepEqual(await tell(world, csv(header, ...located(6, 0)).trimEnd()), ["held", "column location 0 of 6"]);
  }));

test("rows of people who leave may be empty", () =>
  columnsAlone(async (world) => {
    const wide = `${header},is_active`;
    const rows = (leavers: number) => csv(wide, ...crowd(6, 1, (i) => i <= leavers ? ",,no" : ",Oslo,yes"));
    await world.import(rows(0));
    assert.deepEqual(await tell(world, rows(3)), ["succeeded"]);
  }));

test("reports of a manager who leaves may have none, others keep theirs", () =>
  columnsAlone(async (world) => {
    const wide = `${HEADER},manager_id,is_active`;
    const rows = (boss: string, manager: string, from = 2) =>
      csv(wide, ...crowd(12, 1, (i) => i === 1 ? `,,${boss}` : `,${i < from ? "E0001" : manager},yes`));
    await world.import(rows("yes", "E0001"));
    assert.deepEqual(await tell(world, rows("yes", "")), ["held", "column manager_id 0 of 12"]);
    assert.deepEqual(await tell(world, rows("no", "", 8)), ["succeeded"]);
    // Some days later, as the manager is gone by now.
    assert.deepEqual(await tell(world, rows("no", "")), ["succeeded"]);
    assert.equal((await world.person("E0009")).manager, null);
  }));

test("on_leave and leaving dates end for everybody at once", () =>
  columnsAlone(async (world) => {
    const wide = `${HEADER},on_leave,deactivation_date`;
    const rows = (more: string) => csv(wide, ...crowd(6, 1, () => more));
    await world.import(rows(",yes,2090-01-31"));
    assert.deepEqual(await tell(world, rows(",,")), ["succeeded"]);
  }));

test("two leavers who would return, as no leaving date is left, hold the input", () =>
  columnsAlone(async (world) => {
    const wide = `${HEADER},deactivation_date`;
    const rows = (...dates: string[]) => csv(wide, ...crowd(12, 1, (i) => `,${dates[i - 1] ?? ""}`));
    await world.import(rows());
    await world.import(rows("2020-01-31", "2020-02-29", "2020-03-31"));
    const run = await world.import(rows());
    assert.deepEqual([run.status, run.held_by], ["held", [
      { guard: "column", field: "deactivation_date", count: 3, limit: 1, base: 3 },
    ]]);
    // As some sources write for no end.
    assert.equal((await world.import(rows(...Array(12).fill("9999-12-31")))).status, "held");
    assert.equal((await world.import(rows("", "", "2020-03-31"))).status, "succeeded");
    assert.equal((await world.import(rows())).status, "succeeded");
  }));

test("departments keep their parents when the column comes blank", () =>
  columnsAlone(async (world) => {
    const rows = (n: number, parent: string) =>
      csv("department_id,name,parent", "0,Top,", ...Array.from({ length: n }, (_, i) => `${i + 1},D${i},${parent}`));
    await world.import(rows(6, "Top"));
    assert.deepEqual(await tell(world, rows(6, "")), ["held", "column parent 0 of 7"]);
    assert.deepEqual(await tell(world, rows(8, "Top")), ["succeeded"]);
    assert.equal((await world.departments()).filter(({ parent }) => parent === "Top").length, 8);
  }));
