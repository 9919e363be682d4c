/** Edits by hand, one person after the other, as in the console. */
import { type Field, HAND, type Person, type State, type Values } from "./state.ts";

export interface Edit {
  /** The employee_id of the person, as it is known. */
  readonly number: string;
  readonly values: Partial<Values>;
  readonly status: "active" | "inactive" | null;
  /** Fields that sources may write again. */
  readonly release: readonly Field[];
}

/** Nothing happens where there is no such person, or somebody else active has the address. */
export function editByHand(state: State, edit: Edit, today: string): State {
  const person = state.people.find(({ values }) => values.employee_id === edit.number);
  if (person === undefined) return state;
  const after = edited(person, edit, today);
  const isTaken = after.active && after.values.email !== null &&
    state.people.some((other) => other !== person && other.active && other.values.email === after.values.email);
  if (isTaken) return state;
  const isNewStatus = after.active !== person.active;
  return {
    ...state,
    people: state.people.map((each) => each === person ? after : each),
    links: state.links.map((link) =>
      isNewStatus && link.person === person.id ? { ...link, leftAsMissing: false } : link
    ),
  };
}

function edited(person: Person, { values: given, status, release }: Edit, today: string): Person {
  const values = { ...given }, left = person.values.deactivation_date;
  // With a day that has come, the person would leave again the next day.
  if (status === "active" && left !== null && left <= today) values.deactivation_date = null;
  const active = status === null ? person.active : status === "active";
  const written: (Field | "status")[] = (Object.keys(values) as Field[]).filter((field) =>
    values[field] !== person.values[field]
  );
  if (active !== person.active) written.push("status");
  const writers = { ...person.writers, ...Object.fromEntries(written.map((field) => [field, HAND])) };
  const marked = new Set([...person.edited, ...written]);
  // A hand has written it all the same, and no source: so none counts more than another.
  for (const field of release) marked.delete(field);
  return { ...person, values: { ...person.values, ...values }, active, writers, edited: marked };
}
