/**
 * Notes of planned rows for the end of the input: users that a row names and so recalls, its claims, and the values
 * that its user gives up.
 */
import type { Row } from "../model/record.ts";
import {
  isMarked,
  lineOf,
  MARK,
  mark,
  needDepartment,
  rowOf,
  setFilled,
  setKind,
  setManagerBefore,
  setUser,
} from "./columns/candidates.ts";
import { lastFilled } from "./columns/field-bits.ts";
import { linkOfUser, markPlanned, markPresent, wasPassedOver } from "./columns/known.ts";
import type { RowToPlan } from "./columns/recognize.ts";
import { fieldsHad } from "./columns/tally.ts";
import type { Decision } from "./decide/revision.ts";
import type { Draft } from "./draft.ts";
import type { Found } from "./match.ts";
import {
  departmentOf,
  emailOf,
  employeeIdOf,
  isActive,
  isActiveImage,
  type KnownLink,
  type KnownUser,
  managerOf,
  textOf,
} from "./person.ts";
import { isRenumbered } from "./own-keys.ts";
import { isInternational } from "./phones.ts";
import type { MatchedRow } from "./place.ts";
import { noteStatus } from "./statuses.ts";
import { isTotal } from "./totals.ts";
import type { Validated } from "./validated.ts";
import { noteZeros } from "./zeros.ts";

const KINDS = {
  create: "created",
  update: "updated",
  deactivate: "deactivated",
  reactivate: "reactivated",
  unchanged: "unchanged",
  skipped: "skipped",
} as const;

/** Notes the claims of the row itself, whatever its outcome: it may be a duplicate of a row that was passed over. */
export function noteRow(
  draft: Draft,
  candidate: number,
  row: Row,
  record: Validated,
  found: Found,
  { again, isRefused }: { readonly again: boolean; readonly isRefused: boolean },
): void {
  const { context } = draft;
  const { key, values } = record;
  if (key === null) noteUnreadKey(draft, candidate, row);
  else {
    draft.keys.claim(key, candidate);
    if (found.link !== null) {
      // Of a refused row nobody knows whose it is, so it neither ends an absence nor adds to it.
      if (found.link.missingSince !== null) noteBack(draft, candidate, found, isRefused);
      markSeen(draft, found.link, again);
    }
  }
  if (textOf(values.deactivation_date) !== null) draft.dated++;
  const email = textOf(values.email), employeeId = textOf(values.employee_id);
  if (employeeId !== null) noteZeros(draft, employeeId);
  if (context.policy.only_statuses !== null && typeof values.employment_status === "string") {
    noteStatus(draft, values.employment_status);
  }
  // A record without a status leaves somebody inactive who was so by the last one.
  const isInactive = record.active === false || (record.saysNothing && found.link?.active === false);
  const claimed = isInactive ? draft.leavers : draft;
  if (email !== null) claimed.emails.claim(email, candidate);
  // A row without a key is nobody's, whatever else it has.
  if (draft.employeeIds !== draft.keys && employeeId !== null && key !== null) {
    claimed.employeeIds.claim(employeeId, candidate);
  }
  for (const user of othersOf(found)) recall(draft, user.id);
}

/** Notes a row whose key could not be read: nobody can be missing from such an input. A total is nobody's row. */
export function noteUnreadKey(draft: Draft, candidate: number, row: Row): void {
  if (isTotal(row.cells)) return;
  draft.keyUnread ??= lineOf(draft.candidates, candidate) ?? rowOf(draft.candidates, candidate) + 1;
}

const NOBODY: readonly KnownUser[] = [];

/** Users that the record names, other than its link's user. */
export function othersOf({ link, byEmployeeId, byEmail, byPhone, spelledAlike }: Found): readonly KnownUser[] {
  if (byEmployeeId === null && byEmail.length + byPhone.length + spelledAlike.length === 0) return NOBODY;
  return [byEmployeeId, ...byEmail, ...byPhone, ...spelledAlike].filter((user): user is KnownUser =>
    user !== null && user.id !== link?.userId
  );
}

/** Notes whom a row may be about, should it be refused. */
export function noteOthers({ others }: Draft, candidate: number, found: Found): void {
  const users = othersOf(found);
  if (users.length > 0) others.set(candidate, users.map(({ id }) => id));
}

/**
 * Marks this row's own link as seen, even if the row is rejected. Recalls a row of the same link that was passed over.
 */
export function markSeen(draft: Draft, link: KnownLink, again: boolean): void {
  const { known } = draft.context;
  const ordinal = linkOfUser(known, link.userId);
  if (ordinal === null) return;
  if (wasPassedOver(known, ordinal) && !again) draft.recalled.add(ordinal);
  else markPlanned(known, ordinal);
}

function noteBack(draft: Draft, candidate: number, { link, linkedUser }: Found, isRefused: boolean): void {
  if (isRefused) draft.absent.push(link!);
  else draft.back.set(candidate, { link: link!, isActive: linkedUser !== null && isActive(linkedUser) });
}

/** Recalls the row of a user whom another record names: that row must be planned, too. */
export function recall(draft: Draft, userId: number): void {
  const ordinal = linkOfUser(draft.context.known, userId);
  if (ordinal !== null) draft.touched.add(ordinal);
}

/** The same. The user is not missing then, even without a row of their own. */
export function recallPresent(draft: Draft, userId: number): void {
  const { known } = draft.context;
  recall(draft, userId);
  const ordinal = linkOfUser(known, userId);
  if (ordinal !== null) markPresent(known, ordinal);
}

