import assert from "node:assert/strict";
import test from "node:test";
import { importing } from "../support/imports.ts";

const HEADER = "employee_id,email,first_name,last_name,is_active\n";
const NAMES = "employee_id,first_name,last_name,is_active\n";
const diff = { coverage: "diff" } as const;

/** Ana and Cy have left, one after the other, and have the address that Bo has now, if he has come. */
const leavers = (bo: boolean) => [
  HEADER + "1,desk@acme.test,Ana,Lopez,yes\n",
  HEADER + "1,desk@acme.test,Ana,Lopez,no\n",
  HEADER + "3,desk@acme.test,Cy,Chan,yes\n",
  HEADER + "3,desk@acme.test,Cy,Chan,no\n",
  ...(bo ? [HEADER + "2,desk@acme.test,Bo,Berg,yes\n"] : []),
];

test("nobody comes back with an address that somebody else has by now, also where the input does not say it", () =>
  importing(async (world) => {
    for (const text of leavers(true)) await world.import(text, diff);
    const run = await world.import(NAMES + "1,Ana,Lopez,yes\n2,Bo,Bergman,yes\n", diff);
    assert.deepEqual([run.status, run.counts.failed, run.counts.updated], ["partial", 1, 1]);
    assert.deepEqual(run.issues.map(({ line, code }) => [line, code]), [[2, "identity_conflict"]]);
    assert.equal((await world.person("1")).status, "inactive");
  }));

test("two who had the same address do not come back with it together, one does", () =>
  importing(async (world) => {
    for (const text of leavers(false)) await world.import(text, diff);
    const both = await world.import(NAMES + "1,Ana,Lopez,yes\n3,Cy,Chan,yes\n", diff);
    assert.deepEqual([both.status, both.counts.failed], ["failed", 2]);
    assert.deepEqual(both.issues.map(({ line, code }) => [line, code]), [
      [2, "duplicate_in_input"],
      [3, "duplicate_in_input"],
    ]);
    assert.match(both.issues[0]!.message, /with the same email as .*3: each person needs their own/);
    const one = await world.import(NAMES + "1,Ana,Lopez,yes\n", diff);
    assert.deepEqual([one.status, one.counts.reactivated], ["succeeded", 1]);
  }));

test("an address that its holder gives up in the same input is free for who comes back", () =>
  importing(async (world) => {
    for (const text of leavers(true)) await world.import(text, diff);
    await world.set("csv", { policy: { empty_cells: "keep" } });
    const run = await world.import(HEADER + "1,,Ana,Lopez,yes\n2,bo@acme.test,Bo,Berg,yes\n", diff);
    assert.deepEqual([run.status, run.counts.reactivated, run.counts.updated], ["succeeded", 1, 1]);
    assert.equal((await world.person("1")).email, "desk@acme.test");
  }));
