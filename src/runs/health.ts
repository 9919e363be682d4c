/** What the end of a run changes about its connection: whether it is in error, and when it fetches next. */
import { connectorFor, type Hub } from "../hub.ts";
import { type Failures, failuresAfter, kindOf } from "../model/connection-health.ts";
import { connectionTurned, type NewEvent } from "../model/event.ts";
import { FAILURES_FOR_ERROR } from "../model/mail-rules.ts";
import type { RunView } from "../model/run.ts";
import { basisOf, nextFetch } from "../model/schedule.ts";
import { originOf } from "../notify/run-events.ts";
import { setClock } from "../store/connections/clocks.ts";
import {
  type ConnectionState,
  loadConnectionState,
  saveConnectionState,
} from "../store/connections/connection-state.ts";
import { endRetry, HINTED } from "../store/connections/unwind.ts";
import type { Statement } from "../store/database.ts";
import type { Run } from "../store/runs/runs.ts";

export interface HealthChange {
  readonly events: readonly NewEvent[];
  readonly statements: readonly Statement[];
}

/** What no retry helps with by itself. */
const SELDOM: ReadonlySet<string> = new Set(["credentials", "connector"]);

const NO_CHANGE: HealthChange = { events: [], statements: [] };

/** `run` has its final state; `view` is made from it. */
export async function healthAfter(hub: Hub, run: Run, view: RunView): Promise<HealthChange> {
  const state = await loadConnectionState(hub.db, run);
  if (state === null) return NO_CHANGE;
  const { failuresInARow, failureKinds } = state.connection;
  const before: Failures = { total: failuresInARow, kinds: failureKinds };
  const after = isOfOtherEntity(hub, state, run) ? failuresAfter(before, run, before) : failuresAfter(before, run);
  if (after === null) return NO_CHANGE;
  return {
    events: turnEvents(state, { before, after }, run, view),
    statements: [
      ...(after.total === before.total
        ? []
        : [saveConnectionState(hub.db, run, after, after.total === 0 ? null : run.id)]),
      ...nextFetchStatements(hub, state, { before, after }, run),
    ],
  };
}

/**
 * Whether the failures are of the other entity that the source has: departments that cannot be read stay a failure when the
 * people, who are read after them, can be.
 */
function isOfOtherEntity({ registry }: Hub, { connection, lastFailed }: ConnectionState, run: Run): boolean {
  return lastFailed !== null && lastFailed !== run.entity && connectorFor(registry, connection)?.input === "fetch";
}

interface Turned {
  readonly before: Failures;
  readonly after: Failures;
}

/** `connection.error` after the failure that reaches the limit, `connection.recovered` after the next success. */
function turnEvents({ lastError }: ConnectionState, { before, after }: Turned, run: Run, view: RunView): NewEvent[] {
  if (after.total === before.total) return [];
  const from = originOf(run);
  if (after.total === FAILURES_FOR_ERROR) {
    return [connectionTurned(from, "connection.error", view.connection, after.total, run.error)];
  }
  if (after.total > 0 || before.total < FAILURES_FOR_ERROR) return [];
  return [connectionTurned(from, "connection.recovered", view.connection, before.total, lastError)];
}

/**
 * Sets when the connection fetches next. While it fails, that is sooner or later than on its schedule. A connection
 * without a schedule retries fetches that followed a hint, but not those that a person asked for.
 */
function nextFetchStatements(
  { db, now, registry }: Hub,
  { connection, timezone }: ConnectionState,
  { before, after }: Turned,
  run: Run,
): Statement[] {
  const { schedule } = connection;
  if (before.total === 0 && after.total === 0) return [];
  if (schedule === null && after.total === 0) return [endRetry(db, connection)];
  if (schedule === null && run.trigger !== "schedule" && run.trigger !== "retry") return [];
  if (connectorFor(registry, connection)?.input === "drop") return [];
  const isRefused = after.total > 0 && SELDOM.has(kindOf(run.error?.code ?? ""));
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
