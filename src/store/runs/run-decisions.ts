/** What admins decide about runs: each is one write, which does nothing if the run has changed since they saw it. */
import { sql } from "drizzle-orm";
import { type AuditAction, type By, HUB } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import { type Database, type Statement, writeNamed } from "../database.ts";
import { eventStatements, runIs } from "../notify/events.ts";
import type { NewEvent } from "../../model/event.ts";
import { unlessMoved } from "../moved.ts";
import { joinFollowing } from "./parts.ts";
import { type NewRun, queueRun, type Run, writeQueueing } from "./runs.ts";
import { reserve } from "../sequences.ts";

/** False when the organization has changed since `version` of its data, at which the plan holds. */
export async function approvePlanned(
  db: Database,
  run: Run,
  version: number | null,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const { changed } = await writeNamed(db, {
    changed: db.all(sql`update runs set status = 'applying', approved_at = ${now}, held_by = '[]'
      where id = ${run.id} and status in ('planned', 'held') and plan_hash = ${run.planHash}
        and ${version} = (select data_version from organizations where id = ${run.organizationId})
      returning id`),
    audit: recordRun(db, by, "run.approved", run, now),
    parts: joinFollowing(db, run),
    rest: await queueRest(db, run, now),
  });
  return changed.length > 0;
}

/** Statements that queue the rows which an approved plan for review has left out: they wait as if they came now. */
async function queueRest(db: Database, run: Run, now: number): Promise<Statement[]> {
  const { organizationId, connectionId, dropId, trigger, entity, coverage, requestId, given } = run;
  if (run.mode !== "plan" || run.rows === null || given === null) return [];
  const id = await reserve(db, "run");
  const rows = [...run.rows].map((letter) => letter === "1" ? "0" : "1").join("");
  const next = {
    id,
    organizationId,
    connectionId,
    dropId,
    trigger,
    mode: "auto",
    entity,
    coverage,
    requestId,
    rows,
  } as const;
  const isApproved = sql`exists (select 1 from runs where id = ${run.id} and status = 'applying'
    and approved_at = ${now} and given ->> '$[0].run' is null)`;
  const givenTo = given.map((each) => ({ ...each, run: id, waitsFor: each.waitsFor ?? id }));
  return [
    queueRun(db, next, now, { condition: isApproved, beyondLimit: true }),
    db.run(sql`update runs set given = ${JSON.stringify(givenTo)} where id = ${run.id} and ${isApproved}`),
  ];
}

/** Queues the run again, to be planned anew. */
export async function planAfresh(db: Database, run: Run, now: number, by: By = HUB): Promise<void> {
  await db.write(afreshStatements(db, run, now, by));
}

export function afreshStatements(db: Database, run: Run, now: number, by: By = HUB): Statement[] {
  return [
    db.run(
      sql`update runs set status = 'queued', plan_hash = null, plan_version = null, planned_at = null, attempts = 0, pause = null,
        held_by = '[]' where id = ${run.id} and status in ('planned', 'held')`,
    ),
    recordRun(db, by, "run.planned_afresh", run, now),
  ];
}

/** The statement that lets a held run read another drop, and queues it to be planned again. It is still held. */
export function addToHeld(db: Database, { id, organizationId }: Run, dropId: number): Statement {
  return db.run(sql`update runs set status = 'queued', drop_id = ${dropId}, rows = null, plan_hash = null,
      plan_version = null, planned_at = null, attempts = 0, pause = null
    where id = ${id} and organization_id = ${organizationId} and status in ('held', 'queued')`);
}

/** Fails the batch (hasMoved) once somebody has decided about the held run, or it reads another drop. */
export function unlessDecided(db: Database, held: Run, dropId: number): Statement {
  return db.run(sql`select ${
    unlessMoved(sql`exists (select 1 from runs where id = ${held.id}
      and status in ('held', 'queued') and drop_id = ${dropId} and cancel_requested = 0)`)
  }`);
}

/** False when the run has ended. `events`: written if this ends it. */
export async function requestCancel(
  db: Database,
  run: Run,
  events: readonly NewEvent[],
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const { changed } = await writeNamed(db, {
    runs: db.run(sql`update runs set status = 'cancelled', finished_at = ${now}, counts = null
      where id = ${run.id} and status in ('queued', 'planned', 'held')`),
    changed: db.all(sql`update runs set cancel_requested = 1
      where id = ${run.id} and (status in ('planning', 'applying') or (status = 'cancelled' and finished_at = ${now}))
      returning id`),
    audit: recordRun(db, by, "run.cancelled", run, now),
    parts: joinFollowing(db, run),
    events: eventStatements(db, events, now, runIs("cancelled")),
  });
  return changed.length > 0;
}

/** Queues a run without a drop, unless one of its kind is under way for the connection. Fails with `queue_full`. */
export async function queueOnce(db: Database, run: Omit<NewRun, "id">, now: number): Promise<number | null> {
  const id = await reserve(db, "run");
  const { queued } = await writeQueueing(db, {
    queued: queueRun(db, { ...run, id }, now, {
      condition: sql`not exists (select 1 from runs where connection_id = ${run.connectionId}
        and trigger = ${run.trigger} and status in ('queued', 'planning', 'applying', 'held', 'planned'))`,
    }),
  });
  return queued.length > 0 ? id : null;
}

/**
 * Queues the inverse of a run, and makes the connection's next run wait for approval once it is applied. Fails with
 * `queue_full`.
 */
export async function queueRevert(
  db: Database,
  run: Run,
  requestId: string | null,
  now: number,
  by: By = HUB,
): Promise<number> {
  const id = await reserve(db, "run");
  await writeQueueing(db, {
    queued: queueRun(db, {
      id,
      organizationId: run.organizationId,
      connectionId: run.connectionId,
      dropId: null,
      trigger: "revert",
      mode: "plan",
      entity: run.entity,
      coverage: "diff",
      requestId,
    }, now),
    reverts: db.run(sql`update runs set reverts_run = ${run.id} where id = ${id}`),
    audit: recordRun(db, by, "run.reverted", run, now, [encodeId("run", id)]),
  });
  return id;
}

function recordRun(
  db: Database,
  by: By,
  action: AuditAction,
  { id, organizationId }: Run,
  now: number,
  also: readonly string[] = [],
): Statement {
  return recordAudit(db, by, { organizationId, action, subjects: [encodeId("run", id), ...also] }, now);
}
