/** Issues of what a row, or a column, says of a person's status. Pure. */
import type { Issue } from "../../model/record.ts";
import { issueOf } from "../../model/wording.ts";

export function unknownStatus(): Issue {
  return issueOf(
    { severity: "warning", code: "status_unknown", field: "employment_status", value: null },
    ["employment_status is missing: without it, this connection cannot decide whether to import the person"],
    "Fill in employment_status",
  );
}

/** `column`: the one whose cell says nothing. */
export function filterUnclear(column: string): Issue {
  return issueOf(
    { severity: "warning", code: "filter_unclear", field: column, value: null },
    [`"${column}" is empty or holds no value: without it, this connection cannot decide whether to import the person`],
    `Fill in "${column}", or name the empty cell in the connection's only_rows`,
  );
}

/** `day`: the deactivation_date, which has come. */
export function statusDisagrees(day: string): Issue {
  return issueOf(
    { severity: "warning", code: "status_disagrees", field: "is_active", value: null },
    [`is_active says that the person is active, but their deactivation_date ${day} has come: they count as inactive`],
    "Correct the one that is wrong",
  );
}

/** `isNew`: nobody is known by the row. */
export function statusBlank(isNew: boolean): Issue {
  const outcome = isNew ? "the person was not created" : "the person's status was left as it was";
  return issueOf(
    { severity: "warning", code: "status_blank", field: "is_active", value: null },
    [`is_active is empty, though this connection has had a status in it: ${outcome}`],
    "Write yes or no",
  );
}
