/**
 * Clocks of connections as stored: when each fetches next, by when its next input is expected, and where its last
 * complete fetch ended. The times are computed elsewhere (schedule.ts).
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Connection, ConnectionRef } from "./connections.ts";
import type { Database, Statement } from "../database.ts";
import type { Entity } from "../../model/record.ts";
import { hasContent } from "../runs/drop-content.ts";
import { findDrop } from "../runs/drops.ts";
import { hasRoomInQueue, type Run } from "../runs/runs.ts";
import { connections } from "./schema.ts";
import { organizations } from "../schema.ts";
import { connectionClocks, fetches, type LastRead } from "./schema-sources.ts";
import { findRow } from "../reads.ts";
import { unchanged } from "../unchanged.ts";

export type Clock = typeof connectionClocks.$inferSelect;

/** A connection with a clock, and what its times are computed from. */
export interface Timed {
  readonly connection: Connection;
  readonly timezone: string;
  readonly clock: Clock | null;
}

const TIMED = { connection: connections, timezone: organizations.timezone, clock: connectionClocks };

/** Connections with a schedule or an expected input, and those whose clock still has times of a former one. */
export async function listTimed(db: Database): Promise<Timed[]> {
  return await db.orm.select(TIMED)
    .from(connections)
    .innerJoin(organizations, eq(organizations.id, connections.organizationId))
    .leftJoin(connectionClocks, eq(connectionClocks.connectionId, connections.id))
    .where(sql`${connections.schedule} is not null or ${connections.expectedBy} is not null
      or ${connectionClocks.nextAt} is not null or ${connectionClocks.expectedAt} is not null
      or ${connectionClocks.overdueSince} is not null`);
}

/** Connections whose next fetch is due, the longest due first. Those of organizations with a full queue stay due. */
export async function listDueFetches(db: Database, now: number, limit: number): Promise<Timed[]> {
  return await db.orm.select(TIMED)
    .from(connectionClocks)
    .innerJoin(connections, eq(connections.id, connectionClocks.connectionId))
    .innerJoin(organizations, eq(organizations.id, connections.organizationId))
    .where(and(sql`${connectionClocks.nextAt} <= ${now}`, sql`${connections.pausedAt} is null`, hasRoomInQueue()))
    .orderBy(connectionClocks.nextAt).limit(limit);
}

/** The statement that sets some values of a connection's clock, which it creates if needed; only if `condition` holds. */
export function setClock(
  db: Database,
  { id, organizationId }: ConnectionRef,
  values: Partial<Omit<Clock, "connectionId" | "organizationId">>,
  condition: SQL = sql`1`,
): Statement {
  return db.orm.insert(connectionClocks).values({ connectionId: id, organizationId, ...values })
    .onConflictDoUpdate({ target: connectionClocks.connectionId, set: values, setWhere: condition });
}

/** True in SQL while the next fetch is as it was read; null: there was no clock, so none may be there now. */
export function isClockAsRead(clock: Clock | null): SQL {
  return clock === null ? sql`0` : unchanged(connectionClocks, clock, ["connectionId", "nextAt"]);
}

/** True in SQL while the expectation is as it was read. */
export function isExpectationAsRead(clock: Clock): SQL {
  return unchanged(connectionClocks, clock, ["connectionId", "expectedAt", "overdueSince", "overdueMailedAt"]);
}

/** Clocks of the organization, by connection. */
export async function listClocks(db: Database, organizationId: number): Promise<ReadonlyMap<number, Clock>> {
  const rows = await db.orm.select().from(connectionClocks).where(eq(connectionClocks.organizationId, organizationId));
  return new Map(rows.map((row) => [row.connectionId, row]));
}

/**
 * Whether the connection has an input from after `since`: a drop that was sent or fetched, or a source that reported that
 * nothing has changed.
 */
export async function hasCome(db: Database, { id }: ConnectionRef, since: number): Promise<boolean> {
  const rows = await db.rows(sql`select 1 from drops where connection_id = ${id} and sha256 is not null
    and sealed_at > ${since}
    union all select 1 from ${fetches} where connection_id = ${id} and unchanged is not null and ended_at > ${since}
    limit 1`);
  return rows.length > 0;
}

/** The last complete fetch of the entity that was applied. Null: there is none whose state and rows can still be used. */
export async function findLastRead(
  db: Database,
  { id, organizationId, settingsVersion }: Connection,
  entity: Entity,
): Promise<(LastRead & { readonly dropId: number }) | null> {
  const row = await findRow(db, connectionClocks, { connectionId: id, organizationId });
  const read = row?.reads?.[entity];
  if (read == null || read.dropId === null || read.settingsVersion !== settingsVersion) return null;
  const drop = await findDrop(db, organizationId, read.dropId);
  if (drop === null || drop.sealedAt === null || !await hasContent(db, drop)) return null;
  return { ...read, dropId: drop.id };
}

/** The statement that stores how the run's fetch ended, if it was complete and saved a checkpoint. */
export function rememberRead(db: Database, run: Run): Statement {
  const path = `$.${run.entity}`;
  const read = sql`json_object('state', json(checkpoint), 'settingsVersion', ${run.figures?.settingsVersion ?? null},
    'dropId', ${run.dropId}, 'version', connector_version)`;
  return db.run(sql`insert into ${connectionClocks} (connection_id, organization_id, reads)
    select connection_id, organization_id, json_object(${run.entity}, ${read}) from ${fetches}
    where run_id = ${run.id} and complete = 1 and checkpoint is not null
    on conflict (connection_id) do update
      set reads = json_set(coalesce(reads, '{}'), ${path}, json(excluded.reads -> ${path}))`);
}
