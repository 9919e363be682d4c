/** Rows with the same key: the same row twice, an old contract beside a new one, and two that nobody can tell apart. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, DAY_MS, HEADER, type Importing, importing, said } from "../support/imports.ts";

const WIDE = `${HEADER},title,deactivation_date`;
const BO = "2,bo@acme.test,Bo,Berg,Clerk,";
const ana = (title: string, leaves = "") => `1,ana@acme.test,Ana,Lopez,${title},${leaves}`;

async function titleOf(world: Importing): Promise<unknown[]> {
  const { title, status, deactivation_date } = await world.person("1");
  return [title, status, deactivation_date];
}

test("an old contract and a new one are one person, by the row that runs, in any order and however often", () =>
  importing(async (world) => {
    const rows = [ana("Intern", "2020-06-30"), ana("Engineer"), BO];
    const run = await world.import(csv(WIDE, ...rows));
    assert.deepEqual([said(run), run.counts.created, run.counts.skipped], [["2 duplicate_in_input"], 2, 1]);
    assert.match(
      run.issues[0]!.message,
      /"1" is also the employee_id of line 3, which counts: this row is about the past/,
    );
    assert.deepEqual(await titleOf(world), ["Engineer", "active", null]);
    for (const order of [rows.toReversed(), rows]) {
      const again = await world.import(csv(WIDE, ...order), { name: `${order[0]}.csv` });
      assert.deepEqual([again.changes, again.counts.missing, again.counts.skipped], [[], 0, 1]);
    }
    const lead = await world.import(
      csv(WIDE, BO, ana("Lead"), ana("Intern", "2020-06-30"), ana("Engineer", "2024-01-31")),
    );
    assert.deepEqual([lead.counts.updated, lead.counts.skipped], [1, 2]);
    assert.deepEqual(await titleOf(world), ["Lead", "active", null]);
  }));

test("the same row twice is one row, also when it was read before, and its other spelling is another one", () =>
  importing(async (world) => {
    await world.import(csv(WIDE, ana("Lead"), BO));
    const twice = await world.import(csv(WIDE, ana("Lead"), BO, ana("Lead")));
    assert.deepEqual([said(twice), twice.changes, twice.counts.skipped], [["4 duplicate_in_input"], [], 1]);
    assert.match(twice.issues[0]!.message, /line 2, which counts: this row says the same/);
    const other = await world.import(csv(WIDE, ana("Lead"), BO, ana("Boss")));
    assert.deepEqual([said(other), other.changes], [["2 duplicate_in_input", "4 duplicate_in_input"], []]);
    assert.deepEqual([other.counts.failed, other.counts.missing], [2, 0]);
  }));

test("of rows of a leaver alone the one who left last counts; where that decides nothing, only the leaving is taken", () =>
  importing(async (world) => {
    await world.set("csv", { limits: { deactivate: { enabled: false } } });
    await world.import(csv(WIDE, ana("Lead"), BO));
    const run = await world.import(csv(WIDE, ana("Intern", "2020-06-30"), ana("Engineer", "2024-01-31"), BO));
    assert.deepEqual([said(run), run.counts.deactivated], [["2 duplicate_in_input"], 1]);
    assert.deepEqual(await titleOf(world), ["Engineer", "inactive", "2024-01-31"]);
    await world.import(csv(WIDE, ana("Lead"), BO));
    const unclear = await world.import(csv(WIDE, ana("Intern", "2024-01-31"), ana("Engineer", "2024-01-31"), BO));
    assert.deepEqual([said(unclear), unclear.counts.deactivated], [["3 duplicate_in_input"], 1]);
    assert.deepEqual((await titleOf(world)).slice(0, 2), ["Lead", "inactive"]);
    world.later(DAY_MS);
  }));

test("of a leaver's rows one that says so gives the reason before one that is only filtered, in either order", async () => {
  const header = "employee_id,email,first_name,last_name,title,is_active,employment_status";
  const bo = "2,bo@example.com,Bo,Lee,Cook,yes,Active";
  const left = "1,ana@example.com,Ana,Diaz,Lead,no,Active", filtered = "1,ana@example.com,Ana,Diaz,Cook,yes,Contract";
  for (const rows of [[left, filtered], [filtered, left]]) {
    await importing(async (world) => {
      await world.set("csv", { policy: { only_statuses: ["Active"] }, limits: { deactivate: { enabled: false } } });
      await world.import(csv(header, "1,ana@example.com,Ana,Diaz,Lead,yes,Active", bo));
      const run = await world.import(csv(header, ...rows, bo));
      assert.equal(run.counts.deactivated, 1);
      assert.deepEqual(run.changes.map(({ reason }) => reason), [null]);
    });
  }
});

test("of a leaver's rows the one that can be read counts, in either order, whether anybody knows them or not", async () => {
  const head = `${HEADER},is_active`, gone = "1,ana@acme.test,Ana,Lopez,no", unread = "1,ana@,Ana,Lopez,no";
  for (const rows of [[gone, unread], [unread, gone]]) {
    await importing(async (world) => {
      const stranger = await world.import(csv(head, "2,bo@acme.test,Bo,Berg,yes", ...rows));
      assert.deepEqual([stranger.counts.failed, stranger.counts.skipped], [0, 2]);
      await world.import(csv(head, "2,bo@acme.test,Bo,Berg,yes", "1,ana@acme.test,Ana,Lopez,yes"));
      const run = await world.import(csv(head, "2,bo@acme.test,Bo,Berg,yes", ...rows));
      assert.deepEqual(run.changes.map(({ line, action }) => [line, action]), [[3 + rows.indexOf(gone), "deactivate"]]);
    });
  }
});

test("two leavers' rows under one address, with different numbers, are about nobody whom only a number names", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email", limits: { deactivate: { enabled: false } } });
    const wide = `${HEADER},is_active`, other = "3,cy@acme.test,Cy,Dahl,yes";
    await world.import(csv(wide, "1,ana@acme.test,Ana,Lopez,yes", other));
    const rows = ["1,shared@acme.test,Ana,Lopez,no", "2,shared@acme.test,Bo,Berg,no"];
    for (const order of [rows, rows.toReversed()]) {
      const run = await world.import(csv(wide, ...order, other));
      assert.deepEqual([run.changes, run.counts.skipped, run.counts.failed], [[], 2, 0]);
    }
  }));

test("leavers whom nobody knows are not created, from however many rows", () =>
  importing(async (world) => {
    const run = await world.import(csv(WIDE, ana("Intern", "2020-06-30"), ana("Engineer", "2024-01-31"), BO));
    assert.deepEqual([run.counts.created, run.counts.skipped, said(run)], [1, 2, ["2 duplicate_in_input"]]);
  }));

test("rows that say the same in other words are one row, and what a leaver's rows left open is read from the last one", () =>
  importing(async (world) => {
    const words = await world.import(csv(WIDE, ana("Lead"), BO, ana("Lead", "n/a")));
    assert.deepEqual([words.counts.created, words.counts.skipped], [2, 1]);
    await world.import(csv(WIDE, ana("Cook", "2026-03-01"), ana("Clerk", "2026-03-01"), BO));
    assert.deepEqual(await titleOf(world), ["Lead", "inactive", null]);
    const one = await world.import(csv(WIDE, ana("Cook", "2026-03-01"), BO));
    assert.deepEqual([said(one), one.counts.updated], [[], 1]);
    assert.deepEqual(await titleOf(world), ["Cook", "inactive", "2026-03-01"]);
  }));
