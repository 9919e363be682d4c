/**
 * The words for issues that only the whole input could tell. Rows are read once more for them, so that nothing but a
 * few bits had to be kept for each. Pure.
 */
import type { IssueCode } from "../model/codes.ts";
import type { Issue, Piece, Severity } from "../model/record.ts";
import { issueOf } from "../model/wording.ts";
import {
  LATE_EMAIL,
  LATE_EMPLOYEE_ID,
  LATE_HELD,
  LATE_KEY,
  LATE_MANAGER_CONFLICT,
  LATE_MANAGER_CYCLE,
  LATE_MANAGER_DISAGREES,
  LATE_MANAGER_KEPT,
  LATE_MANAGER_SELF,
  LATE_MANAGER_UNKNOWN,
  LATE_USER,
} from "./columns/candidates.ts";
import type { Draft } from "./draft.ts";
import type { Validated } from "./validate.ts";

export function lateIssues(draft: Draft, candidate: number, record: Validated): Issue[] {
  const bits = draft.candidates.late[candidate]!;
  const issues: Issue[] = [];
  const say = (
    severity: Severity,
    code: IssueCode,
    field: string | null,
    value: string | null,
    message: string | readonly Piece[],
    suggestion: string | readonly Piece[],
  ) =>
    issues.push(
      issueOf({ severity, code, field, value }, typeof message === "string" ? [message] : message, suggestion),
    );
  const detail = draft.details.get(candidate) ?? [];
  const told = new Set<string>();
  const duplicate = (bit: number, field: string, value: string | null) => {
    const rows = others(draft, candidate, bit);
    // Rows that share the key mostly share the rest: said once.
    if ((bits & bit) === 0 || told.has(rows)) return;
    told.add(rows);
    say(
      "error",
      "duplicate_in_input",
      field,
      value,
      value === null
        ? `Back among the active people, this one has the same ${field} as ${rows}: it should be one person's alone`
        : `"${value}" is the ${field} of ${rows} too: one person, one row`,
      value === null ? `Give each row an ${field} of its own` : "Keep one of the rows",
    );
  };
  duplicate(LATE_KEY, draft.context.key, record.key);
  duplicate(LATE_EMAIL, "email", textOf(record.values.email));
  duplicate(LATE_EMPLOYEE_ID, "employee_id", textOf(record.values.employee_id));
  if (bits & LATE_USER) {
    say(
      "error",
      "identity_conflict",
      draft.context.key,
      record.key,
      `This row and ${others(draft, candidate, LATE_USER)} are about the same person`,
      "Keep the row with the person's present ids",
    );
  }
  if (bits & LATE_HELD) {
    say(
      "error",
      "identity_conflict",
      draft.context.key,
      record.key,
      [`Cannot apply "${record.key}": `, ...detail, ", who keeps it"],
      "Give one of the two another value, or send both changes in one file",
    );
  }
  const manager = managerNamed(record);
  const warn = (code: IssueCode, message: string | readonly Piece[], suggestion: string | readonly Piece[]) =>
    say("warning", code, manager.field, manager.value, message, suggestion);
  if (bits & LATE_MANAGER_UNKNOWN) {
    warn(
      "manager_not_found",
      `Nobody has ${of(manager.field)} "${manager.value}": the manager was left as it was`,
      draft.details.has(candidate)
        ? ["Write ", ...detail, " if that is meant: a spreadsheet may have taken the zeros away"]
        : "Add the manager as a row, or correct the reference; it is tried again when the person appears",
    );
  }
  if (bits & LATE_MANAGER_SELF) {
    warn(
      "manager_is_self",
      `"${manager.value}" is the person's own ${of(manager.field)}: nobody is their own manager`,
      "Name another manager, or leave the cell empty for the top of the organization",
    );
  }
  if (bits & LATE_MANAGER_CYCLE) {
    warn(
      "manager_cycle",
      ["The managers form a circle: ", ...detail, "; the manager was left as it was"],
      "Leave the manager of the topmost person empty, or name another",
    );
  }
  if (bits & LATE_MANAGER_DISAGREES) {
    say(
      "warning",
      "manager_disagrees",
      "manager_email",
      textOf(record.values.manager_email),
      `manager_id "${
        record.values.manager_id ?? record.values.manager_key
      }" and manager_email "${record.values.manager_email}" are two different people; the id was used`,
      "Correct one of the two",
    );
  }
  if (bits & LATE_MANAGER_KEPT) {
    warn(
      "field_kept",
      `The manager was edited by hand and is kept; "${manager.value}" was not taken`,
      "Release the field on the user, or send the edited value",
    );
  }
  if (bits & LATE_MANAGER_CONFLICT) {
    warn(
      "source_conflict",
      `The manager belongs to a connection of higher priority; "${manager.value}" was not taken`,
      "Correct the manager in either source, or change the connections' priority",
    );
  }
  return issues;
}

function managerNamed(record: Validated): { field: string; value: string } {
  for (const field of ["manager_key", "manager_id", "manager_email"]) {
    const value = record.values[field];
    if (typeof value === "string") return { field, value };
  }
  return { field: "manager_id", value: "" };
}

function of(field: string): string {
  return field === "manager_email" ? "email" : field === "manager_id" ? "employee_id" : "key";
}

const MAX_NAMED = 10;

/** `line 7`, `lines 7 and 9`, `lines 7, 9, 11 and 40 more`. */
function others({ candidates, rivals }: Draft, candidate: number, bit: number): string {
  const group = rivals.get(bit)?.get(candidate) ?? [];
  const count = group.length - 1;
  if (count < 1) return "another row";
  const lineOf = (rival: number) => candidates.line[rival] || candidates.n[rival]! + 1;
  let sorted = sortedLines.get(group);
  if (sorted === undefined) sortedLines.set(group, sorted = Array.from(group, lineOf).sort((a, b) => a - b));
  const own = lineOf(candidate);
  const lines = sorted.slice(0, MAX_NAMED + 1).filter((line) => line !== own).slice(0, MAX_NAMED);
  if (count === 1) return `line ${lines[0]}`;
  if (count > MAX_NAMED) return `lines ${lines.join(", ")} and ${count - MAX_NAMED} more`;
  return `lines ${lines.slice(0, -1).join(", ")} and ${lines.at(-1)}`;
}

/** The lines of rows that claim the same, in order: each of them names the others, so they are sorted once for all. */
const sortedLines = new WeakMap<readonly number[], readonly number[]>();

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
