/** What runs did by day. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAsk, createTestToken } from "../support/hub.ts";
import { crowd, csv, DAY_MS, HEADER, importing } from "../support/imports.ts";

const COLUMNS = `${HEADER},is_active`;

test("each of the last 30 days has what its applied runs did, in the organization's time zone", async () => {
  await importing(async (world) => {
    await world.ask("/v1/organization", { method: "PATCH", json: { timezone: "Pacific/Auckland" } });
    await world.import(csv(COLUMNS, ...crowd(20, 1, () => ",yes")));
    world.later(DAY_MS);
    await world.import(csv(COLUMNS, ...crowd(20, 1, (i) => i === 1 ? ",no" : ",yes"), "E9,e9 at acme.test,E,N,yes"));
    await world.import(csv(COLUMNS, ...crowd(25, 1, (i) => i === 1 ? ",no" : ",yes")), { mode: "plan" });
    const { data } = await (await world.ask("/v1/run-days")).json();
    assert.equal(data.length, 30);
    assert.equal(data.at(-1).day, "2026-03-03", "9 in the evening there, one day on");
    assert.deepEqual(data.at(-1), {
      day: "2026-03-03",
      runs: 1,
      created: 0,
      updated: 0,
      deactivated: 1,
      reactivated: 0,
      failed: 1,
    });
    assert.equal(data.at(-2).created, 20);
    assert.ok(data.slice(0, -2).every(({ runs }: { runs: number }) => runs === 0));
    const sender = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["runs:own"] }));
    assert.equal((await sender("/v1/run-days")).status, 403);
  });
});

test("an organization sees nothing of what another's runs did", async () => {
  await importing(async (world) => {
    await world.import(csv(COLUMNS, ...crowd(3, 1, () => ",yes")));
    const operator = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["admin", "operator"] }));
    await operator("/v1/organizations", { json: { slug: "other", name: "Other" } });
    const other = createAsk(world.hub, await createTestToken(world.hub, { organization: "other" }));
    const { data } = await (await other("/v1/run-days")).json();
    assert.ok(data.every(({ runs }: { runs: number }) => runs === 0));
  });
});
