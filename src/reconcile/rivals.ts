/** Rows that claim the same key, email, employee_id or user: each is rejected, and will name the others. */
import { fail, hasFailed, LATE, type Late, noteLate } from "./columns/candidates.ts";
import type { Claims } from "./columns/claim-index.ts";
import type { Draft } from "./draft.ts";
import { createSpellings } from "./phone-spellings.ts";

export function rejectRivals(draft: Draft): void {
  const shared: [Claims, Late][] = [[draft.keys, LATE.sameKey], [draft.emails, LATE.sameEmail]];
  if (draft.employeeIds !== draft.keys) shared.push([draft.employeeIds, LATE.sameEmployeeId]);
  for (const [claims, late] of shared) {
    for (const group of claims.shared()) for (const candidate of group) reject(draft, candidate, late, group);
  }
  rejectSpelledAlike(draft);
  // Only rows that are not rejected yet dispute a user, or were as they may be theirs: a duplicate does not reject a good
  // row, too.
  for (const group of [...draft.users.shared()]) {
    const isOpen = (candidate: number) => !hasFailed(draft.candidates, candidate);
    const disputing = group.filter((candidate) => isOpen(candidate) || draft.doubtful.has(candidate));
    if (disputing.length < 2) continue;
    for (const candidate of disputing.filter(isOpen)) reject(draft, candidate, LATE.sameUser, disputing);
  }
}

/** Rows whose numbers are new and may be one, in two spellings: whether they are about one person, nobody can tell. */
function rejectSpelledAlike(draft: Draft): void {
  const spellings = createSpellings<number>();
  for (const phone of draft.phones) spellings.add(phone);
  for (const phone of draft.phones) {
    const alike = spellings.alike(phone).filter((candidate) => candidate !== phone.of);
    if (alike.length > 0) reject(draft, phone.of, LATE.samePhone, [phone.of, ...alike]);
  }
}

/**
 * Rejects a row for an issue that only the whole input shows. `rivals`: all rows with the same claim, this one
 * included.
 */
export function reject(draft: Draft, candidate: number, late: Late, rivals: readonly number[]): void {
  noteLate(draft.candidates, candidate, late);
  fail(draft.candidates, candidate);
  draft.contested.delete(candidate);
  let groups = draft.rivals.get(late);
  if (groups === undefined) draft.rivals.set(late, groups = new Map());
  groups.set(candidate, rivals);
}
