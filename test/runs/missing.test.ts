import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, HOUR_MS, importing, said } from "../support/imports.ts";

const ANA = "1,ana@acme.test,Ana,Lopez";
const BO = "2,bo@acme.test,Bo,Berg";
const CY = "3,cy@acme.test,Cy,Dahl";
const ALL = csv(HEADER, ANA, BO, CY);
const WITHOUT_BO = csv(HEADER, ANA, CY);

test("by default somebody who is missing is only noted", () =>
  importing(async (world) => {
    await world.import(ALL);
    const run = await world.import(WITHOUT_BO);
    assert.deepEqual([run.counts.missing, run.counts.deactivated, run.status], [1, 0, "succeeded"]);
    const { status, sources } = await world.person("2");
    assert.deepEqual([status, sources[0]!.missing_since], ["active", new Date(world.hub.clock.ms).toISOString()]);
    for (let i = 0; i < 3; i++) {
      world.later(24 * HOUR_MS);
      await world.import(WITHOUT_BO);
    }
    assert.equal((await world.person("2")).status, "active");
    // Back again: the note goes.
    await world.import(ALL);
    assert.equal((await world.person("2")).sources[0]!.missing_since, null);
  }));

test("where the policy says so, absence deactivates after two inputs and twelve hours", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate" } });
    await world.import(ALL);
    await world.import(WITHOUT_BO);
    world.later(HOUR_MS);
    await world.import(WITHOUT_BO);
    assert.equal((await world.person("2")).status, "active");
    world.later(11 * HOUR_MS);
    const run = await world.import(WITHOUT_BO);
    assert.deepEqual([run.counts.missing, run.counts.deactivated], [1, 0]);
    assert.deepEqual(run.changes.map(({ action, reason, line }) => [action, reason, line]), [[
      "deactivate",
      "missing",
      null,
    ]]);
    assert.equal((await world.person("2")).status, "inactive");
    const again = await world.import(WITHOUT_BO);
    assert.deepEqual([again.counts.missing, again.changes.length], [0, 0]);
  }));

test("twelve hours alone do not deactivate, and an input in between starts the count anew", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate" } });
    await world.import(ALL);
    await world.import(WITHOUT_BO);
    world.later(13 * HOUR_MS);
    await world.import(ALL);
    await world.import(WITHOUT_BO);
    assert.equal((await world.person("2")).status, "active");
    world.later(13 * HOUR_MS);
    await world.import(WITHOUT_BO);
    assert.equal((await world.person("2")).status, "inactive");
  }));

test("who comes back after going missing is made active again", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    await world.import(ALL);
    await world.import(WITHOUT_BO);
    assert.equal((await world.person("2")).status, "inactive");
    const run = await world.import(ALL);
    assert.deepEqual([run.counts.reactivated, (await world.person("2")).status], [1, "active"]);
  }));

test("a row that is rejected has yet been seen", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    await world.import(ALL);
    const run = await world.import(csv(HEADER, ANA, "2,bo@,Bo,Berg", CY));
    assert.deepEqual([said(run), run.counts.missing], [["3 email_invalid"], 0]);
    assert.equal((await world.person("2")).status, "active");
  }));

test("when the key of one row cannot be read, nobody is missing, and the run says so", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    await world.import(ALL);
    const run = await world.import(csv(HEADER, ANA, ",bo@acme.test,Bo,Berg", CY));
    assert.deepEqual([run.complete, run.counts.missing], [false, 0]);
    assert.deepEqual(said(run), ["- missing_unclear", "3 required_field_missing"]);
    assert.match(run.issues[0]!.message, /line 3/);
    assert.equal((await world.person("2")).status, "active");
  }));

test("a file whose last line has no end makes nobody missing, and says so", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    await world.import(ALL);
    const run = await world.import(WITHOUT_BO.trimEnd());
    assert.deepEqual([run.complete, run.counts.missing, run.status], [false, 0, "succeeded"]);
    assert.deepEqual(said(run), ["- missing_unclear"]);
    assert.equal((await world.person("2")).status, "active");
  }));

test("a diff makes nobody missing, and is silent about it", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    await world.import(ALL);
    const run = await world.import(csv(HEADER, "1,ana@acme.test,Ana,Neu"), { coverage: "diff" });
    assert.deepEqual([run.counts.missing, run.counts.updated, said(run)], [0, 1, []]);
    const people = await world.people();
    assert.ok(people.every(({ status, sources }) => status === "active" && sources[0]!.missing_since === null));
  }));

