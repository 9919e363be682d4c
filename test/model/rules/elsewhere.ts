/** What other connections, or a hand, have to say of a person, beside the record of one. */
import type { Connection, Field, Link, Person, State } from "./state.ts";

export interface Elsewhere {
  /** Whether any of them says that the person is active. */
  readonly isActive: boolean;
  /** What the one says whose word on the status counts most, if it counts more than this connection's. */
  readonly ruling: boolean | null;
  /** Whether another connection has set the status. */
  readonly isStatusOfOther: boolean;
  /** Whether this input edits the person by hand: it came by hand, and an automated connection knows them. */
  readonly isEdit: boolean;
  /** Whether the field is another connection's, whose word counts more than this one's. */
  isOutranked(field: Field | "manager"): boolean;
}

export function elsewhereOf(person: Person, { state, connection, byHand }: {
  readonly state: State;
  readonly connection: Connection;
  /** Whether this connection's input came by hand. */
  readonly byHand: boolean;
}): Elsewhere {
  const { connections } = state;
  const links = state.links.filter((link) => link.person === person.id);
  const others = links.filter((link) => link.connection !== connection.slug);
  const named = (slug: string | undefined) => connections.find((each) => each.slug === slug);
  const priority = (slug: string) => named(slug)!.policy.priority ?? 0;
  const isByHand = (slug: string) => byHand || others.some((link) => link.connection === slug && link.byHand);
  /** The higher priority counts, and of equal ones the older connection; but age is nothing between hand and machine. */
  const isBefore = (a: string, b: string) => {
    const difference = priority(a) - priority(b), age = (slug: string) => connections.indexOf(named(slug)!);
    return difference > 0 || (difference === 0 && age(a) < age(b));
  };
  const counts = (slug: string) =>
    isByHand(slug) ? priority(slug) > priority(connection.slug) : isBefore(slug, connection.slug);

  const isEdit = byHand && links.some((link) => !link.byHand && priority(link.connection) >= priority(connection.slug));
  const words = others.filter((link) =>
    (!link.byHand || (byHand && !isEdit)) && hasWord(link, named(link.connection)!)
  );
  const [ruling] = words.filter((link) => counts(link.connection))
    .toSorted((a, b) => isBefore(a.connection, b.connection) ? -1 : 1);
  const { status } = person.writers;
  return {
    isActive: words.some(({ isActive }) => isActive),
    ruling: ruling?.isActive ?? null,
    isStatusOfOther: named(status) !== undefined && status !== connection.slug,
    isEdit,
    isOutranked(field) {
      const writer = person.writers[field];
      return named(writer) !== undefined && writer !== connection.slug && counts(writer!);
    },
  };
}

/** By its last record, if the connection is fed by diffs, and else by its last complete full input. */
function hasWord({ missingSince, isFiltered }: Link, connection: Connection): boolean {
  return hasReadStatus(connection) && !isFiltered && (missingSince === null || connection.policy.coverage === "diff");
}

/** Whether the connection has ever read who is active. */
export function hasReadStatus({ memory, policy }: Connection): boolean {
  return policy.only_statuses !== undefined || memory.activeRead || memory.inactiveRead || memory.dateRead;
}
