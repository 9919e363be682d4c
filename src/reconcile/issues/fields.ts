/** Issues of values that were not applied. Pure. */
import type { Issue } from "../../model/record.ts";
import { issueOf } from "../../model/wording.ts";
import { showCell } from "../values/issue.ts";

/** A withheld value, as part of an issue. */
export function withheldText(value: unknown): string {
  return value === null ? "" : typeof value === "string" ? value : JSON.stringify(value);
}

export function departmentInactive(name: string): Issue {
  return issueOf(
    { severity: "warning", code: "department_inactive", field: "department_name", value: name },
    [`Department "${name}" is inactive: the person's department was left as it was`],
    "Name an active department, or activate this one",
  );
}

export function fieldKept(field: string, value: unknown): Issue {
  return issueOf(
    { severity: "warning", code: "field_kept", field, value: withheldText(value) },
    [`"${field}" was edited by hand and is kept; "${withheldText(value)}" was not taken`],
    "Release the field on the user, or send the edited value",
  );
}

/** The value is the known one with letters lost. */
export function valueDamaged(field: string, value: string): Issue {
  return issueOf(
    { severity: "warning", code: "text_damaged", field, value },
    [`Cannot use ${showCell(value)} as ${field}: letters of it were lost on the way, and the known value stays`],
    "Save or export the file as UTF-8, and send it again",
  );
}

/** `current`: the value that stays, for readers who may know the user; undefined: it is not named. */
export function sourceConflict(field: string, value: unknown, user = 0, current?: unknown): Issue {
  return issueOf(
    { severity: "warning", code: "source_conflict", field, value: withheldText(value) },
    [
      `"${field}" belongs to a connection of higher priority`,
      ...(current === undefined ? [] : [{ user, is: `, which says "${withheldText(current)}"`, otherwise: "" }]),
      `; "${withheldText(value)}" was not taken`,
    ],
    "Correct the value in either source, or change the connections' priority",
  );
}

export function statusKept(): Issue {
  return issueOf(
    { severity: "warning", code: "status_kept_by_hand", field: "is_active", value: "active" },
    ['The person was set inactive by hand and stays so until the source\'s own status changes; the source says "active"'],
    "Set the person active by hand if the source is right",
  );
}

export function activeElsewhere(): Issue {
  return issueOf(
    { severity: "warning", code: "active_elsewhere", field: "employment_status", value: null },
    ["The status is not one to import, but another connection says that this person is active, so they stay"],
    "Check which source is right, and take the person out of the other one if they have left",
  );
}
