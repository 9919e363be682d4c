/** Issues of rows of departments. Pure. */
import type { Issue, Piece } from "../../model/record.ts";
import { issueOf } from "../../model/wording.ts";

export function parentNotFound(parent: string): Issue {
  return issueOf(
    { severity: "error", code: "department_parent_not_found", field: "parent", value: parent },
    [`There is no department "${parent}" to be the parent`],
    "Add the parent as a row of its own, or correct the name",
  );
}

export function departmentCycle(parent: string, path: readonly Piece[]): Issue {
  return issueOf(
    { severity: "error", code: "department_cycle", field: "parent", value: parent },
    ["The departments form a circle: ", ...path],
    "Leave the topmost department without a parent",
  );
}

export function departmentHasActiveUsers(name: string, count: number): Issue {
  const people = `${count} active ${count === 1 ? "person is" : "people are"}`;
  return issueOf(
    { severity: "error", code: "department_has_active_users", field: "is_active", value: "inactive" },
    [
      "Cannot deactivate ",
      { user: 0, is: `"${name}"`, otherwise: "the department" },
      ": ",
      { user: 0, is: people, otherwise: "active people are" },
      " still in it",
    ],
    "Move these people to another department; it is tried again after the next input of users",
  );
}
