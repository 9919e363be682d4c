/** Who is not in a complete full input, and who leaves for that. */
import { peopleOf, type Planned } from "./decide.ts";
import { elsewhereOf } from "./elsewhere.ts";
import type { Among, Matched } from "./match.ts";
import { foldPhone } from "./phones.ts";
import type { Record_ } from "./record.ts";
import type { Input, Link, Person } from "./state.ts";

const HOUR_MS = 3_600_000;

type Known = Omit<Among, "rekeyed" | "records">;

/** People by id. */
export interface Seen {
  readonly seen: ReadonlySet<number>;
  /** Of whom a row was used. */
  readonly used: ReadonlySet<number>;
  /** Of them, those whom only refused rows name: that neither ends an absence nor adds to it. */
  readonly onlyRefused: ReadonlySet<number>;
}

export function whoIsSeen(
  planned: readonly Planned[],
  { state, connection, records, input: { part: { before } }, rejected }: Known & {
    readonly input: Input;
    readonly records: readonly Record_[];
    readonly rejected: readonly Matched[];
  },
): Seen {
  const named = new Set([
    ...planned.flatMap(({ names }) => names.map(({ id }) => id)),
    ...planned.flatMap(({ outcome, record }) => outcome === "failed" ? ownersOf(record, { state, connection }) : []),
    ...rejected.flatMap((
      { record, match },
    ) => [...peopleOf(match).map(({ id }) => id), ...ownersOf(record, { state, connection })]),
  ]);
  // Duplicates show whom they are about as well, unless they would make them somebody else.
  const refusedKeys = new Set([
    ...planned.filter(({ code }) => code === "identity_conflict" || code === "zeros_lost").map(({ record }) =>
      record.key!
    ),
    ...rejected.flatMap(({ record, match }) => match?.kind === "refused" ? record.key! : []),
  ]);
  // Nor do rows that are errors bring anybody back who has left.
  const failed = [...planned.filter(({ outcome }) => outcome === "failed"), ...rejected];
  const failedKeys = new Set(failed.map(({ record }) => record.key));
  const isActive = (id: number) => state.people.some((person) => person.id === id && person.active);
  const keys = new Set([...records, ...rejected.map(({ record }) => record)].map(({ key }) => key));
  const own = state.links.filter((link) => link.connection === connection.slug && keys.has(link.key));
  const seen = new Set([...before.seen, ...named, ...own.map(({ person }) => person)]);
  const used = new Set([
    ...before.used,
    ...own.filter(({ key, person }) => !refusedKeys.has(key) && (!failedKeys.has(key) || isActive(person)))
      .map(({ person }) => person),
    ...planned.flatMap(({ person }) => person?.id ?? []),
  ]);
  for (const id of used) seen.add(id);
  return { seen, used, onlyRefused: new Set([...seen].filter((id) => !used.has(id))) };
}

/** Who has the address or the number of a row, by id: if it is refused, it may be about them. */
function ownersOf(
  { key, values: { email = null, employee_id = null } }: Record_,
  work: Pick<Known, "state" | "connection">,
) {
  const isPhone = ({ mobile_phone }: Person["values"]) =>
    work.connection.key === "mobile_phone" && mobile_phone !== null && foldPhone(mobile_phone) === key;
  const owners = work.state.people.filter(({ values }) =>
    (email !== null && values.email === email) || (employee_id !== null && values.employee_id === employee_id) ||
    isPhone(values)
  );
  return owners.map(({ id }) => id);
}

/** By id. */
export function leaversOf(among: Known & { readonly input: Input }, { seen }: Seen): number[] {
  const { state, connection, showsEverybody, input } = among;
  const { missing, missing_after_runs, missing_after_hours } = connection.policy;
  if (!showsEverybody || missing !== "deactivate") return [];
  return state.links.filter((link) => {
    const person = state.people.find(({ id }) => id === link.person)!;
    if (link.connection !== connection.slug || seen.has(person.id) || !person.active) return false;
    if (elsewhereOf(person, { ...among, byHand: input.byHand }).isActive) return false;
    // Whom a hand has set active, or files by hand alone have had, stays until the source has seen them.
    if (person.edited.has("status") || (link.byHand && !input.byHand)) return false;
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
    const { active, edited } = among.state.people.find(({ id }) => id === link.person)!;
    // Absences are noted of those who are active or were until a hand said otherwise; one that has begun goes on.
    const isNoted = active || edited.has("status") || link.missingSince !== null;
    if (!among.showsEverybody || !isNoted) return link;
    return { ...link, missingSince: link.missingSince ?? input.nowMs, absences: link.absences + 1 };
  });
}
