/** Files by hand: edits of people whom automated connections know, and a source like any other for those they do not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, type Importing, importing, said } from "../support/imports.ts";

const ANA = "1,ana@acme.test,Ana,Lopez";
const BO = "2,bo@acme.test,Bo,Berg";
const CY = "3,cy@acme.test,Cy,Dahl";
const BY_HAND = { by_hand: "true" } as const;
const FREE = { limits: { deactivate: { enabled: false }, reactivate: { enabled: false }, update: { enabled: false } } };
const NOW = { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 }, ...FREE };
const titled = `${HEADER},title,is_active`;
let bytes = 0;
/** The nightly file of the connection `hr`; no two are the same bytes. */
const sync = (world: Importing, ...lines: string[]) =>
  world.import(csv(...lines) + "\n".repeat(++bytes), { connection: "hr" });

/** With the automated connection `hr`, younger than `csv`, which files by hand come through. */
async function withFeed(work: (world: Importing) => Promise<void>, feed: object = NOW): Promise<void> {
  await importing(async (world) => {
    await world.set("csv", FREE);
    await world.connect("hr", feed);
    await work(world);
  });
}

test("a manual upload is a hand edit that the next sync overwrites", () =>
  withFeed(async (world) => {
    const night = [titled, `${ANA},Engineer,yes`, `${BO},Clerk,yes`];
    await sync(world, ...night);
    const upload = await world.import(csv(`${HEADER},title`, `${ANA},Lead`), BY_HAND);
    assert.deepEqual([said(upload), upload.counts.updated], [[], 1]);
    const edited = await world.person("1");
    assert.deepEqual([edited.title, edited.edited_by_hand], ["Lead", ["title"]]);
    const next = await sync(world, ...night);
    assert.deepEqual([said(next), next.counts.updated], [[], 1]);
    const after = await world.person("1");
    assert.deepEqual([after.title, after.edited_by_hand], ["Engineer", []]);
    // The same file once more is an edit once more: the connection is older, but nobody's word by that.
    await world.import(csv(`${HEADER},title`, `${ANA},Lead`), BY_HAND);
    assert.equal((await world.person("1")).title, "Lead");
    assert.deepEqual((await sync(world, ...night)).counts.updated, 1);
  }));

test("where the feed keeps manual edits, what a file by hand wrote stays until it is released, managers too", () =>
  withFeed(async (world) => {
    const head = `${HEADER},title,manager_id`;
    const night = [head, `${ANA},Engineer,`, `${BO},Clerk,1`, `${CY},,`];
    await sync(world, ...night);
    await world.import(csv(head, `${BO},Lead,3`, `${CY},,1`), BY_HAND);
    const bo = await world.person("2"), cy = await world.person("3");
    assert.deepEqual([bo.manager?.employee_id, bo.edited_by_hand], ["3", ["manager", "title"]]);
    assert.deepEqual([cy.manager?.employee_id, cy.edited_by_hand], ["1", ["manager"]]);
    const kept = await sync(world, ...night);
    assert.deepEqual(kept.changes.length, 0);
    assert.deepEqual([...new Set(kept.issues.map(({ code }) => code))], ["field_kept"]);
    // A hand may take back what a hand wrote.
    await world.import(csv(head, `${BO},Cook,1`), BY_HAND);
    assert.deepEqual([(await world.person("2")).title, (await world.person("2")).manager?.employee_id], ["Cook", "1"]);
    await world.edit(bo, { release: ["title", "manager"] });
    assert.equal((await sync(world, ...night)).counts.updated, 1);
    assert.equal((await world.person("2")).title, "Clerk");
  }, { policy: { manual_edits: "keep" }, ...FREE }));

test("for people whom no automated connection knows, a file by hand is an ordinary source", () =>
  withFeed(async (world) => {
    const head = `${HEADER},title`;
    await world.import(csv(head, `${ANA},Engineer`, `${BO},Clerk`), BY_HAND);
    const next = await world.import(csv(head, `${ANA},Lead`, `${BO},Clerk`), BY_HAND);
    assert.equal(next.counts.updated, 1);
    assert.deepEqual((await world.person("1")).edited_by_hand, []);
    // Once the feed knows them, its values count, though the connection is younger.
    const first = await sync(world, titled, `${ANA},Director,yes`);
    assert.deepEqual([said(first), first.counts.updated, (await world.person("1")).title], [[], 1, "Director"]);
    const again = await world.import(csv(head, `${ANA},Lead`, `${BO},Cook`), BY_HAND);
    assert.equal(again.counts.updated, 2);
    assert.deepEqual((await world.people()).map(({ edited_by_hand }) => edited_by_hand), [["title"], []]);
  }));

