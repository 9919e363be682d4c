/** Erasures as stored: recorded in the batch that erases, done by each bridge on its own disk, and looked up later. */
import { and, asc, eq, isNotNull, sql } from "drizzle-orm";
import { type By, HUB } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import { type Database, setOf, type Statement } from "../database.ts";
import { type Bridge, loadTokensOf } from "../bridges/bridges.ts";
import { KEYED } from "./erased-files.ts";
import { bridgeFiles, bridgeLeases, bridges } from "../bridges/schema-bridge.ts";
import { connections } from "../connections/schema.ts";
import { findRow } from "../reads.ts";
import { type ErasedCounts, erasures, treeErasures } from "./schema-erasures.ts";

export type Erasure = typeof erasures.$inferSelect;

export interface NewErasure {
  readonly organizationId: number;
  readonly userId: number;
  readonly counts: ErasedCounts;
  readonly connections: readonly number[];
  /** Names of connectors that a bridge speaks for. */
  readonly bridged: readonly string[];
  /** Ids of bridges that may have files of the organization (listBridgesFor). */
  readonly bridges: readonly number[];
}

/** Confirmed bridges with trees, except those that only serve other organizations. */
export async function listBridgesFor(db: Database, organizationId: number): Promise<number[]> {
  const all = await db.orm.select({ id: bridges.id, bearer: bridges.bearer }).from(bridges)
    .where(and(isNotNull(bridges.confirmedAt), isNotNull(bridges.hosted)));
  const tokens = await loadTokensOf(db, all);
  // A bridge whose token is not stored may serve every organization.
  const mayServe = ({ bearer }: Pick<Bridge, "bearer">) => tokens.get(bearer)?.serves?.includes(organizationId) ?? true;
  return all.filter(mayServe).map(({ id }) => id);
}

/**
 * The statements that record the erasure, and request it from every bridge with trees: a connection may have had its
 * files on another bridge's disk before. A deleted connection may have left a tree as well.
 */
export function recordErasure(db: Database, made: NewErasure, before: Erasure | null, now: number): Statement[] {
  const { organizationId, userId } = made;
  const counts = addCounts(before?.counts, made.counts);
  const known = [...new Set([...before?.connections ?? [], ...made.connections])].sort((a, b) => a - b);
  return [
    db.orm.insert(erasures).values({
      userId,
      organizationId,
      erasedAt: now,
      askedAt: now,
      counts,
      connections: known,
    }).onConflictDoUpdate({
      target: erasures.userId,
      set: { askedAt: now, counts, connections: known, cleanedAt: null },
    }),
    db.run(sql`insert into ${treeErasures} (user_id, connection_id, bridge_id, organization_id, asked_at, waiting)
      select ${userId}, c.value, b.id, ${organizationId}, ${now}, 0
      from ${bridges} b, json_each(${JSON.stringify(known)}) c
      where b.id in ${setOf(made.bridges)}
        and (c.value not in (select id from ${connections}) or c.value in (select id from ${connections}
          where connector in ${setOf(made.bridged)}))
      on conflict (user_id, connection_id, bridge_id)
        do update set asked_at = excluded.asked_at, confirmed_at = null, waiting = 0`),
  ];
}

function addCounts(a: ErasedCounts | undefined, b: ErasedCounts): ErasedCounts {
  return {
    changes: (a?.changes ?? 0) + b.changes,
    report_rows: (a?.report_rows ?? 0) + b.report_rows,
    drops: (a?.drops ?? 0) + b.drops,
    uploads: (a?.uploads ?? 0) + b.uploads,
  };
}

export async function findErasure(db: Database, organizationId: number, userId: number): Promise<Erasure | null> {
  return await findRow(db, erasures, { userId, organizationId });
}

export interface TreeErasure {
  readonly tree: typeof treeErasures.$inferSelect;
  /** Null: the operator has removed it. */
  readonly bridge: Bridge | null;
}

export async function listTreesOf(db: Database, { organizationId, userId }: Erasure): Promise<TreeErasure[]> {
  return await db.orm.select({ tree: treeErasures, bridge: bridges }).from(treeErasures)
    .leftJoin(bridges, eq(bridges.id, treeErasures.bridgeId))
    .where(and(eq(treeErasures.organizationId, organizationId), eq(treeErasures.userId, userId)))
    .orderBy(asc(treeErasures.connectionId), asc(treeErasures.bridgeId));
}