/** Notes a new person. `found`: inactive users with the same email stay, but are no longer found by it. */
export function noteNew(draft: Draft, candidate: number, record: Validated, decision: Decision, found: Found): void {
  for (const user of found.byEmail) {
    draft.disturbed.add(user.id);
    draft.outranked.add(user.id);
  }
  noteDecision(draft, candidate, record, decision);
}

/** Notes a number that is new here, where another row may have it in another spelling, whatever becomes of the row. */
export function notePhone({ context, phones }: Draft, candidate: number, { key, values, fatal }: Validated): void {
  const text = textOf(values.mobile_phone);
  if (context.key !== "mobile_phone" || context.phones.country !== null) return;
  if (key === null || text === null || fatal) return;
  phones.push({ key, isInternational: isInternational(text), of: candidate });
}

/** Notes the change of a known person. */
export function noteKnown(
  draft: Draft,
  { candidate, row, record, link, linkBefore }: MatchedRow,
  decision: Decision,
  own: KnownUser,
): void {
  const { candidates } = draft;
  setUser(candidates, candidate, own.id);
  setManagerBefore(candidates, candidate, managerOf(own.image));
  if (link === null) recallPresent(draft, own.id);
  if (linkBefore !== null && isActive(own)) mark(candidates, candidate, MARK.wasLinked);
  draft.users.claimUser(own.id, candidate);
  noteDecision(draft, candidate, record, decision);
  if (decision.before !== null) noteGivenUp(draft, candidate, decision.before, own);
  noteColumns(draft, candidate, row, record, decision, own, link);
}

/** Notes which cells the row has and had. Those of leavers are often empty, and nobody misses them. */
function noteColumns(
  draft: Draft,
  candidate: number,
  row: RowToPlan,
  { values }: Validated,
  { action, after, before }: Decision,
  own: KnownUser,
  link: KnownLink | null,
): void {
  const { candidates, context, tallied } = draft;
  if (action === "reactivate" && values.deactivation_date === null && before?.deactivation_date != null) {
    mark(candidates, candidate, MARK.dateGone);
  }
  // Somebody who was missing was not in the last input.
  if (link === null || link.missingSince !== null || !isActiveImage(after)) return;
  const had = fieldsHad(tallied, row, own, lastFilled(context.known, own.id), context.connectionId);
  setFilled(candidates, candidate, had, row.filled);
}

function noteDecision(draft: Draft, candidate: number, { values }: Validated, decision: Decision): void {
  const { candidates, context } = draft;
  const { after } = decision;
  setKind(candidates, candidate, KINDS[decision.action]);
  if (decision.identity) mark(candidates, candidate, MARK.identity);
  if (decision.overwrites) mark(candidates, candidate, MARK.overwrites);
  if (decision.advancesDeactivation) mark(candidates, candidate, MARK.advancesDeactivation);
  if (isActiveImage(after)) mark(candidates, candidate, MARK.active);
  const email = textOf(values.email), employeeId = textOf(values.employee_id);
  if ((employeeId !== null && employeeIdOf(after) !== employeeId) || (email !== null && emailOf(after) !== email)) {
    draft.unheld.add(candidate);
  }
  const department = departmentOf(after);
  const place = department === null ? null : context.departments.placeOf(department);
  if (place !== null) needDepartment(candidates, candidate, place);
}

/** Notes an email or employee_id that a user gives up: the user is no longer found by it, and another may take it. */
function noteGivenUp(
  draft: Draft,
  candidate: number,
  before: NonNullable<Decision["before"]>,
  own: KnownUser,
): void {
  const { candidates } = draft;
  const givesEmail = isActive(own) && ("email" in before || "status" in before);
  const givesEmployeeId = "employee_id" in before;
  if (givesEmail) mark(candidates, candidate, MARK.givesEmail);
  if (givesEmployeeId) mark(candidates, candidate, MARK.givesEmployeeId);
  if (givesEmail || givesEmployeeId) draft.releasers.set(own.id, candidate);
  if ("email" in before) draft.readdressed.set(own.id, candidate);
  if ("email" in before || givesEmployeeId || "status" in before) draft.disturbed.add(own.id);
}

/** Whether a row that is planned, or that waits for the end of the input, makes this user give up the employee_id. */
export function givesEmployeeIdUp(draft: Draft, userId: number): boolean {
  const candidate = draft.releasers.get(userId);
  const isPlanned = candidate !== undefined && isMarked(draft.candidates, candidate, MARK.givesEmployeeId);
  return isPlanned || isRenumbered(draft, userId);
}

/**
 * Notes that a refused row has the employee_id of a user to whom another row gives a new one: it may be theirs as well. Only
 * of rows that have waited for all others, so that their order does not matter.
 */
export function noteDoubt(draft: Draft, candidate: number, n: number, { byEmployeeId }: Found): void {
  if (byEmployeeId === null || !draft.postponed.has(n) || !givesEmployeeIdUp(draft, byEmployeeId.id)) return;
  draft.users.claimUser(byEmployeeId.id, candidate);
  draft.doubtful.add(candidate);
}

/**
 * Claims the email with which a user is reactivated, if it is not the row's email: other users may have it by now.
 * Returns those users.
 */
export function claimKeptEmail(
  draft: Draft,
  candidate: number,
  own: KnownUser,
  decision: Decision,
  email: string | null,
  holders: (email: string) => readonly KnownUser[],
): readonly KnownUser[] {
  const kept = emailOf(decision.after);
  if (isActive(own) || !isActiveImage(decision.after) || kept === email || kept === null) return NOBODY;
  draft.emails.claim(kept, candidate);
  const rivals = holders(kept);
  for (const user of rivals) if (user.id !== own.id) recallPresent(draft, user.id);
  return rivals;
}
