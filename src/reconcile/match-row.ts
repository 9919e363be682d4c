/** Whom a row of the input is about, once it is known which other people the input has. */
import { givesEmployeeIdUp, recallPresent } from "./note.ts";
import type { Issue } from "../model/record.ts";
import { isSeen } from "./columns/known.ts";
import type { Conflicts } from "./conflicts.ts";
import type { Draft } from "./draft.ts";
import type { LookedUp } from "./look-up.ts";
import { type Found, type Match, match } from "./match.ts";
import { withoutMoved } from "./moved-keys.ts";
import { zerosLost } from "./issues/people.ts";
import { areTwoPeople, reKeyed, reKeyedByName, withoutOwnKeys } from "./own-keys.ts";
import { textOf } from "./person.ts";
import type { Validated } from "./validated.ts";

/**
 * `n`: the row's place in the input. `again`: the input has been read. A row that waited for that is not about a user who
 * gives the employee_id up in this input, if the two are two people for certain, nor about one whose own key is in it.
 */
export function matchRow(
  draft: Draft,
  { n }: { readonly n: number },
  record: Validated,
  found: Found,
  { lookedUp, conflicts, again }: {
    readonly lookedUp: LookedUp;
    readonly conflicts: Conflicts;
    readonly again: boolean;
  },
): Match {
  const { values } = record, { key } = draft.context;
  if (!again || !draft.postponed.has(n)) return match(values, key, found);
  const own = withoutMoved(draft, record, found, conflicts), { byEmployeeId } = own;
  // Else the two rows claim one user: to take this one for somebody new would make a second person, and perhaps the first
  // into somebody else.
  const isGivenUp = byEmployeeId !== null && givesEmployeeIdUp(draft, byEmployeeId.id) &&
    areTwoPeople(values, byEmployeeId);
  const open = withoutOwnKeys(draft, isGivenUp ? { ...own, byEmployeeId: null } : own, lookedUp);
  const matched = reKeyed(draft, record, open, lookedUp) ?? match(values, key, open);
  const named = matched.kind === "unmatched" ? reKeyedByName(draft, record, n, lookedUp) : null;
  // Whom the row or its error names is not missing.
  if (named?.kind === "unlinked") recallPresent(draft, named.user.id);
  return named ?? matched;
}

/** An id of nobody, which somebody has with zeros in front. */
export function whyZerosLost(draft: Draft, { values }: Validated, lookedUp: LookedUp): Issue | null {
  const employeeId = textOf(values.employee_id);
  const known = employeeId === null ? undefined : lookedUp.zeros.get(employeeId);
  const isTwo = known !== undefined && isSeen(draft.context.known, known.user.id) && areTwoPeople(values, known.user);
  if (known === undefined || isTwo) return null;
  // Whom an error names is not missing.
  recallPresent(draft, known.user.id);
  return zerosLost(employeeId!, { id: known.id, user: known.user.id });
}
