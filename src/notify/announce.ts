/**
 * A run that ends or is held, in; the statements that tell of it, for the batch that brings it there: its events, the
 * state of its connection, and its mail.
 */
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { listAffected, listApplied, rangeApplied } from "../store/runs/changed-people.ts";
import { basisOf, nextFetch } from "../model/schedule.ts";
import { setClock } from "../store/connections/clocks.ts";
import {
  type ConnectionState,
  loadConnectionState,
  saveConnectionState,
} from "../store/connections/connection-state.ts";
import type { Connection } from "../store/connections/connections.ts";
import type { Statement } from "../store/database.ts";
import { eventStatements, runIs } from "../store/notify/events.ts";
import {
  connectionTurned,
  MAX_ISSUES,
  MAX_PEOPLE,
  type NewEvent,
  type Novelty,
  type Origin,
  runCompleted,
  runFailures,
  runHeld,
  usersChanged,
} from "../model/event.ts";
import { listIssues } from "../store/runs/issues.ts";
import { findRun, type Run, type StoredRun, viewRun } from "../store/runs/runs.ts";
import { endRetry, HINTED } from "../store/connections/unwind.ts";
import { type Failures, failuresAfter, kindOf } from "../model/connection-health.ts";
import { FAILURES_FOR_ERROR } from "../model/mail-rules.ts";
import { countNovelty } from "./novelty.ts";
import { mailStatements } from "./queue-mails.ts";

/** Runs that end so have read their input, or have failed over it. */
const FINISHED: ReadonlySet<Run["status"]> = new Set(["succeeded", "partial", "failed"]);

/**
 * To be written after the statement that brings the run to this: `run` is as it is afterwards. What is read here is
 * still so when the batch is written, as the organization's lease keeps others from ending runs of it meanwhile.
 */
export async function announce(hub: Hub, run: Run): Promise<Statement[]> {
  const novelty = FINISHED.has(run.status) ? await countNovelty(hub.db, run) : null;
  return [
    ...run.status === "held" ? await heldStatements(hub, run) : await endStatements(hub, run, novelty),
    ...await mailStatements(hub, run, novelty),
  ];
}

/** The event of a run that ends without having begun, or gives its place to another: there is no more to tell of it. */
export async function endedUntouched(
  hub: Pick<Hub, "db">,
  run: Run,
  ended: Partial<Run> & Pick<Run, "status">,
): Promise<NewEvent[]> {
  const stored = await findRun(hub.db, run.organizationId, run.id);
  if (stored === null) return [];
  return [runCompleted(originOf(run), viewRun({ ...stored, run: { ...run, ...ended } }))];
}

async function heldStatements({ db, now }: Hub, run: Run): Promise<Statement[]> {
  const stored = await findRun(db, run.organizationId, run.id);
  const people = await listAffected(db, run, run.heldBy, MAX_PEOPLE);
  const event = runHeld(originOf(run), viewRun(asStored(stored!, run)), people.map((id) => encodeId("usr", id)));
  return eventStatements(db, [event], now(), runIs(run.status));
}

async function endStatements(hub: Hub, run: Run, novelty: Novelty | null): Promise<Statement[]> {
  const { db, now } = hub;
  const { organizationId } = run;
  const stored = await findRun(db, organizationId, run.id);
  const view = viewRun(asStored(stored!, run));
  const from = originOf(run);
  const news: NewEvent[] = [];

  const changed = await rangeApplied(db, run);
  if (changed !== null) news.push(usersChanged(from, changed, await listApplied(db, run)));
  if (novelty !== null && (run.status === "failed" || novelty.new + novelty.repeated > 0)) {
    const { issues } = await listIssues(db, organizationId, run.id, { after: 0, limit: MAX_ISSUES });
    news.push(runFailures(from, view, novelty, issues));
  }

  const state = await loadConnectionState(db, run);
  const before = state === null ? null : failuresOf(state.connection);
  const after = before === null ? null : failuresAfter(before, run);
  const turns: Statement[] = [];
  if (state !== null && before !== null && after !== null) {
    if (after.total !== before.total) {
      turns.push(saveConnectionState(db, run, after, after.total === 0 ? null : run.id));
      if (after.total === FAILURES_FOR_ERROR) {
        news.push(connectionTurned(from, "connection.error", view.connection, after.total, run.error));
      } else if (after.total === 0 && before.total >= FAILURES_FOR_ERROR) {
        news.push(connectionTurned(from, "connection.recovered", view.connection, before.total, state.lastError));
      }
    }
    turns.push(...nextFetchStatements(hub, state, { before, after }, run));
  }

  news.push(runCompleted(from, view));
  return [...eventStatements(db, news, now(), runIs(run.status)), ...turns];
}

function failuresOf({ failuresInARow, failureKinds }: Connection): Failures {
  return { total: failuresInARow, kinds: failureKinds };
}

/**
 * When a connection that fetches by itself does so next: sooner or later than its schedule says, while it fails. One
 * without a schedule tries again what it tried for a hint's sake, and not what somebody has asked for.
 */
function nextFetchStatements(
  { db, now, registry }: Hub,
  { connection, timezone }: ConnectionState,
  { before, after }: { before: Failures; after: Failures },
  run: Run,
): Statement[] {
  const { schedule } = connection;
  if (before.total === 0 && after.total === 0) return [];
  if (schedule === null && after.total === 0) return [endRetry(db, connection)];
  if (schedule === null && run.trigger !== "schedule" && run.trigger !== "retry") return [];
  if (registry.get(connection.connector)?.takesDrops === true) return [];
  const isRefused = after.total > 0 && kindOf(run.error?.code ?? "") === "credentials";
  const failing = { failures: after.total, isRefused };
  const { at, isRetry } = nextFetch(schedule, timezone, connection.createdAt, failing, now());
  return [
    setClock(db, connection, {
      nextAt: at,
      isRetry,
      basis: schedule === null ? HINTED : basisOf(connection, timezone),
    }),
  ];
}

/** Whoever carries a run does not look again at when it was begun. */
function asStored(stored: StoredRun, run: Run): StoredRun {
  return { ...stored, run: { ...run, startedAt: stored.run.startedAt } };
}

function originOf({ id, organizationId, connectionId }: Run): Origin {
  return { organizationId, runId: id, connectionId };
}
