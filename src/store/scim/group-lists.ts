/** The groups of an organization, of all of its connections. */
import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { type Group, loadMembers, type Member } from "./groups.ts";
import { groups } from "./schema.ts";

export interface ListedGroup {
  readonly group: Group;
  readonly memberCount: number;
}

const MEMBERS: SQL<number> = sql`(select count(*) from group_members m where m.group_id = ${groups.id})`;

export async function listGroups(
  db: Database,
  organizationId: number,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<ListedGroup[]> {
  return await db.orm.select({ group: groups, memberCount: MEMBERS }).from(groups)
    .where(and(eq(groups.organizationId, organizationId), gt(groups.id, after))).orderBy(asc(groups.id)).limit(limit);
}

export async function findGroupOf(db: Database, organizationId: number, id: number): Promise<ListedGroup | null> {
  const [row] = await db.orm.select({ group: groups, memberCount: MEMBERS }).from(groups)
    .where(and(eq(groups.organizationId, organizationId), eq(groups.id, id))).limit(1);
  return row ?? null;
}

export async function listGroupMembers(db: Database, group: Group, most: number): Promise<readonly Member[]> {
  return ((await loadMembers(db, group.organizationId, [group.id])).get(group.id) ?? []).slice(0, most);
}
