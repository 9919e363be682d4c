import assert from "node:assert/strict";
import { test } from "node:test";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";

const header = `${HEADER},is_active,title`;
/** `n` people of whom the first `k` are `first`, the others `rest`. */
const people = (n: number, k = 0, first = "no,Clerk", rest = "yes,Clerk") =>
  csv(header, ...crowd(n, 1, (i) => `,${i <= k ? first : rest}`));

/** Imports `text`; tells status and guards. */
async function tell(world: Importing, text: string): Promise<string[]> {
  const run = await world.import(text);
  return [run.status, ...run.held_by.map(({ guard, count, limit, base }) => `${guard} ${count} > ${limit} of ${base}`)];
}

for (const [size, most] of [[12, 2], [20, 2], [21, 3], [40, 4], [41, 5], [50, 5]] as const) {
  test(`of ${size} people, ${most} may leave at once`, () =>
    importing(async (world) => {
      await world.import(people(size));
      const one = await tell(world, people(size, most + 1));
      assert.deepEqual(one, ["held", `deactivate ${most + 1} > ${most} of ${size}`]);
      assert.deepEqual(await tell(world, people(size, most)), ["succeeded"]);
    }));
}

for (const [size, most] of [[6, 5], [12, 6], [31, 15], [102, 51]] as const) {
  test(`of ${size} people, ${most} may be changed at once`, () =>
    importing(async (world) => {
      await world.import(people(size));
      const one = await tell(world, people(size, most + 1, "yes,Lead"));
      assert.deepEqual(one, ["held", `update ${most + 1} > ${most} of ${size}`]);
      assert.deepEqual(await tell(world, people(size, most, "yes,Lead")), ["succeeded"]);
    }));
}

test("a floor that is set is that at every size, and a larger one than the default's is looser", () =>
  importing(async (world) => {
    await world.set("csv", { limits: { deactivate: { floor: 5 } } });
    await world.import(people(12));
    assert.deepEqual(await tell(world, people(12, 6)), ["held", "deactivate 6 > 5 of 12"]);
    assert.deepEqual(await tell(world, people(12, 5)), ["succeeded"]);
  }));

test("more than half of those who were there before are too many, however many are new", () =>
  importing(async (world) => {
    await world.set("csv", { limits: { create: { enabled: false } } });
    await world.import(people(4));
    assert.deepEqual(await tell(world, people(100, 3)), ["held", "deactivate 3 > 2 of 4"]);
    assert.deepEqual(await tell(world, people(100, 2)), ["succeeded"]);
  }));

test("half of the people may return, as they were linked before", () =>
  importing(async (world) => {
    await world.import(people(4));
    await world.import(people(4, 2));
    assert.deepEqual(await tell(world, people(4)), ["succeeded"]);
  }));

test("those who return do not raise the limit of their own return", () =>
  importing(async (world) => {
    await world.import(people(21));
    await world.import(people(21, 3));
    assert.deepEqual(await tell(world, people(21)), ["held", "reactivate 3 > 2 of 18"]);
  }));

test("people who get a leaving day, or an earlier one, count as leavers; a later day does not", () =>
  importing(async (world) => {
    const rows = (...days: string[]) =>
      csv(`${HEADER},deactivation_date`, ...crowd(12, 1, (i) => `,${days[i - 1] ?? ""}`));
    await world.import(rows());
    const three = ["2090-01-31", "2090-01-31", "2090-01-31"];
    assert.deepEqual(await tell(world, rows(...three)), ["held", "deactivate 3 > 2 of 12"]);
    assert.deepEqual(await tell(world, rows(...three.slice(0, 2))), ["succeeded"]);
    assert.deepEqual(await tell(world, rows("2089-01-31", "2089-01-31", "2089-01-31")), [
      "held",
      "deactivate 3 > 2 of 12",
    ]);
    assert.deepEqual(await tell(world, rows("2091-01-31", "2091-01-31", "2091-01-31")), ["succeeded"]);
  }));

test("people who are missing, or whose status is not imported any more, count as leavers", () =>
  importing(async (world) => {
    await world.set("csv", {
      policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0, only_statuses: ["Regular"] },
    });
    const rows = (n: number, k = 0) =>
      csv(`${HEADER},employment_status`, ...crowd(n, 1, (i) => i <= k ? ",Retired" : ",Regular"));
    await world.import(rows(12));
    assert.deepEqual(await tell(world, rows(9)), ["held", "deactivate 3 > 2 of 12"]);
    assert.deepEqual(await tell(world, rows(12, 3)), ["held", "deactivate 3 > 2 of 12"]);
    assert.deepEqual(await tell(world, rows(11, 2)), ["held", "deactivate 3 > 2 of 12"]);
    assert.deepEqual(await tell(world, rows(11, 1)), ["succeeded"]);
  }));

