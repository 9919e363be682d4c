/** Who is active: what empty cells, letters, dates and columns of statuses say, alone and in their column. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  csv,
  DAY_MS,
  HEADER,
  HOUR_MS,
  type Importing,
  importing,
  type ImportOptions,
  said,
} from "../support/imports.ts";

const NAMES = ["Ana,Novak", "Bo,Lind", "Cy,Ora", "Di,Pek", "Ed,Quin", "Fi,Rask", "Gil,Sand", "Hal,Toth"];
const DIFF: ImportOptions = { coverage: "diff" };

/** A row for each name with these cells; `undefined` leaves the person out. */
function file(header: string, cells: readonly (string | undefined)[]): string {
  const rows = cells.map((cell, i) => `${i + 1},p${i + 1}@acme.test,${NAMES[i]!},${cell}`);
  return csv(`${HEADER},${header}`, ...rows.filter((_, i) => cells[i] !== undefined));
}

const words = (...cells: readonly (string | undefined)[]) => file("is_active", cells);

/** `a` and `i` by the order of the names; `-`: there is no such person. */
async function statuses(world: Importing): Promise<string> {
  const people = await world.people();
  const letters = NAMES.map((_, i) => people.find((each) => each.employee_id === String(i + 1))?.status[0] ?? "-");
  return letters.join("");
}

