/** A person after a record. */
import type { Record_ } from "./record.ts";
import { type Field, FIELDS, type Memory, type Person, type RulePolicy } from "./state.ts";

const REQUIRED: readonly Field[] = ["email", "first_name", "last_name"];

export function changePerson(
  record: Record_,
  person: Person,
  { isOnlyLeaving, policy, leftAsMissing, today }: {
    isOnlyLeaving: boolean;
    policy: RulePolicy;
    leftAsMissing: boolean;
    today: string;
  },
): Person {
  const values = { ...person.values };
  for (const field of isOnlyLeaving ? [] : FIELDS) {
    const value = record.values[field];
    if (value === undefined || (value === null && (policy.empty_cells === "keep" || REQUIRED.includes(field)))) {
      continue;
    }
    values[field] = value;
  }
  const active = record.status === "active" || (record.status === "nothing" && (person.active || leftAsMissing));
  const isBack = active && !person.active;
  const left = values.deactivation_date;
  if (isBack && left !== null && (left < today || (left === today && policy.leavers === "on_date"))) {
    values.deactivation_date = null;
  }
  return { id: person.id, values, active };
}

/** Null where a required field is missing. */
export function createPerson({ values }: Record_, id: number): Person | null {
  if (REQUIRED.some((field) => (values[field] ?? null) === null)) return null;
  const all = Object.fromEntries(FIELDS.map((field) => [field, values[field] ?? null])) as Person["values"];
  return { id, values: all, active: true };
}

/** An empty status cell creates nobody, unless every word ever read in its column means that somebody has left. */
export function isBlankOfSomebodyNew(record: Record_, memory: Memory): boolean {
  return record.status === "nothing" && record.isBlank && memory.activeRead;
}