test("both names of people who change are an identity, one name is a marriage", () =>
  importing(async (world) => {
    const rows = (change: (line: string) => string, k: number) =>
      csv(HEADER, ...crowd(12).map((line, i) => i < k ? change(line) : line));
    const last = (line: string) => line.replace("Last", "Wed"),
      both = (line: string) => last(line).replace("First", "Al");
    await world.import(rows(both, 0));
    const run = await world.import(rows(both, 3));
    assert.deepEqual([run.status, run.held_by], ["held", [{ guard: "identity", count: 3, limit: 2, base: 12 }]]);
    assert.deepEqual(await tell(world, rows(last, 5)), ["succeeded"]);
    assert.deepEqual(await tell(world, rows(both, 2)), ["succeeded"]);
  }));

test("who gets a first email or employee_id stays who they are", () =>
  importing(async (world) => {
    await world.ask("/v1/organization", { method: "PATCH", json: { required_fields: ["first_name"] } });
    await world.set("csv", { key: "employee_id" });
    await world.import(csv(HEADER, ...crowd(12).map((line) => line.replace(/p\d+@acme.test/, ""))));
    assert.deepEqual(await tell(world, csv(HEADER, ...crowd(12))), ["succeeded"]);
    const moved = crowd(12).map((line) => line.replace("acme.test", "example.com"));
    assert.deepEqual(await tell(world, csv(HEADER, ...moved)), [
      "held",
      "identity 12 > 2 of 12",
      "update 12 > 6 of 12",
    ]);
  }));

test("filling fields for the first time is no update to be afraid of, taking the place of values is", () =>
  importing(async (world) => {
    const wide = `${HEADER},title,manager_id,floor`;
    const rows = (title: string, manager: string, floor: string) =>
      csv(wide, ...crowd(12, 1, (i) => `,${title},${i === 1 ? "" : manager},${floor}`));
    await world.ask("/v1/custom-fields/floor", { method: "PUT", json: { label: "Floor", type: "text" } });
    await world.import(rows("", "", ""));
    assert.deepEqual(await tell(world, rows("Clerk", "E0001", "1")), ["succeeded"]);
    assert.deepEqual(await tell(world, rows("Clerk", "E0001", "2")), ["held", "update 12 > 6 of 12"]);
    assert.deepEqual(await tell(world, rows("Lead", "E0001", "1")), ["held", "update 12 > 6 of 12"]);
    assert.deepEqual(await tell(world, rows("Clerk", "E0012", "1")), ["held", "update 10 > 6 of 12"]);
  }));

test("new people are many sooner once three complete full inputs have shown who is there", () =>
  importing(async (world) => {
    await world.import(people(12));
    await world.import(people(12, 1, "yes,Lead"));
    assert.deepEqual(await tell(world, people(62)), ["succeeded"]);
    assert.deepEqual(await tell(world, people(94)), ["held", "create 32 > 31 of 62"]);
    assert.deepEqual(await tell(world, people(93)), ["succeeded"]);
  }));

test("new people are many sooner where most of the others are absent: they may have got new numbers", () =>
  importing(async (world) => {
    const renumbered = (n: number) => crowd(n, 101, () => ",yes,Clerk");
    const rows = (old: number, fresh: number) =>
      csv(header, ...crowd(old, 1, () => ",yes,Clerk"), ...renumbered(fresh));
    await world.import(rows(12, 0));
    assert.deepEqual(await tell(world, rows(5, 7)), ["held", "create 7 > 6 of 12"]);
    await world.post(`/v1/runs/${(await world.runs()).at(-1)!.id}/cancel`);
    assert.deepEqual(await tell(world, rows(5, 7).trimEnd()), ["held", "create 7 > 6 of 12"]);
    assert.deepEqual(await tell(world, rows(6, 7)), ["succeeded"]);
  }));

test("many new departments are held once a complete full input was applied, and where there is any", () =>
  importing(async (world) => {
    const rows = (k: number) =>
      csv(`${HEADER},department_name`, ...crowd(20, 1, (i) => i <= k ? `,New ${i}` : `,Old ${i % 2}`));
    await world.import(rows(0));
    assert.deepEqual(await tell(world, rows(6)), ["held", "departments 6 > 5 of 2"]);
    assert.deepEqual(await tell(world, rows(5)), ["succeeded"]);
  }));

