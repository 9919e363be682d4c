/**
 * Keys that go from one person to another in one input. A row contradicts the person whom its key links, and another row
 * has that person's employee_id under another key: then the link moves with the person, and the first row is about somebody
 * else. Which of the two comes first does not matter, so such rows are planned once the input has been read.
 */
import type { Claim } from "./claims.ts";
import type { Conflicts } from "./conflicts.ts";
import type { Draft } from "./draft.ts";
import type { LookedUp } from "./look-up.ts";
import { type Found, linkedBy, match } from "./match.ts";
import { employeeIdOf, textOf } from "./person.ts";
import type { Validated } from "./validated.ts";

/** Whether the row is its person's only as long as nobody else's row has them. */
export function mayBeOfAnother(
  { context: { key, identities } }: Draft,
  record: Validated,
  found: Found,
  conflicts: Conflicts,
): boolean {
  const { link, linkedUser } = found;
  if (link === null || linkedUser === null) return false;
  // Mostly the key is the person's own number still: no other row can have that.
  if (key === "employee_id" && employeeIdOf(linkedUser.image) === record.key) return false;
  const linked = linkedBy(record.values, key, found);
  if (linked === null || conflicts(record, linked) === null) return false;
  const isOnlyLeaving = record.active === false && textOf(record.values.email) === null;
  return !isOnlyLeaving && !identities.isAccepted(linked.user.id, record);
}

/** Notes whom a row takes along to another key, as it has their employee_id and does not contradict them. */
export function noteMover(
  { context, movers }: Draft,
  record: Validated,
  found: Found,
  lookedUp: LookedUp,
  conflicts: Conflicts,
): void {
  const { byEmployeeId: user, link } = found;
  if (user === null || user.id === link?.userId || record.fatal) return;
  const key = lookedUp.linkOf(user.id)?.key;
  if (key === undefined || key === record.key) return;
  const matched = match(record.values, context.key, { ...found, link: null, linkedUser: null });
  if (matched.kind === "unlinked" && conflicts(record, matched) === null) movers.set(user.id, null);
}

/** What the row finds without the link of somebody who moves to another key. */
export function withoutMoved(draft: Draft, record: Validated, found: Found, conflicts: Conflicts): Found {
  const { link } = found;
  const isGivenUp = link !== null && draft.movers.has(link.userId) && mayBeOfAnother(draft, record, found, conflicts);
  return isGivenUp ? { ...found, link: null, linkedUser: null } : found;
}

/** The claim of a row, planned for `userId`, to the key of somebody who moves to another one; null: it is nobody else's. */
export function claimOfKey({ movers }: Draft, taker: number, { link }: Found, userId: number | null): Claim | null {
  if (link === null || link.userId === userId || !movers.has(link.userId)) return null;
  return { taker, holder: link.userId, field: "key", value: link.key };
}