test("an empty status says nothing of a leaver: in the whole file, alone, and where the whole column is empty", () =>
  importing(async (world) => {
    await world.import(words("Y", "Y", "Y", "Y"));
    await world.import(words("Y", "Y", "Y", "N"));
    assert.equal(await statuses(world), "aaai----");
    const blank = await world.import(words("Y", "Y", "Y", ""));
    assert.deepEqual([said(blank), blank.counts.reactivated], [["5 status_blank"], 0]);
    assert.match(blank.issues[0]!.message, /the person's status was left as it was/);
    // It was empty last time as well.
    const again = await world.import(`${words("Y", "Y", "Y", "")}\n`);
    assert.deepEqual([said(again), again.changes], [[], []]);
    await world.import(words(undefined, undefined, undefined, ""), DIFF);
    await world.import(words("", "", "", ""), { name: "all-blank.csv" });
    await world.import(
      csv(HEADER, ...NAMES.slice(0, 4).map((name, i) => `${i + 1},p${i + 1}@acme.test,${name}`)),
      DIFF,
    );
    assert.equal(await statuses(world), "aaai----");
  }));

test("somebody new is not created from an empty status, a placeholder or a cell that is missing at the end", () =>
  importing(async (world) => {
    const run = await world.import(words("Y", "", "n/a", "N"));
    assert.deepEqual(said(run), ["- placeholder_value", "3 status_blank", "4 status_blank"]);
    assert.deepEqual([run.counts.created, run.counts.skipped, await statuses(world)], [1, 3, "a-------"]);
    const short = await world.import(
      csv(`${HEADER},is_active`, "5,p5@acme.test,Ed,Quin", "6,p6@acme.test,Fi,Rask"),
      DIFF,
    );
    assert.deepEqual([said(short), short.counts.created], [["2 status_blank", "3 status_blank"], 0]);
  }));

test("the order of the rows makes no difference, however many come before the first status", () =>
  importing(async (world) => {
    const rows = Array.from({ length: 600 }, (_, i) => `${i},p${i}@acme.test,First,Last,${i === 599 ? "yes" : ""}`);
    for (const [slug, order] of [["down", rows], ["up", rows.toReversed()]] as const) {
      await world.connect(slug, { connector: "csv-upload" });
      const run = await world.import(csv(`${HEADER},is_active`, ...order), { connection: slug, mode: "plan" });
      assert.deepEqual([run.counts.created, run.counts.skipped, run.counts.read], [1, 599, 600]);
    }
  }));

test("in a column without a single status everybody is active, and in a file without the column somebody new", () =>
  importing(async (world) => {
    assert.equal((await world.import(words("", "", ""))).counts.created, 3);
    await world.import(words("N", "Y", "Y"));
    const gone = await world.import(csv(HEADER, "1,p1@acme.test,Ana,Novak", "4,p4@acme.test,Di,Pek"), DIFF);
    assert.deepEqual([said(gone), await statuses(world)], [["- column_vanished"], "iaaa----"]);
    assert.match(gone.issues[0]!.message, /everybody's status was left as it was/);
  }));

test("a record without the field leaves a leaver inactive, and one with somebody new makes them active", () =>
  importing(async (world) => {
    const record = (n: number, more = {}) => {
      const [first_name, last_name] = NAMES[n - 1]!.split(",");
      return { employee_id: String(n), email: `p${n}@acme.test`, first_name, last_name, ...more };
    };
    const send = (...users: object[]) =>
      world.import(JSON.stringify({ users }), { connection: "api", type: "application/json" });
    await send(record(1, { is_active: true }), record(2, { is_active: true }));
    await send(record(2, { is_active: false }));
    assert.equal(await statuses(world), "ai------");
    await send(record(2, { title: "Clerk" }), record(3));
    assert.equal(await statuses(world), "aia-----");
    assert.equal((await world.person("2")).title, "Clerk");
    await send(record(2, { is_active: "yes" }));
    assert.equal(await statuses(world), "aaa-----");
  }));

test("where a column only ever names leavers, an empty cell is somebody new who is active, and nothing of a leaver", () =>
  importing(async (world) => {
    const first = await world.import(words("N", "", ""));
    assert.deepEqual([said(first), await statuses(world)], [[], "-aa-----"]);
    await world.import(words(undefined, "N", ""));
    const back = await world.import(words(undefined, "", "", ""));
    assert.deepEqual([said(back), await statuses(world)], [["2 status_blank"], "-iaa----"]);
    // From the first word of those who work here on, an empty cell is nobody's any more.
    const mixed = await world.import(words(undefined, "", "", "", "", "Y"));
    assert.deepEqual([said(mixed), await statuses(world)], [["5 status_blank"], "-iaa-a--"]);
  }));

test("somebody who was missing comes back without a status, and somebody who had left does not", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    await world.import(words("Y", "Y", "Y", "Y", "Y", "Y"));
    await world.import(words("Y", "Y", "Y", "N", "Y", undefined));
    await world.import(words("Y", "Y", "Y", "N", "Y", undefined));
    assert.equal(await statuses(world), "aaaiai--");
    await world.import(words("Y", "Y", "Y", "", "Y", ""));
    assert.equal(await statuses(world), "aaaiaa--");
  }));

test("the letters A, I and T are active, inactive and terminated; T and F are true and false", () =>
  importing(async (world) => {
    assert.deepEqual(said(await world.import(words("A", "A", "T", "I"))), []);
    assert.equal(await statuses(world), "aa------");
    // One row reads as it would in the whole file.
    await world.import(words(undefined, "T"), DIFF);
    assert.equal(await statuses(world), "ai------");
    await world.connect("flags", { connector: "csv-upload" });
    const flags = await world.import(words("", "", "", "", "T", "F", "T"), { connection: "flags" });
    assert.deepEqual([flags.counts.created, said(flags).filter((code) => code.includes("value"))], [2, []]);
    await world.import(words(undefined, undefined, undefined, undefined, "F"), { connection: "flags", ...DIFF });
    assert.equal(await statuses(world), "ai--i-a-");
  }));

