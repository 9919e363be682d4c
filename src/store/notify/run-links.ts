/** Links to a run's page that were made by API, as stored: created, found, listed, deleted. The address is not stored. */
import { and, asc, gt, isNull, lte, or, type SQL, sql } from "drizzle-orm";
import type { By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import { type Database, insertIf, type Statement, writeNamed } from "../database.ts";
import { tokens } from "../schema.ts";
import { members } from "../schema-members.ts";
import { first } from "../reads.ts";
import { matches } from "../unchanged.ts";
import { deleteRows } from "../writes.ts";
import { runLinks } from "./schema-links.ts";

export type RunLink = typeof runLinks.$inferSelect;

/** For one run. */
export const MAX_RUN_LINKS = 100;

/** Null when the run has MAX_RUN_LINKS. `row.id` is reserved by the caller. */
export async function createLink(db: Database, row: RunLink, by: By): Promise<RunLink | null> {
  const { id, organizationId, runId, createdAt } = row;
  const hasRoom = sql`(select count(*) from ${runLinks} where organization_id = ${organizationId} and run_id = ${runId}
    and expires_at > ${createdAt}) < ${MAX_RUN_LINKS}`;
  const { found } = await writeNamed(db, {
    made: db.run(insertIf(runLinks, row, hasRoom)),
    audit: recordAudit(db, by, { organizationId, action: "link.created", subjects: subjectsOf(row) }, createdAt),
    found: db.orm.select().from(runLinks).where(matches(runLinks, { id, organizationId })),
  });
  return found[0] ?? null;
}

/** The link, if it has not expired, and the token or member that it ends with is still there. */
export async function findLiveLink(
  db: Database,
  organizationId: number,
  id: number,
  now: number,
): Promise<RunLink | null> {
  return await first(
    db.orm.select().from(runLinks).where(and(matches(runLinks, { id, organizationId }), isLive(now))).limit(1),
  );
}

/** Live links of the run, oldest first: at most `limit` of those after id `after`. */
export async function listLiveLinks(
  db: Database,
  { organizationId, id: runId }: { readonly organizationId: number; readonly id: number },
  { after, limit }: { after: number; limit: number },
  now: number,
): Promise<RunLink[]> {
  return await db.orm.select().from(runLinks)
    .where(and(matches(runLinks, { organizationId, runId }), gt(runLinks.id, after), isLive(now)))
    .orderBy(asc(runLinks.id)).limit(limit);
}

/** False: it is gone already. */
export async function deleteLink(db: Database, link: RunLink, now: number, by: By): Promise<boolean> {
  const { id, organizationId } = link;
  return await deleteRows(db, runLinks, matches(runLinks, { id, organizationId }), {
    after: [recordAudit(db, by, { organizationId, action: "link.revoked", subjects: subjectsOf(link) }, now)],
  });
}

/** The statement that deletes the links of a run, of all runs when `runId` is null. */
export function deleteLinks(db: Database, organizationId: number, runId: number | null): Statement {
  return db.orm.delete(runLinks).where(matches(runLinks, { organizationId, ...(runId === null ? {} : { runId }) }));
}

/** The statement that deletes the links that a member has made, if `when` holds. */
export function deleteLinksOf(db: Database, organizationId: number, memberId: number, when: SQL): Statement {
  return db.orm.delete(runLinks).where(and(matches(runLinks, { organizationId, memberId }), when));
}

/** The statement that deletes expired links. */
export function forgetLinks(db: Database, now: number): Statement {
  return db.orm.delete(runLinks).where(lte(runLinks.expiresAt, now));
}

function isLive(now: number): SQL | undefined {
  const token = sql`exists (select 1 from ${tokens} where ${tokens.id} = ${runLinks.tokenId}
    and (${tokens.expiresAt} is null or ${tokens.expiresAt} > ${now}))`;
  const member = sql`exists (select 1 from ${members} where ${members.id} = ${runLinks.memberId})`;
  return and(
    gt(runLinks.expiresAt, now),
    or(isNull(runLinks.tokenId), token),
    or(isNull(runLinks.memberId), member),
  );
}

function subjectsOf({ id, runId }: RunLink): string[] {
  return [encodeId("run", runId), encodeId("lnk", id)];
}
