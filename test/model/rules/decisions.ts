/** The two ways out where a row would make a person somebody else: the same person, or somebody new. */
import type { Match } from "./match.ts";
import { foldPhone } from "./phones.ts";
import type { Record_ } from "./record.ts";
import type { KeyField, Person, State } from "./state.ts";

/** A row that is refused as it would make this person somebody else. */
export interface Doubt {
  readonly line: number;
  readonly key: string;
  readonly person: number;
  /** What the row found them by, apart from their names. */
  readonly field: KeyField | null;
  readonly print: string;
}

/** What tells people apart in a record: with other values it is another question. */
function printOf({ key, values }: Record_): string {
  const { employee_id, email, first_name, last_name, hire_date } = values;
  return JSON.stringify([key, employee_id, email, first_name, last_name, hire_date].map((value) => value ?? null));
}

export function isAccepted({ accepted }: State, connection: string, record: Record_, person: Person): boolean {
  return accepted.some((each) =>
    each.connection === connection && each.person === person.id && each.print === printOf(record)
  );
}

export function doubtsOf(
  matched: readonly { readonly record: Record_; readonly match: Match | null }[],
  key: KeyField,
): Doubt[] {
  return matched.flatMap(({ record, match }) => {
    if (match?.kind !== "refused" || match.contradicted === null) return [];
    const { contradicted: { id: person, values }, by } = match;
    const hasId = values.employee_id !== null && record.values.employee_id === values.employee_id;
    const isByPhone = by === "mobile_phone";
    const field = by === "names" ? null : by === "link" ? key : hasId ? "employee_id" : isByPhone ? by : "email";
    return { line: record.line, key: record.key!, person, field, print: printOf(record) };
  });
}

/** Of a person's rows in a connection, the last that was accepted counts. */
export function acceptRow(state: State, connection: string, { person, print }: Doubt): State {
  const others = state.accepted.filter((each) => each.connection !== connection || each.person !== person);
  return { ...state, accepted: [...others, { connection, person, print }] };
}

/** The old record stays, inactive, without the link and what the row found it by. */
export function releasePerson(state: State, connection: string, { person: id, key, field }: Doubt): State {
  const person = state.people.find((each) => each.id === id)!;
  const isLinked = state.links.some((link) => link.connection === connection && link.key === key && link.person === id);
  // Somebody who was found by their link may have got another id by hand since, which is nobody else's.
  const value = field === null ? null : person.values[field];
  const isOfKey = field === "mobile_phone"
    ? value && foldPhone(value) === key
    : value?.toLowerCase() === key.toLowerCase();
  const isTheirs = field !== null && (!isLinked || isOfKey);
  const values = isTheirs ? { ...person.values, [field]: null } : person.values;
  return {
    ...state,
    people: state.people.map((each) => each === person ? { ...person, values, active: false } : each),
    links: state.links.filter((link) => link.connection !== connection || link.person !== id),
  };
}