test("whom a file by hand has deactivated, a feed that never says who is active does not bring back", () =>
  withFeed(async (world) => {
    const head = `${HEADER},is_active`;
    await world.import(csv(head, `${ANA},yes`, `${BO},yes`), BY_HAND);
    await world.import(csv(head, `${ANA},no`, `${BO},yes`), BY_HAND);
    const first = await sync(world, HEADER, ANA, BO);
    assert.deepEqual([first.counts.reactivated, (await world.person("1")).status], [0, "inactive"]);
    assert.deepEqual(said(first), ["2 source_conflict"]);
    // Once it does say so, it counts.
    const next = await sync(world, head, `${ANA},yes`, `${BO},yes`);
    assert.deepEqual([next.counts.reactivated, (await world.person("1")).status], [1, "active"]);
  }));

test("a file by hand that says nothing of who has left brings nobody back", () =>
  withFeed(async (world) => {
    const night = [titled, `${ANA},Engineer,yes`, `${BO},Clerk,no`, `${CY},Cook,yes`];
    await sync(world, titled, `${ANA},Engineer,yes`, `${BO},Clerk,yes`, `${CY},Cook,yes`);
    await sync(world, ...night);
    await world.edit(await world.person("3"), { deactivation_date: "2026-01-02" });
    assert.equal((await world.person("3")).status, "inactive");
    const upload = await world.import(csv(`${HEADER},title`, `${ANA},Lead`, `${BO},Lead`, `${CY},Lead`), BY_HAND);
    assert.deepEqual([upload.counts.reactivated, upload.counts.updated], [0, 3]);
    assert.deepEqual(said(upload), ["3 source_conflict", "4 source_conflict"]);
    const bo = await world.person("2"), cy = await world.person("3");
    assert.deepEqual([bo.status, cy.status, cy.deactivation_date], ["inactive", "inactive", "2026-01-02"]);
    // Whoever means it says so.
    const back = await world.import(csv(`${HEADER},is_active`, `${BO},yes`), { ...BY_HAND, coverage: "diff" });
    assert.deepEqual([back.counts.reactivated, (await world.person("2")).status], [1, "active"]);
  }));

test("somebody added by hand stays until the feed has seen them, and leaves with it from then on", () =>
  withFeed(async (world) => {
    const head = `${HEADER},is_active`;
    await sync(world, head, `${ANA},yes`);
    await world.import(csv(head, `${BO},yes`), { ...BY_HAND, coverage: "diff" });
    const before = await sync(world, head, `${ANA},yes`);
    assert.deepEqual([before.counts.missing, before.changes.length], [0, 0]);
    await sync(world, head, `${ANA},yes`, `${BO},yes`);
    const gone = await sync(world, head, `${ANA},yes`);
    assert.deepEqual(gone.changes.map(({ reason }) => reason), ["missing"]);
    assert.equal((await world.person("2")).status, "inactive");
  }));

test("somebody added by hand through the feed's own connection is not missing until its files have had them", () =>
  withFeed(async (world) => {
    const head = `${HEADER},is_active`;
    await sync(world, head, `${ANA},yes`, `${CY},yes`);
    await world.import(csv(head, `${BO},yes`), { ...BY_HAND, coverage: "diff", connection: "hr" });
    assert.deepEqual((await sync(world, head, `${ANA},yes`, `${CY},yes`)).changes.length, 0);
    await sync(world, head, `${ANA},yes`, `${BO},yes`, `${CY},yes`);
    const gone = await sync(world, head, `${ANA},yes`, `${CY},yes`);
    assert.deepEqual(gone.changes.map(({ reason }) => reason), ["missing"]);
  }));

test("active by hand holds against absence, and ends once the feed has seen the person", () =>
  withFeed(async (world) => {
    const head = `${HEADER},is_active`, without = [head, `${ANA},yes`, `${CY},yes`];
    await sync(world, head, `${ANA},yes`, `${BO},yes`, `${CY},yes`);
    await sync(world, ...without);
    const back = await world.import(csv(head, `${BO},yes`), { ...BY_HAND, coverage: "diff" });
    assert.equal(back.counts.reactivated, 1);
    assert.deepEqual((await world.person("2")).edited_by_hand, ["status"]);
    assert.deepEqual((await sync(world, ...without)).changes.length, 0);
    const seen = await sync(world, head, `${ANA},yes`, `${BO},yes`, `${CY},yes`);
    assert.deepEqual([seen.changes.length, (await world.person("2")).edited_by_hand], [0, []]);
    assert.deepEqual((await sync(world, ...without)).changes.map(({ reason }) => reason), ["missing"]);
  }));

test("inactive by hand holds until the feed's own status changes, and a return from absence is a change", () =>
  withFeed(async (world) => {
    const head = `${HEADER},is_active`;
    const rows = (bo: string) => [head, `${ANA},yes`, `${BO},${bo}`, `${CY},yes`];
    const locked = csv(head, `${BO},no`);
    await sync(world, ...rows("yes"));
    const out = await world.import(locked, { ...BY_HAND, coverage: "diff" });
    assert.equal(out.counts.deactivated, 1);
    const kept = await sync(world, ...rows("yes"));
    assert.deepEqual([said(kept), kept.changes.length], [["3 status_kept_by_hand"], 0]);
    await sync(world, ...rows("no"));
    assert.equal((await sync(world, ...rows("yes"))).counts.reactivated, 1);
    await world.import(`${locked}\n`, { ...BY_HAND, coverage: "diff" });
    await sync(world, head, `${ANA},yes`, `${CY},yes`);
    assert.equal((await sync(world, ...rows("yes"))).counts.reactivated, 1);
    assert.deepEqual((await world.person("2")).edited_by_hand, []);
  }));

