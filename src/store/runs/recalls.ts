/**
 * Users who are no longer found as before. Rows that name one of them as manager may now mean another person, although
 * neither the row nor its user has changed, so their digests are void until they are read again.
 */
import { sql } from "drizzle-orm";
import type { Database } from "../database.ts";

/**
 * Voids the digests of all users whose manager is recalled, in every connection of the organization, and deletes the
 * recalls. Called before a plan loads its digests; safe to repeat. Reads the organization's users, but only if any user
 * is recalled.
 */
export async function voidRecalled(db: Database, organizationId: number): Promise<void> {
  const [recalled] = await db.rows(sql`select 1 from recalls where organization_id = ${organizationId} limit 1`);
  if (recalled === undefined) return;
  await db.write([
    db.run(sql`update links set digest = null, canonical = null where digest is not null and user_id in (
      select id from users where organization_id = ${organizationId} and manager_id in (
        select user_id from recalls where organization_id = ${organizationId}))`),
    db.run(sql`delete from recalls where organization_id = ${organizationId}`),
  ]);
}
