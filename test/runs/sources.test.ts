import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, DAY_MS, HEADER, importing, said } from "../support/imports.ts";

const ANA = "1,ana@acme.test,Ana,Lopez";
const BO = "2,bo@acme.test,Bo,Berg";
const CY = "3,cy@acme.test,Cy,Dahl";
const NOW = { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } };

test("a change by hand is overwritten by the next input, by default", () =>
  importing(async (world) => {
    const text = csv(`${HEADER},title`, `${ANA},Engineer`);
    await world.import(text);
    await world.edit(await world.person("1"), { title: "Lead" });
    const run = await world.import(text);
    assert.deepEqual([run.status, run.counts.updated], ["succeeded", 1]);
    const { title, edited_by_hand } = await world.person("1");
    assert.deepEqual([title, edited_by_hand], ["Engineer", []]);
  }));

test("where the policy keeps, a field edited by hand stays until it is released, and the run says so", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { manual_edits: "keep" } });
    const text = csv(`${HEADER},title,location`, `${ANA},Engineer,Oslo`);
    await world.import(text);
    const ana = await world.person("1");
    await world.edit(ana, { title: "Lead" });
    const run = await world.import(csv(`${HEADER},title,location`, `${ANA},Engineer,Bergen`));
    assert.deepEqual([said(run), run.counts.updated, run.counts.warned], [["2 field_kept"], 1, 1]);
    const kept = await world.person("1");
    assert.deepEqual([kept.title, kept.location, kept.edited_by_hand], ["Lead", "Bergen", ["title"]]);
    await world.edit(ana, { release: ["title"] });
    await world.import(text);
    assert.equal((await world.person("1")).title, "Engineer");
  }));

test("a manager set by hand is kept where the policy keeps", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { manual_edits: "keep" } });
    const text = csv(`${HEADER},manager_id`, `${ANA},`, `${BO},1`, `${CY},1`);
    await world.import(text);
    await world.edit(await world.person("2"), { manager: "3" });
    const run = await world.import(text);
    assert.deepEqual(said(run), ["3 field_kept"]);
    assert.equal((await world.person("2")).manager?.employee_id, "3");
    await world.edit(await world.person("2"), { release: ["manager"] });
    const released = await world.import(text);
    assert.deepEqual([said(released), released.counts.updated], [[], 1]);
    assert.equal((await world.person("2")).manager?.employee_id, "1");
  }));

test("a status set by hand holds until the source's own status changes", () =>
  importing(async (world) => {
    const text = (status: string) => csv(`${HEADER},is_active`, `${ANA},${status}`, `${BO},yes`, `${CY},yes`);
    await world.import(text("yes"));
    await world.edit(await world.person("1"), { status: "inactive" });
    const run = await world.import(text("yes"));
    assert.deepEqual([said(run), run.changes.length], [["2 status_kept_by_hand"], 0]);
    assert.equal((await world.person("1")).status, "inactive");
    await world.import(text("no"));
    const back = await world.import(text("yes"));
    assert.equal(back.counts.reactivated, 1);
    assert.equal((await world.person("1")).status, "active");
  }));

test("active by hand ends with the next record of the source", () =>
  importing(async (world) => {
    const text = (status: string) => csv(`${HEADER},is_active`, `${ANA},${status}`, `${BO},yes`, `${CY},yes`);
    await world.import(text("no"));
    await world.import(text("yes"));
    await world.import(text("no"));
    await world.edit(await world.person("1"), { status: "active" });
    // The next record of the source counts again.
    const run = await world.import(text("no"));
    assert.deepEqual([run.changes.map(({ action }) => action), said(run)], [["deactivate"], []]);
    const { status, edited_by_hand } = await world.person("1");
    assert.deepEqual([status, edited_by_hand], ["inactive", []]);
  }));

