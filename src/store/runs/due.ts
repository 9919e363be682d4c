/** Which organizations have users whose deactivation date may have come. */
import { sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { DAY_MS } from "../../std/time.ts";

/** Organizations with an active user whose deactivation date has come somewhere on earth. */
export async function listOrganizationsWithDue(
  db: Database,
  now: number,
): Promise<{ id: number; timezone: string }[]> {
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
