/**
 * A lease is an owner and a time in two columns of a row: until that time, only the owner works on the row. The columns
 * come in; conditions and assignments for SQL statements go out.
 *
 * A lease is free when it was never claimed or was released, when its time has passed, and when its holder is known to
 * have died. The statement that claims it checks this itself, so that one of two claims at once succeeds.
 *
 * Deliveries and mails are claimed by their due time instead, and connections by bridges, whose leases end later for some.
 */
import { type SQL, sql } from "drizzle-orm";
import { type Database, setOf } from "./database.ts";

/** A process that holds leases: its name, and whether another process is known to have died. */
export interface Holder {
  readonly name: string;
  readonly isGone?: (name: string) => boolean;
}

export interface Lease {
  /** A condition. `gone`: holders that have died, whose leases count as released. */
  isFree(now: number, gone?: readonly string[]): SQL;
  isHeldBy(name: string): SQL;
  /** Assignments for `update … set`. */
  claim(name: string, until: number): SQL;
  renew(until: number): SQL;
  release(): SQL;
}

/** `owner` and `until`: the columns as the statement names them, such as `f.owner`. */
export function leaseIn(owner: string, until: string): Lease {
  const ownerColumn = sql.raw(owner), untilColumn = sql.raw(until);
  return {
    isFree: (now, gone = []) =>
      sql`(${ownerColumn} is null or ${untilColumn} < ${now} or ${ownerColumn} in ${setOf(gone)})`,
    isHeldBy: (name) => sql`${ownerColumn} = ${name}`,
    claim: (name, ms) => sql`${ownerColumn} = ${name}, ${untilColumn} = ${ms}`,
    renew: (ms) => sql`${untilColumn} = ${ms}`,
    release: () => sql`${ownerColumn} = null, ${untilColumn} = null`,
  };
}

/** Those of the names in the query's rows whose holders have died; never the caller's own name. */
export async function listGone(
  db: Database,
  names: SQL,
  { name, isGone }: { readonly name?: string; readonly isGone?: Holder["isGone"] },
): Promise<string[]> {
  if (isGone === undefined) return [];
  const holders = (await db.rows<[string]>(names)).flat();
  return holders.filter((holder) => holder !== name && isGone(holder));
}
