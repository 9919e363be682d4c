/** Managers, after everybody's own row is settled: so the order of rows does not matter. */
import { elsewhereOf } from "./elsewhere.ts";
import type { Outcome, Person, State, Waiting } from "./state.ts";
import { MANAGER_FIELDS, type ManagerField } from "./state.ts";
import type { Record_ } from "./record.ts";

/** A row that was not refused, and the person whom it is about. */
interface Row {
  readonly record: Record_;
  readonly person: Person | null;
  readonly outcome: Outcome;
  /** Whether nothing is used of it but that the person has left. */
  readonly isOnlyLeaving: boolean;
}

export interface Managers {
  /** By the person's id. */
  readonly now: ReadonlyMap<number, { readonly manager: number | null; readonly by: string; readonly isLate: boolean }>;
  readonly waiting: readonly Waiting[];
  /** Whose row names somebody who is not set, by id. */
  readonly unset: ReadonlySet<number>;
}

/** `people`: as they are once all rows are applied. */
export function settleManagers(
  rows: readonly Row[],
  people: readonly Person[],
  { state, slug, byHand }: { state: State; slug: string; byHand: boolean },
): Managers {
  const connection = state.connections.find((each) => each.slug === slug)!;
  const given = new Map<number, number | null>(), waiting: Waiting[] = [];
  const naming = rows.filter(({ record, person, isOnlyLeaving }) =>
    person !== null && !isOnlyLeaving && Object.keys(record.manager).length > 0
  );
  const named = new Set(naming.map(({ person }) => person!.id));
  for (const { record, person } of naming) {
    const before = state.people.find(({ id }) => id === person!.id);
    const { isEdit, isOutranked } = before === undefined
      ? { isEdit: false, isOutranked: () => false }
      : elsewhereOf(before, { state, connection, byHand });
    const isKept = before !== undefined && before.edited.has("manager") && connection.policy.manual_edits === "keep";
    if (isOutranked("manager") || (isKept && !isEdit)) continue;
    const { manager, missed } = whoIsNamed(record, people);
    if (missed !== null) waiting.push({ connection: slug, person: person!.id, ...missed });
    else if (manager !== person!.id) given.set(person!.id, manager);
  }
  const standing = withoutCircles(people, given);
  // What a connection's last row said of somebody's manager is what it waits for.
  const others = state.waiting.filter((each) => each.connection !== slug || !named.has(each.person));
  const late = appeared(others, named, people, state);
  const after = people.map((person) => ({ ...person, manager: managerIn(standing, person) }));
  const standingLate = withoutCircles(after, new Map([...late].map(([id, { manager }]) => [id, manager])));
  const now = new Map(
    [...standing].map(([id, manager]) => [id, { manager, by: slug, isLate: false as boolean }] as const),
  );
  for (const [id, manager] of standingLate) now.set(id, { manager, by: late.get(id)!.by, isLate: true });
  const unset = new Set([...named].filter((id) => !standing.has(id)));
  const settled = (each: Waiting) => standingLate.has(each.person) && late.get(each.person)!.by === each.connection;
  return { now, waiting: [...others.filter((each) => !settled(each)), ...waiting], unset };
}

const managerIn = (standing: ReadonlyMap<number, number | null>, { id, manager }: Person) =>
  standing.has(id) ? standing.get(id)! : manager;

/** The id counts; where it is nobody's, the email does. `missed`: somebody is named who is nobody. */
function whoIsNamed({ manager: named }: Record_, people: readonly Person[]) {
  const given = MANAGER_FIELDS.flatMap((field) => {
    const value = named[field] ?? null;
    return value === null ? [] : [{ field, value }];
  });
  for (const { field, value } of given) {
    const found = findManager(field, value, people);
    if (found !== null) return { manager: found.id, missed: null };
  }
  return { manager: null, missed: given[0] ?? null };
}

function findManager(field: ManagerField, value: string, people: readonly Person[]): Person | null {
  if (field === "manager_id") return people.find(({ values }) => values.employee_id === value) ?? null;
  const all = people.filter(({ values }) => values.email === value), active = all.filter((person) => person.active);
  return active.length === 1 ? active[0]! : all.length === 1 ? all[0]! : null;
}

/** Those who were waited for, and come with this input, by whom they manage. */
function appeared(waiting: readonly Waiting[], named: ReadonlySet<number>, people: readonly Person[], state: State) {
  const late = new Map<number, { manager: number; by: string }>();
  const age = ({ connection }: Waiting) => state.connections.findIndex(({ slug }) => slug === connection);
  for (const each of waiting.toSorted((a, b) => age(a) - age(b))) {
    const { connection, person, field, value } = each;
    const found = findManager(field, value, people), own = state.people.find(({ id }) => id === person)!;
    if (isWithheld(own, connection, state)) continue;
    if (found === null || found.id === person || named.has(person) || late.has(person)) continue;
    const before = state.people.find(({ id }) => id === found.id);
    const isNew = before === undefined ||
      (field === "manager_id"
        ? before.values.employee_id !== value
        : before.values.email !== value || before.active !== found.active);
    if (isNew) late.set(person, { manager: found.id, by: connection });
  }
  return late;
}

/** Whether somebody whose word counts more than that of the connection that waits has set the manager since. */
function isWithheld(person: Person, slug: string, state: State): boolean {
  const connection = state.connections.find((each) => each.slug === slug)!;
  const byHand = state.links.some((link) => link.connection === slug && link.person === person.id && link.byHand);
  const isKept = person.edited.has("manager") && connection.policy.manual_edits === "keep";
  return isKept || elsewhereOf(person, { state, connection, byHand }).isOutranked("manager");
}

/** Without those that would make somebody their own manager, directly or through others: they keep whom they had. */
function withoutCircles(
  people: readonly Person[],
  given: ReadonlyMap<number, number | null>,
): ReadonlyMap<number, number | null> {
  const standing = new Map(given);
  for (let isSettled = false; !isSettled;) {
    const tree = new Map(people.map((person) => [person.id, managerIn(standing, person)]));
    const inCircles = [...standing.keys()].filter((id) => isInCircle(id, tree));
    for (const id of inCircles) standing.delete(id);
    isSettled = inCircles.length === 0;
  }
  return standing;
}

function isInCircle(id: number, tree: ReadonlyMap<number, number | null>): boolean {
  const seen = new Set<number>();
  for (let at = tree.get(id) ?? null; at !== null && !seen.has(at); at = tree.get(at) ?? null) {
    if (at === id) return true;
    seen.add(at);
  }
  return false;
}
