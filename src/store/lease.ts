/**
 * A lease is the right of one process to work on a row, until it stops renewing it. It is four columns of the row: its
 * owner, its end, an epoch that each claim moves, and a beat that each renewal moves. The columns come in; conditions and
 * assignments for SQL statements go out.
 *
 * A lease is free when it was never claimed or was released, when it is over (lease-watch.ts), and when its owner is known
 * to have died. The statement that claims it checks that it is as it was read, so that one of two claims at once succeeds.
 * Whatever is written under a lease is fenced by its epoch (fence.ts).
 */
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import type { LeaseState } from "./lease-watch.ts";

/** A lease that was not renewed for this long is over. */
export const LEASE_MS = 30_000;
/** How often a lease is renewed by who holds it for longer. */
export const RENEW_EVERY_MS = LEASE_MS / 3;

/** A process that holds leases: its name, and whether another process is known to have died. */
export interface Holder {
  readonly name: string;
  readonly isGone?: (name: string) => boolean;
}

/** The columns, as the statement names them, such as `f.owner`. */
export interface LeaseColumns {
  readonly owner: string;
  readonly until: string;
  readonly epoch: string;
  readonly beat: string;
}

export interface Lease {
  /** To select, for `stateOf`. */
  readonly state: SQL;
  /** True in SQL while the lease is as it was read. */
  isAsRead(state: LeaseState): SQL;
  /** Assignments for `update … set`. */
  claim(owner: string | number): SQL;
  renew(): SQL;
  release(): SQL;
}

/** Milliseconds of the clock that the database has, or of this process for a file, where nothing goes by it. */
const NOW = sql`cast(unixepoch('subsec') * 1000 as integer)`;

/** The end of a lease that is claimed or renewed now. */
export function leaseEnd(lengthMs = LEASE_MS): SQL {
  return sql`${NOW} + ${lengthMs}`;
}

/** As Lease.state. */
export function leaseState({ owner, until, epoch, beat }: LeaseColumns): SQL {
  return sql.raw(`json_array(${owner}, ${epoch}, ${beat}, ${until} < cast(unixepoch('subsec') * 1000 as integer))`);
}

export function leaseIn(columns: LeaseColumns, lengthMs = LEASE_MS): Lease {
  const owner = sql.raw(columns.owner), until = sql.raw(columns.until);
  const epoch = sql.raw(columns.epoch), beat = sql.raw(columns.beat);
  return {
    state: leaseState(columns),
    isAsRead: (read) => sql`${owner} is ${read.owner} and ${epoch} = ${read.epoch} and ${beat} = ${read.beat}`,
    claim: (name) => sql`${owner} = ${name}, ${until} = ${leaseEnd(lengthMs)}, ${epoch} = ${epoch} + 1, ${beat} = 0`,
    renew: () => sql`${until} = ${leaseEnd(lengthMs)}, ${beat} = ${beat} + 1`,
    release: () => sql`${owner} = null, ${until} = null`,
  };
}

/** Reads a selected `Lease.state`. */
export function stateOf(selected: string): LeaseState {
  const [owner, epoch, beat, isPast] = JSON.parse(selected) as [string | null, number, number, number | null];
  return { owner, epoch, beat, isPast: isPast === 1 };
}

/** Whether the lease can be claimed. `key` names it, in this database. */
export function isFree(
  { watch }: Pick<Database, "watch">,
  key: string,
  state: LeaseState,
  isGone: Holder["isGone"] = () => false,
  lengthMs = LEASE_MS,
): boolean {
  return state.owner === null || isGone(state.owner) || watch.isOver(key, state, lengthMs);
}
