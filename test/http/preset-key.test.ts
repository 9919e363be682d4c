/** A preset that a connection gets later brings its key, or the refusal says what to do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, importing } from "../support/imports.ts";

const OPS = `unique_id,${HEADER}`;

test("a preset brings its key, and takes it back when another one comes", () =>
  importing(async (world) => {
    const keyOf = async () => (await (await world.ask("/v1/connections/hr")).json()).key;
    await world.connect("hr");
    assert.equal(await keyOf(), null);
    await world.set("hr", { preset: "ops-com" });
    assert.equal(await keyOf(), "source_id");
    await world.set("hr", { preset: "connecteam" });
    assert.equal(await keyOf(), "mobile_phone");
    await world.set("hr", { preset: "betterworks" });
    assert.equal(await keyOf(), null);
    await world.set("hr", { key: "email" });
    await world.set("hr", { preset: "custom" });
    assert.equal(await keyOf(), "email", "a key that was named, and that no preset replaces");
    await world.set("hr", { preset: "ops-com" });
    const run = await world.import(csv(OPS, "u1,1,ana@acme.test,Ana,Lopez"), { connection: "hr" });
    assert.deepEqual([run.status, run.counts.created], ["succeeded", 1]);
    assert.deepEqual((await world.person("1")).sources.map(({ source_key }) => source_key), ["u1"]);
    await world.connect("made", { preset: "ops-com" });
    assert.equal((await (await world.ask("/v1/connections/made")).json()).key, "source_id");
  }));

test("where people are linked by another key, the request has to name what becomes of them", () =>
  importing(async (world) => {
    const people = ["1,ana@acme.test,Ana,Lopez", "2,bo@acme.test,Bo,Berg"];
    const keysOf = async () =>
      (await world.people()).flatMap(({ sources }) => sources.map(({ source_key }) => source_key)).sort();
    await world.connect("hr");
    await world.import(csv(HEADER, ...people), { connection: "hr" });
    const refused = await world.ask("/v1/connections/hr", { method: "PATCH", json: { preset: "ops-com" } });
    const { code, detail, errors } = await refused.json();
    assert.deepEqual([refused.status, code, errors[0].pointer], [409, "conflict", "/key"]);
    assert.match(detail, /linked by employee_id, and with the preset "ops-com" they would be by source_id/);
    assert.match(detail, /"key": "employee_id" keeps the links; "key": "source_id" has the next input link/);
    assert.equal((await (await world.ask("/v1/connections/hr")).json()).preset, null, "nothing was changed");

    await world.set("hr", { preset: "ops-com", key: "employee_id" });
    assert.equal((await world.import(csv(HEADER, ...people), { connection: "hr" })).counts.unchanged, 2);
    assert.deepEqual(await keysOf(), ["1", "2"]);

    await world.set("hr", { key: "source_id" });
    const moved = await world.import(csv(OPS, ...people.map((line, i) => `u${i},${line}`)), { connection: "hr" });
    assert.deepEqual([moved.status, moved.counts.created, moved.counts.deactivated], ["succeeded", 0, 0]);
    assert.deepEqual(await keysOf(), ["u0", "u1"]);
    const back = await world.ask("/v1/connections/hr", { method: "PATCH", json: { preset: "custom" } });
    assert.match((await back.json()).detail, /by source_id, and .* "custom" they would be by employee_id or email/);
    await world.set("hr", { name: "HR", preset: "ops-com" });
  }));