test("a connection of lower priority does not overwrite, and says so once", () =>
  importing(async (world) => {
    await world.connect("second");
    const header = `${HEADER},title`;
    await world.import(csv(header, `${ANA},Engineer`));
    const text = csv(header, `${ANA},Clerk`);
    const first = await world.import(text, { connection: "second" });
    assert.deepEqual([said(first), first.changes.length], [["2 source_conflict"], 0]);
    assert.match(first.issues[0]!.message, /"Engineer"/);
    const again = await world.import(`${text}\n`, { connection: "second" });
    assert.deepEqual([said(again), again.changes.length], [[], 0]);
    const other = await world.import(csv(header, `${ANA},Cook`), { connection: "second" });
    assert.deepEqual(said(other), ["2 source_conflict"]);
    assert.equal((await world.person("1")).title, "Engineer");
  }));

test("a conflict that was said stays said when something else of the person changes", () =>
  importing(async (world) => {
    await world.connect("second");
    const header = `${HEADER},title`;
    await world.import(csv(header, `${ANA},Engineer`));
    const of = (location: string) => csv(`${header},location`, `${ANA},Clerk,${location}`);
    assert.deepEqual(said(await world.import(of("Oslo"), { connection: "second" })), ["2 source_conflict"]);
    const moved = await world.import(of("Bergen"), { connection: "second" });
    assert.deepEqual([moved.counts.updated, said(moved)], [1, []]);
    assert.deepEqual(said(await world.import(of("Narvik"), { connection: "second" })), []);
  }));

test("a field that only the second connection gives is its own to change", () =>
  importing(async (world) => {
    await world.connect("second");
    await world.import(csv(HEADER, ANA));
    await world.import(csv("employee_id,location", "1,Oslo"), { connection: "second" });
    const run = await world.import(csv("employee_id,location", "1,Bergen"), { connection: "second" });
    assert.deepEqual([run.counts.updated, said(run)], [1, []]);
    const first = await world.import(csv(`${HEADER},location`, `${ANA},Narvik`));
    assert.deepEqual([first.counts.updated, said(first)], [1, []]);
    assert.equal((await world.person("1")).location, "Narvik");
  }));

test("a field that its own source has emptied is free for another, until the first has a word on it again", () =>
  importing(async (world) => {
    await world.connect("second");
    const header = `${HEADER},title`;
    const send = async (title: string, connection = "csv") => {
      const run = await world.import(csv(header, `${ANA},${title}`), { connection });
      return [said(run), (await world.person("1")).title];
    };
    await send("Engineer");
    assert.deepEqual(await send("Clerk", "second"), [["2 source_conflict"], "Engineer"]);
    assert.deepEqual(await send(""), [[], null]);
    assert.deepEqual(await send("Clerk", "second"), [[], "Clerk"]);
    // Now the first takes away what another wrote. That counts, or the two would take turns.
    assert.deepEqual(await send(""), [[], null]);
    assert.deepEqual(await send("Clerk", "second"), [["2 source_conflict"], null]);
    await send("Lead");
    assert.deepEqual(await send("Clerk", "second"), [[], "Lead"]);
  }));

test("a field that a hand wrote is no source's once it is released, also where the older one has never given it", () =>
  importing(async (world) => {
    await world.connect("second");
    await world.import(csv(HEADER, ANA));
    const titled = csv(`${HEADER},title`, `${ANA},Engineer`);
    await world.import(titled, { connection: "second" });
    await world.edit(await world.person("1"), { title: "Lead" });
    await world.edit(await world.person("1"), { release: ["title"] });
    const run = await world.import(titled, { connection: "second" });
    assert.deepEqual([said(run), (await world.person("1")).title], [[], "Engineer"]);
  }));

test("priority decides over age", () =>
  importing(async (world) => {
    await world.connect("second", { policy: { priority: 1 } });
    await world.import(csv(`${HEADER},title`, `${ANA},Engineer`));
    const run = await world.import(csv(`${HEADER},title`, `${ANA},Clerk`), { connection: "second" });
    assert.deepEqual([run.counts.updated, said(run)], [1, []]);
    const back = await world.import(csv(`${HEADER},title`, `${ANA},Cook`));
    assert.deepEqual([back.counts.updated, said(back)], [0, ["2 source_conflict"]]);
    assert.equal((await world.person("1")).title, "Clerk");
  }));

