/** Runs as stored: queued, found, listed and shown. How a run moves from one status to the next is not here. */
import { and, desc, eq, inArray, lt, type SQL, sql } from "drizzle-orm";
import { encodeId } from "../id.ts";
import { toInstant, toInstantOrNull } from "../time.ts";
import { type Database, pairs, type Statement } from "./database.ts";
import { connections, type Counts, drops, type HeldBy, type RUN_STATUSES, runs } from "./schema.ts";

export type Run = typeof runs.$inferSelect;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** What is known of a run when it is queued. */
export type NewRun =
  & Pick<
    Run,
    "id" | "organizationId" | "connectionId" | "dropId" | "trigger" | "mode" | "entity" | "coverage"
  >
  & {
    /** The request that caused it; none, where none did. */
    readonly requestId?: string | null;
  };

/** A run with what its view names. A connection or drop that is gone has null names. */
export interface StoredRun {
  readonly run: Run;
  readonly connection: { slug: string; name: string; connector: string } | null;
  readonly drop: { name: string; bytes: number; sha256: string | null; handedInBy: string | null } | null;
}

/** A run as the API and the command line show it. */
export interface RunView {
  readonly id: string;
  readonly connection: { id: string; slug: string | null; name: string | null };
  readonly connector: string | null;
  readonly trigger: Run["trigger"];
  readonly mode: Run["mode"];
  readonly entity: Run["entity"];
  readonly coverage: Run["coverage"];
  readonly status: RunStatus;
  readonly complete: boolean;
  readonly counts: Counts;
  readonly held_by: readonly HeldBy[];
  readonly plan_hash: string | null;
  readonly drop: { id: string; name: string; bytes: number; sha256: string | null } | null;
  readonly error: { code: string; message: string; line?: number | null } | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

/** A run that has not read anything. */
export const NO_COUNTS: Counts = {
  read: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  deactivated: 0,
  reactivated: 0,
  skipped: 0,
  failed: 0,
  warned: 0,
  missing: 0,
  departments_created: 0,
  departments_updated: 0,
};

/** The statement that queues a run, as long as `condition` holds; gives the run's id if it did. */
export function queueRun(db: Database, run: NewRun, now: number, condition: SQL = sql`1`): Statement {
  return db.orm.all(sql`
    insert into ${runs} (id, organization_id, connection_id, drop_id, trigger, mode, entity, coverage, status, created_at, request_id)
    select ${run.id}, ${run.organizationId}, ${run.connectionId}, ${run.dropId}, ${run.trigger}, ${run.mode},
      ${run.entity}, ${run.coverage}, 'queued', ${now}, ${run.requestId ?? null}
    where ${condition} returning id`);
}

export async function findRun(db: Database, organizationId: number, id: number): Promise<StoredRun | null> {
  const [row] = await select(db).where(and(eq(runs.organizationId, organizationId), eq(runs.id, id)));
  return row ?? null;
}

/** Those of the runs that are there, by id. */
export async function findRuns(
  db: Database,
  wanted: readonly { organizationId: number; id: number }[],
): Promise<ReadonlyMap<number, StoredRun>> {
  const rows = await select(db).where(sql`(${runs.organizationId}, ${runs.id}) in ${pairs(wanted)}`);
  return new Map(rows.map((row) => [row.run.id, row]));
}

/** The last run before this one of the same connection and entity that came to an end with a report. */
export async function findRunBefore(db: Database, run: Run): Promise<number | null> {
  const [row] = await db.orm.select({ id: runs.id }).from(runs).where(and(
    eq(runs.organizationId, run.organizationId),
    eq(runs.connectionId, run.connectionId),
    eq(runs.entity, run.entity),
    lt(runs.id, run.id),
    inArray(runs.status, ["succeeded", "partial", "failed"]),
  )).orderBy(desc(runs.id)).limit(1);
  return row?.id ?? null;
}

/** The run that a sealed drop started. */
export async function findRunOfDrop(db: Database, organizationId: number, dropId: number): Promise<StoredRun | null> {
  const [row] = await select(db).where(and(eq(runs.organizationId, organizationId), eq(runs.dropId, dropId)))
    .orderBy(runs.id).limit(1);
  return row ?? null;
}

/** The youngest first; at most `limit` of those before id `before` (null: from the youngest). */
export async function listRuns(
  db: Database,
  organizationId: number,
  filter: { connectionId: number | null; status: RunStatus | null },
  page: { before: number | null; limit: number },
): Promise<StoredRun[]> {
  return await select(db).where(and(
    eq(runs.organizationId, organizationId),
    filter.connectionId === null ? undefined : eq(runs.connectionId, filter.connectionId),
    filter.status === null ? undefined : eq(runs.status, filter.status),
    page.before === null ? undefined : lt(runs.id, page.before),
  )).orderBy(desc(runs.id)).limit(page.limit);
}

/** Whether the run has come to a stop: ended, or waiting for a person. */
export function isAtRest(status: RunStatus): boolean {
  return status !== "queued" && status !== "planning" && status !== "applying";
}

export function viewRun({ run, connection, drop }: StoredRun): RunView {
  return {
    id: encodeId("run", run.id),
    connection: {
      id: encodeId("con", run.connectionId),
      slug: connection?.slug ?? null,
      name: connection?.name ?? null,
    },
    connector: connection?.connector ?? null,
    trigger: run.trigger,
    mode: run.mode,
    entity: run.entity,
    coverage: run.coverage,
    status: run.status,
    complete: run.complete,
    counts: run.counts ?? NO_COUNTS,
    held_by: run.heldBy,
    plan_hash: run.planHash,
    drop: run.dropId === null || drop === null
      ? null
      : { id: encodeId("drp", run.dropId), name: drop.name, bytes: drop.bytes, sha256: drop.sha256 },
    error: run.error ?? null,
    created_at: toInstant(run.createdAt),
    started_at: toInstantOrNull(run.startedAt),
    finished_at: toInstantOrNull(run.finishedAt),
  };
}

function select(db: Database) {
  return db.orm.select({
    run: runs,
    connection: { slug: connections.slug, name: connections.name, connector: connections.connector },
    drop: { name: drops.name, bytes: drops.bytes, sha256: drops.sha256, handedInBy: drops.handedInBy },
  }).from(runs)
    .leftJoin(connections, eq(connections.id, runs.connectionId))
    .leftJoin(drops, eq(drops.id, runs.dropId)).$dynamic();
}
