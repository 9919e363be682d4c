/** Rows that claim the same key, email, employee_id or user: each is rejected, and will name the others. */
import { fail, hasFailed, LATE, type Late, noteLate } from "./columns/candidates.ts";
import type { Claims } from "./columns/claim-index.ts";
import type { Draft } from "./draft.ts";

export function rejectRivals(draft: Draft): void {
  const shared: [Claims, Late][] = [[draft.keys, LATE.sameKey], [draft.emails, LATE.sameEmail]];
  if (draft.employeeIds !== draft.keys) shared.push([draft.employeeIds, LATE.sameEmployeeId]);
  for (const [claims, late] of shared) {
    for (const group of claims.shared()) for (const candidate of group) reject(draft, candidate, late, group);
  }
  // Only rows that are not rejected yet dispute a user: a row that is a duplicate anyway takes nobody with it.
  for (const group of [...draft.users.shared()]) {
    const standing = group.filter((candidate) => !hasFailed(draft.candidates, candidate));
    if (standing.length < 2) continue;
    for (const candidate of standing) reject(draft, candidate, LATE.sameUser, standing);
  }
}

/** Rejects a row for what only the whole input shows. `rivals`: all rows that claim the same, itself among them. */
export function reject(draft: Draft, candidate: number, late: Late, rivals: readonly number[]): void {
  noteLate(draft.candidates, candidate, late);
  fail(draft.candidates, candidate);
  draft.contested.delete(candidate);
  let groups = draft.rivals.get(late);
  if (groups === undefined) draft.rivals.set(late, groups = new Map());
  groups.set(candidate, rivals);
}