test("nobody is deactivated as missing while another connection says active", () =>
  importing(async (world) => {
    await world.connect("second", NOW);
    await world.set("csv", NOW);
    const rows = (...people: string[]) => csv(`${HEADER},is_active`, ...people.map((each) => `${each},yes`));
    await world.import(rows(ANA, BO, CY));
    await world.import(rows(ANA, BO, CY), { connection: "second" });
    const run = await world.import(rows(ANA, CY));
    assert.deepEqual([run.counts.missing, run.changes.length], [1, 0]);
    assert.equal((await world.person("2")).status, "active");
    const both = await world.import(rows(ANA, CY), { connection: "second" });
    assert.deepEqual(both.changes.map(({ action, reason }) => [action, reason]), [["deactivate", "missing"]]);
    assert.equal((await world.person("2")).status, "inactive");
  }));

test("nobody is deactivated as filtered while another connection says active, and the run says why", () =>
  importing(async (world) => {
    await world.connect("second", { policy: { priority: 1, only_statuses: ["Permanent"] } });
    const header = `${HEADER},employment_status`;
    const rows = (status: string) => csv(header, `${ANA},${status}`, `${BO},Permanent`, `${CY},Permanent`);
    await world.import(rows("Permanent"), { connection: "second" });
    const listed = (...people: string[]) => csv(`${HEADER},is_active`, ...people.map((each) => `${each},yes`));
    await world.import(listed(ANA, BO, CY));
    const run = await world.import(rows("Contractor"), { connection: "second" });
    assert.deepEqual(said(run), ["2 active_elsewhere"]);
    assert.equal((await world.person("1")).status, "active");
    const again = await world.import(rows("Contractor") + "\n", { connection: "second" });
    assert.deepEqual([said(again), again.changes.length], [[], 0]);
    // Gone from the other one, too: now nobody says active.
    await world.set("csv", NOW);
    const gone = await world.import(listed(BO, CY));
    assert.deepEqual(gone.changes.map(({ reason }) => reason), ["missing"]);
    assert.equal((await world.person("1")).status, "inactive");
  }));

test("a connection that has never read a status holds nobody, and brings nobody back", () =>
  importing(async (world) => {
    await world.connect("badges");
    await world.set("csv", NOW);
    const staff = (...people: string[]) => csv(`${HEADER},is_active`, ...people.map((each) => `${each},yes`));
    await world.import(staff(ANA, BO, CY));
    await world.import(csv(HEADER, ANA, BO, CY), { connection: "badges" });
    const gone = await world.import(staff(ANA, CY));
    assert.deepEqual(gone.changes.map(({ action, reason }) => [action, reason]), [["deactivate", "missing"]]);
    for (let night = 0; night < 3; night++) {
      world.later(DAY_MS);
      const ends = "\n".repeat(night + 1);
      const badges = await world.import(csv(HEADER, ANA, BO, CY) + ends, { connection: "badges" });
      assert.deepEqual([badges.changes.length, said(badges)], [0, night === 0 ? ["3 source_conflict"] : []]);
      assert.equal((await world.import(staff(ANA, CY) + ends)).changes.length, 0);
    }
    // Once it reads one, its word counts, whatever its age: missing never outweighs active.
    const read = await world.import(staff(ANA, BO, CY), { connection: "badges" });
    assert.deepEqual(read.changes.map(({ line, action }) => [line, action]), [[3, "reactivate"]]);
    assert.equal((await world.import(staff(ANA, CY) + "\n\n\n\n")).changes.length, 0);
  }));

test("a list without a status brings back whom it had missed itself", () =>
  importing(async (world) => {
    await world.connect("second");
    await world.set("csv", NOW);
    await world.import(csv(`${HEADER},is_active`, `${ANA},yes`, `${CY},yes`), { connection: "second" });
    await world.import(csv(HEADER, ANA, BO, CY));
    await world.import(csv(HEADER, ANA, CY));
    assert.equal((await world.person("2")).status, "inactive");
    await world.import(csv(HEADER, ANA, BO, CY));
    assert.equal((await world.person("2")).status, "active");
  }));