test("T and F with A, or alone and never read before, are refused, whatever came first", () =>
  importing(async (world) => {
    for (const cells of [["T", "F", "A"], ["A", "T", "F"], ["F", "A", "T"]]) {
      const run = await world.import(words(...cells), { mode: "plan" });
      const refused = cells.flatMap((cell, i) => cell === "A" ? [] : [`${i + 2} value_invalid`]);
      assert.deepEqual([said(run), run.counts.created], [refused, 1], cells.join());
    }
    assert.deepEqual(said(await world.import(words("yes", "F"), { mode: "plan" })), ["3 value_invalid"]);
    await world.set("csv", { limits: { errors: { enabled: false } } });
    await world.import(words("T", "F", "T", "T"));
    assert.equal(await statuses(world), "a-aa----");
    // Rows that did not change mean something else from now on, too.
    const mixed = await world.import(words("T", "F", "T", "T", "A"));
    assert.deepEqual(said(mixed), ["2 value_invalid", "3 value_invalid", "4 value_invalid", "5 value_invalid"]);
    await world.set("csv", { settings: { active_words: { active: ["T"], inactive: ["F"] } } });
    assert.deepEqual(said(await world.import(words("T", "F", "T", "T", "A"))), []);
  }));

test("with neither a status nor a date, somebody whose leaving day was read stays as they are", () =>
  importing(async (world) => {
    await world.import(file("deactivation_date", ["", "", "2031-01-31"]));
    await world.import(file("deactivation_date", ["", "2025-01-31", "2031-01-31"]));
    assert.equal(await statuses(world), "aia-----");
    await world.import(csv(HEADER, "2,p2@acme.test,Bo,Lind", "4,p4@acme.test,Di,Pek"), DIFF);
    assert.equal(await statuses(world), "aiaa----");
    // An empty date says that there is none.
    await world.import(file("deactivation_date", ["", "", "2031-01-31", ""]));
    assert.equal(await statuses(world), "aaaa----");
  }));

test("yes beside a leaving day that has come is inactive, with a warning", () =>
  importing(async (world) => {
    await world.import(file("is_active,deactivation_date", ["yes,", "yes,", "yes,"]));
    const run = await world.import(file("is_active,deactivation_date", ["yes,", "yes,2025-01-31", "yes,"]));
    assert.deepEqual([said(run), await statuses(world)], [["3 status_disagrees"], "aia-----"]);
  }));

test("where sources give the last working day, people are inactive from the day after on", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { leavers: "after_date" }, limits: { deactivate: { enabled: false } } });
    const day = (offset: number) => new Date(world.hub.clock.ms + offset * DAY_MS).toISOString().slice(0, 10);
    const content = file("deactivation_date", ["", day(0), day(1), day(-1)]);
    await world.import(file("deactivation_date", ["", "", "", ""]));
    await world.import(content);
    assert.equal(await statuses(world), "aaai----");
    await world.tick();
    await world.carry();
    assert.equal(await statuses(world), "aaai----");
    world.later(DAY_MS);
    await world.tick();
    await world.carry();
    assert.equal(await statuses(world), "aiai----");
    world.later(24 * HOUR_MS);
    await world.tick();
    await world.carry();
    assert.equal(await statuses(world), "aiii----");
  }));

for (const header of ["employment_status", "Status", "Employee Status:", "Status [READ ONLY]"]) {
  test(`words of leavers in "${header}", which nothing decides by, leave these people out`, () =>
    importing(async (world) => {
      const content = file(header, ["Active", "Full-Time", "Terminated", "On Leave", "inactive"]);
      const run = await world.import(content);
      assert.ok(said(run).includes("- status_unclear"), said(run).join());
      const { message } = run.issues.find(({ code }) => code === "status_unclear")!;
      assert.match(
        message,
        /^2 rows have "Terminated", "inactive" in the column ".+" \(lines 4, 6\), and no column says/,
      );
      assert.deepEqual([run.counts.created, run.counts.skipped, await statuses(world)], [3, 2, "aa-a----"]);
      const later = await world.import(file(header, ["Active", "Terminated", "Terminated", "On Leave", "inactive"]));
      assert.deepEqual([later.counts.deactivated, await statuses(world)], [0, "aa-a----"]);
      assert.equal((await world.import(content)).counts.skipped, 2);
    }));
}

