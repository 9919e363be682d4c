/**
 * Rows with a key that nobody has: of somebody new, or of somebody whose key has changed. Who is known by another key is
 * theirs only if that key is not in this input, which only its end shows.
 */
import { kindOf, rowOf } from "./columns/candidates.ts";
import { isSeen } from "./columns/known.ts";
import { compareWithUser, nameIn } from "./contradiction.ts";
import type { Draft } from "./draft.ts";
import { IMAGE_INDEX } from "./image.ts";
import type { LookedUp } from "./look-up.ts";
import { type Found, linkedBy, type Match } from "./match.ts";
import { nameForms } from "./names.ts";
import { emailOf, isActive, type KnownUser, nameOf, textOf } from "./person.ts";
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
 * The person who has a new key: active, with the row's email and both names, and no other hire date. Their own key is in no
 * row of an input that is whole. With one of the names alone it is they only if the hire dates agree, and else in doubt.
 */
export function reKeyed(draft: Draft, { values, key }: Validated, found: Found, lookedUp: LookedUp): Match | null {
  if (!isReadWhole(draft) || found.byEmployeeId !== null || key === null || lacksZeros(values, lookedUp)) return null;
  const holders = found.byEmail.filter((user) =>
    isActive(user) && isOfAnotherKey(user, key, lookedUp) && !wasInPart(draft, user, lookedUp)
  );
  const alike = holders.filter((user) => sameNames(values, user) === 2 && compareHired(values, user) !== "differs");
  if (alike.length > 0) return alike.length === 1 ? { kind: "unlinked", user: alike[0]! } : null;
  const [user, ...others] = holders.filter((user) => sameNames(values, user) === 1);
  return user === undefined || others.length > 0 ? null : inDoubt(values, user, "email");
}

/** Whether a part of the full input that was applied before this one had the user. */
function wasInPart({ context: { part } }: Draft, { id }: KnownUser, lookedUp: LookedUp): boolean {
  return part !== null && part.after !== null && lookedUp.linkOf(id)?.absentFrom !== part.after;
}

/** The person with the row's names who was in the last input and is not in this one: in doubt unless the hire dates agree. */
export function reKeyedByName(draft: Draft, { values }: Validated, n: number, lookedUp: LookedUp): Match | null {
  const { known, renumbered } = draft.context;
  const id = renumbered.get(n), user = id === undefined ? undefined : lookedUp.user(id);
  if (user === undefined || !isReadWhole(draft) || isSeen(known, user.id) || lacksZeros(values, lookedUp)) return null;
  return isActive(user) && sameNames(values, user) === 2 ? inDoubt(values, user, "names") : null;
}

function isReadWhole({ isWhole, keyUnread }: Draft): boolean {
  return isWhole && keyUnread === null;
}

function lacksZeros({ employee_id }: Values, { zeros }: LookedUp): boolean {
  return zeros.has(textOf(employee_id) ?? "");
}

function inDoubt(values: Values, user: KnownUser, doubt: "email" | "names"): Match {
  return compareHired(values, user) === "same" ? { kind: "unlinked", user } : { kind: "unlinked", user, doubt };
}

/** How many of the two names are the same. */
function sameNames(values: Values, user: KnownUser): number {
  const { first, last } = compareWithUser(values, user);
  return [first, last].filter((name) => name === "same").length;
}

function compareHired(values: Values, { image }: KnownUser): "same" | "differs" | null {
  const hired = textOf(values.hire_date), known = textOf(image[IMAGE_INDEX.hire_date]);
  return hired === null || known === null ? null : hired === known ? "same" : "differs";
}

/** The most people with new keys who are looked for by their names. */
const MOST_NAMED = 10_000;

/** Notes the name of somebody new, who may be a person with a new key: that shows once it is known who is missing. */
export function noteNewName({ context, newNames }: Draft, candidate: number, { values }: Validated): void {
  const { known, policy, renumbered } = context;
  if (policy.coverage !== "full" || known.size === 0 || renumbered.size > 0) return;
  for (const form of nameForms(nameIn(values))) newNames.claim(form, candidate);
}

/** Notes the row of somebody new who has the names of this missing person, for the next plan. */
export function findByName(draft: Draft, user: KnownUser): void {
  const { candidates, context: { renumbered }, newNames } = draft;
  if (renumbered.size >= MOST_NAMED) return;
  for (const form of nameForms(nameOf(user.image))) {
    const candidate = newNames.owner(form);
    if (candidate !== null) renumbered.set(rowOf(candidates, candidate), user.id);
  }
}

/** Somebody with the row's email whose own row says that they have left, or who had left. */
export function leaverBefore(
  { candidates, context: { known }, releasers }: Draft,
  { values, key }: Validated,
  found: Found,
  lookedUp: LookedUp,
): KnownUser | null {
  const hasLeft = (user: KnownUser) => {
    const candidate = releasers.get(user.id);
    return !isActive(user) || (candidate !== undefined && kindOf(candidates, candidate) === "deactivated");
  };
  return found.byEmail.find((user) =>
    isOfAnotherKey(user, key!, lookedUp) && isSeen(known, user.id) && hasLeft(user) && sameNames(values, user) > 0
  ) ?? null;
}

/** Whether the two are two people for certain: other addresses and other names. */
export function areTwoPeople(values: Values, user: KnownUser): boolean {
  const { first, last } = compareWithUser(values, user);
  const email = textOf(values.email), known = emailOf(user.image);
  return email !== null && known !== null && email !== known && first === "differs" && last === "differs";
}
