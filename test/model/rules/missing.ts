/** Who is not in a complete full input, and who leaves for that. */
import { peopleOf, type Planned } from "./decide.ts";
import type { Among, Match } from "./match.ts";
import type { Input, Link } from "./state.ts";

const HOUR_MS = 3_600_000;

type Known = Omit<Among, "rekeyed" | "records">;

/** People by id. */
export interface Seen {
  readonly seen: ReadonlySet<number>;
  /** Of them, those whom only refused rows name: that neither ends an absence nor adds to it. */
  readonly onlyRefused: ReadonlySet<number>;
}

export function whoIsSeen(
  planned: readonly Planned[],
  { state, connection, keys, rejected }: Known & { readonly rejected: readonly (Match | null)[] },
): Seen {
  const named = new Set([
    ...planned.flatMap(({ names }) => names.map(({ id }) => id)),
    ...rejected.flatMap((match) => peopleOf(match).map(({ id }) => id)),
  ]);
  const refusedKeys = new Set(
    planned.filter(({ code }) => code === "identity_conflict" || code === "zeros_lost").map(({ record }) =>
      record.key!
    ),
  );
  const own = state.links.filter((link) => link.connection === connection.slug && keys.has(link.key));
  const seen = new Set([...named, ...own.map(({ person }) => person)]);
  const used = new Set([
    ...own.filter(({ key }) => !refusedKeys.has(key)).map(({ person }) => person),
    ...planned.flatMap(({ person }) => person?.id ?? []),
  ]);
  for (const id of used) seen.add(id);
  return { seen, onlyRefused: new Set([...seen].filter((id) => !used.has(id))) };
}

/** By id. */
export function leaversOf(among: Known & { readonly input: Input }, { seen }: Seen): number[] {
  const { state, connection, showsEverybody, input } = among;
  const { missing, missing_after_runs, missing_after_hours } = connection.policy;
  if (!showsEverybody || missing !== "deactivate") return [];
  return state.links.filter((link) => {
    const isActive = state.people.some(({ id, active }) => id === link.person && active);
    if (link.connection !== connection.slug || seen.has(link.person) || !isActive) return false;
    const since = link.missingSince ?? input.nowMs;
    return link.absences + 1 >= missing_after_runs && input.nowMs - since >= missing_after_hours * HOUR_MS;
  }).map(({ person }) => person);
}

/** The links with this input's absences. */
export function absencesAfter(links: readonly Link[], { seen, onlyRefused }: Seen, among: Known, input: Input): Link[] {
  return links.map((link) => {
    const isOld = among.state.links.some((old) => old.connection === link.connection && old.person === link.person);
    if (link.connection !== among.connection.slug || !isOld || onlyRefused.has(link.person)) return link;
    if (seen.has(link.person)) return { ...link, missingSince: null, absences: 0 };
    const isActive = among.state.people.some(({ id, active }) => id === link.person && active);
    if (!among.showsEverybody || !isActive) return link;
    return { ...link, missingSince: link.missingSince ?? input.nowMs, absences: link.absences + 1 };
  });
}
