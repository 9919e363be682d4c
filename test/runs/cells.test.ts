/** What cells say when people and programs have left more in them than a value. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { csv, HEADER, importing } from "../support/imports.ts";

const codes = ({ issues }: { readonly issues: readonly { code: string; line: number | null }[] }) =>
  issues.map(({ code, line }) => `${code} ${line}`).sort();

test("ids that an export has wrapped in formulas are the ids, for people who are known and who are new", () =>
  importing(async (world) => {
    await world.import(csv(`${HEADER},manager_id`, "000123,ana@acme.test,Ana,Novak,", "000124,bo@acme.test,Bo,Lind,"));
    const run = await world.import(csv(
      `${HEADER},manager_id`,
      '="000123",ana@acme.test,Ana,Novak,',
      '"=""000124""",bo@acme.test,Bo,Lind,="000123"',
      '="000125",cy@acme.test,Cy,Ora,',
    ));
    assert.deepEqual([run.counts.created, run.counts.updated, run.counts.unchanged], [1, 1, 1]);
    assert.equal((await world.person("000124")).manager?.employee_id, "000123");
  }));

test("what nobody sees in a cell changes nobody", () =>
  importing(async (world) => {
    const header = `\u200b${HEADER},department_name,\u00admanager_id`;
    const first = await world.import(csv(
      header,
      "Z001,ana@acme.test,Ana,Novak,Sales,",
      "Z002\u200b,bo\u200d@acme.test,Bo,Lind,Sales\u200b,Z001",
      "Z003,cy@acme.test,Cy,Ora,\ufeffSales,Z002",
      "Z004,di@acme.test,Di,Pek,Sa\u00adles,\u202aZ001\u202c",
    ));
    assert.deepEqual([first.counts.created, first.issues], [4, []]);
    assert.deepEqual((await world.departments()).map(({ name }) => name), ["Sales"]);
    const clean = await world.import(csv(
      `${HEADER},department_name,manager_id`,
      "Z001,ana@acme.test,Ana,Novak,Sales,",
      "Z002,bo@acme.test,Bo,Lind,Sales,Z001",
      "Z003,cy@acme.test,Cy,Ora,Sales,Z002",
      "Z004,di@acme.test,Di,Pek,Sales,Z001",
    ));
    assert.deepEqual([clean.counts.unchanged, clean.changes], [4, []]);
  }));

test("names and departments whose letters were lost on the way are not used, and those that are known stay", () =>
  importing(async (world) => {
    const header = `${HEADER},department_name`;
    await world.import(csv(header, "G1,g1@acme.test,Zoë,Müller,Büro", "G2,g2@acme.test,José,García,Büro"));
    const damaged = [
      ["G1,g1@acme.test,Zo\ufffd,M\ufffdller,B\ufffdro", "G2,g2@acme.test,Jos\ufffd,Garc\ufffda,B\ufffdro"],
      ["G1,g1@acme.test,Zo?,M?ller,B?ro", "G2,g2@acme.test,Jos??,Garc??a,B??ro"],
      ["G1,g1@acme.test,ZoÃ«,MÃ¼ller,BÃ¼ro", "G2,g2@acme.test,JosÃ©,GarcÃ\u00ada,BÃ¼ro"],
    ];
    for (const rows of damaged) {
      const run = await world.import(csv(header, ...rows));
      assert.deepEqual(run.changes, [], rows[0]);
      assert.deepEqual(
        new Set(run.issues.map(({ code, severity }) => `${severity} ${code}`)),
        new Set(["warning text_damaged"]),
      );
      assert.equal(run.issues.length, 6, rows[0]);
      assert.equal((await world.person("G1")).last_name, "Müller");
    }
    assert.deepEqual((await world.departments()).map(({ name }) => name), ["Büro"]);
    const renamed = await world.import(
      csv(header, "G1,g1@acme.test,Zoë,Möller,Büro", "G2,g2@acme.test,José,García,Büro"),
    );
    assert.equal((await world.person("G1")).last_name, "Möller");
    assert.deepEqual(renamed.issues, []);
    const unknown = await world.import(csv(header, "G3,g3@acme.test,Zo\ufffd,Berg,Büro"), { coverage: "diff" });
    assert.deepEqual(codes(unknown), ["required_field_missing 2", "text_damaged 2"]);
  }));

test("placeholders are reported once a column and say nothing, day after day", () =>
  importing(async (world) => {
    const header = `${HEADER},title,location,manager_id`;
    await world.import(csv(header, "1,ana@acme.test,Ana,Null,Lead,Riga,", "2,bo@acme.test,Bo,Lind,Clerk,Riga,1"));
    const file = csv(header, "1,ana@acme.test,Ana,Null,n/a,Riga,-", "2,bo@acme.test,Bo,Lind,n/a,-,NULL");
    for (let day = 0; day < 2; day++) {
      const run = await world.import(`${file}${"\n".repeat(day)}`);
      assert.deepEqual(run.issues.map(({ code, field, line, message }) => [code, field, line, message]), [
        [
          "placeholder_value",
          "title",
          null,
          '2 cells of "title" hold a placeholder like "n/a" (lines 2, 3): it says nothing',
        ],
        [
          "placeholder_value",
          "manager_id",
          null,
          '2 cells of "manager_id" hold a placeholder like "-" (lines 2, 3): it says nothing',
        ],
        [
          "placeholder_value",
          "location",
          null,
          '1 cell of "location" holds a placeholder like "-" (line 3): it says nothing',
        ],
      ]);
      assert.deepEqual([run.counts.updated, run.counts.unchanged], day === 0 ? [1, 1] : [0, 2]);
    }
    const bo = await world.person("2");
    assert.deepEqual([bo.title, bo.location, bo.manager], ["Clerk", "Riga", null]);
  }));

test("a message names by its code point what is invisible, or looks like another letter", () =>
  importing(async (world) => {
    const run = await world.import(csv(HEADER, "1,\u0430na@acme,Ana,Novak", "2,bo\u0007@acme.test,Bo,Lind"));
    const messages = run.issues.map(({ message }) => message).join("\n");
    assert.match(messages, /"\u0430\[U\+0430\]na@acme"/);
    assert.match(messages, /"bo\[U\+0007\]@acme\.test"/);
  }));
