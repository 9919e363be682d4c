/**
 * Clocks of connections as stored: when each fetches next, by when its feed is expected, and what its last complete fetch
 * ended with. Moments are worked out elsewhere (schedule.ts); here they are kept, and taken once.
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Connection } from "./connections.ts";
import type { Database, Statement } from "../database.ts";
import { hasRoomInQueue, type Run } from "../runs/runs.ts";
import { connections } from "./schema.ts";
import { organizations } from "../schema.ts";
import { connectionClocks, fetches } from "./schema-sources.ts";
import { unchanged } from "../unchanged.ts";

export type Clock = typeof connectionClocks.$inferSelect;

/** A connection that something is due for by itself, with what its moments are worked out from. */
export interface Timed {
  readonly connection: Connection;
  readonly timezone: string;
  readonly clock: Clock | null;
}

type Owner = Pick<Connection, "id" | "organizationId">;

/** Connections that fetch by themselves or whose feed is expected, and those that no longer do and have moments left. */
export async function listTimed(db: Database): Promise<Timed[]> {
  return await db.orm.select({ connection: connections, timezone: organizations.timezone, clock: connectionClocks })
    .from(connections)
    .innerJoin(organizations, eq(organizations.id, connections.organizationId))
    .leftJoin(connectionClocks, eq(connectionClocks.connectionId, connections.id))
    .where(sql`${connections.schedule} is not null or ${connections.expectedBy} is not null
      or ${connectionClocks.nextAt} is not null or ${connectionClocks.expectedAt} is not null
      or ${connectionClocks.overdueSince} is not null`);
}

/** Connections whose moment to fetch has come, the longest due first. Where the queue is full, they stay due. */
export async function listDueFetches(db: Database, now: number, limit: number): Promise<Timed[]> {
  return await db.orm.select({ connection: connections, timezone: organizations.timezone, clock: connectionClocks })
    .from(connectionClocks)
    .innerJoin(connections, eq(connections.id, connectionClocks.connectionId))
    .innerJoin(organizations, eq(organizations.id, connections.organizationId))
    .where(and(sql`${connectionClocks.nextAt} <= ${now}`, sql`${connections.pausedAt} is null`, hasRoomInQueue()))
    .orderBy(connectionClocks.nextAt).limit(limit);
}

/** The statement that sets some of a connection's clock, making it if there is none; only while `condition` holds. */
export function setClock(
  db: Database,
  { id, organizationId }: Owner,
  values: Partial<Omit<Clock, "connectionId" | "organizationId">>,
  condition: SQL = sql`1`,
): Statement {
  return db.orm.insert(connectionClocks).values({ connectionId: id, organizationId, ...values })
    .onConflictDoUpdate({ target: connectionClocks.connectionId, set: values, setWhere: condition });
}

/** True in SQL while the clock stands as it was seen. */
export function clockStands(clock: Clock): SQL {
  return unchanged(connectionClocks, clock, ["connectionId", "nextAt"]);
}

/** As true in SQL, for how the expectation was seen. */
export function expectationStands(clock: Clock): SQL {
  return unchanged(connectionClocks, clock, ["connectionId", "expectedAt", "overdueSince", "overdueSaidAt"]);
}

/** What connections are waiting for, by connection. */
export async function listClocks(
  db: Database,
  organizationId: number,
): Promise<ReadonlyMap<number, Clock>> {
  const rows = await db.orm.select().from(connectionClocks).where(eq(connectionClocks.organizationId, organizationId));
  return new Map(rows.map((row) => [row.connectionId, row]));
}

/** Whether something has come for the connection since `since`: a drop that was handed in or fetched. */
export async function hasCome(db: Database, { id }: Owner, since: number): Promise<boolean> {
  const rows = await db.rows(sql`select 1 from drops where connection_id = ${id} and sha256 is not null
    and sealed_at > ${since} limit 1`);
  return rows.length > 0;
}

/** What the connection's last complete fetch that was applied ended with; null where another meaning of rows came since. */
export async function findCheckpoint(db: Database, { id, settingsVersion }: Connection): Promise<unknown> {
  const [row] = await db.orm.select().from(connectionClocks).where(eq(connectionClocks.connectionId, id));
  return row === undefined || row.checkpointVersion !== settingsVersion ? null : row.checkpoint;
}

/** The statement that remembers what the run's fetch ended with, if that was complete. */
export function rememberCheckpoint(db: Database, run: Run): Statement {
  return db.run(sql`insert into ${connectionClocks} (connection_id, organization_id, checkpoint, checkpoint_version)
    select connection_id, organization_id, checkpoint, ${run.figures?.settingsVersion ?? null} from ${fetches}
    where run_id = ${run.id} and complete = 1 and checkpoint is not null
    on conflict (connection_id) do update set checkpoint = excluded.checkpoint,
      checkpoint_version = excluded.checkpoint_version`);
}
