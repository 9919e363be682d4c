/** Somebody new with both names of a person whose own row has other names now: rows that may be mixed up. */
import { compareNames, haveSameWords } from "./contradiction.ts";
import { type Planned, refuse, type ToDecide } from "./decide.ts";
import { isAccepted } from "./decisions.ts";
import type { Person } from "./state.ts";

/** The rows without those of the new people and, where it would be used, of whose names they have; how many that are. */
export function withoutExchanges(
  planned: readonly Planned[],
  { state, connection }: ToDecide,
): { readonly planned: readonly Planned[]; readonly exchanged: number } {
  if (state.links.every((link) => link.connection !== connection.slug)) return { planned, exchanged: 0 };
  const refused = new Map<Planned, readonly Person[]>();
  for (const giver of planned) {
    const person = whoseNamesGo(giver, state.people);
    if (person === null || isAccepted(state, connection.slug, giver.record, person)) continue;
    const newcomers = planned.filter(({ outcome, record }) =>
      outcome === "created" && compareNames(record.values, person.values).last !== "unknown" &&
      haveSameWords(record.values, person.values)
    );
    for (const newcomer of newcomers) refused.set(newcomer, [person]);
    if (newcomers.length > 0 && giver.person !== null) refused.set(giver, []);
  }
  return {
    planned: planned.map((each) => refused.has(each) ? refuse(each, refused.get(each)!) : each),
    exchanged: refused.size,
  };
}

/** The person of whom the row takes both names, or would take one if it were not refused. */
function whoseNamesGo({ match, person, record }: Planned, people: readonly Person[]): Person | null {
  if (match?.kind === "refused" && match.contradicted !== null) {
    const { first, last } = compareNames(record.values, match.contradicted.values);
    return first === "differs" || last === "differs" ? match.contradicted : null;
  }
  const before = person === null ? undefined : people.find(({ id }) => id === person.id);
  if (before === undefined) return null;
  const { first, last } = compareNames(before.values, person!.values);
  return first === "differs" && last === "differs" ? before : null;
}
