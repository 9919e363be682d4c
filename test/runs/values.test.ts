/** What one cell says, through a hub: dates, words of status, addresses, and the connection's settings for them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { csv, HEADER, type Importing, importing, type Outcome, said } from "../support/imports.ts";

/** People numbered from 1, each with these cells. */
function people(header: string, ...cells: readonly string[]): string {
  const rows = cells.map((cell, i) => `${i + 1},p${i + 1}@acme.test,First${i + 1},Last${i + 1},${cell}`);
  return csv(`${HEADER},${header}`, ...rows);
}

async function statuses(world: Importing): Promise<string[]> {
  const all = await world.people();
  return all.sort((a, b) => Number(a.employee_id) - Number(b.employee_id)).map(({ status }) => status);
}

test("a status is read in the words of exports of many kinds and languages", () =>
  importing(async (world) => {
    const run = await world.import(
      people("is_active", "A", "Enabled", "WAHR", "Current", "Ja", "On", "Leave of Absence"),
    );
    assert.deepEqual([said(run), run.counts.created], [[], 7]);
    const left = await world.import(people("is_active", "I", "Disabled", "FALSCH", "Resigned", "Nein", "Off", "x"));
    assert.deepEqual(said(left), []);
    assert.equal(left.held_by.length, 1);
    assert.equal(left.held_by[0]!.count, 6);
  }));

test("T alone is refused, as it may mean two things, and nobody is created or changed by it", () =>
  importing(async (world) => {
    const run = await world.import(people("is_active", "yes", "T"));
    assert.deepEqual([said(run), run.counts.created], [["3 value_invalid"], 1]);
  }));

for (const [slug, content] of [["csv", "csv"], ["api", "json"], ["folder", "csv"]] as const) {
  test(`the connection "${slug}" has words of its own for who works here`, () =>
    importing(async (world) => {
      if (slug === "folder") await world.connect("folder", { connector: "sftp-drop" });
      const file = (word: string) =>
        content === "csv"
          ? people("is_active", "furloughed", word)
          : JSON.stringify([{ ...ROWS[0], is_active: "furloughed" }, { ...ROWS[1], is_active: word }]);
      const send = (word: string): Promise<Outcome> =>
        world.import(file(word), { connection: slug, ...(content === "json" ? { type: "application/json" } : {}) });
      assert.equal((await send("yes")).counts.failed, 1);
      await world.set(slug, { settings: { active_words: { active: ["Furloughed"], inactive: ["Gone", "current"] } } });
      assert.deepEqual([said(await send("yes")), await statuses(world)], [[], ["active", "active"]]);
      for (const word of ["gone", "Current"]) {
        assert.deepEqual(said(await send(word)), []);
        assert.deepEqual(await statuses(world), ["active", "inactive"]);
      }
    }));
}
const ROWS = [1, 2].map((n) => ({
  employee_id: String(n),
  email: `p${n}@acme.test`,
  first_name: `First${n}`,
  last_name: `Last${n}`,
}));

test("a word in both lists of a connection is refused by name", () =>
  importing(async (world) => {
    const answer = await world.ask("/v1/connections/csv", {
      method: "PATCH",
      json: { settings: { active_words: { active: ["on loan"], inactive: ["On_Loan"] } } },
    });
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /should not have \\"On_Loan\\", which is among the active words, too/);
  }));

test("a department's status is read in the connection's words, too", () =>
  importing(async (world) => {
    await world.set("csv", { settings: { active_words: { inactive: ["dissolved"] } } });
    await world.import(csv("name,is_active", "Sales,yes"), { entity: "departments" });
    const run = await world.import(csv("name,is_active", "Sales,Dissolved"), { entity: "departments" });
    assert.deepEqual(said(run), []);
    assert.deepEqual((await world.departments()).map(({ name, active }) => [name, active]), [["Sales", false]]);
  }));

test("dates of other countries and systems are read without any setting", () =>
  importing(async (world) => {
    const dates = ["01.03.2019", "2019/03/01", "20190301", "01-MAR-2019", "1.3.2019 00:00:00"];
    const run = await world.import(people("hire_date", ...dates));
    assert.deepEqual(said(run), []);
    assert.deepEqual((await world.people()).map(({ hire_date }) => hire_date), dates.map(() => "2019-03-01"));
  }));

