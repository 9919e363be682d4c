/** The examples of help pages are true: what is before has the code in a hub, and what is after has not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CODES, type IssueCode } from "../../src/model/codes.ts";
import { importing, type Outcome } from "../support/imports.ts";

const KNOWN = {
  employee_id: "17",
  email: "ana@acme.test",
  first_name: "Ana",
  last_name: "Sol",
  department_name: "Sales",
  title: "Clerk",
  hire_date: "2020-05-13",
  is_active: "yes",
  mobile_phone: "",
};
type Column = keyof typeof KNOWN;

/** Which cell the example shows. */
const CELLS: Readonly<Partial<Record<IssueCode, Column>>> = {
  required_field_missing: "email",
  email_invalid: "email",
  alphabets_mixed: "email",
  too_long: "mobile_phone",
  date_invalid: "hire_date",
  value_invalid: "is_active",
  number_mangled: "employee_id",
  text_damaged: "last_name",
  spreadsheet_error: "department_name",
  placeholder_value: "mobile_phone",
  html_entity: "department_name",
  status_blank: "is_active",
};

/** What is around the lines that the example shows, so that they are a file. */
const FILES: Readonly<Partial<Record<IssueCode, { readonly above?: string; readonly below?: string }>>> = {
  cell_count: { above: "Employee ID,First name,Last name,Department" },
  cells_missing: {},
  duplicate_in_input: { above: "Employee ID,Email,Department" },
  row_is_total: { above: "Employee ID,Email,Last name" },
  identity_conflict: { above: "Employee ID,Email,First name,Last name" },
  missing_unclear: { above: "Employee ID,Email,Last name" },
  delimiter_ambiguous: {},
  quote_invalid: { above: "Employee ID,Name,Department" },
  header_missing: {},
  header_duplicate: { below: "17,ana@acme.test,ana@example.com" },
  header_unknown: { below: "17,ana@acme.test" },
  header_unused: { below: "17,Clerk,Clerk" },
  input_empty: {},
};

for (const [code, column] of Object.entries(CELLS) as [IssueCode, Column][]) {
  test(`the cell of the example of ${code} has it before and not after`, () =>
    importing(async (world) => {
      await world.import(fileOf({ ...KNOWN, last_name: "Müller" }));
      const { before, after } = CODES[code].example;
      const codes = async (cell: string) =>
        codesOf(await world.import(fileOf({ ...KNOWN, last_name: "Müller", [column]: cell })));
      assert.ok((await codes(before)).includes(code), "before");
      assert.ok(!(await codes(after)).includes(code), "after");
    }));
}

for (const [code, { above, below }] of Object.entries(FILES) as [IssueCode, { above?: string; below?: string }][]) {
  test(`the lines of the example of ${code} have it before and not after`, () =>
    importing(async (world) => {
      await world.import(fileOf(KNOWN));
      const { before, after } = CODES[code].example;
      const codes = async (text: string) =>
        codesOf(await world.import([above, text, below, ""].filter((line) => line !== undefined).join("\n")));
      assert.ok((await codes(before)).includes(code), "before");
      assert.ok(!(await codes(after)).includes(code), "after");
    }));
}

const codesOf = ({ issues, error }: Outcome): string[] => [
  ...issues.map(({ code }) => code),
  ...(error === null ? [] : [error.code]),
];

function fileOf(cells: Readonly<Record<string, string>>): string {
  const line = (texts: readonly string[]) => texts.map((text) => `"${text.replaceAll('"', '""')}"`).join(",");
  return `${line(Object.keys(cells))}\n${line(Object.values(cells))}\n`;
}
