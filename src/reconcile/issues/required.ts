/** Issues of required fields. Pure. */
import type { Issue } from "../../model/record.ts";
import { issueOf } from "../../model/wording.ts";

export function missingKey(field: string): Issue {
  return issueOf(
    { severity: "error", code: "required_field_missing", field, value: null },
    [`${field} is missing: this connection identifies people by it`],
    `Fill in ${field}`,
  );
}

/** `fields`: one of them is needed. */
export function missingForNew(fields: readonly string[]): Issue {
  return lacks(fields, "a new person needs one");
}

/** As missingForNew, of anybody. */
export function missingField(fields: readonly string[]): Issue {
  return lacks(fields, "every person needs one");
}

function lacks(fields: readonly string[], why: string): Issue {
  const named = fields.join(" or ");
  return issueOf(
    { severity: "error", code: "required_field_missing", field: fields[0]!, value: null },
    [`${named} is missing: ${why}`],
    `Fill in ${named}`,
  );
}

export function missingName(): Issue {
  return issueOf(
    { severity: "error", code: "required_field_missing", field: "name", value: null },
    ["name is missing: every department needs one"],
    "Fill in name",
  );
}
