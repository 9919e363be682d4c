/** The failure report, with its cells put right and nothing else, is a file that leaves no mistake. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import Papa from "papaparse";
import { protect } from "../../src/intake/apostrophe.ts";
import { failureCsv } from "../../src/report/report.ts";
import { streamIssueRows } from "../../src/store/runs/issues.ts";
import type { Run } from "../../src/store/runs/runs.ts";
import { roundsOnDeno } from "../support/rounds.ts";
import { createLab, holds, type Lab, run } from "./lab.ts";
import { issuesOf, peopleOf } from "./state.ts";
import { COLUMNS, type Format, type Person, PLAIN, writeRows } from "./world.ts";

interface Mistake {
  readonly row: number;
  readonly column: string;
  /** The new value; `twin`: what the next row has; `cut`: the row ends before its last cell. */
  readonly cell: string;
}

const WRONG: Readonly<Record<string, readonly string[]>> = {
  employee_id: ["", "twin", "x".repeat(101), "1.23457E+11"],
  email: ["", "ana@", "twin", "a b@example.com"],
  first_name: ["", "x".repeat(255)],
  last_name: ["", "x".repeat(151)],
  title: ["x".repeat(255)],
  manager_id: ["9999", "self"],
  is_active: ["maybe"],
  deactivation_date: ["31/12/2027", "soon"],
  phone: ["call me"],
  badge: ["twelve", "cut"],
};
const mistake: fc.Arbitrary<Mistake> = fc.nat(11).chain((row) =>
  fc.constantFrom(...Object.keys(WRONG)).chain((column) =>
    fc.constantFrom(...WRONG[column]!).map((cell) => ({ row, column, cell }))
  )
);

/** People without a mistake, with cells that a spreadsheet would rather retype or run. */
const good: fc.Arbitrary<Person[]> = fc.array(
  fc.record({
    title: fc.constantFrom("", "Lead", "=Lead", '"The" boss; acting', "'t Hart", "two\nlines", "-x"),
    department_name: fc.constantFrom("", "Sales", "R&D, Labs"),
    phone: fc.constantFrom("", "+1 555 0100", "0049 30 123456"),
    deactivation_date: fc.constantFrom("", "2027-12-31"),
    badge: fc.constantFrom("", "12", "-3.5"),
    boss: fc.nat(12),
  }),
  { minLength: 2, maxLength: 12 },
).map((list) =>
  list.map(({ boss, ...rest }, index) => ({
    ...rest,
    employee_id: `00${index + 1}`,
    email: `p${index + 1}@example.com`,
    first_name: "Ana",
    last_name: `Lopez ${index + 1}`,
    // Only somebody further up, so that nobody is in a cycle.
    manager_id: boss < index ? `00${boss + 1}` : "",
    manager_email: "",
    is_active: "yes",
    employment_status: "Active",
  }))
);

const format: fc.Arbitrary<Format> = fc.record({
  delimiter: fc.constantFrom(",", ";", "\t"),
  lineEnd: fc.constantFrom("\n", "\r\n"),
  quotes: fc.boolean(),
  turn: fc.constantFrom(0, 3),
  without: fc.constant(null),
  lastLineEnd: fc.constant(true),
});

test("the corrected failure report, sent again, has no issues and leaves what the good file leaves", async () => {
  const world = fc.record({ people: good, format, mistakes: fc.array(mistake, { minLength: 1, maxLength: 6 }) });
  await holds(world, roundsOnDeno(90, 6), async ({ people, format, mistakes }, open) => {
    const columns = [...COLUMNS.slice(format.turn), ...COLUMNS.slice(0, format.turn)];
    const [lab, model] = [await open(createLab({ key: "employee_id" })), await open(createLab({ key: "employee_id" }))];
    await run(model, {
      connection: "first",
      text: fileOf(people.map((each) => columns.map((c) => each[c]!)), columns, format),
    });

    const bad = people.map((each) => ({ ...each } as Record<string, string>));
    const cut = new Set<number>();
    // What the next row does not have cannot be recognized as a duplicate: that is a wrong person, but no mistake to see.
    const isWrong = (at: number, column: string) =>
      mistakes.some((each) => each.row % people.length === at && (each.column === column || each.cell === "cut"));
    for (const { row, column, cell } of mistakes) {
      const at = row % people.length, own = people[at]!, twin = people[(at + 1) % people.length]!;
      if (cell === "cut") {
        // Several rows that are short alike are what a spreadsheet leaves out, and no mistake.
        if (cut.size === 0) cut.add(at);
      } else if (cell === "twin" && isWrong((at + 1) % people.length, column)) continue;
      else bad[at]![column] = cell === "twin" ? twin[column]! : cell === "self" ? own.employee_id! : cell;
    }
    const rows = bad.map((each, at) => {
      const cells = columns.map((column) => each[column]!);
      return cut.has(at) ? cells.slice(0, -1) : cells;
    });
    const first = await run(lab, { connection: "first", text: fileOf(rows, columns, format) });
    assert.ok(["partial", "succeeded", "failed"].includes(first.status));
    assert.ok(first.input !== null);

    const report = await reportOf(lab, first);
    const [header, ...lines] = Papa.parse<string[]>(report.replace(/^\ufeff/, ""), {
      delimiter: first.input.delimiter,
      skipEmptyLines: true,
    }).data as [string[], ...string[][]];
    const lineAt = header.indexOf("_line");
    const corrected = lines.map((cells) => {
      const at = placeOf(rows, columns, format, Number(cells[lineAt]));
      return cells.map((cell, place) => {
        const column = header[place]!;
        return column in people[at]! ? protect(people[at]![column]!, "exact") : cell;
      });
    });
    if (corrected.length === 0) return assert.equal(first.counts!.failed + first.counts!.warned, 0);
    const again = await run(lab, {
      connection: "first",
      text: "\ufeff" + writeRows(header, corrected, { ...PLAIN, delimiter: format.delimiter, quotes: true }),
    });
    assert.deepEqual(await issuesOf(lab, again), []);
    assert.equal(again.status, "succeeded");
    assert.equal(again.coverage, "diff");
    const [ended, wanted] = [await peopleOf(lab), await peopleOf(model)];
    assert.deepEqual(ended.users, wanted.users);
    assert.deepEqual(ended.links, wanted.links);
    assert.deepEqual(ended.pending, wanted.pending);
  });
});

function fileOf(rows: readonly (readonly string[])[], columns: readonly string[], format: Format): string {
  return writeRows(columns, rows.map((row) => row.map((cell) => protect(cell))), {
    ...format,
    quotes: format.quotes || rows.some((row) => row.some((cell) => /[;,\t\n]/.test(cell))),
  });
}

/** Which row begins on this physical line, as cells may have several. */
function placeOf(
  rows: readonly (readonly string[])[],
  columns: readonly string[],
  format: Format,
  line: number,
): number {
  for (let at = 0, next = 2; at < rows.length; at++) {
    if (next === line) return at;
    next += fileOf([rows[at]!], columns, format).trimEnd().split("\n").length - 1;
  }
  throw new Error(`No row begins on line ${line}`);
}

async function reportOf(lab: Lab, { id, input }: Run): Promise<string> {
  return await new Response(failureCsv(streamIssueRows(lab.hub.db, lab.organization.id, id), input!)).text();
}