test("of a connection that is fed by changes the last record counts, of others the last whole file", () =>
  importing(async (world) => {
    await world.connect("changes", { policy: { coverage: "diff" } });
    await world.connect("whole", { policy: { coverage: "full" } });
    await world.set("csv", NOW);
    const rows = (status: string, ...people: string[]) =>
      csv(`${HEADER},is_active`, ...people.map((each) => `${each},${status}`));
    await world.import(rows("yes", ANA, BO, CY));
    await world.import(rows("yes", BO), { connection: "changes" });
    await world.import(rows("yes", ANA), { connection: "changes" });
    assert.equal((await world.import(rows("yes", ANA, CY))).changes.length, 0);
    const out = await world.import(rows("no", BO), { connection: "changes" });
    assert.deepEqual(out.changes.map(({ action }) => action), ["deactivate"]);
    await world.import(rows("yes", ANA, CY), { connection: "whole" });
    assert.equal((await world.import(rows("yes", ANA))).changes.length, 0);
    const gone = await world.import(rows("yes", ANA), { connection: "whole" });
    assert.deepEqual([gone.changes.length, gone.counts.missing], [0, 1]);
    const both = await world.import(rows("yes", ANA) + "\n");
    assert.deepEqual(both.changes.map(({ reason }) => reason), ["missing"]);
  }));

test("two sources that disagree do not make anybody flap, night after night", () =>
  importing(async (world) => {
    await world.connect("second");
    const first = csv(`${HEADER},title,is_active`, `${ANA},Engineer,yes`, `${BO},Clerk,yes`, `${CY},,yes`);
    const second = csv(`${HEADER},title,is_active`, `${ANA},Cook,no`, `${BO},Waiter,yes`, `${CY},,yes`);
    await world.import(first);
    await world.import(second, { connection: "second" });
    const before = await world.people();
    for (let night = 0; night < 10; night++) {
      world.later(DAY_MS);
      for (const [text, connection] of [[first, "csv"], [second, "second"]] as const) {
        // Other bytes, so that no night is skipped.
        const run = await world.import(text + "\n".repeat(night + 1), { connection });
        assert.deepEqual([run.status, run.changes.length, said(run)], ["succeeded", 0, []]);
      }
    }
    assert.deepEqual((await world.people()).map(({ version }) => version), before.map(({ version }) => version));
  }));

test("two sources, one in which a person is missing, do not make anybody flap", () =>
  importing(async (world) => {
    await world.connect("second", NOW);
    await world.set("csv", NOW);
    const rows = (...people: string[]) => csv(`${HEADER},is_active`, ...people.map((each) => `${each},yes`));
    await world.import(rows(ANA, BO, CY));
    await world.import(rows(ANA, BO, CY), { connection: "second" });
    for (let night = 0; night < 10; night++) {
      world.later(DAY_MS);
      const ends = "\n".repeat(night + 1);
      const first = await world.import(rows(ANA, CY) + ends);
      const second = await world.import(rows(ANA, BO, CY) + ends, { connection: "second" });
      assert.deepEqual([first.changes.length, second.changes.length], [0, 0]);
    }
    assert.equal((await world.person("2")).status, "active");
  }));

test("a connection that is deleted leaves its people, whom another one may change from then on", () =>
  importing(async (world) => {
    await world.connect("second");
    await world.connect("third");
    await world.import(csv(`${HEADER},title`, `${ANA},Engineer`), { connection: "second" });
    assert.equal((await world.ask("/v1/connections/second", { method: "DELETE" })).status, 204);
    const run = await world.import(csv(`${HEADER},title`, `${ANA},Lead`), { connection: "third" });
    assert.deepEqual([said(run), run.counts.updated], [[], 1]);
  }));

test("of priorities that change, the next input of the same bytes takes notice", () =>
  importing(async (world) => {
    await world.connect("second");
    await world.import(csv(`${HEADER},title`, `${ANA},Engineer`));
    const text = csv(`${HEADER},title`, `${ANA},Clerk`);
    await world.import(text, { connection: "second" });
    assert.equal((await world.person("1")).title, "Engineer");
    await world.set("second", { policy: { priority: 1 } });
    const run = await world.import(text, { connection: "second" });
    assert.deepEqual([run.status, run.counts.updated], ["succeeded", 1]);
  }));

