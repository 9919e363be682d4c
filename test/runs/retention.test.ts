import assert from "node:assert/strict";
import test from "node:test";
import { dropChunks } from "../../src/store/runs/schema-drops.ts";
import { DAY_MS, importing } from "../support/imports.ts";

const FILE = "employee_id,email,first_name,last_name\n1,ana@acme.test,Ana,Lopez\n";

test("a plan that waits longer than drops are kept can still be made afresh and approved", () =>
  importing(async (world) => {
    const plan = await world.import(FILE, { mode: "plan" });
    world.later(40 * DAY_MS);
    await world.tick();
    await world.import("employee_id,email,first_name,last_name\n2,bo@acme.test,Bo,Berg\n", { coverage: "diff" });
    const changed = await world.post(`/v1/runs/${plan.id}/approve`, { plan_hash: plan.plan_hash });
    assert.equal(changed.status, 409);
    await world.carry();
    const again = await world.run(plan.id);
    assert.equal(again.status, "planned");
    await world.post(`/v1/runs/${plan.id}/approve`, { plan_hash: again.plan_hash });
    await world.carry();
    assert.equal((await world.run(plan.id)).status, "succeeded");
    assert.equal((await world.person("1")).email, "ana@acme.test");
  }));

test("a run whose input is no longer kept fails, and says so", () =>
  importing(async (world) => {
    const id = await world.handIn(FILE);
    await world.hub.db.write([world.hub.db.orm.delete(dropChunks)]);
    await world.carry();
    const run = await world.run(id);
    assert.deepEqual([run.status, run.error?.code], ["failed", "content_expired"]);
    assert.match(run.error!.message, /no longer retained; send it again/);
    assert.deepEqual(await world.people(), []);
  }));
