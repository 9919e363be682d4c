import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, importing, said } from "../support/imports.ts";

const header = `${HEADER},title`;

test("a failure report, corrected and sent again, is a diff and ends without issues", () =>
  importing(async (world) => {
    await world.set("csv", { policy: { missing: "deactivate", missing_after_runs: 1, missing_after_hours: 0 } });
    const run = await world.import(
      csv(`${header},hire_date`, "'0001,ana@acme.test,Ana,Lopez,Lead,", "'0002,bo@acme,Bo,Berg,Clerk,2020-02-31"),
    );
    assert.deepEqual([run.status, run.counts.failed], ["partial", 1]);
    const corrected = (await world.failures(run)).replace("bo@acme", "bo@acme.test").replace(
      "2020-02-31",
      "2020-02-28",
    );
    const again = await world.import(corrected, { name: "people.failures.csv" });
    assert.deepEqual([again.status, again.coverage, again.counts.created, again.counts.missing, said(again)], [
      "succeeded",
      "diff",
      1,
      0,
      [],
    ]);
    assert.equal((await world.person("0002")).email, "bo@acme.test");
    assert.equal((await world.person("0001")).status, "active");
  }));

test("a field that a record did not have is not emptied when its report is sent again", () =>
  importing(async (world) => {
    const record = { employee_id: "1", email: "ana@acme.test", first_name: "Ana", last_name: "Lopez" };
    const ndjson = (...records: object[]) => records.map((each) => `${JSON.stringify(each)}\n`).join("");
    const file = { name: "people.ndjson", type: "application/x-ndjson", coverage: "diff" } as const;
    await world.import(ndjson({ ...record, title: "Lead", location: "Bern", phone: "+1 202 555 0101" }), file);
    const bo = {
      employee_id: "2",
      email: "bo@acme.test",
      first_name: "Bo",
      last_name: "Berg",
      title: "Clerk",
      location: "Rom",
    };
    // The first one has no title, an empty location and a phone that is none.
    const run = await world.import(ndjson({ ...record, location: null, phone: "none" }, bo), file);
    assert.deepEqual([run.counts.updated, run.counts.created, said(run)], [1, 1, ["1 value_invalid"]]);
    const report = await world.failures(run);
    assert.match(report, /_extra,_absent,_line\r\n/);
    assert.match(report, /,"\[""title""\]",1\r\n$/);
    const again = await world.import(report.replace(",none,", ",+1 202 555 0102,"));
    assert.deepEqual([again.status, again.coverage, said(again)], ["succeeded", "diff", []]);
    const ana = await world.person("1");
    assert.deepEqual([ana.title, ana.location, ana.phone], ["Lead", null, "+1 202 555 0102"]);
    // A cell that was filled counts; one that is not named is empty.
    const [header, line] = report.replace(",none,", ",,").split("\r\n") as [string, string];
    const at = header.split(",").indexOf("title");
    const filled = line.split(",").map((cell, i) => i === at ? "Chief" : cell).join(",");
    await world.import(`${header}\r\n${filled}\r\n`);
    assert.deepEqual([(await world.person("1")).title, (await world.person("1")).phone], ["Chief", null]);
  }));

test("what the report says of the whole input is passed over when it comes again", () =>
  importing(async (world) => {
    const run = await world.import(
      csv(`${header},shoe_size`, "1,ana@acme.test,Ana,Lopez,Lead,38", "2,bo@acme,Bo,Berg,Clerk,40"),
    );
    assert.deepEqual(said(run), ["- header_unknown", "3 email_invalid"]);
    const corrected = (await world.failures(run)).replace("bo@acme", "bo@acme.test").replace(",shoe_size", ",location");
    const again = await world.import(corrected);
    assert.deepEqual([again.status, again.counts.read, again.counts.created, said(again)], ["succeeded", 1, 1, []]);
  }));

test("a row with surplus cells is broken until `_extra` is emptied", () =>
  importing(async (world) => {
    const run = await world.import(csv(HEADER, "1,ana@acme.test,Ana,Lopez", "2,bo@acme.test,Bo,van,Berg"));
    assert.deepEqual(said(run), ["3 cell_count"]);
    const report = await world.failures(run);
    const again = await world.import(report);
    assert.deepEqual([again.status, said(again)], ["failed", ["2 cell_count"]]);
    const second = await world.failures(again);
    assert.match(second, /\[""Berg""\]/);
    const corrected = second.replace(",Bo,van,", ",Bo,van Berg,").replace('"[""Berg""]"', "");
    const last = await world.import(corrected);
    assert.deepEqual([last.status, said(last)], ["succeeded", []]);
    assert.equal((await world.person("2")).last_name, "van Berg");
  }));

test("a report that is sent again unmended fails the same way, and hurts nobody", () =>
  importing(async (world) => {
    const run = await world.import(csv(HEADER, "1,ana@acme.test,Ana,Lopez", "2,bo@,Bo,Berg", "3,cy@,Cy,Dahl"));
    const again = await world.import(await world.failures(run));
    assert.deepEqual([again.status, again.coverage, again.counts.failed], ["failed", "diff", 2]);
    assert.deepEqual(said(again), ["2 email_invalid", "3 email_invalid"]);
    assert.equal((await world.people()).length, 1);
  }));

test("the JSON of a report has one object per issue", () =>
  importing(async (world) => {
    const run = await world.import(csv(`${HEADER},hire_date`, "1,ana@,Ana,,x", "2,bo@acme.test,Bo,Berg,"));
    const all = await (await world.ask(`/v1/runs/${run.id}/failures.json`)).json();
    assert.deepEqual(all.map((each: { line: number; code: string }) => `${each.line} ${each.code}`), [
      "2 email_invalid",
      "2 required_field_missing",
      "2 date_invalid",
    ]);
    assert.deepEqual(Object.keys(all[0]), ["line", "severity", "code", "field", "value", "message", "suggestion"]);
  }));

test("records of JSON get a report in field names", () =>
  importing(async (world) => {
    const run = await world.import(
      JSON.stringify([{ employee_id: "1", email: "ana@", first_name: "Ana", last_name: "Lopez" }, {
        employee_id: "2",
        email: "bo@acme.test",
        first_name: "Bo",
        last_name: "Berg",
      }]),
      { name: "people.json", type: "application/json", coverage: "diff" },
    );
    assert.deepEqual(said(run), ["1 email_invalid"]);
    const corrected = (await world.failures(run)).replace("ana@", "ana@acme.test");
    const again = await world.import(corrected);
    assert.deepEqual([again.status, again.counts.created, said(again)], ["succeeded", 1, []]);
  }));
