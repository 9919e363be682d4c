/** Whose leaving day has come: they leave on it, or on the day after, without any file. */
import { holds, NO_BASES } from "./guards.ts";
import { type Connection, HAND, NEW_MEMORY, type Person, type State } from "./state.ts";

/** Days that a hand has set are nobody's, and so under the guards of a connection without people. */
const OF_HANDS: Connection = {
  slug: HAND,
  key: "employee_id",
  policy: {
    missing: "keep",
    missing_after_runs: 2,
    missing_after_hours: 12,
    empty_cells: "clear",
    leavers: "on_date",
  },
  limits: {},
  memory: NEW_MEMORY,
};

export interface Due {
  readonly after: State;
  /** How many runs were held. */
  readonly held: number;
}

/** `ifHeld`: what somebody does where more would leave than goes without asking. */
export function leaveOnTheirDay(state: State, today: string, ifHeld: "approve" | "cancel"): Due {
  let after = state, held = 0;
  for (const connection of [...state.connections, OF_HANDS]) {
    const due = state.people.filter((person) => hasCome(person, connection, state, today));
    // Whom somebody has cancelled is not asked about again on the same day.
    if (due.length === 0 || state.lastDue.get(connection.slug) === today) continue;
    const isHeld = holds("deactivate", due.filter(isNews).length, connection, basesOf(connection, state));
    if (isHeld) held++;
    const isLeaving = (person: Person) => due.includes(person) && !(isHeld && ifHeld === "cancel");
    after = {
      ...after,
      people: after.people.map((person) => isLeaving(person) ? { ...person, active: false } : person),
      lastDue: new Map([...after.lastDue, [connection.slug, today]]),
    };
  }
  return { after, held };
}

function hasCome({ active, values, writers }: Person, connection: Connection, state: State, today: string): boolean {
  const day = values.deactivation_date;
  // The connection that wrote the day says what it means.
  const writer = state.connections.find(({ slug }) => slug === writers.deactivation_date)?.slug ?? HAND;
  if (!active || day === null || writer !== connection.slug) return false;
  return day < today || (day === today && connection.policy.leavers === "on_date");
}

/** Whether the day has passed no guard yet, nor a person who approved it. */
const isNews = ({ values, passed }: Person) => passed === null || passed > values.deactivation_date!;

function basesOf({ slug }: Connection, { people, links }: State) {
  const linked =
    people.filter(({ id, active }) =>
      active && links.some(({ connection, person }) => connection === slug && person === id)
    ).length;
  return { ...NO_BASES, active: linked, known: linked, linked, activeLinked: linked };
}

/** The leaving day that has passed the guards once an input was applied. */
export function passedAfter(before: Person | undefined, after: Person, isApproved: boolean): string | null {
  const day = after.values.deactivation_date, was = before?.values.deactivation_date ?? null;
  if (day === null) return null;
  if (before !== undefined && day === was && before.active === after.active) return before.passed;
  if (isApproved) return day;
  if (before === undefined || !before.active) return null;
  return was === null || day < was ? day : before.passed;
}
