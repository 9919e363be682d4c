import assert from "node:assert/strict";
import test from "node:test";
import { importing } from "../support/imports.ts";

const JSON_FILE = { name: "a.json", type: "application/json" };
const EMPTY = ["[]", '{"users":[]}', '{"departments":[]}'];

test("changes without any record succeed with zeros, in JSON like in CSV", () =>
  importing(async (world) => {
    for (const text of EMPTY) {
      const run = await world.import(text, { ...JSON_FILE, coverage: "diff" });
      assert.deepEqual([run.status, run.counts.read, run.error], ["succeeded", 0, null], text);
    }
    const csv = await world.import("employee_id,email\n", { coverage: "diff" });
    assert.deepEqual([csv.status, csv.counts.read], ["succeeded", 0]);

    const answer = await world.ask("/v1/users/import", { json: { users: [] }, headers: { prefer: "respond-async" } });
    const { run } = await answer.json();
    await world.carry();
    assert.equal((await world.run(run.id)).status, "succeeded");
  }));

test("everybody's input without any record fails as empty, and a record without columns for its key", () =>
  importing(async (world) => {
    for (const text of EMPTY) {
      const run = await world.import(text, { ...JSON_FILE, coverage: "full" });
      assert.deepEqual([run.status, run.error?.code], ["failed", "input_empty"], text);
    }
    const bare = await world.import("[{}]", { ...JSON_FILE, coverage: "diff" });
    assert.deepEqual([bare.status, bare.error?.code], ["failed", "header_missing"]);
  }));
