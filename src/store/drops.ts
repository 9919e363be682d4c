/**
 * Drops as stored: opened, filled, sealed, read back, deleted.
 *
 * A drop is an input as it was received. Until it is sealed it is an upload that nothing reads; sealing it and queueing
 * its run are one write, so that a drop is never without a run and no run without a whole drop.
 */
import { and, eq, inArray, isNull, lt, sql } from "drizzle-orm";
import type { Coverage, Entity } from "../record.ts";
import type { Database } from "./database.ts";
import { dropChunks, drops } from "./schema.ts";
import { type NewRun, queueRun } from "./runs.ts";
import { reserve } from "./sequences.ts";

export type Drop = typeof drops.$inferSelect;

/** How long an unsealed drop waits for its parts. */
export const UNSEALED_MS = 24 * 60 * 60 * 1000;

/** What is said of a drop when it is handed in; null: not said. */
export interface DropInput {
  readonly name: string;
  readonly contentType: string;
  readonly mode: "auto" | "plan";
  readonly entity: Entity | null;
  readonly coverage: Coverage | null;
}

/** What its content turned out to be. */
export interface Seal {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** Rows that the sender says it has; null: not said. */
  readonly rows: number | null;
}

/** Opens a drop for its content; gives its id. */
export async function createDrop(
  db: Database,
  organizationId: number,
  connectionId: number,
  input: DropInput,
  now: number,
): Promise<number> {
  const id = await reserve(db, "drop");
  await db.write([
    db.orm.insert(drops).values({
      ...input,
      id,
      organizationId,
      connectionId,
      expiresAt: now + UNSEALED_MS,
      createdAt: now,
    }),
  ]);
  return id;
}

export async function findDrop(db: Database, organizationId: number, id: number): Promise<Drop | null> {
  const [row] = await db.orm.select().from(drops).where(
    and(eq(drops.organizationId, organizationId), eq(drops.id, id)),
  );
  return row ?? null;
}

/**
 * Closes an upload for parts while its content is looked at; gives a stamp for reopenDrop and sealDrop, or null when it
 * is sealed already. A hub that dies here leaves an upload that can be closed again.
 */
export async function closeDrop(
  db: Database,
  organizationId: number,
  id: number,
  now: number,
): Promise<number | null> {
  const [rows] = await db.write([
    db.orm.update(drops).set({ sealedAt: sql`max(${now}, coalesce(${drops.sealedAt}, 0) + 1)` })
      .where(and(eq(drops.organizationId, organizationId), eq(drops.id, id), isNull(drops.sha256)))
      .returning({ stamp: drops.sealedAt }),
  ]) as [{ stamp: number }[]];
  return rows[0]?.stamp ?? null;
}

/** Lets parts in again after closeDrop. */
export async function reopenDrop(db: Database, organizationId: number, id: number, stamp: number): Promise<void> {
  await db.write([
    db.orm.update(drops).set({ sealedAt: null }).where(
      and(eq(drops.organizationId, organizationId), eq(drops.id, id), eq(drops.sealedAt, stamp), isNull(drops.sha256)),
    ),
  ]);
}

/** Seals the drop and queues its run, both or neither; false when another has closed or sealed it meanwhile. */
export async function sealDrop(
  db: Database,
  organizationId: number,
  id: number,
  seal: Seal,
  run: NewRun,
  times: { now: number; expiresAt: number; stamp: number | null },
): Promise<boolean> {
  const open = and(
    eq(drops.organizationId, organizationId),
    eq(drops.id, id),
    isNull(drops.sha256),
    times.stamp === null ? isNull(drops.sealedAt) : eq(drops.sealedAt, times.stamp),
  )!;
  const [rows] = await db.write([
    queueRun(db, run, times.now, sql`exists (select 1 from ${drops} where ${open})`),
    db.orm.update(drops).set({ ...seal, sealedAt: times.now, expiresAt: times.expiresAt }).where(open),
  ]) as [unknown[]];
  return rows.length > 0;
}

/** Deletes an unsealed drop with its parts; false when it is sealed, or there is none. */
export async function deleteUnsealedDrop(db: Database, organizationId: number, id: number): Promise<boolean> {
  const mine = and(eq(drops.organizationId, organizationId), eq(drops.id, id), isNull(drops.sha256));
  const results = await db.write([
    db.orm.delete(dropChunks).where(
      inArray(dropChunks.dropId, db.orm.select({ id: drops.id }).from(drops).where(mine)),
    ),
    db.orm.delete(drops).where(mine).returning({ id: drops.id }),
  ]);
  return (results[1] as unknown[]).length > 0;
}

/** Deletes what has expired: unsealed drops as a whole, of sealed ones the content. */
export async function expireDrops(db: Database, now: number): Promise<void> {
  const expired = db.orm.select({ id: drops.id }).from(drops).where(lt(drops.expiresAt, now));
  await db.write([
    db.orm.delete(dropChunks).where(inArray(dropChunks.dropId, expired)),
    db.orm.delete(drops).where(and(lt(drops.expiresAt, now), isNull(drops.sha256))),
  ]);
}
