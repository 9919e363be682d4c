/**
 * The messages of issues that only the whole input shows. Rows are read once more for them, so that planning needs only
 * a few bits for each row. Pure.
 */
import type { Issue, KeyField } from "../model/record.ts";
import { isLate, LATE, type Late, lineOf, rowOf, userOf } from "./columns/candidates.ts";
import type { Draft } from "./draft.ts";
import { fieldKept, sourceConflict } from "./issues/fields.ts";
import { managerCycle, managerDisagrees, managerIsSelf, managerNotFound } from "./issues/managers.ts";
import {
  duplicateInInput,
  duplicateOnReturn,
  exchanged,
  identityConflict,
  namedLikeAnother,
  phoneSpelledTwice,
} from "./issues/people.ts";
import { managerIn } from "./managers/references.ts";
import type { Validated } from "./validated.ts";

export function lateIssues(draft: Draft, candidate: number, record: Validated): Issue[] {
  return [
    ...duplicates(draft, candidate, record),
    ...identityIssues(draft, candidate, record),
    ...managerIssues(draft, candidate, record),
  ];
}

/** Duplicates. Rows that share the key mostly share email and employee_id, too; each group of rows is reported once. */
function duplicates(draft: Draft, candidate: number, { key, values }: Validated): Issue[] {
  const claimed: readonly [Late, KeyField, string | null][] = [
    [LATE.sameKey, draft.context.key, key],
    [LATE.sameEmail, "email", textOf(values.email)],
    [LATE.sameEmployeeId, "employee_id", textOf(values.employee_id)],
  ];
  const issues: Issue[] = [];
  const reported = new Set<string>();
  for (const [late, field, value] of claimed) {
    if (!isLate(draft.candidates, candidate, late)) continue;
    const rows = otherRows(draft, candidate, late);
    if (reported.has(rows)) continue;
    reported.add(rows);
    issues.push(value === null ? duplicateOnReturn(field, rows) : duplicateInInput(field, value, rows));
  }
  return issues;
}

function identityIssues(draft: Draft, candidate: number, record: Validated): Issue[] {
  const { key, values } = record;
  const { candidates, context, details } = draft;
  const issues: Issue[] = [];
  if (isLate(candidates, candidate, LATE.sameUser)) {
    const rows = otherRows(draft, candidate, LATE.sameUser);
    issues.push(
      identityConflict(
        context.key,
        key,
        [`the row and ${rows} are about the same person`],
        "Keep the row with the person's present ids",
      ),
    );
  }
  if (isLate(candidates, candidate, LATE.samePhone)) {
    issues.push(phoneSpelledTwice(String(values.mobile_phone), [otherRows(draft, candidate, LATE.samePhone)]));
  }
  if (isLate(candidates, candidate, LATE.held)) {
    issues.push(
      identityConflict(
        context.key,
        key,
        [...details.get(candidate) ?? [], ", who keeps it"],
        "Give one of the two another value, or send both changes in one file",
      ),
    );
  }
  if (isLate(candidates, candidate, LATE.exchanged)) issues.push(exchangedWith(draft, candidate, record));
  return issues;
}

function exchangedWith(
  { candidates, context, details, exchanges }: Draft,
  candidate: number,
  record: Validated,
): Issue {
  const what = details.get(candidate)!;
  if (exchanges.newcomers.has(candidate)) return namedLikeAnother(record.key!, what);
  const user = userOf(candidates, candidate);
  return {
    ...exchanged(record.key!, what, user),
    conflict: {
      user,
      field: exchanges.foundBy.get(candidate) ?? context.key,
      fingerprint: context.identities.fingerprint(record),
    },
  };
}

function managerIssues({ candidates, details }: Draft, candidate: number, { values }: Validated): Issue[] {
  const { field, value } = managerIn(values) ?? { field: "manager_id", value: "" };
  const detail = details.get(candidate);
  const has = (late: Late) => isLate(candidates, candidate, late);
  const issues: Issue[] = [];
  if (has(LATE.managerUnknown)) issues.push(managerNotFound(field, value, detail));
  if (has(LATE.managerSelf)) issues.push(managerIsSelf(field, value));
  if (has(LATE.managerCycle)) issues.push(managerCycle(field, value, detail ?? []));
  if (has(LATE.managersDisagree)) {
    issues.push(managerDisagrees(String(values.manager_id ?? values.manager_key), textOf(values.manager_email)));
  }
  if (has(LATE.managerKept)) issues.push(fieldKept(field, value));
  if (has(LATE.managerConflict)) issues.push(sourceConflict(field, value));
  return issues;
}

const MAX_NAMED = 10;

/** `line 7`, `lines 7 and 9`, `lines 7, 9, 11 and 40 more`. */
function otherRows({ candidates, rivals }: Draft, candidate: number, late: Late): string {
  const group = rivals.get(late)?.get(candidate) ?? [];
  const count = group.length - 1;
  if (count < 1) return "another row";
  const shownLine = (rival: number) => lineOf(candidates, rival) ?? rowOf(candidates, rival) + 1;
  let sorted = sortedLines.get(group);
  if (sorted === undefined) sortedLines.set(group, sorted = Array.from(group, shownLine).sort((a, b) => a - b));
  const own = shownLine(candidate);
  const lines = sorted.slice(0, MAX_NAMED + 1).filter((line) => line !== own).slice(0, MAX_NAMED);
  if (count === 1) return `line ${lines[0]}`;
  if (count > MAX_NAMED) return `lines ${lines.join(", ")} and ${count - MAX_NAMED} more`;
  return `lines ${lines.slice(0, -1).join(", ")} and ${lines.at(-1)}`;
}

/** The lines of rows with the same claim, in order. Each row names the others, so they are sorted once for all. */
const sortedLines = new WeakMap<readonly number[], readonly number[]>();

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
