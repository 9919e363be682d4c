/**
 * A lease is a name and a time in two columns of a row: its holder works on what the row is about, and others leave it
 * alone until that time. In come the columns, out come the conditions and assignments of SQL that statements are made of.
 *
 * A lease is free when it was never taken or was released, when its time has passed, and when its holder is known to
 * have died. Taking one is one statement that checks this itself, so of two at once one has it.
 */
import { type SQL, sql } from "drizzle-orm";
import { type Database, setOf } from "./database.ts";

/** Who takes leases: its own name, and whether the process of another name is known to have died. */
export interface Holder {
  readonly name: string;
  readonly isGone?: (name: string) => boolean;
}

export interface Lease {
  /** A condition. `gone`: holders whose leases count as released. */
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

/** Of the names that the query gives, those of holders that have died; never the caller's own. */
export async function listGone(
  db: Database,
  names: SQL,
  { name, isGone }: { readonly name?: string; readonly isGone?: Holder["isGone"] },
): Promise<string[]> {
  if (isGone === undefined) return [];
  const holders = (await db.rows<[string]>(names)).flat();
  return holders.filter((holder) => holder !== name && isGone(holder));
}
