/** Issues of the managers that rows name. Pure. */
import type { Issue, Piece } from "../../model/record.ts";
import { issueOf } from "../../model/wording.ts";

/** `withZeros`: a user's id with leading zeros. */
export function managerNotFound(field: string, value: string, withZeros: readonly Piece[] | undefined): Issue {
  return issueOf(
    { severity: "warning", code: "manager_not_found", field, value },
    [`Nobody has ${called(field)} "${value}": the manager was left as it was`],
    withZeros === undefined
      ? "Add the manager as a row, or correct the reference; it is tried again when the person appears"
      : ["Write ", ...withZeros, " if that is meant: a spreadsheet may have taken the zeros away"],
  );
}

export function managerIsSelf(field: string, value: string): Issue {
  return issueOf(
    { severity: "warning", code: "manager_is_self", field, value },
    [`"${value}" is the person's own ${called(field)}: nobody is their own manager`],
    "Name another manager, or leave the cell empty for the top of the organization",
  );
}

export function managerCycle(field: string, value: string, path: readonly Piece[]): Issue {
  return issueOf(
    { severity: "warning", code: "manager_cycle", field, value },
    ["The managers form a circle: ", ...path, "; the manager was left as it was"],
    "Leave the manager of the topmost person empty, or name another",
  );
}

/** `id`: the manager_id or manager_key, which has priority. */
export function managerDisagrees(id: string, email: string | null): Issue {
  return issueOf(
    { severity: "warning", code: "manager_disagrees", field: "manager_email", value: email },
    [`manager_id "${id}" and manager_email "${email}" are two different people; the id was used`],
    "Correct one of the two",
  );
}

function called(field: string): string {
  return field === "manager_email" ? "email" : field === "manager_id" ? "employee_id" : "key";
}
