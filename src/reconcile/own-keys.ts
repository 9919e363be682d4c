/**
 * Rows with a key that nobody has: of somebody new, or of somebody whose key has changed. Who is known by another key is
 * theirs only if that key is not in this input, which only its end shows.
 */
import { isSeen } from "./columns/known.ts";
import { compareWithUser } from "./contradiction.ts";
import type { Draft } from "./draft.ts";
import { IMAGE_INDEX } from "./image.ts";
import type { LookedUp } from "./look-up.ts";
import { type Found, linkedBy, type Match } from "./match.ts";
import { emailOf, isActive, type KnownUser, textOf } from "./person.ts";
import type { Validated, Values } from "./validated.ts";

/** Whether the row has to wait for the end of the input: it may be about somebody who is known by another key. */
export function waitsForOwnKeys({ key, values }: Validated, found: Found, lookedUp: LookedUp): boolean {
  if (key === null || linkedBy(values, found) !== null) return false;
  if (found.byEmployeeId !== null) return isOfAnotherKey(found.byEmployeeId, key, lookedUp);
  return lookedUp.zeros.has(textOf(values.employee_id) ?? "") ||
    found.byEmail.some((user) => isOfAnotherKey(user, key, lookedUp));
}

function isOfAnotherKey(user: KnownUser, key: string, lookedUp: LookedUp): boolean {
  const link = lookedUp.linkOf(user.id);
  return link !== undefined && link.key !== key;
}

/** Those by whose address the row may be found: not those whose own key is in this input. */
export function withoutOwnKeys({ context: { known } }: Draft, found: Found): Found {
  if (!found.byEmail.some((user) => isSeen(known, user.id))) return found;
  return { ...found, byEmail: found.byEmail.filter((user) => !isSeen(known, user.id)) };
}

/**
 * The person who has a new key: active, with the row's email and names, and no other hire date. Their own key is in no row
 * of an input that is whole.
 */
export function reKeyed(draft: Draft, { values, key }: Validated, found: Found, lookedUp: LookedUp): Match | null {
  if (!draft.isWhole || draft.keyUnread !== null || found.byEmployeeId !== null || key === null) return null;
  const fits = found.byEmail.filter((user) =>
    isActive(user) && isOfAnotherKey(user, key, lookedUp) && isAlike(values, user) &&
    !wasInPart(draft, user, lookedUp)
  );
  return fits.length === 1 ? { kind: "unlinked", user: fits[0]! } : null;
}

/** Whether a part of the full input that was applied before this one had the user. */
function wasInPart({ context: { part } }: Draft, { id }: KnownUser, lookedUp: LookedUp): boolean {
  return part !== null && part.after !== null && lookedUp.linkOf(id)?.absentFrom !== part.after;
}

function isAlike(values: Values, user: KnownUser): boolean {
  const { first, last } = compareWithUser(values, user);
  const hired = textOf(values.hire_date), known = textOf(user.image[IMAGE_INDEX.hire_date]);
  return first === "same" && last === "same" && (hired === null || known === null || hired === known);
}

/** Whether the two are two people for certain: other addresses and other names. */
export function areTwoPeople(values: Values, user: KnownUser): boolean {
  const { first, last } = compareWithUser(values, user);
  const email = textOf(values.email), known = emailOf(user.image);
  return email !== null && known !== null && email !== known && first === "differs" && last === "differs";
}
