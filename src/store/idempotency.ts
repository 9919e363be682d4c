/**
 * Idempotency keys as stored. A key is claimed before anything is done, by its row alone: of two requests at once, in one
 * process or two, one has it. Its holder renews the claim; a holder that died loses it, and the next one may try.
 */
import { and, asc, eq, lt, sql } from "drizzle-orm";
import { type Database, type Statement, writeNamed } from "./database.ts";
import { auditEntries } from "./schema-audit.ts";
import { idempotencyAnswers, idempotencyKeys } from "./schema-idempotency.ts";
import { DAY_MS } from "../std/time.ts";

/** Without a sign of life for this long, a key is free again. */
export const CLAIM_LEASE_MS = 30_000;
/** How long an answer is kept. */
export const ANSWER_KEPT_MS = DAY_MS;

export interface IdempotencyKey {
  readonly organizationId: number;
  readonly caller: string;
  readonly route: string;
  readonly keyHash: string;
}

/** What became of a wish to have the key. */
export type Claim =
  | { readonly is: "mine" | "answered"; readonly claim: string }
  | { readonly is: "running" };

export async function claimKey(db: Database, key: IdempotencyKey, claim: string, now: number): Promise<Claim> {
  const same = and(
    eq(idempotencyKeys.organizationId, key.organizationId),
    eq(idempotencyKeys.caller, key.caller),
    eq(idempotencyKeys.route, key.route),
    eq(idempotencyKeys.keyHash, key.keyHash),
  )!;
  const lease = { leaseUntil: now + CLAIM_LEASE_MS, expiresAt: now + ANSWER_KEPT_MS };
  const { mine, held } = await writeNamed(db, {
    idempotencyAnswers: db.orm.delete(idempotencyAnswers).where(sql`${idempotencyAnswers.claim} in
      (select claim from ${idempotencyKeys} where ${same} and expires_at < ${now})`),
    mine: db.orm.insert(idempotencyKeys).values({ ...key, ...lease, claim }).onConflictDoUpdate({
      target: [
        idempotencyKeys.organizationId,
        idempotencyKeys.caller,
        idempotencyKeys.route,
        idempotencyKeys.keyHash,
      ],
      set: { ...lease, claim },
      setWhere: sql`${idempotencyKeys.leaseUntil} < ${now} or ${idempotencyKeys.expiresAt} < ${now}`,
    }).returning({ claim: idempotencyKeys.claim }),
    held: db.orm.select({ claim: idempotencyKeys.claim, leaseUntil: idempotencyKeys.leaseUntil }).from(idempotencyKeys)
      .where(same),
  });
  if (mine.length > 0) return { is: "mine", claim };
  return held[0]!.leaseUntil === null ? { is: "answered", claim: held[0]!.claim } : { is: "running" };
}

export async function renewClaim(db: Database, claim: string, now: number): Promise<void> {
  await db.write([
    db.orm.update(idempotencyKeys).set({ leaseUntil: now + CLAIM_LEASE_MS }).where(held(claim)),
  ]);
}

/**
 * Keeps the answer for those who send the key again, unless the claim was lost meanwhile; and not if somebody was erased
 * by another request since this one began, whose values it may hold.
 */
export async function settleClaim(
  db: Database,
  claim: string,
  sealedParts: readonly string[],
  request: { readonly id: string; readonly startedAt: number },
  now: number,
): Promise<void> {
  const erased =
    sql`select 1 from ${auditEntries} where ${auditEntries.organizationId} = ${idempotencyKeys.organizationId}
    and ${auditEntries.at} >= ${request.startedAt} and ${auditEntries.action} = 'user.erased'
    and ${auditEntries.requestId} is not ${request.id}`;
  await db.write([
    ...sealedParts.map((sealed, part) =>
      db.run(sql`insert into ${idempotencyAnswers} (claim, part, organization_id, sealed)
        select claim, ${part}, organization_id, ${sealed} from ${idempotencyKeys}
        where ${held(claim)} and not exists (${erased})`)
    ),
    db.orm.update(idempotencyKeys).set({ leaseUntil: null, expiresAt: now + ANSWER_KEPT_MS }).where(held(claim)),
  ]);
}

/** Frees the key: nothing was done under it. */
export async function releaseClaim(db: Database, claim: string): Promise<void> {
  await db.write([db.orm.delete(idempotencyKeys).where(held(claim))]);
}

/** The answer's sealed parts in their order; none when it is no longer kept. */
export async function loadAnswer(db: Database, organizationId: number, claim: string): Promise<string[]> {
  const rows = await db.orm.select({ sealed: idempotencyAnswers.sealed }).from(idempotencyAnswers)
    .where(and(eq(idempotencyAnswers.organizationId, organizationId), eq(idempotencyAnswers.claim, claim)))
    .orderBy(asc(idempotencyAnswers.part));
  return rows.map(({ sealed }) => sealed);
}

/**
 * Deletes an organization's kept answers, which may hold people's data, and leaves the keys: what was done once under
 * one of them is not done again.
 */
export function forgetAnswers(db: Database, organizationId: number): Statement {
  return db.orm.delete(idempotencyAnswers).where(eq(idempotencyAnswers.organizationId, organizationId));
}

export async function expireKeys(db: Database, now: number): Promise<void> {
  await db.write([
    db.orm.delete(idempotencyAnswers).where(sql`${idempotencyAnswers.claim} in
      (select claim from ${idempotencyKeys} where expires_at < ${now})`),
    db.orm.delete(idempotencyKeys).where(lt(idempotencyKeys.expiresAt, now)),
  ]);
}

function held(claim: string) {
  return and(eq(idempotencyKeys.claim, claim), sql`${idempotencyKeys.leaseUntil} is not null`)!;
}
