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
import { emailOf, employeeIdOf, isActive, type KnownUser, nameOf, textOf } from "./person.ts";
import type { Validated, Values } from "./validated.ts";

/** Whether the row has to wait for the end of the input: it may be about somebody who is known by another key. */
export function waitsForOwnKeys(
  { context }: Draft,
  { key, values }: Validated,
  found: Found,
  lookedUp: LookedUp,
): boolean {
  if (key === null || linkedBy(values, context.key, found) !== null) return false;
  if (found.byEmployeeId !== null) return isOfAnotherKey(found.byEmployeeId, key, lookedUp);
  return lookedUp.zeros.has(textOf(values.employee_id) ?? "") ||
    [...found.byEmail, ...found.byPhone].some((user) => isOfAnotherKey(user, key, lookedUp));
}

function isOfAnotherKey(user: KnownUser, key: string, lookedUp: LookedUp): boolean {
  const link = lookedUp.linkOf(user.id);
  return link !== undefined && link.key !== key;
}

/** Those by whose address or phone the row may be found: not those whose own key is in this input, or a new one of theirs. */
export function withoutOwnKeys(draft: Draft, found: Found, lookedUp: LookedUp): Found {
  const { byEmail, byPhone } = found, { context: { known }, movers } = draft;
  const hasNoRow = (user: KnownUser) =>
    !isSeen(known, user.id) && !movers.has(user.id) && !wasInPart(draft, user, lookedUp);
  if (byEmail.every(hasNoRow) && byPhone.every(hasNoRow)) return found;
  return { ...found, byEmail: byEmail.filter(hasNoRow), byPhone: byPhone.filter(hasNoRow) };
}

/**
 * The person who has a new key: active, with the row's email and both names, and no other hire date. Their own key is in no
 * row of an input that is whole. With one of the names alone it is they only if the hire dates agree, and else in doubt.
 */
export function reKeyed(draft: Draft, { values, key }: Validated, found: Found, lookedUp: LookedUp): Match | null {
  if (!isReadWhole(draft) || found.byEmployeeId !== null || key === null || lacksZeros(values, lookedUp)) return null;
  // The key is not new: the row is about whom it links, or refused.
  if (linkedBy(values, draft.context.key, found) !== null) return null;
  const holders = found.byEmail.filter((user) =>
    isActive(user) && isOfAnotherKey(user, key, lookedUp) && !wasInPart(draft, user, lookedUp)
  );
  const alike = holders.filter((user) => sameNames(values, user) === 2 && compareHired(values, user) !== "differs");
  if (alike.length > 0) return alike.length === 1 ? { kind: "unlinked", user: alike[0]! } : null;
  const [user, ...others] = holders.filter((user) => sameNames(values, user) === 1);
  return user === undefined || others.length > 0 ? null : inDoubt(values, user, "email");
}

/**
 * Notes whom the row, which waits, gives another employee_id, if it turns out to be theirs: other rows that wait may come
 * before it.
 */
export function noteRenumbered(draft: Draft, { values }: Validated, found: Found, n: number, lookedUp: LookedUp): void {
  const employeeId = textOf(values.employee_id);
  if (employeeId === null || found.byEmployeeId !== null) return;
  const named = (draft.context.renumbered.get(n) ?? []).flatMap((id) => lookedUp.user(id) ?? []);
  for (const user of [...found.byEmail, ...named]) {
    const names = sameNames(values, user), hired = compareHired(values, user);
    const isTheirs = (names === 2 && hired !== "differs") || (names === 1 && hired === "same");
    if (isActive(user) && isTheirs && hasOtherId(user, employeeId)) draft.renumbered.add(user.id);
  }
}

/** Whether a row that waits gives the user another employee_id, in any order of the rows. */
export function isRenumbered(draft: Draft, userId: number): boolean {
  return isReadWhole(draft) && draft.renumbered.has(userId) && !isSeen(draft.context.known, userId);
}

/** Whether a part of the full input that was applied before this one had the user. */
function wasInPart({ context: { part } }: Draft, { id }: KnownUser, lookedUp: LookedUp): boolean {
  const link = lookedUp.linkOf(id);
  return part !== null && part.after !== null && link !== undefined && link.absentFrom !== part.after;
}

/** The person with the row's names who was in the last input and is not in this one: in doubt unless the hire dates agree. */
export function reKeyedByName(draft: Draft, { values }: Validated, n: number, lookedUp: LookedUp): Match | null {
  const { known, renumbered } = draft.context;
  const ids = renumbered.get(n);
  if (ids === undefined || !isReadWhole(draft) || lacksZeros(values, lookedUp)) return null;
  const users = ids.flatMap((id) => lookedUp.user(id) ?? []).filter((user) =>
    isActive(user) && !isSeen(known, user.id) && sameNames(values, user) === 2
  );
  const hired = users.filter((user) => compareHired(values, user) === "same");
  if (hired.length === 1) return { kind: "unlinked", user: hired[0]! };
  return users.length === 0 ? null : { kind: "unlinked", user: users[0]!, doubt: "names" };
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
  for (const form of nameForms(nameIn(values))) newNames.names.claim(form, candidate * 2);
}

/** Notes the name of somebody who is missing for the first time. */
export function noteMissingName({ context: { renumbered }, newNames }: Draft, user: KnownUser): void {
  const { missing, names } = newNames;
  if (renumbered.size > 0 || missing.length >= MOST_NAMED) return;
  for (const form of nameForms(nameOf(user.image))) names.claim(form, missing.length * 2 + 1);
  missing.push(user.id);
}

/** Notes for the next plan which rows of new people have the names of people who are missing. Returns whether any has. */
export function findByName({ candidates, context: { renumbered }, newNames: { missing, names } }: Draft): boolean {
  if (missing.length === 0 || renumbered.size > 0) return false;
  for (const owners of names.shared()) {
    const users = owners.filter((owner) => owner % 2 === 1).map((owner) => missing[(owner - 1) / 2]!);
    if (users.length === 0) continue;
    for (const owner of owners) {
      const n = owner % 2 === 1 ? null : rowOf(candidates, owner / 2);
      if (n !== null) renumbered.set(n, [...new Set([...renumbered.get(n) ?? [], ...users])].sort((a, b) => a - b));
    }
  }
  return renumbered.size > 0;
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

/**
 * Somebody active under another number who has the row's address, and whose own key is not in the input: whether a row that
 * makes nobody is about them, nobody can tell. Of a row without a status that a filter leaves open that is not asked.
 */
export function holderOf(
  draft: Draft,
  { values, activeIfNew, saysNothing, active }: Validated,
  found: Found,
  lookedUp: LookedUp,
): KnownUser | null {
  const employeeId = textOf(values.employee_id);
  if (employeeId === null || activeIfNew || (active !== false && !saysNothing)) return null;
  return withoutOwnKeys(draft, found, lookedUp).byEmail.find((user) =>
    isActive(user) && hasOtherId(user, employeeId)
  ) ?? null;
}

function hasOtherId({ image }: KnownUser, employeeId: string): boolean {
  const own = employeeIdOf(image);
  return own !== null && own !== employeeId;
}

/** Whether the two are two people for certain: other addresses and other names. */
export function areTwoPeople(values: Values, user: KnownUser): boolean {
  const { first, last } = compareWithUser(values, user);
  const email = textOf(values.email), known = emailOf(user.image);
  return email !== null && known !== null && email !== known && first === "differs" && last === "differs";
}
