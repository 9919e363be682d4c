/** Keys of records: each value in the column of its field, whichever way its record spells it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { getDictionary } from "../../src/intake/dictionary.ts";
import { resolveSpellings } from "../../src/intake/spellings.ts";
import type { Cell, RowBlock } from "../../src/model/record.ts";

const OPTIONS = { mapping: {}, customKeys: [], key: "employee_id", exactNames: false, before: {}, needsKey: true };

function settled(records: readonly Record<string, Cell>[], options: Partial<typeof OPTIONS> = {}) {
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const shapes = records.map((record) => Object.keys(record).map((key) => columns.indexOf(key)));
  const spellings = resolveSpellings(columns, shapes, getDictionary("connecteam", "users"), { ...OPTIONS, ...options });
  const block = {
    columns,
    count: records.length,
    shapes,
    digest: () => {},
    rows: (indexes) =>
      Array.from(
        indexes,
        (i) => ({ line: i + 1, origin: null, columns, cells: columns.map((key) => records[i]![key]) }),
      ),
    line: (i) => i + 1,
  } satisfies RowBlock;
  const rows = spellings.settle(block).rows(records.map((_, i) => i));
  const byField = rows.map(({ cells, broken }) =>
    broken?.code ?? Object.fromEntries(
      spellings.fields.flatMap((field, i) => field === null || cells[i] === undefined ? [] : [[field, cells[i]]]),
    )
  );
  return { byField, issues: spellings.issues.map(({ code, value }) => `${code} ${value}`), spellings };
}

test("the best spelling has the column, and the others' values move there", () => {
  const { byField, issues } = settled([
    { "Employee-ID": "1", Title: "Lead" },
    { employee_id: "2", position: "Chief" },
    { employee_number: "3", Title: "Boss", position: "Lost" },
  ]);
  assert.deepEqual(byField, [
    { employee_id: "1", title: "Lead" },
    { employee_id: "2", title: "Chief" },
    { employee_id: "3", title: "Boss" },
  ]);
  assert.deepEqual(issues, ["header_unused position"]);
});

test("a field and its opposite may come in different records, and in one of them the better counts", () => {
  const { byField, issues } = settled([
    { employee_id: "1", archived: "yes" },
    { employee_id: "2", is_active: "no" },
    { employee_id: "3", is_active: "yes", archived: "yes" },
  ]);
  assert.deepEqual(byField, [
    { employee_id: "1", is_archived: "yes" },
    { employee_id: "2", is_active: "no" },
    { employee_id: "3", is_active: "yes" },
  ]);
  assert.deepEqual(issues, ["header_unused archived"]);
});

test("two equally good spellings break their record, and null counts as there", () => {
  const { byField, issues } = settled([
    { employee_id: "1", EMAIL: "a@acme.test", Email: "b@acme.test" },
    { employee_id: "2", email: null, Email: "b@acme.test" },
  ]);
  assert.deepEqual(byField, ["header_duplicate", { employee_id: "2", email: null }]);
  assert.deepEqual(issues, ["header_unused Email"]);
});

test("each record is told its own warnings, and a key that no record has is refused unless each is read by itself", () => {
  const { spellings } = settled([{ employee_id: "1", shoe: 43 }, { employee_id: "2", Email: "x", email: "y" }]);
  const codes = (...keys: string[]) => spellings.issuesOf(keys).map(({ code, value }) => `${code} ${value}`);
  assert.deepEqual(codes("employee_id", "shoe"), ["header_unknown shoe"]);
  assert.deepEqual(codes("employee_id", "Email"), []);
  assert.deepEqual(codes("Email", "email"), ["header_unused Email"]);
  assert.throws(() => settled([{ email: "x" }]), { code: "header_missing" });
  assert.deepEqual(settled([{ email: "x" }], { needsKey: false }).byField, [{ email: "x" }]);
});
