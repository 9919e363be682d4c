/** Merges of two records of one person, as stored: reads for planning, undoing and erasing them, and their end. */
import { eq, inArray, lt, sql } from "drizzle-orm";
import { type Database, setOf, type Statement } from "../database.ts";
import { findRow } from "../reads.ts";
import { links, users } from "./schema.ts";
import { identityDecisions } from "./schema-identities.ts";
import { merges, type MovedLink } from "./schema-merges.ts";
import type { User } from "./users.ts";

export type Merge = typeof merges.$inferSelect;

/** What the user was merged by; null: it was not, or it can no longer be undone. */
export async function findMerge(
  db: Database,
  { organizationId, id: userId }: Pick<User, "id" | "organizationId">,
): Promise<Merge | null> {
  return await findRow(db, merges, { organizationId, userId });
}

/** Ids of everybody who was merged into the user, directly or through another. */
export async function listMerged(db: Database, organizationId: number, userId: number): Promise<number[]> {
  return (await db.rows<[number]>(sql`with recursive m(id) as (
      select id from users where merged_into = ${userId} and organization_id = ${organizationId}
      union select u.id from m join users u on u.merged_into = m.id
    ) select id from m order by id`)).flat();
}

/** The user's links, without their digests. */
export async function listOwnLinks(db: Database, userId: number): Promise<MovedLink[]> {
  return await db.orm.select({
    connectionId: links.connectionId,
    sourceKey: links.sourceKey,
    active: links.active,
    filtered: links.filtered,
    byHand: links.byHand,
    missingSince: links.missingSince,
    missingFrom: links.missingFrom,
  }).from(links).where(eq(links.userId, userId)).orderBy(links.connectionId);
}

/** The people whose manager the user is. */
export async function listReports(db: Database, { id, organizationId }: User): Promise<User[]> {
  return await db.orm.select().from(users)
    .where(sql`${users.organizationId} = ${organizationId} and ${users.managerId} = ${id}`).orderBy(users.id);
}

export async function listByIds(db: Database, organizationId: number, ids: readonly number[]): Promise<User[]> {
  return await db.orm.select().from(users)
    .where(sql`${users.organizationId} = ${organizationId} and ${inArray(users.id, setOf(ids))}`).orderBy(users.id);
}

/** Ids of rows that were accepted as the user's. */
export async function listAcceptances(db: Database, userId: number): Promise<number[]> {
  const rows = await db.orm.select({ id: identityDecisions.id }).from(identityDecisions)
    .where(sql`${identityDecisions.userId} = ${userId} and ${identityDecisions.kind} = 'accept'`);
  return rows.map(({ id }) => id);
}

/** Which of these keys nobody has. */
export async function listFreeLinks(db: Database, wanted: readonly MovedLink[]): Promise<MovedLink[]> {
  const taken = await Promise.all(
    wanted.map(({ connectionId, sourceKey }) => findRow(db, links, { connectionId, sourceKey })),
  );
  const isThere = await db.rows<[number]>(
    sql`select id from connections where id in ${setOf(wanted.map(({ connectionId }) => connectionId))}`,
  );
  const there = new Set(isThere.flat());
  return wanted.filter((link, place) => taken[place] === null && there.has(link.connectionId));
}

/** The statement that deletes what undoing needed, once it is too late for that. */
export function forgetMerges(db: Database, now: number): Statement {
  return db.orm.delete(merges).where(lt(merges.undoUntil, now));
}

/** Of an erased user: what a merge of theirs, or into them, kept for undoing it. */
export function forgetMergesOf(db: Database, userId: number): Statement {
  return db.run(sql`delete from merges where user_id = ${userId} or into_id = ${userId}`);
}
