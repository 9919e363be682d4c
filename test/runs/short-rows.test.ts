/** Rows without their last cells, as spreadsheets leave them out, and lines that were broken in two. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, importing, said } from "../support/imports.ts";

const WIDE = `${HEADER},title,department_name,location`;
const ANA = "1,ana@acme.test,Ana,Lopez,Lead,Sales,Riga", BO = "2,bo@acme.test,Bo,Berg,Clerk,Sales,Riga";

test("what a spreadsheet leaves out at the end of its rows is left as it was, and reported once", () =>
  importing(async (world) => {
    const rows = Array.from(
      { length: 40 },
      (_, i) => `E${i},p${i}@acme.test,First,Last ${i},Clerk,Ops${i < 16 ? "," : ""}`,
    );
    const run = await world.import(csv(WIDE, ...rows));
    assert.deepEqual([run.counts.created, run.counts.failed, said(run)], [40, 0, ["- cells_missing"]]);
    assert.equal(
      run.issues[0]!.message,
      "24 rows have fewer cells than the header (lines 20, 21, 22, 23, 24 and 19 more): the missing ones at the end were " +
        "left as they are",
    );
    const again = await world.import(csv(WIDE, ...rows.toReversed()));
    assert.deepEqual([again.counts.unchanged, again.changes, said(again)], [40, [], ["- cells_missing"]]);
  }));

test("a cell that is missing at the end clears nothing, and an empty one does", () =>
  importing(async (world) => {
    await world.import(csv(WIDE, ANA, BO));
    await world.import(csv(WIDE, "1,ana@acme.test,Ana,Lopez,Boss", "2,bo@acme.test,Bo,Berg,,,"));
    const [ana, bo] = [await world.person("1"), await world.person("2")];
    assert.deepEqual([ana.title, ana.department?.name, ana.location], ["Boss", "Sales", "Riga"]);
    assert.deepEqual([bo.title, bo.department, bo.location], [null, null, null]);
  }));

test("a short row without its key, without what somebody new needs, or with values in wrong places is an error", () =>
  importing(async (world) => {
    const header = "first_name,last_name,email,hire_date,employee_id,title";
    await world.import(
      csv(header, "Ana,Lopez,ana@acme.test,2020-01-31,1,Lead", "Bo,Berg,bo@acme.test,2020-01-31,2,Lead"),
    );
    const run = await world.import(
      csv(
        header,
        "Ana,Lopez,ana@acme.test,1,Lead",
        "Bo,Berg,bo@acme.test,2",
        "Cy,Dahl,cy@acme.test,2020-01-31,3,Lead",
      ),
      { coverage: "diff" },
    );
    assert.deepEqual(said(run).filter((code) => code.includes("cell_count")), ["2 cell_count", "3 cell_count"]);
    assert.deepEqual([run.counts.failed, run.counts.created], [2, 1]);
    const needed = await world.import(csv(`employee_id,first_name,last_name,email`, "8,Di,Pek", "9,Ed,Quin"), {
      coverage: "diff",
    });
    assert.deepEqual(said(needed).filter((code) => code.includes("required")), [
      "2 required_field_missing",
      "3 required_field_missing",
    ]);
  }));

test("somebody new is not made of the only row of its length; somebody known is kept in step", () =>
  importing(async (world) => {
    await world.import(csv(WIDE, ANA));
    const run = await world.import(
      csv(WIDE, "1,ana@acme.test,Ana,Lopez,Boss,Sales", BO, "3,cy@acme.test,Cy,Dahl,Clerk"),
    );
    assert.deepEqual(said(run), ["4 cell_count", "- cells_missing"].toSorted());
    assert.deepEqual([run.counts.updated, run.counts.created, run.counts.failed], [1, 1, 1]);
  }));

test("both halves of a line that was broken in two are errors, wherever it was broken", () =>
  importing(async (world) => {
    await world.import(csv(WIDE, ANA, BO));
    for (
      const halves of [["1,ana@acme.test,Ana,Lo", "pez,Lead,Sales,Riga"], [
        "1,ana@acme.test,Ana,Lopez,Head of",
        "Sales,Sales,Riga",
      ]]
    ) {
      const run = await world.import(csv(WIDE, ...halves, BO));
      assert.deepEqual(said(run), ["2 cell_count", "3 cell_count"], halves.join());
      assert.match(run.issues[0]!.message, /look like one line that was broken in two/);
      assert.deepEqual([run.counts.failed, run.counts.unchanged, run.changes], [2, 1, []]);
    }
    assert.equal((await world.person("1")).last_name, "Lopez");
  }));

test("rows of departments may be short, too", () =>
  importing(async (world) => {
    const run = await world.import(csv("name,department_id,parent", "Sales,D1", "Care,D2", "Labs,D3,Care", "Other"));
    assert.deepEqual(said(run), ["5 cell_count", "- cells_missing"]);
    assert.equal((await world.departments()).length, 3);
  }));
