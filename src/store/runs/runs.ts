/** Runs as stored: queued, found, listed and shown. */
import { and, desc, eq, gt, inArray, lt, type SQL, sql } from "drizzle-orm";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { MAX_QUEUED_RUNS, QUEUE_RETRY_AFTER_S } from "../../model/limits.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { type Database, insertIf, type Named, pairs, type Results, type Statement, writeNamed } from "../database.ts";
import { first, isOrAny } from "../reads.ts";
import { matches } from "../unchanged.ts";
import { isNoRoom, whileRoom } from "../room.ts";
import { connections } from "../connections/schema.ts";
import { drops } from "./schema-drops.ts";
import { runs } from "./schema.ts";
import { organizations } from "../schema.ts";
import { NO_COUNTS, type RunStatus, type RunView } from "../../model/run.ts";

export type Run = typeof runs.$inferSelect;
/** A run as it is queued. */
export type NewRun =
  & Pick<
    Run,
    "id" | "organizationId" | "connectionId" | "dropId" | "trigger" | "mode" | "entity" | "coverage"
  >
  & {
    /** The id of the request that caused it; null: none did. */
    readonly requestId?: string | null;
    /** As in Run; absent: all rows. */
    readonly rows?: string | null;
    readonly upgrade?: Run["upgrade"];
  };

/** A run with its connection and drop; null: they are deleted. */
export interface StoredRun {
  readonly run: Run;
  readonly connection: Pick<typeof connections.$inferSelect, "slug" | "name" | "connector" | "connectorDigest"> | null;
  readonly drop: { name: string; bytes: number; sha256: string | null; sentBy: string | null } | null;
}

/** `condition`: must hold for the run to be queued. `beyondLimit`: it continues what was applied, so no limit refuses it. */
interface Queueing {
  readonly condition?: SQL;
  readonly beyondLimit?: boolean;
}

/**
 * The statement that queues a run; gives the run's id if `condition` held. To be written with `writeQueueing`: with a full
 * queue, the batch fails.
 */
export function queueRun(
  db: Database,
  run: NewRun,
  now: number,
  { condition = sql`1`, beyondLimit = false }: Queueing = {},
): Statement {
  const status = beyondLimit
    ? sql`'queued'`
    : whileRoom("queued", { taken: queuedOf(run.organizationId), most: MAX_QUEUED_RUNS });
  return db.all(sql`${insertIf(runs, { ...run, status, createdAt: now }, condition)} returning id`);
}

/** Writes a batch with `queueRun` in it. Fails with `queue_full`, and then writes nothing. */
export async function writeQueueing<T extends Named>(db: Database, statements: T): Promise<Results<T>> {
  try {
    return await writeNamed(db, statements);
  } catch (error) {
    throw isNoRoom(error, "runs.status") ? queueFull(error) : error;
  }
}

/** Fails with `queue_full`, before a client sends a body that would be refused. */
export async function requireRoomInQueue(db: Database, organizationId: number): Promise<void> {
  const [row] = await db.rows<[number]>(queuedOf(organizationId));
  if (row![0] >= MAX_QUEUED_RUNS) throw queueFull();
}

/** True in SQL while the organization has room in its queue; for queries over organizations. */
export function hasRoomInQueue(): SQL {
  return sql`(${queuedOf(sql`${organizations.id}`)}) < ${MAX_QUEUED_RUNS}`;
}

function queuedOf(organizationId: number | SQL): SQL {
  return sql`select count(*) from ${runs} where organization_id = ${organizationId} and status = 'queued'`;
}

function queueFull(cause?: unknown): Fault {
  return new Fault(
    "queue_full",
    `${MAX_QUEUED_RUNS} runs of the organization wait for their turn; send this again once some of them have ended. ` +
      "Those of a paused connection, or behind a held run, wait until an admin resumes the connection, decides on the " +
      "held run, or cancels them",
    { retryAfterS: QUEUE_RETRY_AFTER_S, cause },
  );
}

export async function findRun(db: Database, organizationId: number, id: number): Promise<StoredRun | null> {
  return await first(select(db).where(and(eq(runs.organizationId, organizationId), eq(runs.id, id))));
}

/** Those of the runs that exist, by id. */
export async function findRuns(
  db: Database,
  wanted: readonly { organizationId: number; id: number }[],
): Promise<ReadonlyMap<number, StoredRun>> {
  const rows = await select(db).where(sql`(${runs.organizationId}, ${runs.id}) in ${pairs(wanted)}`);
  return new Map(rows.map((row) => [row.run.id, row]));
}

