/** Rows that are still a template's example: they are refused by name, so that nobody imports one by mistake. Pure. */
import { EXAMPLE_DEPARTMENTS, EXAMPLE_EMAILS, EXAMPLE_IDS, EXAMPLE_MOBILES } from "../model/templates.ts";
import type { Issue } from "../model/record.ts";
import { issueOf } from "../model/wording.ts";
import { foldName, phoneDigits } from "./fold.ts";

/** The comparable forms of the example rows' keys. */
const KEYS: ReadonlySet<unknown> = new Set([
  ...EXAMPLE_IDS,
  ...EXAMPLE_EMAILS,
  ...EXAMPLE_MOBILES.flatMap((phone) => [phone, phoneDigits(phone), `+${phoneDigits(phone)}`]),
]);
const DEPARTMENTS: ReadonlySet<unknown> = new Set([...EXAMPLE_DEPARTMENTS.map(foldName), ...EXAMPLE_IDS]);

/** `key`: of the connection, in its comparable form. Null: the person is no example. */
export function examplePerson(
  key: string | null,
  keyField: string,
  { employee_id, email }: Readonly<Record<string, unknown>>,
): Issue | null {
  if (KEYS.has(key)) return exampleRow(keyField, key!);
  if (KEYS.has(employee_id)) return exampleRow("employee_id", String(employee_id));
  return KEYS.has(email) ? exampleRow("email", String(email)) : null;
}

/** `folded`: the name in its comparable form. Null: the department is no example. */
export function exampleDepartment(name: string | null, folded: string | null, id: string | null): Issue | null {
  if (DEPARTMENTS.has(folded)) return exampleRow("name", name!);
  return DEPARTMENTS.has(id) ? exampleRow("department_id", id!) : null;
}

function exampleRow(field: string, value: string): Issue {
  return issueOf(
    { severity: "error", code: "value_invalid", field, value },
    [`Cannot use "${value}" as ${field}: this is the example row of the template, and is not imported`],
    "Delete the row, or replace all of its values with those of your own",
  );
}
