/** What the fields' document says is what the templates say, and it has every field. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  DEPARTMENT_EXPLANATIONS,
  explainCustom,
  TYPE_EXPLANATIONS,
  USER_EXPLANATIONS,
  withEmptyCells,
} from "../../src/model/explanations.ts";
import { CUSTOM_FIELD_TYPES, DEPARTMENT_FIELDS, USER_FIELDS } from "../../src/model/record.ts";

const text = readFileSync(new URL("../../docs/fields.md", import.meta.url), "utf8");

/** The rows of the tables below a heading, by the name in the first cell. */
function rowsUnder(heading: string): Map<string, string[]> {
  const section = text.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
  const lines = section.split("\n").filter((line) => line.startsWith("| `"));
  return new Map(lines.map((line) => {
    const [name, ...cells] = line.split("|").slice(1, -1).map((cell) => cell.trim());
    return [name!.slice(1, -1), cells];
  }));
}

test("the document has every field, type and department field, in the templates' words", () => {
  for (
    const [heading, all] of [
      ["People", USER_EXPLANATIONS],
      ["Custom fields", TYPE_EXPLANATIONS],
      ["Departments", DEPARTMENT_EXPLANATIONS],
    ] as const
  ) {
    const rows = rowsUnder(heading);
    assert.deepEqual([...rows.keys()], Object.keys(all), heading);
    for (const [name, { holds, empty, examples }] of Object.entries(all)) {
      assert.deepEqual(rows.get(name), [holds, empty, examples], name);
    }
  }
});

test("every field that a file may have is explained", () => {
  assert.deepEqual(
    Object.keys(USER_EXPLANATIONS).filter((name) => name !== "is_archived").sort(),
    [...USER_FIELDS].sort(),
  );
  assert.deepEqual(Object.keys(DEPARTMENT_EXPLANATIONS), [...DEPARTMENT_FIELDS]);
  assert.deepEqual(Object.keys(TYPE_EXPLANATIONS), [...CUSTOM_FIELD_TYPES]);
});

test("a custom field is explained with its name, its length, its options, and whether everybody needs it", () => {
  const field = { key: "team", label: "Team", required: false, options: [], maxLength: null } as const;
  assert.equal(explainCustom({ ...field, type: "text", maxLength: 80 }).holds, "Team. Text of up to 80 characters");
  const select = explainCustom({ ...field, type: "select", options: ["Red", "Blue", "Tan"], required: true });
  assert.equal(select.holds, "Team. One of the field's options: Red; Blue; Tan");
  assert.deepEqual([select.empty, select.examples], ["Is an error: every person needs a value", "Red; Blue"]);
  const several = explainCustom({ ...field, key: "Team", type: "multi_select", options: ["Red", "Blue"] });
  assert.equal(several.holds, "Any of the field's options, separated by commas: Red; Blue");
  assert.deepEqual([several.empty, several.examples], ["Empties the field", "Red, Blue"]);
  assert.equal(withEmptyCells(several, "keep").empty, "Changes nothing");
  assert.equal(withEmptyCells(several, "clear"), several);
});