test("of two sources that read a status the older one's word counts, before it has changed anything", () =>
  importing(async (world) => {
    await world.connect("second");
    const rows = (status: string) => csv(`${HEADER},is_active`, `${ANA},${status}`, `${BO},yes`, `${CY},yes`);
    // The younger one made them; the older one has only confirmed what was there.
    await world.import(rows("yes"), { connection: "second" });
    await world.import(rows("yes"));
    const out = await world.import(rows("no"), { connection: "second" });
    assert.deepEqual([said(out), out.changes.length], [["2 source_conflict"], 0]);
    await world.import(rows("no"));
    assert.equal((await world.person("1")).status, "inactive");
    const back = await world.import(rows("yes"), { connection: "second" });
    assert.deepEqual([said(back), back.changes.length], [["2 source_conflict"], 0]);
  }));

test("missing and filtered, of whatever age or priority, never outweigh another's active", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { ...NOW.policy, priority: 9, only_statuses: ["Permanent"] } });
    await world.connect("second");
    const second = (bo: string) => csv(`${HEADER},is_active`, `${BO},${bo}`, `${CY},yes`);
    const first = (...people: string[]) => csv(`${HEADER},employment_status`, ...people);
    await world.import(first(`${ANA},Permanent`, `${BO},Permanent`, `${CY},Permanent`));
    await world.import(first(`${ANA},Permanent`, `${BO},Contractor`, `${CY},Permanent`));
    assert.equal((await world.person("2")).status, "inactive");
    const filtered = await world.import(second("yes"), { connection: "second" });
    assert.deepEqual([said(filtered), filtered.counts.reactivated], [[], 1]);
    await world.import(second("no"), { connection: "second" });
    await world.import(first(`${ANA},Permanent`, `${CY},Permanent`));
    const missing = await world.import(second("yes") + "\n", { connection: "second" });
    assert.deepEqual([said(missing), missing.counts.reactivated], [[], 1]);
    assert.equal((await world.import(first(`${ANA},Permanent`, `${CY},Permanent`) + "\n")).changes.length, 0);
  }));

test("two sources that take a field back and forth come to rest, with the older one's word", () =>
  importing(async (world) => {
    await world.connect("second");
    const head = `${HEADER},title,location,manager_id`;
    // The older one has the columns, with nothing in them.
    const first = csv(head, `${ANA},,,`, `${BO},,,`), second = csv(head, `${ANA},Cook,Oslo,2`, `${BO},,,`);
    let conflicts = 0;
    for (let night = 0; night < 5; night++) {
      world.later(DAY_MS);
      const ends = "\n".repeat(night + 1);
      const own = await world.import(first + ends);
      const other = await world.import(second + ends, { connection: "second" });
      conflicts += other.issues.filter(({ code }) => code === "source_conflict").length;
      if (night > 1) assert.deepEqual([own.changes.length, other.changes.length], [0, 0], `night ${night}`);
    }
    assert.equal(conflicts, 3);
    const { title, location, manager } = await world.person("1");
    assert.deepEqual([title, location, manager], [null, null, null]);
  }));

test("a leaving day of a younger source that does not count is not stored, and does not come due", () =>
  importing(async (world) => {
    await world.connect("second");
    const first = csv(`${HEADER},is_active`, `${ANA},yes`, `${BO},yes`, `${CY},yes`);
    const second = csv(`${HEADER},deactivation_date`, `${ANA},2026-02-01`, `${BO},`, `${CY},`);
    await world.import(first);
    for (let night = 0; night < 3; night++) {
      world.later(DAY_MS);
      await world.tick();
      await world.carry();
      const run = await world.import(second + "\n".repeat(night + 1), { connection: "second" });
      assert.deepEqual([run.changes.length, said(run)], [0, night === 0 ? ["2 source_conflict"] : []]);
      assert.equal((await world.import(first + "\n".repeat(night + 1))).changes.length, 0);
    }
    const { status, deactivation_date } = await world.person("1");
    assert.deepEqual([status, deactivation_date], ["active", null]);
  }));
