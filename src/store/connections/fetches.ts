/**
 * Fetches as stored: queued with their run, leased by the process that reads the source, stored chunk by chunk, ended
 * once.
 *
 * Every write of a reader is fenced: it fails as a whole once another reader has claimed the fetch, or the run is no longer
 * queued. Only chunks that a checkpoint or the end has recorded count: later ones are left over from a reader that died.
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { type By, HUB } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import type { Issue } from "../../model/record.ts";
import type { Turns } from "../../std/turns.ts";
import { recordAudit } from "../audit.ts";
import type { Connection } from "./connections.ts";
import { type Database, insertIf, setOf, type Statement, writeNamed } from "../database.ts";
import { type NewRun, queueRun, type Run, writeQueueing } from "../runs/runs.ts";
import { connections } from "./schema.ts";
import { dropChunks, drops } from "../runs/schema-drops.ts";
import { runs } from "../runs/schema.ts";
import { fetches, type LastRead, type OriginMark } from "./schema-sources.ts";
import { findRow, first } from "../reads.ts";
import { reserve } from "../sequences.ts";
import { fenced } from "../fence.ts";
import { isFree, leaseEnd, leaseIn, stateOf } from "../lease.ts";
import type { LeaseState } from "../lease-watch.ts";

export type Fetch = typeof fetches.$inferSelect;

const FETCH_LEASE = leaseIn({ owner: "owner", until: "lease_until", epoch: "lease_epoch", beat: "lease_beat" });
/** Candidates of one organization: another process may claim the first of them at the same time. */
const OPEN_EACH = 4;

/** True in SQL while no run of the connection is queued or at work. */
export function nothingUnderWay(connectionId: number): SQL {
  return sql`not exists (select 1 from runs where connection_id = ${connectionId}
    and status in ('queued', 'planning', 'applying') and trigger in ('schedule', 'manual', 'retry'))`;
}

/** A fetch as it is queued: one run for each entity, in the order in which they are read. */
export interface NewFetch extends Omit<NewRun, "id" | "dropId" | "entity" | "coverage"> {
  readonly brings: readonly Pick<NewRun, "entity" | "coverage">[];
}

/**
 * Queues the runs of a source that is fetched, unless one is under way for the connection. `condition`: another
 * condition; `also`: statements that follow. Gives the runs' ids in their order, or null. Fails with `queue_full`, and
 * then writes nothing.
 */
export async function queueFetch(
  db: Database,
  { brings, ...run }: NewFetch,
  now: number,
  { by = HUB, condition = sql`1`, also = [] }: { by?: By; condition?: SQL; also?: readonly Statement[] } = {},
): Promise<number[] | null> {
  const first = await reserve(db, "run", brings.length);
  const ids = brings.map((_, i) => first + i);
  const { organizationId, connectionId } = run;
  const subjects = [encodeId("con", connectionId), ...ids.map((id) => encodeId("run", id))];
  const queued = sql`exists (select 1 from runs where id = ${first})`;
  const isFirst = sql`${nothingUnderWay(connectionId)} and ${condition}
    and exists (select 1 from connections where id = ${connectionId})`;
  const [made, ...others] = brings.map((each, i) =>
    queueRun(db, { ...run, ...each, id: ids[i]!, dropId: null }, now, { condition: i === 0 ? isFirst : queued })
  );
  const results = await writeQueueing(db, {
    made: made!,
    others,
    audit: by === HUB ? [] : [recordAudit(db, by, { organizationId, action: "run.requested", subjects }, now, queued)],
    fetches: ids.map((runId) =>
      db.run(insertIf(fetches, { runId, organizationId, connectionId, createdAt: now }, queued))
    ),
    also,
  });
  return results.made.length > 0 ? ids : null;
}

/** The run of the connection that is queued or at work. */
export async function findUnderWay(db: Database, connectionId: number): Promise<number | null> {
  const [row] = await db.rows<[number]>(sql`select id from runs where connection_id = ${connectionId}
    and status in ('queued', 'planning', 'applying') and trigger in ('schedule', 'manual', 'retry') order by id limit 1`);
  return row?.[0] ?? null;
}

export interface ClaimedFetch {
  readonly fetch: Fetch;
  readonly run: Run;
  readonly connection: Connection;
}

/**
 * Claims the oldest free fetch of the organization whose turn it is; null: there is none. Fetches of paused connections
 * wait, unless they are only to be planned, and people wait until the departments that were queued with them are applied;
 * `busy` organizations are left out. Fetches whose run has ended are ended here.
 * `reading`: runs whose fetches this owner reads; another one of its own is a claim whose answer was lost, and is free.
 */