test("with slashes and dashes day and month are in the connection's order, and other dates are read beside them", () =>
  importing(async (world) => {
    const file = people("hire_date", "03/04/2019", "03-04-2019", "2019-04-03", "03.04.2019");
    const before = await world.import(file);
    assert.deepEqual(said(before), ["2 date_invalid", "3 date_invalid"]);
    assert.match(before.issues[0]!.suggestion, /set the connection's date_format to DD\/MM\/YYYY or MM\/DD\/YYYY/);
    await world.set("csv", { settings: { date_format: "DD/MM/YYYY" } });
    assert.deepEqual(said(await world.import(file)), []);
    assert.deepEqual((await world.people()).map(({ hire_date }) => hire_date), Array(4).fill("2019-04-03"));
  }));

test("a leaving day far in the future is none, and clears the one that was there", () =>
  importing(async (world) => {
    const run = await world.import(
      people("termination_date", "9999-12-31", "3000-01-01", "", "00000000", "2100-01-31"),
    );
    assert.deepEqual([said(run), run.counts.created], [[], 5]);
    const leaving = async () => (await world.people()).map(({ deactivation_date }) => deactivation_date);
    assert.deepEqual(await leaving(), [null, null, null, null, "2100-01-31"]);
    assert.deepEqual(await statuses(world), Array(5).fill("active"));
    await world.import(people("termination_date", "", "", "", "", "31.12.9999"));
    assert.deepEqual(await leaving(), Array(5).fill(null));
    const edited = await world.edit(await world.person("1"), { deactivation_date: "4712-12-31" });
    assert.equal(edited.deactivation_date, null);
  }));

test("an address with letters of two alphabets is used, with a warning that names the letter", () =>
  importing(async (world) => {
    const run = await world.import(
      csv(HEADER, "1,\u0430na@acme.test,Ana,Novak", "2,Bo Lind <bo@acme.test>,Bo,Lind", "3,mailto:cy@acme.test,Cy,Ora"),
    );
    assert.deepEqual([said(run), run.counts.created], [["2 alphabets_mixed"], 3]);
    assert.match(run.issues[0]!.message, /U\+0430 \(Cyrillic\)/);
    assert.equal(run.issues[0]!.severity, "warning");
    assert.deepEqual((await world.people()).map(({ email }) => email), [
      "\u0430na@acme.test",
      "bo@acme.test",
      "cy@acme.test",
    ]);
  }));

test("İ, I and ı are one letter in addresses, departments and words of a status", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email", settings: { active_words: { active: ["AKTİF"] } } });
    const header = "email,first_name,last_name,department_name,is_active";
    await world.import(csv(header, "ali@acme.test,Ali,Ak,Yazilim,aktif", "işin@acme.test,Ece,Su,SATIŞ,Aktif"));
    const again = await world.import(
      csv(header, "ALİ@acme.test,Ali,Ak,YAZILIM,AKTIF", "ışın@acme.test,Ece,Su,Satış,aktıf"),
    );
    assert.deepEqual([said(again), again.counts.unchanged, again.changes], [[], 2, []]);
    assert.equal((await world.departments()).length, 2);
  }));

test("what was stored with a dotless ı is found after the upgrade", () =>
  importing(async (world) => {
    await world.set("csv", { key: "email" });
    const file = csv("email,first_name,last_name,department_name", "ali@acme.test,Ali,Ak,Yazilim");
    await world.import(file);
    const { orm } = world.hub.db;
    const folder = new URL("../../migrations/", import.meta.url);
    const migration = readdirSync(folder).find((name) => name.endsWith("_turkish_i.sql"))!;
    const statements = readFileSync(new URL(migration, folder), "utf8").split("--> statement-breakpoint");
    await world.hub.db.write([
      orm.run(sql`update users set email = 'alı@acme.test'`),
      orm.run(sql`update links set source_key = 'alı@acme.test'`),
      orm.run(sql`update departments set folded = 'yazılım'`),
      ...statements.map((statement) => orm.run(sql.raw(statement))),
    ] as never);
    const run = await world.import(`${file}\n`);
    assert.deepEqual([run.counts.unchanged, (await world.people()).length, (await world.departments()).length], [
      1,
      1,
      1,
    ]);
  }));