/** A connection's tree from which a bridge must delete files that may hold an erased person; which one does not matter. */
export interface OpenTreeErasure {
  readonly connectionId: number;
  readonly organizationId: number;
  /** The time of the latest request: its confirmation also confirms earlier ones. */
  readonly askedAt: number;
}

/**
 * What the bridge has yet to do. A tree waits while a file that was taken before is not settled: it would be moved into
 * the tree afterwards. `serves`: ids of the organizations that it may know of; null: all.
 */
export async function listOpenTreeErasures(
  db: Database,
  bridgeId: number,
  serves: readonly number[] | null,
): Promise<OpenTreeErasure[]> {
  const rows = await db.rows<[number, number, number]>(sql`
    select t.connection_id, t.organization_id, max(t.asked_at) from ${treeErasures} t
    where t.bridge_id = ${bridgeId} and t.confirmed_at is null
      and not exists (select 1 from ${bridgeFiles} f join ${bridgeLeases} l on l.connection_id = f.connection_id
        where f.connection_id = t.connection_id and l.bridge_id = ${bridgeId} and f.settled_at is null
          and f.taken_at <= t.asked_at)
    group by t.connection_id, t.organization_id order by t.connection_id limit 1000`);
  return rows.map(([connectionId, organizationId, askedAt]) => ({ connectionId, organizationId, askedAt }))
    .filter(({ organizationId }) => serves === null || serves.includes(organizationId));
}

/** Safe to repeat. `waiting`: how many files still wait to be taken, which are not deleted. */
export async function confirmTreeErasure(
  db: Database,
  bridge: Bridge,
  { connectionId, askedAt, waiting }: { connectionId: number; askedAt: number; waiting: number },
  now: number,
  by: By = HUB,
): Promise<void> {
  const open = sql`bridge_id = ${bridge.id} and connection_id = ${connectionId} and asked_at <= ${askedAt}
    and confirmed_at is null`;
  const rows = await db.rows<[number, number]>(
    sql`select organization_id, user_id from ${treeErasures} where ${open} order by user_id limit 1000`,
  );
  if (rows.length === 0) return;
  const organizationId = rows[0]![0];
  await db.write([
    db.orm.update(treeErasures).set({ confirmedAt: now, waiting }).where(open),
    recordAudit(db, by, {
      organizationId,
      action: "user.erased_in_files",
      subjects: [
        ...rows.map(([, userId]) => encodeId("usr", userId)),
        encodeId("con", connectionId),
        encodeId("bri", bridge.id),
      ],
    }, now),
  ]);
}

/** The statement that has the database's file cleaned again, because a file's name was still needed until now. */
export function cleanAgain(
  db: Database,
  { connectionId, takenAt }: { readonly connectionId: number; readonly takenAt: number },
): Statement {
  return db.run(sql`update ${erasures} set cleaned_at = null where cleaned_at is not null and user_id in
    (select user_id from ${treeErasures} where connection_id = ${connectionId} and asked_at >= ${takenAt})`);
}

/** Erasures since which the database's file has not been cleaned. */
export async function listUncleaned(db: Database): Promise<{ userId: number; askedAt: number }[]> {
  return await db.orm.select({ userId: erasures.userId, askedAt: erasures.askedAt }).from(erasures)
    .where(sql`${erasures.cleanedAt} is null`).limit(10_000);
}

/** An erasure that was requested again since then, or after which a file was renamed, is not marked. */
export async function markCleaned(
  db: Database,
  done: readonly { readonly userId: number; readonly askedAt: number }[],
  { since, now }: { readonly since: number; readonly now: number },
): Promise<void> {
  const pairs = JSON.stringify(done.map(({ userId, askedAt }) => [userId, askedAt]));
  await db.write([
    db.run(sql`update ${erasures} set cleaned_at = ${now} where (user_id, asked_at) in
      (select value ->> 0, value ->> 1 from json_each(${pairs}))
      and organization_id not in (select organization_id from ${bridgeFiles}
        where settled_at > ${since} and name like ${`${KEYED}%`})`),
  ]);
}
