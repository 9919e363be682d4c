/** Files as systems and spreadsheets write them, from the header to the people, and their reports as a spreadsheet saves them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, importing, said } from "../support/imports.ts";

test("what a template writes around its headers is no part of them", () =>
  importing(async (world) => {
    const head =
      "Employee ID *,Email [Required],First Name (required),Last Name (required):,Job Title:,Department (optional)";
    const run = await world.import(csv(head, "M1,mia@acme.test,Mia,Moss,Baker,Kitchen"));
    assert.deepEqual([run.status, said(run)], ["succeeded", []]);
    const { title, department } = await world.person("M1");
    assert.deepEqual([title, department?.name], ["Baker", "Kitchen"]);
  }));

test("beside a Job Title, a Title is how somebody is addressed, and not used", () =>
  importing(async (world) => {
    const run = await world.import(csv(`Title,${HEADER},Job Title`, "Dr,M1,mia@acme.test,Mia,Moss,Baker"));
    assert.deepEqual([run.status, said(run)], ["succeeded", ["- header_unused"]]);
    assert.equal((await world.person("M1")).title, "Baker");
  }));

test("a column that nobody uses may be there twice", () =>
  importing(async (world) => {
    const run = await world.import(csv(`${HEADER},Shoe Size,Shoe Size`, "M1,mia@acme.test,Mia,Moss,38,39"));
    assert.deepEqual([run.status, run.counts.created, said(run)], ["succeeded", 1, ["- header_unknown"]]);
  }));

test("phone numbers stay as people write them, without what nobody sees, and two in one cell are none", () =>
  importing(async (world) => {
    const phones = ["(020) 55-01 x4", "+44 20 5501;ext=7", "tel:+44-20-5501", "020–5501", "\u202a+44 20 5502\u202c"];
    const rows = [...phones, "020 5501 or 020 5502"].map((phone, i) => `M${i},m${i}@acme.test,Mia,Moss,${phone}`);
    const run = await world.import(csv(`${HEADER},phone`, ...rows));
    assert.deepEqual([run.counts.created, said(run)], [6, ["7 value_invalid"]]);
    assert.deepEqual((await world.people()).map(({ phone }) => phone), [...phones.slice(0, 4), "+44 20 5502", null]);
  }));

test("ids that a spreadsheet has made dates of are called that: nobody new is made of them, and nobody is missing", () =>
  importing(async (world) => {
    await world.ask("/v1/organization", { method: "PATCH", json: { required_fields: ["first_name"] } });
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    const header = "employee_id,first_name", known = ["SEP4,Mia", "OCT11,Ned", "7-2,Ola", "K9,Pia"];
    assert.equal((await world.import(csv(header, ...known))).status, "succeeded");
    const run = await world.import(csv(header, "4-Sep,Mia", "11-Oct,Ned", "7-Feb,Ola", "K9,Pia"));
    assert.deepEqual([run.status, run.counts.failed, run.counts.created, run.counts.deactivated], ["partial", 3, 0, 0]);
    assert.deepEqual(said(run).filter((each) => each.endsWith("number_mangled")).length, 3);
    assert.deepEqual((await world.people()).map(({ status }) => status), Array(4).fill("active"));
    // The report keeps them from happening again: what is corrected there stays text in a spreadsheet.
    const report = await world.failures(await world.import(csv(`${header},email`, "SEP4,Mia,mia@")));
    assert.match(report, /^﻿?employee_id,first_name,email,_.*\r?\n'SEP4,Mia,mia@,/);
  }));

test("a report that a spreadsheet has saved without its empty last cells is taken as it is meant", () =>
  importing(async (world) => {
    const header = `${HEADER},title,location`;
    await world.import(csv(header, "M1,mia@acme.test,Mia,Moss,Baker,Oslo", "M2,ned@acme.test,Ned,Nash,Cook,Rome"));
    const run = await world.import(
      csv(header, "M1,ned@acme.test,Mia,Moss,Boss", "M2,ned@acme.test,Ned,Nash,Cook,Rome"),
    );
    assert.deepEqual(said(run).filter((each) => !each.startsWith("-")), [
      "2 duplicate_in_input",
      "3 duplicate_in_input",
    ]);
    const report = await world.failures(run);
    // The last column of the report is never empty, so the row keeps its length; what it did not have stays as it was.
    for (const line of report.trim().split(/\r?\n/)) assert.match(line, /,[^,]+$/);
    const again = await world.import(report.replace("M1,ned@", "M1,mia@"), { name: "mistakes.csv" });
    assert.deepEqual([again.status, again.coverage, again.counts.updated, said(again)], ["succeeded", "diff", 1, []]);
    const { title, location } = await world.person("M1");
    assert.deepEqual([title, location], ["Boss", "Oslo"]);
  }));
