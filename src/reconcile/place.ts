/**
 * Places the change of a planned row: on a page, with the new people, or aside while another user holds a value it
 * claims.
 */
import { hasUser, isMarked, managerBefore, managerNamed, MARK, mark, putOnPage, userOf } from "./columns/candidates.ts";
import { encodeChange, encodeLink, encodeSighting, type LinkChange } from "./columns/entry.ts";
import type { RowToPlan } from "./columns/recognize.ts";
import type { Claim } from "./claims.ts";
import type { Decision } from "./decide/revision.ts";
import type { Draft } from "./draft.ts";
import type { Elsewhere } from "./elsewhere.ts";
import type { Found } from "./match.ts";
import { claimOfKey } from "./moved-keys.ts";
import { emailOf, employeeIdOf, isActive, isActiveImage, type KnownLink, type KnownUser } from "./person.ts";
import type { UserChange } from "./planned-change.ts";
import type { Validated } from "./validated.ts";

/** A row whose user is known, or known to be new. */
export interface MatchedRow {
  readonly candidate: number;
  readonly row: RowToPlan;
  readonly record: Validated;
  readonly key: string;
  readonly found: Found;
  /** Null: a new person. */
  readonly own: KnownUser | null;
  readonly link: KnownLink | null;
  /** The same, or the link that the user has under another key, which moves to this one. */
  readonly linkBefore: KnownLink | null;
  readonly elsewhere: Elsewhere;
}

/** What was decided about a row. */
export interface Outcome {
  readonly decision: Decision;
  /** The key that linked the same user until now. */
  readonly movedFrom: string | null;
  /** Other users with the email with which this user is reactivated. */
  readonly rivals: readonly KnownUser[];
  readonly withheld: Readonly<Record<string, string>> | null;
  /** Digests by which the row can be passed over the next time; null: it must be planned again. */
  readonly digest: string | null;
  readonly canonical: string | null;
}

/** Puts the row's changes of its user and its link on the pages from which they are applied. */
export function placeRow(draft: Draft, at: MatchedRow, outcome: Outcome): void {
  const { candidate, row, record, key, own, link } = at;
  const { decision, movedFrom, withheld, digest, canonical } = outcome;
  if (movedFrom !== null && own !== null && draft.movers.has(own.id)) draft.movers.set(own.id, candidate);
  const before = link?.withheld ?? null;
  const active = record.active ?? link?.active ?? isActiveImage(decision.after);
  const filtered = record.active === null ? link?.filtered === true : record.activeReason === "filtered";
  const says = { active, filtered: !active && filtered };
  if (at.elsewhere.isEdit) mark(draft.candidates, candidate, MARK.isEdit);
  if (decision.endsEdit && own !== null) draft.context.filler.add("sightings", encodeSighting(own.id, own.version));
  if (decision.action === "unchanged" || decision.action === "skipped") {
    const withheldChanges = withheld !== before && JSON.stringify(withheld) !== JSON.stringify(before);
    const linkChanges = link === null || digest !== null || link.active !== active || withheldChanges ||
      link.filtered !== says.filtered || (link.byHand && !draft.context.byHand) || movedFrom !== null;
    if (!linkChanges) return;
    const { page, index } = addLink(draft, at, outcome, says, digest, canonical);
    putOnPage(draft.candidates, candidate, page, index);
    return;
  }
  // A change writes its link without withheld values. Withheld ones, now or before, need an entry of their own.
  const needsOwnEntry = movedFrom !== null || withheld !== null || before !== null;
  const change: UserChange = {
    action: decision.action,
    line: row.row.line,
    userId: userOf(draft.candidates, candidate),
    version: own?.version ?? 0,
    reason: decision.reason,
    before: decision.before,
    previousPage: own?.lastPage ?? null,
    key: needsOwnEntry ? null : key,
    digest,
    canonical,
    ...says,
    after: decision.after,
  };
  placeChange(draft, candidate, change, wants(draft, at, change, outcome.rivals));
  if (needsOwnEntry) draft.linkEntries.set(candidate, addLink(draft, at, outcome, says, null, null));
}

function addLink(
  draft: Draft,
  { candidate, key, linkBefore }: MatchedRow,
  { withheld, movedFrom }: Outcome,
  says: Pick<LinkChange, "active" | "filtered">,
  digest: string | null,
  canonical: string | null,
): { page: number; index: number } {
  const userId = userOf(draft.candidates, candidate);
  const byItself = movedFrom !== null && linkBefore?.byHand === false;
  return draft.context.filler.add(
    "links",
    encodeLink({ userId, key, digest, canonical, ...says, withheld, movedFrom, byItself }),
  );
}

function placeChange(draft: Draft, candidate: number, change: UserChange, claims: readonly Claim[]): void {
  if (claims.length > 0) {
    draft.contested.set(candidate, { change, claims });
    return;
  }
  if (change.action === "create") return draft.arrivals.add(candidate, change);
  const at = draft.context.filler.add("updates", encodeChange(change));
  putOnPage(draft.candidates, candidate, at.page, at.index);
}

const NOTHING_WANTED: readonly Claim[] = [];

/** Claims to the key, email and employee_id that this change needs and another user holds. */
function wants(
  draft: Draft,
  { candidate, own, found }: MatchedRow,
  { after }: UserChange,
  rivals: readonly KnownUser[],
): readonly Claim[] {
  const { byEmail, byEmployeeId } = found;
  const ofKey = claimOfKey(draft, candidate, found, own?.id ?? null);
  if (ofKey === null && byEmployeeId === null && byEmail.length === 0 && rivals.length === 0) return NOTHING_WANTED;
  const claims: Claim[] = ofKey === null ? [] : [ofKey];
  const email = emailOf(after);
  if (email !== null && isActiveImage(after)) {
    const holder = [...byEmail, ...rivals].find((user) =>
      user.id !== own?.id && isActive(user) && emailOf(user.image) === email
    );
    if (holder !== undefined) claims.push({ taker: candidate, holder: holder.id, field: "email", value: email });
  }
  const employeeId = employeeIdOf(after);
  if (employeeId !== null && byEmployeeId !== null && byEmployeeId.id !== own?.id) {
    claims.push({ taker: candidate, holder: byEmployeeId.id, field: "employee_id", value: employeeId });
  }
  return claims;
}

/** Whether the candidate's manager cannot change, nor be reported, once all rows have been read. */
export function isManagerSettled({ candidates, context }: Draft, candidate: number): boolean {
  if (isMarked(candidates, candidate, MARK.managerWithheld)) return false;
  if (context.policy.update || !hasUser(candidates, candidate)) return true;
  // Without updates, only "none and none" is known to agree before all rows have been read.
  const named = managerNamed(candidates, candidate);
  return named === undefined || (named === null && managerBefore(candidates, candidate) === null);
}