export async function claimFetch(
  db: Database,
  owner: string,
  now: number,
  { isGone, busy, turns, reading }: {
    isGone: (owner: string) => boolean;
    busy: readonly number[];
    turns: Turns;
    reading?: ReadonlySet<number>;
  },
): Promise<ClaimedFetch | null> {
  const isUnknown = (runId: number, name: string) => name === owner && reading?.has(runId) === false;
  const free = await listFree(db, (runId, name) => isGone(name) || isUnknown(runId, name));
  const open = await db.rows<[number, number, string | null]>(sql`
    select run_id, organization_id, status from (
      select f.run_id, f.organization_id, r.status,
        row_number() over (partition by f.organization_id, r.status is 'queued' order by f.run_id) as place
      from fetches f left join runs r on r.id = f.run_id left join connections c on c.id = f.connection_id
      where f.ended_at is null
        and (r.status is null or r.status <> 'queued' or c.id is null or c.paused_at is null or r.mode = 'plan')
        and (r.status is not 'queued' or f.owner is null or f.run_id in ${setOf([...free.keys()])})
        and not exists (
          select 1 from fetches df join runs d on d.id = df.run_id where df.connection_id = f.connection_id
            and d.id < r.id and d.entity = 'departments' and d.status in ('queued', 'planning', 'applying')
            and d.waits_for is null)
        and f.organization_id not in ${setOf(busy)})
    where place <= ${OPEN_EACH} order by run_id`);
  for (const [runId, organizationId, status] of turns.order(open, ([, organization]) => organization)) {
    if (status !== "queued") {
      await db.write([
        db.run(sql`update fetches set ended_at = ${now}, ${FETCH_LEASE.release()} where run_id = ${runId}
          and ended_at is null and not exists (select 1 from runs where id = ${runId} and status = 'queued')`),
      ]);
      continue;
    }
    const claimed = await takeFetch(db, runId, owner, now, free.get(runId) ?? null);
    if (claimed === null) continue;
    turns.took(organizationId, 1);
    return claimed;
  }
  return null;
}

/** Fetches whose lease is over, or whose reader is gone, by run. */
async function listFree(
  db: Database,
  isGone: (runId: number, reader: string) => boolean,
): Promise<ReadonlyMap<number, LeaseState>> {
  const rows = await db.rows<[number, string]>(
    sql`select run_id, ${FETCH_LEASE.state} from fetches where ended_at is null and owner is not null`,
  );
  return new Map(
    rows.map(([id, state]) => [id, stateOf(state)] as const)
      .filter(([id, state]) => isFree(db, `fetch ${id}`, state, (reader) => isGone(id, reader))),
  );
}

/** `before`: the lease that is over; null: there was none. Null when another process was faster, or the run or its connection is no longer there. */
async function takeFetch(
  db: Database,
  runId: number,
  owner: string,
  now: number,
  before: LeaseState | null,
): Promise<ClaimedFetch | null> {
  const { changed } = await writeNamed(db, {
    changed: db.orm.update(fetches).set({
      owner,
      leaseUntil: leaseEnd(),
      leaseEpoch: sql`${fetches.leaseEpoch} + 1`,
      leaseBeat: 0,
      attempts: sql`${fetches.attempts} + 1`,
      startedAt: sql`coalesce(${fetches.startedAt}, ${now})`,
    }).where(and(
      eq(fetches.runId, runId),
      sql`ended_at is null and ${before === null ? sql`owner is null` : FETCH_LEASE.isAsRead(before)}`,
      sql`exists (select 1 from runs where id = ${runId} and status = 'queued')`,
    )).returning(),
    runs: db.orm.update(runs).set({ startedAt: sql`coalesce(${runs.startedAt}, ${now})` })
      .where(and(eq(runs.id, runId), eq(runs.status, "queued"))),
  });
  const fetch = changed[0];
  if (fetch === undefined) return null;
  const found = await first(
    db.orm.select({ run: runs, connection: connections }).from(runs)
      .innerJoin(connections, eq(connections.id, runs.connectionId))
      .where(and(eq(runs.id, runId), eq(connections.organizationId, fetch.organizationId))),
  );
  return found === null ? null : { fetch, ...found };
}

/** A fetch as a reader has claimed it. */
export type HeldFetch = Pick<Fetch, "runId" | "leaseEpoch">;

/**
 * Writes what a reader has read, and renews its lease. Fails once the fetch is no longer this reader's, or its run has
 * ended (isFenced).
 */
export async function writeFetch(
  db: Database,
  fetch: HeldFetch,
  records: number,
  statements: readonly Statement[],
): Promise<void> {
  const progress = JSON.stringify({ phase: "fetch", done: records, total: null });
  await db.write([
    db.run(sql`update fetches set ${FETCH_LEASE.renew()} where run_id = ${held(fetch)}`),
    db.run(sql`update runs set progress = ${progress} where id = ${fetch.runId}`),
    ...statements,
  ]);
}

