/** Issues of required fields, and of the status that decides about the import. Pure. */
import type { Issue } from "../../model/record.ts";
import { issueOf } from "../../model/wording.ts";

export function missingKey(field: string): Issue {
  return issueOf(
    { severity: "error", code: "required_field_missing", field, value: null },
    [`${field} is missing: this connection identifies people by it`],
    `Fill in ${field}`,
  );
}

export function missingField(field: string): Issue {
  return issueOf(
    { severity: "error", code: "required_field_missing", field, value: null },
    [`${field} is missing: every person needs one`],
    `Fill in ${field}`,
  );
}

export function missingForNew(field: string): Issue {
  return issueOf(
    { severity: "error", code: "required_field_missing", field, value: null },
    [`${field} is missing: a new person needs one`],
    `Fill in ${field}`,
  );
}

export function unknownStatus(): Issue {
  return issueOf(
    { severity: "warning", code: "status_unknown", field: "employment_status", value: null },
    ["employment_status is missing: without it, this connection cannot decide whether to import the person"],
    "Fill in employment_status",
  );
}

export function missingName(): Issue {
  return issueOf(
    { severity: "error", code: "required_field_missing", field: "name", value: null },
    ["name is missing: every department needs one"],
    "Fill in name",
  );
}
