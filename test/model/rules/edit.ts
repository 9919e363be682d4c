/** Edits by hand, one person after the other, as in the console. */
import { type Field, HAND, type Person, type State, type Values } from "./state.ts";

export interface Edit {
  /** The employee_id of the person, as it is known. */
  readonly number: string;
  readonly values: Partial<Values>;
  readonly status: "active" | "inactive" | null;
  /** The manager's employee_id; null: nobody leads them. Not given: it stays. */
  readonly manager?: string | null;
  /** Fields that sources may write again. */
  readonly release: readonly (Field | "manager")[];
}

/** Nothing happens where there is no such person or manager, or somebody else active has the address. */
export function editByHand(state: State, edit: Edit, today: string): State {
  const numbered = (number: string) => state.people.find(({ values }) => values.employee_id === number);
  const person = numbered(edit.number), named = edit.manager;
  const manager = named === undefined ? person?.manager : named === null ? null : numbered(named)?.id;
  if (person === undefined || manager === undefined || closesCircle(person.id, manager, state)) return state;
  // Somebody whose day has come is not active.
  const given = edit.values.deactivation_date ?? null;
  if (edit.status === "active" && given !== null && given <= today) return state;
  const after = edited({ ...person, manager }, person, edit, today);
  const isTaken = after.active && after.values.email !== null &&
    state.people.some((other) => other !== person && other.active && other.values.email === after.values.email);
  if (isTaken) return state;
  const isNewStatus = after.active !== person.active;
  return {
    ...state,
    people: state.people.map((each) => each === person ? after : each),
    // Whom a hand has set takes the place of who is waited for.
    waiting: manager === person.manager ? state.waiting : state.waiting.filter((each) => each.person !== person.id),
    links: state.links.map((link) =>
      isNewStatus && link.person === person.id ? { ...link, leftAsMissing: false } : link
    ),
  };
}

function closesCircle(id: number, manager: number | null, { people }: State): boolean {
  for (let at = manager; at !== null; at = people.find((person) => person.id === at)!.manager) {
    if (at === id) return true;
  }
  return false;
}

function edited(after: Person, person: Person, { values: given, status, release }: Edit, today: string): Person {
  const values = { ...given }, left = person.values.deactivation_date;
  // With a day that has come, the person would leave again the next day.
  if (status === "active" && left !== null && left <= today) values.deactivation_date = null;
  const day = values.deactivation_date ?? null, isNewDay = day !== null && day !== left;
  const active = status === null ? person.active && !(isNewDay && day <= today) : status === "active";
  const written: (Field | "status" | "manager")[] = (Object.keys(values) as Field[]).filter((field) =>
    values[field] !== person.values[field]
  );
  if (active !== person.active) written.push("status");
  if (after.manager !== person.manager) written.push("manager");
  const writers = { ...person.writers, ...Object.fromEntries(written.map((field) => [field, HAND])) };
  const marked = new Set([...person.edited, ...written]);
  // A hand has written it all the same, and no source: so none counts more than another.
  for (const field of release) marked.delete(field);
  const passed = written.includes("deactivation_date") ? null : person.passed;
  return { ...after, values: { ...person.values, ...values }, active, writers, edited: marked, passed };
}
