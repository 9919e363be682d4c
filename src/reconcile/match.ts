/**
 * Finds the user of a record: by the link of its key, then by its employee_id, then by its email (or its phone, where
 * that is the key). A user found without a link is taken only if nothing contradicts. Pure: the found users are passed
 * in.
 */
import type { KeyField, Piece } from "../model/record.ts";
import { compareWithUser } from "./contradiction.ts";
import { emailOf, employeeIdOf, isActive, type KnownLink, type KnownUser, textOf } from "./person.ts";
import type { Values } from "./validated.ts";

/** The users found for one record. */
export interface Found {
  readonly link: KnownLink | null;
  readonly linkedUser: KnownUser | null;
  /** The user with the record's employee_id. */
  readonly byEmployeeId: KnownUser | null;
  /** Users with the record's email, active and inactive. */
  readonly byEmail: readonly KnownUser[];
  /** Users with the record's phone, where the phone is the key. */
  readonly byPhone: readonly KnownUser[];
  /** Users whose phone may be the record's in another spelling, where the phone is the key and no link was found. */
  readonly spelledAlike: readonly KnownUser[];
}

export type Match =
  | { readonly kind: "linked"; readonly user: KnownUser; readonly link: KnownLink }
  /** `doubt`: what the row shares with a person whose key it does not have, so that they may be two. */
  | { readonly kind: "unlinked"; readonly user: KnownUser; readonly doubt?: "email" | "names" }
  | { readonly kind: "unmatched" }
  | { readonly kind: "disputed"; readonly users: readonly KnownUser[]; readonly why: Piece };

const UNMATCHED: Match = { kind: "unmatched" };

export function match(values: Values, key: KeyField, found: Found): Match {
  const employeeId = textOf(values.employee_id);
  const { byEmployeeId } = found, linked = linkedBy(values, key, found);
  if (linked !== null) return linked;
  if (byEmployeeId !== null) {
    const why = contradiction(values, byEmployeeId);
    return why === null ? { kind: "unlinked", user: byEmployeeId } : { kind: "disputed", users: [byEmployeeId], why };
  }
  const candidates = key === "mobile_phone" ? [...found.byPhone, ...found.byEmail] : found.byEmail;
  if (candidates.length === 0) return UNMATCHED;
  const fits = unique(candidates.filter((user) => mayHave(user, employeeId)));
  return fits.length === 0 ? numberOfOther(found.byPhone) : onlyOne(fits);
}

/** The user of the record's link; null: there is none, or the link's address or number is reused for a new person. */
export function linkedBy(
  values: Values,
  key: KeyField,
  { link, linkedUser }: Found,
): Extract<Match, { kind: "linked" }> | null {
  if (link === null || linkedUser === null) return null;
  const isReusable = key === "email" || key === "mobile_phone";
  if (isReusable && isAnotherPerson(linkedUser, textOf(values.employee_id))) return null;
  return { kind: "linked", user: linkedUser, link };
}

/** Where the phone is the key, a number is one person's: somebody active under another employee_id keeps it. */
function numberOfOther(byPhone: readonly KnownUser[]): Match {
  const user = byPhone.find(isActive);
  if (user === undefined) return UNMATCHED;
  const why = { user: user.id, is: "they have another employee_id", otherwise: "they have another employee_id" };
  return { kind: "disputed", users: [user], why };
}

/** The only active one of several that fit. */
function onlyOne(fits: readonly KnownUser[]): Match {
  if (fits.length === 1) return { kind: "unlinked", user: fits[0]! };
  const active = fits.filter(isActive);
  if (active.length === 1) return { kind: "unlinked", user: active[0]! };
  return {
    kind: "disputed",
    users: fits,
    why: { user: fits[0]!.id, is: `${fits.length} people fit it`, otherwise: "several people fit it" },
  };
}

/** Whether the user left and had another employee_id: then the address or number is reused for a new person. */
function isAnotherPerson(user: KnownUser, employeeId: string | null): boolean {
  return !isActive(user) && !mayHave(user, employeeId);
}

/** Whether the user has this employee_id, or either side has none. */
function mayHave(user: KnownUser, employeeId: string | null): boolean {
  const own = employeeIdOf(user.image);
  return own === null || employeeId === null || own === employeeId;
}

/** What contradicts a user with the record's employee_id; null: nothing. */
function contradiction(values: Values, user: KnownUser): Piece | null {
  const email = textOf(values.email);
  const other = emailOf(user.image);
  if (email === null || other === null || email === other) return null;
  const { first, last } = compareWithUser(values, user);
  if (first === "same" && last === "same") return null;
  return { user: user.id, is: "both the email and the name differ", otherwise: "the row contradicts what is known" };
}

function unique(users: readonly KnownUser[]): KnownUser[] {
  return [...new Map(users.map((user) => [user.id, user])).values()];
}