/** The latest run of each of these connections, by the connection's number. */
export async function findLatestRuns(
  db: Database,
  organizationId: number,
  connectionIds: readonly number[],
): Promise<ReadonlyMap<number, StoredRun>> {
  if (connectionIds.length === 0) return new Map();
  // One step in the index for each of them, however many runs they have had.
  const latest = sql`(select (select max(r.id) from ${runs} r where r.connection_id = c.value)
    from json_each(${JSON.stringify(connectionIds)}) c)`;
  const rows = await select(db).where(and(eq(runs.organizationId, organizationId), sql`${runs.id} in ${latest}`));
  return new Map(rows.map((row) => [row.run.connectionId, row]));
}

/** The last run before this one, of the same connection and entity, that ended with a report. */
export async function findRunBefore(db: Database, run: Run): Promise<number | null> {
  return await findLastOf(db, run, and(lt(runs.id, run.id), inArray(runs.status, ["succeeded", "partial", "failed"])));
}

/** The latest held run after this one, of the same connection and entity: it has superseded this one. */
export async function findHeldSuccessor(db: Database, run: Run): Promise<number | null> {
  return await findLastOf(db, run, and(gt(runs.id, run.id), eq(runs.status, "held")));
}

/** The oldest held run of the same connection that this one, queued to be applied, waits for. */
export async function findHeldBefore(db: Database, run: Run): Promise<{ readonly file: string | null } | null> {
  if (run.status !== "queued" || run.mode !== "auto") return null;
  const { organizationId, connectionId } = run;
  return await first(
    db.orm.select({ file: drops.name }).from(runs).leftJoin(drops, eq(drops.id, runs.dropId))
      .where(and(
        matches(runs, { organizationId, connectionId, status: "held" }),
        sql`(${runs.id} < ${run.id} or ${runs.id} = ${run.waitsFor})`,
      ))
      .orderBy(runs.id).limit(1),
  );
}

/** The names of the files of these runs, in their order. */
export async function listFileNames(db: Database, organizationId: number, ids: readonly number[]): Promise<string[]> {
  const rows = await db.rows<[string]>(sql`select d.name from ${runs} r join ${drops} d on d.id = r.drop_id
    where r.organization_id = ${organizationId} and r.id in (select value from json_each(${JSON.stringify(ids)}))
    order by r.id`);
  return rows.map(([name]) => name);
}

async function findLastOf(
  db: Database,
  { organizationId, connectionId, entity }: Run,
  which: SQL | undefined,
): Promise<number | null> {
  const found = await first(
    db.orm.select({ id: runs.id }).from(runs)
      .where(and(matches(runs, { organizationId, connectionId, entity }), which)).orderBy(desc(runs.id)).limit(1),
  );
  return found?.id ?? null;
}

/** The run that a sealed drop started. */
export async function findRunOfDrop(db: Database, organizationId: number, dropId: number): Promise<StoredRun | null> {
  return await first(
    select(db).where(and(eq(runs.organizationId, organizationId), eq(runs.dropId, dropId))).orderBy(runs.id).limit(1),
  );
}

/** Youngest first; at most `limit` of those before id `before` (null: from the youngest). */
export async function listRuns(
  db: Database,
  organizationId: number,
  filter: { connectionId: number | null; status: RunStatus | null; sentBy: string | null },
  page: { before: number | null; limit: number },
): Promise<StoredRun[]> {
  return await select(db).where(and(
    eq(runs.organizationId, organizationId),
    isOrAny(runs.connectionId, filter.connectionId),
    isOrAny(runs.status, filter.status),
    isOrAny(drops.sentBy, filter.sentBy),
    page.before === null ? undefined : lt(runs.id, page.before),
  )).orderBy(desc(runs.id)).limit(page.limit);
}

/** Runs that plan or apply now, of an organization or of a connection. */
export function selectAtWork(db: Database, of: Partial<Pick<Run, "organizationId" | "connectionId">>) {
  return db.orm.select({ id: runs.id }).from(runs)
    .where(and(matches(runs, of), inArray(runs.status, ["planning", "applying"]))).$dynamic();
}

/** Whether the run has stopped: it has ended, or waits for a person. */
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
    error: run.error ?? waitingFor(run),
    note: run.note,
    created_at: toInstant(run.createdAt),
    started_at: toInstantOrNull(run.startedAt),
    finished_at: toInstantOrNull(run.finishedAt),
  };
}

/** Why a run that has not ended waits before its next attempt. */
function waitingFor({ status, pause }: Run): RunView["error"] {
  return pause?.why == null || isAtRest(status) ? null : { code: "unavailable", message: pause.why };
}

function select(db: Database) {
  return db.orm.select({
    run: runs,
    connection: {
      slug: connections.slug,
      name: connections.name,
      connector: connections.connector,
      connectorDigest: connections.connectorDigest,
    },
    drop: { name: drops.name, bytes: drops.bytes, sha256: drops.sha256, sentBy: drops.sentBy },
  }).from(runs)
    .leftJoin(connections, eq(connections.id, runs.connectionId))
    .leftJoin(drops, eq(drops.id, runs.dropId)).$dynamic();
}
