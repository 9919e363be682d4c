/** Sessions of the console as stored: begun, found, listed, ended; and the links that begin one. */
import { and, desc, eq, gt, inArray, lt, lte, or, type SQL, sql } from "drizzle-orm";
import type { AuditAction, By } from "../model/audit.ts";
import { encodeId } from "../model/id.ts";
import { HOUR_MS } from "../std/time.ts";
import { recordAudit } from "./audit.ts";
import { type Database, insertIf, type Statement, writeNamed } from "./database.ts";
import { finderIn, preparedFinder } from "./reads.ts";
import { matches } from "./unchanged.ts";
import { deleteRows } from "./writes.ts";
import { members } from "./schema-members.ts";
import { sessions, signInLinks } from "./schema-sessions.ts";

export type Session = typeof sessions.$inferSelect;
export type SignInLink = typeof signInLinks.$inferSelect;

/** Whose a session or a link is: a token's, or a member's. The other one is null. */
export type Owner = Pick<Session, "organizationId" | "tokenId" | "memberId">;

/** A session with the member that it is of. */
export interface ListedSession {
  readonly session: Session;
  readonly member: Pick<typeof members.$inferSelect, "id" | "email" | "name"> | null;
}

/** A session ends when it was not used for this long, and at last after SESSION_MS. */
export const IDLE_MS = 12 * HOUR_MS;
export const SESSION_MS = 7 * 24 * HOUR_MS;

/** Of one owner. The next one ends the oldest. */
const MAX_SESSIONS = 50;

/** Begins a session. `row.id` is reserved by the caller. */
export async function beginSession(db: Database, row: Session, by: By): Promise<void> {
  await db.write([
    db.orm.insert(sessions).values(row),
    audit(db, "session.begun", row, row.createdAt, by),
    ...noteSignIn(db, row, sql`1`),
    endOldest(db, row),
  ]);
}

/**
 * Begins a session by a link, which is used up, as are all other links of its member. False: the link does not exist, has
 * expired or was used; then nothing is written.
 */
export async function beginByLink(db: Database, linkHash: string, row: Session, by: By): Promise<boolean> {
  const link = sql`exists (select 1 from ${signInLinks} where hash = ${linkHash} and expires_at > ${row.createdAt})`;
  const begun = sql`exists (select 1 from ${sessions} where id = ${row.id})`;
  const { found } = await writeNamed(db, {
    begun: db.run(insertIf(sessions, row, link)),
    audit: audit(db, "session.begun", row, row.createdAt, by, begun),
    used: db.orm.delete(signInLinks).where(eq(signInLinks.hash, linkHash)),
    others: row.memberId === null ? [] : endLinksOf(db, row, begun),
    noted: noteSignIn(db, row, begun),
    oldest: endOldest(db, row),
    found: db.orm.select({ id: sessions.id }).from(sessions).where(eq(sessions.id, row.id)),
  });
  return found.length > 0;
}

export async function createSignInLink(db: Database, row: SignInLink): Promise<void> {
  await db.write([addSignInLink(db, row, sql`1`)]);
}

/** The statement that stores a link, if `when` holds. */
export function addSignInLink(db: Database, row: SignInLink, when: SQL): Statement {
  return db.run(insertIf(signInLinks, row, when));
}

/** Which of these links there are. */
export async function listLinks(db: Database, hashes: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await db.orm.select({ hash: signInLinks.hash }).from(signInLinks)
    .where(inArray(signInLinks.hash, [...hashes]));
  return new Set(found.map(({ hash }) => hash));
}

const findLinkByHash = preparedFinder(signInLinks, ["hash"]);

/** A link that works. */
export async function findSignInLink(db: Database, hash: string, now: number): Promise<SignInLink | null> {
  const link = await findLinkByHash(db, { hash });
  return link !== null && link.expiresAt > now ? link : null;
}

const findByHash = preparedFinder(sessions, ["hash"]);

/** A session that has not ended. Whether its owner may still sign in is not looked at. */
export async function findLiveSession(db: Database, hash: string, now: number): Promise<Session | null> {
  const session = await findByHash(db, { hash });
  return session !== null && session.expiresAt > now && session.usedAt + IDLE_MS > now ? session : null;
}

export const findSession = finderIn(sessions);

/** Live sessions of the organization, the latest first. `owner`: of one owner; null: of all. */
export async function listSessions(
  db: Database,
  organizationId: number,
  owner: Pick<Owner, "tokenId" | "memberId"> | null,
  { before, limit }: { readonly before: number | null; readonly limit: number },
  now: number,
): Promise<ListedSession[]> {
  const member = { id: members.id, email: members.email, name: members.name };
  const isOfMember = and(eq(members.id, sessions.memberId), eq(members.organizationId, sessions.organizationId));
  return await db.orm.select({ session: sessions, member }).from(sessions).leftJoin(members, isOfMember).where(and(
    eq(sessions.organizationId, organizationId),
    owner === null ? undefined : matches(sessions, owner),
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

/** The statement that ends the sessions of a token or a member, if `when` holds. */
export function endSessionsOf(db: Database, owner: Owner, when: SQL): Statement {
  return db.orm.delete(sessions).where(and(matches(sessions, only(owner)), when));
}

/** The same for the links that sign in. */
export function endLinksOf(db: Database, owner: Owner, when: SQL): Statement {
  return db.orm.delete(signInLinks).where(and(matches(signInLinks, only(owner)), when));
}

/** The statements that delete what has expired. */
export function forgetSessions(db: Database, now: number): Statement[] {
  return [
    db.orm.delete(sessions).where(or(lte(sessions.expiresAt, now), lte(sessions.usedAt, now - IDLE_MS))),
    db.orm.delete(signInLinks).where(lte(signInLinks.expiresAt, now)),
  ];
}

/** The statement that records when the session's member has signed in, if `when` holds. */
function noteSignIn(db: Database, { organizationId, memberId, createdAt }: Session, when: SQL): Statement[] {
  if (memberId === null) return [];
  return [
    db.orm.update(members).set({ signedInAt: createdAt })
      .where(and(matches(members, { id: memberId, organizationId }), when)),
  ];
}

function endOldest(db: Database, session: Session): Statement {
  const isOwn = matches(sessions, only(session));
  return db.run(sql`delete from ${sessions} where ${isOwn} and id <= (
    select id from ${sessions} where ${isOwn} order by id desc limit 1 offset ${MAX_SESSIONS})`);
}

function only({ organizationId, tokenId, memberId }: Owner): Owner {
  return { organizationId, tokenId, memberId };
}

function audit(db: Database, action: AuditAction, session: Session, now: number, by: By, when?: SQL): Statement {
  const { id, organizationId, tokenId, memberId } = session;
  const owner = memberId === null ? encodeId("tok", tokenId!) : encodeId("mem", memberId);
  const subjects = [encodeId("ses", id), owner];
  return recordAudit(db, by, { action, organizationId, subjects }, now, when);
}
