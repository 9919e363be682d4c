/** Users whose deactivation date has come, and the runs that deactivate them. */
import { sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { DAY_MS } from "../../std/time.ts";

/** Organizations with an active user whose deactivation date has come somewhere on earth. */
export async function listOrganizationsWithDue(db: Database, now: number): Promise<{ id: number; timezone: string }[]> {
  const latest = new Date(now + DAY_MS).toISOString().slice(0, 10);
  const rows = await db.rows<[number, string]>(sql`select id, timezone from organizations where id in
    (select organization_id from users where status = 'active' and deactivation_date is not null
      and deactivation_date <= ${latest})`);
  return rows.map(([id, timezone]) => ({ id, timezone }));
}

/** When the connection's last run for leavers was queued, in milliseconds since 1970. */
export async function lastDueRun(db: Database, connectionId: number): Promise<number | null> {
  const [row] = await db.rows<[number | null]>(
    sql`select max(created_at) from runs where connection_id = ${connectionId} and trigger = 'due'`,
  );
  return row?.[0] ?? null;
}

export interface Due {
  readonly id: number;
  readonly connectionId: number;
  /** Whether a guard has let the date pass already, or a person approved it. */
  readonly isGuarded: boolean;
}

/** Active users who have left by their deactivation date, which was written by this connection. */
export async function listDue(
  db: Database,
  organizationId: number,
  connectionId: number,
  today: string,
): Promise<Due[]> {
  const due = await listAllDue(db, organizationId, today);
  return due.filter((user) => user.connectionId === connectionId);
}

/**
 * As listDue, for every connection; dates set by hand belong to the `api` connection. Where a connection gives the last
 * working day, people have left on the day after.
 */
export async function listAllDue(db: Database, organizationId: number, today: string): Promise<Due[]> {
  const rows = await db.rows<[number, number, number]>(sql`with due as (select u.id, u.deactivation_date as day,
      coalesce(u.guarded_leaving <= u.deactivation_date, 0) as is_guarded, coalesce(
      (select c.id from connections c where c.id = coalesce(u.field_sources ->> 'deactivation_date', u.source_id)
        and c.organization_id = u.organization_id),
      (select c.id from connections c where c.organization_id = u.organization_id and c.slug = 'api'),
      (select min(c.id) from connections c where c.organization_id = u.organization_id)) as connection_id
    from users u where u.organization_id = ${organizationId} and u.status = 'active'
      and u.deactivation_date is not null and u.deactivation_date <= ${today})
    select due.id, c.id, due.is_guarded from due join connections c on c.id = due.connection_id
    where due.day < ${today} or coalesce(c.policy ->> 'leavers', '') <> 'after_date' order by due.id`);
  return rows.map(([id, connectionId, isGuarded]) => ({ id, connectionId, isGuarded: isGuarded === 1 }));
}
