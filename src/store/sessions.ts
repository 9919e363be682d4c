/** Sessions of the console as stored: begun, found, listed, ended; and the links that begin one. */
import { and, desc, eq, gt, lt, lte, or, type SQL, sql } from "drizzle-orm";
import type { AuditAction, By } from "../model/audit.ts";
import { encodeId } from "../model/id.ts";
import { HOUR_MS } from "../std/time.ts";
import { recordAudit } from "./audit.ts";
import { type Database, insertIf, type Statement, writeNamed } from "./database.ts";
import { finderIn, preparedFinder } from "./reads.ts";
import { matches } from "./unchanged.ts";
import { deleteRows } from "./writes.ts";
import { sessions, signInLinks } from "./schema-sessions.ts";

export type Session = typeof sessions.$inferSelect;
export type SignInLink = typeof signInLinks.$inferSelect;

/** A session ends when it was not used for this long, and at last after SESSION_MS. */
export const IDLE_MS = 12 * HOUR_MS;
export const SESSION_MS = 7 * 24 * HOUR_MS;

/** Of one token. The next one ends the oldest. */
const MAX_SESSIONS = 50;

/** Begins a session. `row.id` is reserved by the caller. */
export async function beginSession(db: Database, row: Session, by: By): Promise<void> {
  await db.write([
    db.orm.insert(sessions).values(row),
    audit(db, "session.begun", row, row.createdAt, by),
    endOldest(db, row),
  ]);
}

/**
 * Begins a session by a link, which is used up. False: the link does not exist, has expired or was used; then nothing is
 * written.
 */
export async function beginByLink(db: Database, linkHash: string, row: Session, by: By): Promise<boolean> {
  const link = sql`exists (select 1 from ${signInLinks} where hash = ${linkHash} and expires_at > ${row.createdAt})`;
  const begun = sql`exists (select 1 from ${sessions} where id = ${row.id})`;
  const { found } = await writeNamed(db, {
    begun: db.run(insertIf(sessions, row, link)),
    audit: audit(db, "session.begun", row, row.createdAt, by, begun),
    used: db.orm.delete(signInLinks).where(eq(signInLinks.hash, linkHash)),
    oldest: endOldest(db, row),
    found: db.orm.select({ id: sessions.id }).from(sessions).where(eq(sessions.id, row.id)),
  });
  return found.length > 0;
}

export async function createSignInLink(db: Database, row: SignInLink): Promise<void> {
  await db.write([db.orm.insert(signInLinks).values(row)]);
}

const findLinkByHash = preparedFinder(signInLinks, ["hash"]);

/** A link that works. */
export async function findSignInLink(db: Database, hash: string, now: number): Promise<SignInLink | null> {
  const link = await findLinkByHash(db, { hash });
  return link !== null && link.expiresAt > now ? link : null;
}

const findByHash = preparedFinder(sessions, ["hash"]);

/** A session that has not ended. Whether its token still works is not looked at. */
export async function findLiveSession(db: Database, hash: string, now: number): Promise<Session | null> {
  const session = await findByHash(db, { hash });
  return session !== null && session.expiresAt > now && session.usedAt + IDLE_MS > now ? session : null;
}

export const findSession = finderIn(sessions);

/** Live sessions of the organization, the latest first. `tokenId`: of one token; null: of all. */
export async function listSessions(
  db: Database,
  organizationId: number,
  tokenId: number | null,
  { before, limit }: { readonly before: number | null; readonly limit: number },
  now: number,
): Promise<Session[]> {
  return await db.orm.select().from(sessions).where(and(
    eq(sessions.organizationId, organizationId),
    tokenId === null ? undefined : eq(sessions.tokenId, tokenId),
    before === null ? undefined : lt(sessions.id, before),
    gt(sessions.expiresAt, now),
    gt(sessions.usedAt, now - IDLE_MS),
  )).orderBy(desc(sessions.id)).limit(limit);
}

export async function touchSession(db: Database, id: number, now: number): Promise<void> {
  await db.write([db.orm.update(sessions).set({ usedAt: now }).where(eq(sessions.id, id))]);
}

/** False: it has ended already. */
export async function endSession(db: Database, session: Session, now: number, by: By): Promise<boolean> {
  const { id, organizationId } = session;
  return await deleteRows(db, sessions, matches(sessions, { id, organizationId }), {
    after: [audit(db, "session.ended", session, now, by)],
  });
}

/** The statements that end the sessions of a token, and its links, if `when` holds. */
export function endSessionsOf(db: Database, organizationId: number, tokenId: number, when: SQL): Statement[] {
  return [sessions, signInLinks].map((table) =>
    db.orm.delete(table).where(and(matches(table, { organizationId, tokenId }), when))
  );
}

/** The statements that delete what has expired. */
export function forgetSessions(db: Database, now: number): Statement[] {
  return [
    db.orm.delete(sessions).where(or(lte(sessions.expiresAt, now), lte(sessions.usedAt, now - IDLE_MS))),
    db.orm.delete(signInLinks).where(lte(signInLinks.expiresAt, now)),
  ];
}

function endOldest(db: Database, { organizationId, tokenId }: Session): Statement {
  const owner = sql`organization_id = ${organizationId} and token_id = ${tokenId}`;
  return db.run(sql`delete from ${sessions} where ${owner} and id <= (
    select id from ${sessions} where ${owner} order by id desc limit 1 offset ${MAX_SESSIONS})`);
}

function audit(db: Database, action: AuditAction, session: Session, now: number, by: By, when?: SQL): Statement {
  const { id, organizationId, tokenId } = session;
  const subjects = [encodeId("ses", id), encodeId("tok", tokenId)];
  return recordAudit(db, by, { action, organizationId, subjects }, now, when);
}
