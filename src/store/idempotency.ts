/**
 * Idempotency keys as stored. A request claims its key before it does anything: of two requests at once, in one process
 * or two, one gets it. The holder renews its claim; if it dies, the claim's lease is over and the next request may have
 * the key. What a request writes is fenced by its claim, so that only one of two requests writes.
 */
import { and, asc, eq, lt, type SQL, sql } from "drizzle-orm";
import { type Database, type Statement, writeNamed } from "./database.ts";
import { auditEntries } from "./schema-audit.ts";
import { idempotencyAnswers, idempotencyKeys } from "./schema-idempotency.ts";
import { DAY_MS } from "../std/time.ts";
import { type Holder, isFree, leaseEnd, leaseState, stateOf } from "./lease.ts";
import { retry } from "../std/retry.ts";
import { mayBeDone } from "./trouble.ts";
import { matches } from "./unchanged.ts";

/** How long an answer is stored. */
export const ANSWER_KEPT_MS = DAY_MS;

export interface IdempotencyKey {
  readonly organizationId: number;
  readonly caller: string;
  readonly route: string;
  readonly keyHash: string;
}

/** The result of claiming a key. */
export type Claim =
  | { readonly is: "mine" | "answered"; readonly claim: string }
  | { readonly is: "running" };

/** A new claim, which begins with the name of its process where others can see whether that has died. */
export function createClaim(holder?: Holder): string {
  return holder === undefined ? crypto.randomUUID() : `${holder.name}/${crypto.randomUUID()}`;
}

/** Gives the key to one claim. `claim` must be new: a claim whose answer was lost is asked for again, and recognized by it. */
export async function claimKey(
  db: Database,
  key: IdempotencyKey,
  claim: string,
  now: number,
  holder?: Holder,
): Promise<Claim> {
  const { organizationId, caller, route, keyHash } = idempotencyKeys;
  const same = matches(idempotencyKeys, { ...key });
  const lease = { leaseUntil: leaseEnd() as never, leaseBeat: 0, expiresAt: now + ANSWER_KEPT_MS };
  const over = await findOver(db, same, holder);
  const ask = () =>
    writeNamed(db, {
      idempotencyAnswers: db.orm.delete(idempotencyAnswers).where(sql`${idempotencyAnswers.claim} in
      (select claim from ${idempotencyKeys} where ${same} and (expires_at < ${now} or ${over}))`),
      mine: db.orm.insert(idempotencyKeys).values({ ...key, ...lease, claim }).onConflictDoUpdate({
        target: [organizationId, caller, route, keyHash],
        set: { ...lease, claim },
        setWhere:
          sql`${over} or ${idempotencyKeys.claim} = ${claim} or (lease_until is null and ${idempotencyKeys.expiresAt} < ${now})`,
      }).returning({ claim: idempotencyKeys.claim }),
      held: db.orm.select({ claim: idempotencyKeys.claim, leaseUntil: idempotencyKeys.leaseUntil }).from(
        idempotencyKeys,
      )
        .where(same),
    });
  const { mine, held } = await retry(ask, (error, failures) => failures === 1 && mayBeDone(error) ? 0 : null);
  if (mine.length > 0) return { is: "mine", claim };
  return held[0]!.leaseUntil === null ? { is: "answered", claim: held[0]!.claim } : { is: "running" };
}

/** The condition that the claim is still the one that was found, whose lease is over; null: none was. */
async function findOver(db: Database, same: SQL, holder?: Holder): Promise<SQL> {
  const [row] = await db.rows<[string]>(sql`select ${STATE} from ${idempotencyKeys}
    where ${same} and lease_until is not null`);
  const state = row === undefined ? null : stateOf(row[0]);
  const isGone = (claim: string) => holder?.isGone?.(claim) === true && !claim.startsWith(`${holder.name}/`);
  if (state === null || !isFree(db, `claim ${state.owner}`, state, isGone)) return sql`false`;
  return sql`(${idempotencyKeys.claim} = ${state.owner} and ${idempotencyKeys.leaseBeat} = ${state.beat})`;
}

const STATE = leaseState({ owner: "claim", until: "lease_until", epoch: "0", beat: "lease_beat" });

export async function renewClaim(db: Database, claim: string): Promise<void> {
  await db.write([
    db.orm.update(idempotencyKeys).set({
      leaseUntil: leaseEnd() as never,
      leaseBeat: sql`${idempotencyKeys.leaseBeat} + 1`,
    }).where(held(claim)),
  ]);
}

/** A query for fencedDatabase: a row until another request has the key. */
export function ownClaim(claim: string): SQL {
  return sql`select 1 from ${idempotencyKeys} where claim = ${claim}`;
}

/**
 * Stores the answer for clients that send the key again, unless the claim was lost. If another request has erased a
 * person since this one began, the answer is not stored, because it may hold their values.
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
  const parts = sealedParts.map((sealed, part) =>
    db.run(sql`insert into ${idempotencyAnswers} (claim, part, organization_id, sealed)
      select claim, ${part}, organization_id, ${sealed} from ${idempotencyKeys}
      where ${held(claim)} and not exists (${erased})`)
  );
  // Each by itself, as a server takes about one at a time. Nobody reads them before the last one, which settles the claim.
  for (const part of parts.slice(0, -1)) await db.write([part]);
  await db.write([
    ...parts.slice(-1),
    db.orm.update(idempotencyKeys).set({ leaseUntil: null, expiresAt: now + ANSWER_KEPT_MS }).where(held(claim)),
  ]);
}

/** Frees the key, because nothing was done with it. */
export async function releaseClaim(db: Database, claim: string): Promise<void> {
  await db.write([db.orm.delete(idempotencyKeys).where(held(claim))]);
}

/** The answer's sealed parts in their order; none when it is no longer stored. */
export async function loadAnswer(db: Database, organizationId: number, claim: string): Promise<string[]> {
  const rows = await db.orm.select({ sealed: idempotencyAnswers.sealed }).from(idempotencyAnswers)
    .where(and(eq(idempotencyAnswers.organizationId, organizationId), eq(idempotencyAnswers.claim, claim)))
    .orderBy(asc(idempotencyAnswers.part));
  return rows.map(({ sealed }) => sealed);
}

/**
 * The statement that deletes an organization's stored answers, which may hold people's data. The keys stay, so that no
 * request is done twice.
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
