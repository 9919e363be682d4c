/** A person after a record. */
import type { Elsewhere } from "./elsewhere.ts";
import { foldPhone } from "./phones.ts";
import type { Record_ } from "./record.ts";
import {
  type Connection,
  type Field,
  FIELDS,
  HAND,
  type Link,
  type Memory,
  type Person,
  type Values,
  type Writers,
} from "./state.ts";

export const REQUIRED: readonly Field[] = ["email", "first_name", "last_name"];

interface Around {
  readonly connection: Connection;
  /** This connection's link to the person. */
  readonly link: Link | undefined;
  readonly elsewhere: Elsewhere;
  /** Whether the input came by hand. */
  readonly byHand: boolean;
  /** Whether the connection has ever read who is active. */
  readonly readsStatus: boolean;
  readonly isOnlyLeaving: boolean;
  readonly today: string;
}

export function changePerson(record: Record_, person: Person, around: Around): Person {
  const { connection: { policy }, elsewhere, byHand } = around;
  let after = person;
  for (const field of around.isOnlyLeaving ? [] : FIELDS) {
    const value = record.values[field];
    if (value === undefined || (value === null && (policy.empty_cells === "keep" || REQUIRED.includes(field)))) {
      continue;
    }
    const isKept = person.edited.has(field) && policy.manual_edits === "keep" && !elsewhere.isEdit;
    if (isSame(field, value, person.values[field]) || isKept || elsewhere.isOutranked(field)) continue;
    after = write(after, { [field]: value }, field, around);
  }
  // An automated connection has seen them since.
  if (!byHand && person.active) after = { ...after, edited: new Set([...after.edited].filter((f) => f !== "status")) };
  const isBack = person.active || (around.link?.leftAsMissing ?? false);
  const { status, isFiltered } = record;
  const wanted = status === "unclear" ? person.active : status === "nothing" ? isBack : status === "active";
  if (wanted === person.active) return after;
  if ((isFiltered && elsewhere.isActive) || isStatusWithheld(after, wanted, around)) {
    // A day that has come would deactivate the person all the same.
    return isOver(after.values.deactivation_date, around) ? withDayOf(person, after) : after;
  }
  const left = after.values.deactivation_date;
  const values = wanted && isOver(left, around) ? { deactivation_date: null } : {};
  return { ...write(after, values, "status", around), active: wanted };
}

/** Another spelling of a phone is no change. */
function isSame(field: Field, value: string | null, was: string | null): boolean {
  if (field !== "mobile_phone" || value === null || was === null) return value === was;
  return foldPhone(value) === foldPhone(was);
}

function write(person: Person, values: Partial<Values>, field: Field | "status", around: Around): Person {
  const { connection: { slug }, elsewhere: { isEdit } } = around;
  const others = [...person.edited].filter((each) => each !== field);
  // What the same connection has written and emptied is anybody's to fill.
  const isFree = !isEdit && field !== "status" && values[field] === null && person.writers[field] === slug;
  return {
    ...person,
    values: { ...person.values, ...values },
    writers: { ...person.writers, [field]: isFree ? undefined : isEdit ? HAND : slug } as Writers,
    edited: new Set(isEdit ? [...others, field] : others),
  };
}

function withDayOf(before: Person, after: Person): Person {
  const day = "deactivation_date", others = [...after.edited].filter((field) => field !== day);
  return {
    ...after,
    values: { ...after.values, [day]: before.values[day] },
    writers: { ...after.writers, [day]: before.writers[day] } as Writers,
    edited: new Set(before.edited.has(day) ? [...others, day] : others),
  };
}

/** Whether a hand has set somebody inactive, or another connection's word on the status counts more. */
function isStatusWithheld({ values, edited }: Person, wanted: boolean, around: Around): boolean {
  const { elsewhere, link } = around;
  // Inactive by hand holds until the connection's own status changes; to return after an absence is such a change.
  const hasChanged = link !== undefined && (!link.isActive || link.missingSince !== null);
  if (wanted && edited.has("status") && !elsewhere.isEdit && !hasChanged) return true;
  if (elsewhere.ruling !== null) return elsewhere.ruling !== wanted;
  if (!wanted) return false;
  // A file by hand brings nobody back whose connection has never read a status, but for a return after an absence.
  if (elsewhere.isEdit) return !around.readsStatus && (link?.missingSince ?? null) === null;
  const hasLeftElsewhere = isOver(values.deactivation_date, around) && elsewhere.isOutranked("deactivation_date");
  return hasLeftElsewhere || (!around.byHand && !around.readsStatus && elsewhere.isStatusOfOther);
}

function isOver(day: string | null, { connection, today }: Around): boolean {
  return day !== null && (day < today || (day === today && connection.policy.leavers === "on_date"));
}

/** Null where a required field is missing. */
export function createPerson({ values }: Record_, id: number, { slug }: Connection): Person | null {
  if (REQUIRED.some((field) => (values[field] ?? null) === null)) return null;
  const all = Object.fromEntries(FIELDS.map((field) => [field, values[field] ?? null])) as Values;
  const writers = Object.fromEntries(
    [...FIELDS.filter((field) => all[field] !== null), "status"].map((field) => [field, slug]),
  );
  return { id, values: all, active: true, manager: null, writers, edited: new Set(), passed: null };
}

/** An empty status cell creates nobody, unless every word ever read in its column means that somebody has left. */
export function makesSomebodyNew({ status, isBlank }: Record_, memory: Memory): boolean {
  return status === "active" || (status === "nothing" && !(isBlank && memory.activeRead));
}