test("department files are held for many new ones as well, from the second on", () =>
  importing(async (world) => {
    const rows = (n: number) => csv("department_id,name,parent", ...Array.from({ length: n }, (_, i) => `${i},D${i},`));
    assert.deepEqual(await tell(world, rows(20)), ["succeeded"]);
    assert.deepEqual(await tell(world, rows(27)), ["held", "departments 7 > 6 of 20"]);
    assert.deepEqual(await tell(world, rows(26)), ["succeeded"]);
    // The first people are all new, and no news.
    assert.deepEqual(await tell(world, csv(HEADER, ...crowd(120))), ["succeeded"]);
  }));

const record = (i: number, more: object = {}) => ({
  employee_id: `E${i}`,
  email: `p${i}@acme.test`,
  first_name: `P${i}`,
  last_name: "Q",
  title: "Clerk",
  ...more,
});

function poster(world: Importing) {
  return async (...records: object[]) => {
    const run = await world.import(JSON.stringify({ users: records }), {
      connection: "api",
      name: "users.json",
      type: "application/json",
    });
    return [
      run.status,
      ...run.held_by.map(({ guard, count, limit, base }) => `${guard} ${count} > ${limit} of ${base}`),
    ];
  };
}
const many = (n: number, more: object = {}) => Array.from({ length: n }, (_, i) => record(i, more));

test("record by record, emails that change are counted over an hour, and leavers with those of the hour before them", () =>
  importing(async (world) => {
    const post = poster(world);
    await post(...many(20));
    const moved = (i: number) => record(i, { email: `q${i}@acme.test` });
    assert.deepEqual(await post(moved(0)), ["succeeded"]);
    assert.deepEqual(await post(moved(1)), ["succeeded"]);
    assert.deepEqual(await post(moved(2)), ["held", "identity 3 > 2 of 20"]);
    const [held] = (await world.runs()).slice(-1);
    assert.equal(held!.held_by[0]!.earlier, 2);
    await world.post(`/v1/runs/${held!.id}/cancel`);
    world.later(61 * 60_000);
    assert.deepEqual(await post(moved(2)), ["succeeded"]);
    for (const i of [10, 11]) assert.deepEqual(await post(record(i, { is_active: false })), ["succeeded"]);
    assert.deepEqual(await post(record(12, { is_active: false })), ["held", "deactivate 3 > 2 of 20"]);
  }));

test("record by record, leaving days to come are counted over an hour, too", () =>
  importing(async (world) => {
    const post = poster(world);
    await post(...many(20));
    const leaving = (i: number) => record(i, { deactivation_date: "2090-01-31" });
    assert.deepEqual(await post(leaving(0), leaving(1)), ["succeeded"]);
    assert.deepEqual(await post(leaving(2)), ["held", "deactivate 3 > 2 of 20"]);
  }));

test("record by record, two of four may leave one after the other, a third is more than half", () =>
  importing(async (world) => {
    const post = poster(world);
    await post(...many(4));
    for (const i of [0, 1]) assert.deepEqual(await post(record(i, { is_active: false })), ["succeeded"]);
    assert.deepEqual(await post(record(2, { is_active: false })), ["held", "deactivate 3 > 2 of 4"]);
  }));

test("record by record, other changes are looked at in inputs of 20 records and more", () =>
  importing(async (world) => {
    const post = poster(world);
    await post(...many(25));
    assert.deepEqual(await post(...many(19, { title: "Lead" })), ["succeeded"]);
    assert.deepEqual(await post(...many(20, { title: "Boss" })), ["held", "update 20 > 12 of 25"]);
  }));

test("people whom a run links count beside those who were linked before", () =>
  importing(async (world) => {
    await world.connect("second", { policy: { priority: 1 } });
    await world.import(people(20));
    const second = (from: number, count: number) => csv(header, ...crowd(count, from, () => ",yes,Lead"));
    assert.equal((await world.import(second(1, 8), { connection: "second" })).status, "held");
    const [held] = (await world.runs()).filter(({ status }) => status === "held");
    const plan = held!.plan_hash;
    await world.post(`/v1/runs/${held!.id}/approve`, { plan_hash: plan });
    await world.carry();
    // Half of 16 is 8.
    const run = await world.import(second(9, 8), { connection: "second", name: "others.csv" });
    assert.deepEqual([run.status, run.counts.updated], ["succeeded", 8]);
  }));
