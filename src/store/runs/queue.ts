/**
 * Which run is next, and which process carries it. An organization plans and applies one run at a time: the process that
 * carries it holds the organization's lease, and renews it with every write.
 */
import { type SQL, sql } from "drizzle-orm";
import { type Database, type Statement, writeNamed } from "../database.ts";
import { LONGEST_PAUSE_MS } from "../../model/attempts.ts";
import type { Earlier } from "../../reconcile/guard.ts";
import { findRow } from "../reads.ts";
import type { Run } from "./runs.ts";
import { HAS_NAMES, MAY_PASS, WAITS_FOR_PEOPLE } from "./run-names.ts";
import { runs } from "./schema.ts";
import { fenced } from "../fence.ts";
import { type Holder, isFree, leaseIn, stateOf } from "../lease.ts";
import { mayBeDone } from "../trouble.ts";

/** The right to change an organization's people. `lease_run` is the run, if the holder carries one. */
const ORGANIZATION_LEASE = leaseIn({
  owner: "lease_owner",
  until: "lease_until",
  epoch: "lease_epoch",
  beat: "lease_beat",
});

export interface Lease {
  readonly organizationId: number;
  /** As the claim has set it. */
  readonly epoch: number;
}

/**
 * The statements that renew a run's lease: first in every write of the run, so that no other process takes it over, and
 * the write fails as a whole once one has (fence.ts).
 */
export type Renew = () => Statement[];

export function renewLease(db: Database, lease: Lease): Statement[] {
  return [db.run(sql`update organizations set ${ORGANIZATION_LEASE.renew()} where id = ${held(lease)}`)];
}

/** Fails the batch like `renewLease`. */
export function releaseLease(db: Database, lease: Lease): Statement {
  return db.run(
    sql`update organizations set lease_run = null, ${ORGANIZATION_LEASE.release()} where id = ${held(lease)}`,
  );
}

function held({ organizationId, epoch }: Lease): SQL {
  return fenced(sql`select id from organizations where id = ${organizationId} and lease_epoch = ${epoch}`);
}

/**
 * Claims the organization's lease, for a run or for none, if `condition` holds. Null: it is not free, or does not. `name` must
 * be the caller's alone: where the answer was lost, the claim is recognized by it.
 */
export async function claimOrganization(
  db: Database,
  organizationId: number,
  { name, isGone }: Holder,
  runId: number | null,
  condition: SQL,
): Promise<Lease | null> {
  const state = await readLease(db, organizationId);
  if (state === null || !isFree(db, keyOf(organizationId), state, isGone)) return null;
  const lease = { organizationId, epoch: state.epoch + 1 };
  try {
    const { taken } = await writeNamed(db, {
      taken: db.all(sql`update organizations set lease_run = ${runId}, ${ORGANIZATION_LEASE.claim(name)}
        where id = ${organizationId} and ${ORGANIZATION_LEASE.isAsRead(state)} and ${condition} returning id`),
    });
    return taken.length === 0 ? null : lease;
  } catch (error) {
    const now = mayBeDone(error) ? await readLease(db, organizationId) : null;
    if (now?.owner === name && now.epoch === lease.epoch) return lease;
    throw error;
  }
}

/** True in SQL while the organization's lease is as it is now; null: a process has it. */
export async function isIdle(db: Database, organizationId: number): Promise<SQL | null> {
  const state = await readLease(db, organizationId);
  return state !== null && isFree(db, keyOf(organizationId), state) ? ORGANIZATION_LEASE.isAsRead(state) : null;
}

async function readLease(db: Database, organizationId: number) {
  const [row] = await db.rows<[string]>(
    sql`select ${ORGANIZATION_LEASE.state} from organizations where id = ${organizationId}`,
  );
  return row === undefined ? null : stateOf(row[0]);
}

function keyOf(organizationId: number): string {
  return `organization ${organizationId}`;
}

/** A run that can continue now. */
export interface Runnable {
  readonly id: number;
  readonly organizationId: number;
  readonly connectionId: number;
  /** It was begun or approved. */
  readonly isBegun: boolean;
  /** Planning it takes much memory: its input is large, or its connection has many people. */
  readonly isLarge: boolean;
}

/** From these sizes, an input is large. */
export const LARGE_BYTES = 8 * 1024 * 1024, LARGE_ROWS = 100_000;

/**
 * The first run of each connection that can continue now: interrupted ones first, then queued ones, departments before
 * people, what repeats an earlier input before later ones, oldest first. The list is in the same order.
 *
 * Runs of a paused connection wait. Runs behind a held run of their connection wait, unless they only plan, or are full
 * inputs, which may supersede it, until it is known that they do not, or the held one stops only the people in it
 * (run-names.ts). A run of a source waits for its fetch. Files that wait together at a bridge wait for the last of them.
 * After a failed attempt a run pauses, and those behind it wait too.
 */