test("a column of statuses is used where it is mapped, and left alone where that is meant", () =>
  importing(async (world) => {
    const content = file("Status", ["Active", "Active", "Terminated"]);
    await world.connect("mapped", { connector: "csv-upload", mapping: { Status: "is_active" } });
    assert.deepEqual(said(await world.import(content, { connection: "mapped", mode: "plan" })), []);
    await world.connect("ignored", { connector: "csv-upload", mapping: { Status: null } });
    const ignored = await world.import(content, { connection: "ignored", mode: "plan" });
    assert.deepEqual([said(ignored), ignored.counts.created], [[], 3]);
    await world.connect("filtered", { connector: "csv-upload", policy: { only_statuses: ["Active"] } });
    const filtered = await world.import(file("employment_status", ["Active", "Terminated"]), {
      connection: "filtered",
      mode: "plan",
    });
    assert.deepEqual([said(filtered), filtered.counts.created], [[], 1]);
  }));

test("a column of other words under such a header is no column of statuses", () =>
  importing(async (world) => {
    for (const cells of [["Left", "Right", "Middle", "Right", "Up"], ["Right", "Middle", "Right", "Up", "Left"]]) {
      const run = await world.import(file("Status", cells), { mode: "plan" });
      assert.deepEqual([said(run), run.counts.created], [["- header_unknown"], 5]);
    }
  }));

test("dates that fit only the other order make those that fit both unusable, in any order of the rows", () =>
  importing(async (world) => {
    await world.set("csv", { settings: { date_format: "DD/MM/YYYY" } });
    const cells = ["03/04/2020", "05/05/2020", "12/25/2020", "2020-02-01"];
    const run = await world.import(file("hire_date", cells));
    assert.deepEqual(said(run), ["- date_order_suspect", "4 date_invalid"]);
    assert.match(
      run.issues.find(({ code }) => code === "date_order_suspect")!.message,
      /^1 cell of "hire_date" like "03\/04\/2020" \(line 2\)/,
    );
    const dates = async () =>
      (await world.people()).sort((a, b) => Number(a.employee_id) - Number(b.employee_id)).map(
        ({ hire_date }) => hire_date,
      );
    assert.deepEqual(await dates(), [null, "2020-05-05", null, "2020-02-01"]);
    // One date that fits the declared order shows that the other one is a mistake.
    const right = await world.import(file("hire_date", [...cells, "31/12/2020"]));
    assert.deepEqual(said(right), ["4 date_invalid"]);
    assert.deepEqual(await dates(), ["2020-04-03", "2020-05-05", null, "2020-02-01", "2020-12-31"]);
    // Also when its row has not changed.
    const later = await world.import(file("hire_date", [...cells, "31/12/2020", "06/07/2020"]));
    assert.deepEqual([said(later), (await dates())[5]], [["4 date_invalid"], "2020-07-06"]);
  }));

test("in deactivation_date such rows are errors", () =>
  importing(async (world) => {
    await world.set("csv", { settings: { date_format: "MM/DD/YYYY" } });
    const run = await world.import(file("deactivation_date", ["03/04/2031", "25/12/2031", ""]));
    assert.deepEqual(said(run), ["2 date_order_suspect", "3 date_invalid"]);
    assert.equal(await statuses(world), "--a-----");
  }));

test("a run whose rows were planned twice leaves the same plan as one that was planned at once", () =>
  importing(async (world) => {
    const blank = Array.from({ length: 300 }, (_, i) => `b${i},b${i}@acme.test,First,Last,`);
    const content = csv(`${HEADER},is_active`, "1,p1@acme.test,Ana,Novak,", ...blank, "2,p2@acme.test,Bo,Lind,yes");
    const run = await world.import(content);
    assert.deepEqual([run.counts.created, run.counts.skipped, run.changes.length], [1, 301, 1]);
    assert.equal(run.issues.length, 301);
    assert.equal((await world.import(content, { name: "again.csv" })).counts.created, 0);
  }));
