/**
 * Leavers: since when each inactive person has been so, whose erasure is due, and what an erasure has to wait for. A
 * trigger on users writes the table.
 */
import { type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../database.ts";
import { ofChange } from "../runs/entry-places.ts";
import { listWaitingInputs } from "./erased-runs.ts";
import { leavers } from "./schema.ts";

/** The people of an organization who became inactive at `until` or before, and after `after` (null: whenever). */
export interface Leaving {
  readonly organizationId: number;
  readonly until: number;
  readonly after?: number | null;
}

/** True in SQL for these people's rows in `leavers`. */
export function isLeaving({ organizationId, until, after = null }: Leaving): SQL {
  return sql`organization_id = ${organizationId} and since <= ${until} and (${after} is null or since > ${after})`;
}

/** In SQL, the number of these people. */
export function countOf(leaving: Leaving): SQL {
  return sql`(select count(*) from ${leavers} where ${isLeaving(leaving)})`;
}

export async function countLeaving(db: Database, leaving: Leaving): Promise<number> {
  const [row] = await db.rows<[number]>(sql`select ${countOf(leaving)}`);
  return row![0];
}

/** The first of them, those who left longest ago first. Who had to wait in the pass of `passAt` is left out. */
export async function listLeaving(db: Database, leaving: Leaving, passAt: number, limit: number): Promise<number[]> {
  const rows = await db.rows<[number]>(sql`select user_id from ${leavers} where ${isLeaving(leaving)}
    and waited_at is not ${passAt} order by since, user_id limit ${limit}`);
  return rows.map(([id]) => id);
}

/** Whether this person is among them. */
export async function isAmong(db: Database, leaving: Leaving, userId: number): Promise<boolean> {
  const rows = await db.rows(sql`select 1 from ${leavers} where user_id = ${userId} and ${isLeaving(leaving)}`);
  return rows.length > 0;
}

/** The statement by which the person waits until the pass after the one of `passAt`. */
export function leaveForLater(db: Database, userId: number, passAt: number): Statement {
  return db.run(sql`update ${leavers} set waited_at = ${passAt} where user_id = ${userId}`);
}

/** The statement that ends that the user is due, for the batch that erases them; behind the one that empties the user. */
export function forgetLeaver(db: Database, userId: number): Statement {
  return db.run(sql`delete from ${leavers} where user_id = ${userId}`);
}

/** People who are stored and not erased. */
export async function countPeople(db: Database, organizationId: number): Promise<number> {
  const [row] = await db.rows<[number]>(sql`select
    (select count(*) from users where organization_id = ${organizationId})
    - (select count(*) from erasures where organization_id = ${organizationId})`);
  return Math.max(0, row![0]);
}

/** Somebody whose erasure may have to wait. */
export interface Holding {
  readonly organizationId: number;
  readonly userId: number;
  /** Runs that ended before this instant hold nobody any more by a conflict. */
  readonly conflictsSince: number;
}

/**
 * Whether something is open about the person: a plan that waits for a decision and has them in it, a row that would make
 * them somebody else and that nobody has decided about, or an input of one of their connections that is not read yet.
 */
export async function isHeldBack(db: Database, holding: Holding): Promise<boolean> {
  const rows = await db.rows(sql`select 1 where ${isPlanned(holding)} or ${isInConflict(holding)}`);
  if (rows.length > 0) return true;
  const linked = await db.rows<[number]>(sql`select connection_id from links where user_id = ${holding.userId}`);
  return (await listWaitingInputs(db, holding.organizationId, linked.flat())).length > 0;
}

function isPlanned({ organizationId, userId }: Holding): SQL {
  return sql`exists (select 1 from runs r join change_pages p on p.run_id = r.id join page_bodies b on b.page_id = p.id,
      json_each(b.body) e
    where r.organization_id = ${organizationId} and r.status in ('planned', 'held') and p.applied_at is null
      and p.kind = 'updates' and instr(b.body, ${`,${userId},`}) > 0 and ${ofChange("e.value", "userId")} = ${userId})`;
}

function isInConflict({ organizationId, userId, conflictsSince }: Holding): SQL {
  return sql`exists (select 1 from runs r join issue_pages p on p.run_id = r.id, json_each(p.body) j,
      json_each(j.value, '$.issues') i
    where r.organization_id = ${organizationId} and (r.finished_at is null or r.finished_at >= ${conflictsSince})
      and instr(p.body, '"conflict":') > 0 and i.value ->> '$.conflict.user' = ${userId}
      and not exists (select 1 from identity_decisions d where d.user_id = ${userId}
        and d.organization_id = r.organization_id and d.connection_id = r.connection_id and d.created_at >= r.created_at))`;
}