test("a priority that is set counts for files by hand, too", () =>
  withFeed(async (world) => {
    const night = [titled, `${ANA},Engineer,yes`, `${BO},Clerk,yes`];
    await sync(world, ...night);
    await world.set("hr", { policy: { priority: 1 } });
    const lower = await world.import(csv(`${HEADER},title`, `${ANA},Lead`), BY_HAND);
    assert.deepEqual([said(lower), lower.changes.length], [["2 source_conflict"], 0]);
    await world.set("csv", { policy: { priority: 2 } });
    await world.import(csv(`${HEADER},title`, `${ANA},Chief`), BY_HAND);
    const { title, edited_by_hand } = await world.person("1");
    assert.deepEqual([title, edited_by_hand], ["Chief", []]);
    const next = await sync(world, ...night);
    assert.deepEqual([said(next), (await world.person("1")).title], [["2 source_conflict"], "Chief"]);
  }));

test("uploads in parts and posted records can come by hand, and drops show that they did", () =>
  withFeed(async (world) => {
    await sync(world, titled, `${ANA},Engineer,yes`, `${BO},Clerk,yes`);
    const opened = await world.post("/v1/connections/csv/uploads", { name: "people.csv", by_hand: true });
    const { id } = opened.body.upload;
    const part = await world.ask(`/v1/uploads/${id}/parts/1`, {
      method: "PUT",
      body: csv(`${HEADER},title`, `${ANA},Lead`),
      headers: { "content-type": "application/octet-stream" },
    });
    assert.equal(part.status, 204);
    const sealed = await world.post(`/v1/uploads/${id}/seal`, {});
    assert.equal(sealed.body.drop.by_hand, true);
    await world.carry();
    assert.deepEqual((await world.person("1")).edited_by_hand, ["title"]);
    const users = [{ employee_id: "2", email: "bo@acme.test", first_name: "Bo", last_name: "Berg", title: "Cook" }];
    const post = (query: string) =>
      world.ask(`/v1/users/import${query}`, { json: { users }, headers: { prefer: "wait=0" } });
    const posted = await (await post("?by_hand=true")).json();
    assert.equal(posted.drop.by_hand, true);
    await world.carry();
    assert.deepEqual([(await world.person("2")).title, (await world.person("2")).edited_by_hand], ["Cook", ["title"]]);
    assert.equal((await (await post("")).json()).drop.by_hand, false);
    assert.equal((await post("?by_hand=perhaps")).status, 400);
  }));

test("a file by hand and one of the feed that wait together do not replace each other", () =>
  withFeed(async (world) => {
    const night = (title: string) => csv(titled, `${ANA},${title},yes`, `${BO},Clerk,yes`);
    await world.import(night("Engineer"), { connection: "hr" });
    const ids = [
      await world.handIn(night("Lead"), { ...BY_HAND, connection: "hr" }),
      await world.handIn(night("Director"), { connection: "hr" }),
    ];
    await world.carry();
    const runs = await Promise.all(ids.map((id) => world.run(id)));
    assert.deepEqual(runs.map(({ status, counts }) => [status, counts.updated]), [["succeeded", 1], ["succeeded", 1]]);
  }));

test("people of the feed whom a file by hand gives another number stay the feed's: the next one edits them, too", () =>
  withFeed(async (world) => {
    await world.set("hr", { limits: { identity: { enabled: false }, reactivate: { enabled: false } } });
    await world.import(csv(titled, `${ANA},Engineer,yes`, `${BO},Clerk,yes`), { connection: "hr" });
    const rows = csv(titled, `9${ANA.slice(1)},Engineer,yes`, `${BO},Clerk,yes`);
    await world.import(rows, { ...BY_HAND, connection: "hr" });
    const ana = await world.edit(await world.person("9"), { status: "inactive" });
    assert.equal(ana.sources.length, 1);
    const run = await world.import(`${rows}\n`, { ...BY_HAND, connection: "hr" });
    assert.deepEqual(run.changes.map(({ action }) => action), ["reactivate"]);
  }));

test("the same bytes by hand and from the feed are two inputs", () =>
  withFeed(async (world) => {
    const text = csv(titled, `${ANA},Engineer,yes`, `${BO},Clerk,yes`);
    await world.import(text, { connection: "hr" });
    assert.equal((await world.import(text, { connection: "hr" })).status, "skipped");
    assert.equal((await world.import(text, { ...BY_HAND, connection: "hr" })).status, "succeeded");
    assert.equal((await world.import(text, { connection: "hr" })).status, "succeeded");
  }));