function held({ runId, leaseEpoch }: HeldFetch): SQL {
  return fenced(
    sql`select run_id from fetches where run_id = ${runId} and lease_epoch = ${leaseEpoch} and ended_at is null
    and exists (select 1 from runs where id = ${runId} and status = 'queued')`,
  );
}

/** The statement that stores one chunk of the drop. */
export function keepChunk(
  db: Database,
  dropId: number,
  chunk: { readonly index: number; readonly bytes: number; readonly body: Uint8Array },
): Statement {
  return db.run(sql`insert or replace into ${dropChunks} (drop_id, part, chunk, bytes, body)
    values (${dropId}, 1, ${chunk.index}, ${chunk.bytes}, ${chunk.body})`);
}

/** The statement that deletes chunks from `index` on: those that were not recorded, or are to be read again. */
export function forgetChunks(db: Database, dropId: number, index: number, condition?: SQL): Statement {
  return db.orm.delete(dropChunks).where(
    and(eq(dropChunks.dropId, dropId), sql`${dropChunks.chunk} >= ${index}`, condition),
  );
}

/** The recorded progress of a fetch. */
export interface Noted {
  readonly dropId: number | null;
  readonly chunks: number;
  readonly bytes: number;
  readonly records: number;
  readonly checkpoint: unknown;
  readonly origins: readonly OriginMark[];
  readonly warnings: readonly Issue[];
  readonly repeated: number;
  readonly expected: number | null;
  readonly connectorVersion: string | null;
}

export function note(db: Database, { runId }: Pick<Fetch, "runId">, noted: Partial<Noted>): Statement {
  return db.orm.update(fetches).set(noted as Partial<Fetch>).where(eq(fetches.runId, runId));
}

export interface FetchEnd {
  readonly complete: boolean;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** The drop that its run is planned from; null: nothing was read. */
  readonly drop: { readonly id: number; readonly bytes: number; readonly sha256: string } | null;
  /** The source reported that nothing has changed: the run is planned from the drop of the last fetch. */
  readonly unchanged: { readonly because: string; readonly note: string; readonly last: LastRead } | null;
  readonly expiresAt: number;
}

/** The statements that end the fetch: they seal its drop, and its run can then be planned. */
export function endFetch(
  db: Database,
  { runId }: Pick<Fetch, "runId">,
  { complete, error, drop, expiresAt, unchanged }: FetchEnd,
  now: number,
): Statement[] {
  return [
    ...(unchanged === null ? [] : [
      db.orm.update(runs).set({ dropId: unchanged.last.dropId, note: unchanged.note }).where(eq(runs.id, runId)),
      db.orm.update(fetches).set({
        unchanged: unchanged.because,
        checkpoint: sql`coalesce(checkpoint, ${JSON.stringify(unchanged.last.state)})`,
      }).where(eq(fetches.runId, runId)),
    ]),
    ...(drop === null ? [] : [
      db.orm.update(drops).set({ bytes: drop.bytes, sha256: drop.sha256, sealedAt: now, expiresAt })
        .where(eq(drops.id, drop.id)),
      db.orm.update(runs).set({ dropId: drop.id }).where(eq(runs.id, runId)),
    ]),
    db.orm.update(fetches).set({ complete, error, endedAt: now }).where(eq(fetches.runId, runId)),
  ];
}

/**
 * Lets another reader continue where this one stopped. `counts`: it counts as an attempt, of which there is a limited
 * number. Does nothing once another reader has claimed the fetch.
 */
export async function releaseFetch(db: Database, { runId, leaseEpoch }: HeldFetch, counts: boolean): Promise<void> {
  await db.write([
    db.run(sql`update fetches set ${FETCH_LEASE.release()}, attempts = attempts - ${counts ? 0 : 1}
      where run_id = ${runId} and lease_epoch = ${leaseEpoch} and ended_at is null`),
  ]);
}

/** Deletes what the reader of an ended run left behind; nothing while the run is queued. */
export async function forgetDrop(db: Database, { runId }: Pick<Fetch, "runId">, dropId: number): Promise<void> {
  const unused = sql`not exists (select 1 from runs where id = ${runId} and status = 'queued')
    and exists (select 1 from drops where id = ${dropId} and sha256 is null)`;
  await db.write([
    forgetChunks(db, dropId, 0, unused),
    db.orm.delete(drops).where(and(eq(drops.id, dropId), unused)),
  ]);
}

export async function findFetch(db: Database, { id, organizationId }: Run): Promise<Fetch | null> {
  return await findRow(db, fetches, { runId: id, organizationId });
}

/** The fetch that stored the drop; null for a drop that was sent. */
export async function findFetchOfDrop(db: Database, organizationId: number, dropId: number): Promise<Fetch | null> {
  return await findRow(db, fetches, { dropId, organizationId });
}
