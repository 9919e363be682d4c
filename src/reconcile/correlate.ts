/**
 * Who is a record about? First the link of its key, then its employee_id, then its email (or the phone, where that is
 * the key); a user found without a link is taken only if nothing contradicts. Pure: the found users are handed in.
 */
import type { KeyField, Piece } from "../model/record.ts";
import { STRANGER } from "../model/wording.ts";
import { type Image, IMAGE_INDEX } from "./image.ts";
import type { Values } from "./validate.ts";

/** A user as the planner sees it. */
export interface KnownUser {
  readonly id: number;
  readonly version: number;
  /** The page with the latest change, so that the next change can name it. */
  readonly lastPage: number | null;
  readonly image: Image;
}

/** A connection's word for a user. */
export interface KnownLink {
  readonly key: string;
  readonly userId: number;
  readonly active: boolean;
  readonly missingSince: number | null;
  readonly missingFrom: number | null;
  /** Field → withheld value that a source_conflict was said of. */
  readonly said: Readonly<Record<string, string>> | null;
}

/** What was found for one record. */
export interface Found {
  readonly link: KnownLink | null;
  readonly linkedUser: KnownUser | null;
  /** The user with the record's employee_id. */
  readonly byEmployeeId: KnownUser | null;
  /** Users with the record's email, active and inactive. */
  readonly byEmail: readonly KnownUser[];
  /** Users with the record's phone, where the phone is the key. */
  readonly byPhone: readonly KnownUser[];
}

export type Match =
  | { readonly kind: "linked"; readonly user: KnownUser; readonly link: KnownLink }
  | { readonly kind: "unlinked"; readonly user: KnownUser }
  | { readonly kind: "unmatched" }
  | { readonly kind: "disputed"; readonly users: readonly KnownUser[]; readonly why: Piece };

export function correlate(values: Values, key: KeyField, found: Found): Match {
  const employeeId = textOf(values.employee_id);
  const { link, linkedUser, byEmployeeId } = found;
  if (link !== null && linkedUser !== null && !isAnotherPerson(linkedUser, employeeId)) {
    return { kind: "linked", user: linkedUser, link };
  }
  if (byEmployeeId !== null) {
    const why = contradiction(values, byEmployeeId);
    return why === null ? { kind: "unlinked", user: byEmployeeId } : { kind: "disputed", users: [byEmployeeId], why };
  }
  const candidates = key === "mobile_phone" ? [...found.byPhone, ...found.byEmail] : found.byEmail;
  const fits = unique(candidates.filter((user) => {
    const other = user.image[IMAGE_INDEX.employee_id];
    return other === null || employeeId === null || other === employeeId;
  }));
  if (fits.length === 0) return { kind: "unmatched" };
  if (fits.length === 1) return { kind: "unlinked", user: fits[0]! };
  const active = fits.filter(isActive);
  if (active.length === 1) return { kind: "unlinked", user: active[0]! };
  return {
    kind: "disputed",
    users: fits,
    why: { user: fits[0]!.id, is: `${fits.length} people fit it`, otherwise: "several people fit it" },
  };
}

/** Someone who left and had another employee_id: the address or number is used again, for a new person. */
function isAnotherPerson(user: KnownUser, employeeId: string | null): boolean {
  const other = user.image[IMAGE_INDEX.employee_id];
  return !isActive(user) && employeeId !== null && other !== null && other !== employeeId;
}

/** Why a user with the record's employee_id is yet not taken, or null. */
function contradiction(values: Values, user: KnownUser): Piece | null {
  const email = textOf(values.email);
  const other = user.image[IMAGE_INDEX.email];
  if (email === null || other === null || email === other) return null;
  const sameName = sameText(values.first_name, user.image[IMAGE_INDEX.first_name]) &&
    sameText(values.last_name, user.image[IMAGE_INDEX.last_name]);
  if (sameName) return null;
  return { user: user.id, is: "both the email and the name differ", otherwise: "the row contradicts what is known" };
}

export function isActive(user: KnownUser): boolean {
  return user.image[IMAGE_INDEX.status] === "active";
}

/** How a person is named in a message: by what a reader of the file can look up. */
export function describeUser(user: KnownUser): string {
  const [employeeId, email, first, last] = (["employee_id", "email", "first_name", "last_name"] as const).map((
    column,
  ) => user.image[IMAGE_INDEX[column]]);
  const name = [first, last].filter((part) => part !== null).join(" ");
  const ids = [employeeId === null ? null : `employee_id "${employeeId}"`, email === null ? null : `email "${email}"`]
    .filter((id) => id !== null).join(", ");
  return ids === "" ? name : name === "" ? ids : `${name} (${ids})`;
}

/** The same for whoever may know them. */
export function tellOf(user: KnownUser, otherwise = STRANGER): Piece {
  return { user: user.id, is: describeUser(user), otherwise };
}

function unique(users: readonly KnownUser[]): KnownUser[] {
  return [...new Map(users.map((user) => [user.id, user])).values()];
}

function sameText(value: unknown, other: unknown): boolean {
  return typeof value === "string" && typeof other === "string" && value.toLowerCase() === other.toLowerCase();
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