export async function listRunnable(
  db: Database,
  now: number,
  only: number | null,
  isGone: (owner: string) => boolean,
): Promise<Runnable[]> {
  const rows = await db.rows<[number, number, number, number, number, string]>(sql`
    select id, organization_id, connection_id, status <> 'queued',
      status <> 'applying' and (trigger = 'revert' or coalesce((select bytes from drops where drops.id = w.drop_id), 0) > ${LARGE_BYTES}
        or coalesce((select baseline ->> '$.users.rows' from connections where connections.id = w.connection_id), 0) > ${LARGE_ROWS}),
      ${ORGANIZATION_LEASE.state}
    from (select r.id, r.organization_id, r.connection_id, r.drop_id, r.status, r.entity, r.trigger, r.pause,
        o.lease_owner, o.lease_until, o.lease_epoch, o.lease_beat,
        row_number() over (partition by r.connection_id order by r.status = 'queued', r.entity = 'users', r.trigger <> 'retry', r.id) as place
      from runs r
        join organizations o on o.id = r.organization_id
        left join connections c on c.id = r.connection_id
      where r.status in ('queued', 'planning', 'applying') and (${only} is null or r.id = ${only})
        and (r.status <> 'queued' or ((c.paused_at is null or r.mode = 'plan') and (r.mode = 'plan' or (
          (r.coverage = 'full' or not ${WAITS_FOR_PEOPLE}) and not exists (
            select 1 from runs h where h.connection_id = r.connection_id and h.status = 'held' and (h.id = r.waits_for
              or (h.id < r.id and r.coverage = 'diff' and not (${HAS_NAMES} and ${MAY_PASS}))))))))
        and not exists (select 1 from fetches f where f.run_id = r.id and f.ended_at is null)
        and (r.status <> 'queued' or r.trigger <> 'drop' or not exists (
          select 1 from bridge_leases l where l.connection_id = r.connection_id and l.handing_until > ${now}))) w
    where place = 1 and (pause is null or pause ->> '$.until' <= ${now}
      or pause ->> '$.until' - coalesce(pause ->> '$.ms', ${LONGEST_PAUSE_MS}) > ${now})
    order by status = 'queued', entity = 'users', id`);
  return rows.filter(([, organizationId, , , , lease]) => isFree(db, keyOf(organizationId), stateOf(lease), isGone))
    .map(([id, organizationId, connectionId, isBegun, isLarge]) => ({
      id,
      organizationId,
      connectionId,
      isBegun: isBegun === 1,
      isLarge: isLarge === 1,
    }));
}

/** Takes the organization's lease for this run; gives the run as it is then, or null if another process was faster. */
export async function claimRun(
  db: Database,
  { id, organizationId }: Pick<Runnable, "id" | "organizationId">,
  holder: Holder,
): Promise<{ readonly run: Run; readonly lease: Lease } | null> {
  const canGoOn = sql`exists (select 1 from runs where id = ${id} and status in ('queued', 'planning', 'applying'))`;
  const lease = await claimOrganization(db, organizationId, holder, id, canGoOn);
  const run = lease === null ? null : await findRow(db, runs, { id });
  return lease === null || run === null ? null : { run, lease };
}

export interface OtherRun {
  readonly id: number;
  readonly status: Run["status"];
  readonly dropId: number | null;
  readonly entity: Run["entity"];
  readonly coverage: Run["coverage"];
  readonly partOf: Run["partOf"];
}

/** Other inputs of the same connection that are queued to be applied, oldest first. */
export async function listWaiting(db: Database, run: Run): Promise<OtherRun[]> {
  return await db.orm.select({
    id: runs.id,
    status: runs.status,
    dropId: runs.dropId,
    entity: runs.entity,
    coverage: runs.coverage,
    partOf: runs.partOf,
  }).from(runs).where(sql`${runs.connectionId} = ${run.connectionId} and ${runs.id} <> ${run.id}
    and ${runs.status} = 'queued' and ${runs.mode} = 'auto' and ${runs.trigger} = 'drop'`).orderBy(runs.id);
}

/** Whether any other run of the same connection is queued to be applied. */
export async function hasCompany(db: Database, { id, connectionId }: Run): Promise<boolean> {
  const rows = await db.rows(sql`select 1 from runs where connection_id = ${connectionId} and id <> ${id}
    and status = 'queued' and mode = 'auto' limit 1`);
  return rows.length > 0;
}

/** The statement that ends held runs of the same connection whose place a newer input takes. */
export function supersedeHeld(db: Database, { connectionId }: Run, ids: readonly number[], now: number): Statement {
  return db.run(sql`update runs set status = 'superseded', finished_at = ${now}
    where connection_id = ${connectionId} and status = 'held' and id in (select value from json_each(${
    JSON.stringify(ids)
  }))`);
}

/** What this connection's runs changed since then, for guards of connections that get single records. */
export async function countsSince(db: Database, connectionId: number, since: number): Promise<Earlier> {
  const [row] = await db.rows<[number, number, number, number]>(sql`select
      coalesce(sum(coalesce(figures ->> '$.guarded.deactivate', counts ->> 'deactivated')), 0),
      coalesce(sum(counts ->> 'reactivated'), 0),
      coalesce(sum(figures ->> '$.guarded.identity'), 0),
      coalesce(sum(counts ->> 'deactivated'), 0) from runs
    where connection_id = ${connectionId} and finished_at > ${since} and status in ('succeeded', 'partial')`);
  const [deactivate, reactivate, identity, left] = row!;
  return { deactivate, reactivate, identity, left };
}