test("a row that appears in a diff ends the absence", () =>
  importing(async (world) => {
    await world.import(ALL);
    await world.import(WITHOUT_BO);
    assert.notEqual((await world.person("2")).sources[0]!.missing_since, null);
    await world.import(csv(HEADER, BO), { coverage: "diff" });
    assert.equal((await world.person("2")).sources[0]!.missing_since, null);
  }));

test("the absent are held by the guard of deactivations, with everybody affected", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    await world.import(ALL);
    const run = await world.import(csv(HEADER, ANA));
    assert.equal(run.status, "held");
    assert.deepEqual(run.held_by, [{ guard: "deactivate", count: 2, limit: 1, base: 3 }]);
    assert.deepEqual(run.changes.map(({ subject }) => subject.employee_id).toSorted(), ["2", "3"]);
    assert.ok((await world.people()).every(({ status }) => status === "active"));
  }));

test("nobody on the protected list is deactivated by a run, which says so", () =>
  importing(async (world) => {
    await world.import(csv(`${HEADER},is_active`, `${ANA},yes`, `${BO},yes`, `${CY},yes`));
    const { id } = await world.person("2");
    await world.set("csv", {
      policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0, protected: [id] },
    });
    const missing = await world.import(csv(`${HEADER},is_active`, `${ANA},yes`, `${CY},yes`));
    assert.deepEqual([said(missing), missing.counts.missing], [["- protected_user"], 1]);
    const inactive = await world.import(csv(`${HEADER},is_active`, `${ANA},yes`, `${BO},no`, `${CY},yes`));
    assert.deepEqual(said(inactive), ["3 protected_user"]);
    const due = await world.import(
      csv(`${HEADER},deactivation_date`, `${ANA},`, `${BO},2026-03-01`, `${CY},`),
    );
    assert.deepEqual(said(due), ["- column_vanished", "3 protected_user"]);
    assert.equal((await world.person("2")).status, "active");
  }));

test("a person set active by hand is not made inactive by absence", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    await world.import(ALL);
    await world.import(WITHOUT_BO);
    await world.edit(await world.person("2"), { status: "active" });
    const run = await world.import(WITHOUT_BO);
    assert.deepEqual([run.counts.missing, run.changes.length], [1, 0]);
    assert.equal((await world.person("2")).status, "active");
  }));

test("somebody gone is missing although a person who has left has the same email, each time", () =>
  importing(async (world) => {
    await world.import(csv(`${HEADER},is_active`, `${ANA},yes`, `${BO},yes`, `${CY},yes`));
    const text = csv(`${HEADER},is_active`, "1,cy@acme.test,Ana,Lopez,no", `${BO},yes`);
    assert.equal((await world.import(text)).counts.missing, 1);
    assert.equal((await world.import(`${text}\n`)).counts.missing, 1);
  }));

test("somebody is missing though a row that is used has their address", () =>
  importing(async (world) => {
    await world.connect("second");
    await world.import(ALL);
    await world.import(ALL, { connection: "second" });
    // The first connection's word on the address counts more.
    const run = await world.import(csv(HEADER, "1,bo@acme.test,Ana,Lopez", CY), { connection: "second" });
    assert.deepEqual([said(run), run.counts.missing], [["2 source_conflict"], 1]);
  }));

test("a refused row ends no absence where it wants what another keeps", () =>
  importing(async (world) => {
    await world.import(ALL);
    await world.import(csv(HEADER, CY));
    const run = await world.import(csv(HEADER, "1,bo@acme.test,Ana,Lopez", "2,bo@acme.example,Bob,Kerr", CY));
    assert.deepEqual(said(run), ["2 identity_conflict", "3 identity_conflict"]);
    for (const id of ["1", "2"]) assert.notEqual((await world.person(id)).sources[0]!.missing_since, null, id);
  }));

test("of somebody who has left as missing that stays known while their rows are refused as duplicates", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    const header = `${HEADER},is_active`;
    await world.import(csv(header, `${ANA},yes`, "2,bo@acme.test,Bo,Berg,yes", `${CY},yes`));
    await world.import(csv(header, `${ANA},yes`, `${CY},yes`));
    assert.equal((await world.person("2")).status, "inactive");
    const twice = csv(HEADER, "2,bo@acme.test,Bo,Berg", "2,bo@acme.test,Bo,Kerr");
    assert.equal((await world.import(twice, { coverage: "diff" })).counts.failed, 2);
    const run = await world.import(csv(HEADER, "2,bo@acme.test,Bo,Berg"), { coverage: "diff" });
    assert.deepEqual([run.counts.reactivated, (await world.person("2")).status], [1, "active"]);
  }));
