/** Whose leaving day has come: they leave on it, or on the day after, without any file. */
import type { State } from "./state.ts";

/** Guards are left aside: this is for connections that have none of leavers. */
export function leaveOnTheirDay(state: State, today: string): State {
  const policyOf = (slug: string | undefined) => state.connections.find((each) => each.slug === slug)?.policy;
  const people = state.people.map((person) => {
    const day = person.values.deactivation_date;
    if (!person.active || day === null || day > today) return person;
    // The connection that wrote the day says what it means.
    const isLastDay = policyOf(person.writers.deactivation_date)?.leavers === "after_date";
    return isLastDay && day === today ? person : { ...person, active: false };
  });
  return { ...state, people };
}
