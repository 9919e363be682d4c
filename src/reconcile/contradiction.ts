/**
 * Whether a record would make a user somebody else: a number, an address or a phone that has gone to another person looks
 * like a change of all that a person is known by. Pure.
 */
import type { KeyField } from "../model/record.ts";
import { IMAGE_INDEX } from "./image.ts";
import { compareNames, type NamesCompared, type PersonName } from "./names.ts";
import { emailOf, employeeIdOf, isActive, type KnownLink, type KnownUser, nameOf, textOf } from "./person.ts";
import type { Values } from "./validated.ts";

/** How a record found its user: by its link, or by a value. */
export interface FoundBy {
  readonly field: KeyField;
  readonly link: KnownLink | null;
}

/** What differs, as the fields' names; null: nothing contradicts. */
export type Contradiction = readonly string[] | null;

/** Two values that both sides give. */
type Compared = "same" | "differs" | null;

/** `samePhone`: whether both sides give a phone that is the same, and nobody else's. */
export function contradictionOf(
  values: Values,
  user: KnownUser,
  by: FoundBy,
  samePhone: boolean,
): Contradiction {
  const email = compare(textOf(values.email), emailOf(user.image));
  const names = compareWithUser(values, user), wasAway = !isActive(user) || by.link?.missingSince != null;
  const differing = [names.first, names.last].filter((name) => name === "differs").length;
  if (differing === 0) return null;
  const hired = compare(textOf(values.hire_date), user.image[IMAGE_INDEX.hire_date] as string | null);
  const differs = [
    ...email === "differs" ? ["email"] : [],
    ...names.first === "differs" ? ["first_name"] : [],
    ...names.last === "differs" ? ["last_name"] : [],
    ...hired === "differs" ? ["hire_date"] : [],
  ];
  if (email === "differs" && (names.first === "differs" || hired === "differs")) return differs;
  const otherId = compare(textOf(values.employee_id), employeeIdOf(user.image));
  const agrees = hired === "same" || (email === "same" && by.field !== "email") ||
    (otherId === "same" && by.field !== "employee_id") || (by.field !== "mobile_phone" && samePhone);
  if (agrees) return null;
  const byAddress = email === null || by.field === "email" || by.field === "mobile_phone";
  if (byAddress && differing === 2) return differs;
  return wasAway ? differs : null;
}

/** The names of both sides. A name that the record does not give, or clears, is not compared. */
export function compareWithUser(values: Values, { image }: KnownUser): NamesCompared {
  return compareNames(nameIn(values), nameOf(image));
}

/** The name that a record gives. */
export function nameIn(values: Values): PersonName {
  return { first: textOf(values.first_name), last: textOf(values.last_name) };
}

function compare(one: string | null, other: string | null): Compared {
  return one === null || other === null ? null : one === other ? "same" : "differs";
}
