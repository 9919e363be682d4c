/**
 * Queues fetches that are due on their schedule, and reports feeds that should have come by now. Idempotent, also when two
 * processes do it at once.
 *
 * The process that moves a connection's clock on queues its fetch. Fetches that were missed while the process was down or
 * the connection was paused are made up for once; one that falls due during a run of the connection is not queued again.
 */
import { Fault } from "../model/errors.ts";
import { connectorFor, type Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { connectionOverdue } from "../model/event.ts";
import { mailWithoutRun } from "../notify/queue-mails.ts";
import { logRun } from "../runs/log.ts";
import { basisOf, lastExpected, nextExpected, nextMoment } from "../model/schedule.ts";
import {
  type Clock,
  hasCome,
  isClockAsRead,
  isExpectationAsRead,
  listDueFetches,
  listTimed,
  setClock,
  type Timed,
} from "../store/connections/clocks.ts";
import { eventStatements } from "../store/notify/events.ts";
import { queueFetch } from "../store/connections/fetches.ts";
import { HINTED } from "../store/connections/unwind.ts";
import { broughtBy } from "../runs/receive-drop.ts";
import { HOUR_MS } from "../std/time.ts";

const AT_ONCE = 100;
const REMIND_AFTER_MS = 7 * 24 * HOUR_MS;

/** Sets clocks whose connections have changed, reports overdue feeds, and queues the fetches that are due. */
export async function lookAtClocks(hub: Hub): Promise<void> {
  for (const timed of await listTimed(hub.db)) {
    await resetClock(hub, timed);
    await lookForFeed(hub, timed);
  }
  await queueDueFetches(hub);
}

/** Sets the clock of a connection whose schedule is new or has changed; it counts from now. */
async function resetClock({ db, now }: Hub, { connection, timezone, clock }: Timed): Promise<void> {
  const { schedule } = connection;
  const basis = basisOf(connection, timezone);
  if (schedule === null ? clock?.nextAt == null || clock.basis === HINTED : clock?.basis === basis) return;
  // Settings or secrets have changed since it failed: it is tried again at once.
  const isRetry = clock?.basis === "" && connection.failuresInARow > 0;
  const nextAt = schedule === null
    ? null
    : isRetry
    ? now()
    : nextMoment(schedule, timezone, connection.createdAt, now());
  await db.write([
    // Of two processes that saw no clock, one sets it: the other's now may be an hour away.
    setClock(db, connection, { basis, nextAt, isRetry }, isClockAsRead(clock)),
  ]);
}

/** Queues a run for each connection whose fetch is due; returns how many. */
export async function queueDueFetches(hub: Hub): Promise<number> {
  const { db, registry } = hub;
  const now = hub.now();
  let queued = 0;
  for (const { connection, timezone, clock } of await listDueFetches(db, now, AT_ONCE)) {
    const { schedule, id: connectionId, organizationId } = connection;
    // The schedule has changed, and the clock is not set by it yet.
    if (clock!.basis !== (schedule === null ? HINTED : basisOf(connection, timezone))) continue;
    const nextAt = schedule === null ? null : nextMoment(schedule, timezone, connection.createdAt, now);
    const moved = setClock(db, connection, { nextAt, isRetry: false }, isClockAsRead(clock!));
    if (connectorFor(registry, connection)?.input === "drop") {
      await db.write([moved]);
      continue;
    }
    const trigger = clock!.isRetry ? "retry" : "schedule";
    const queuedRuns = await unlessQueueFull(() =>
      queueFetch(
        db,
        {
          organizationId,
          connectionId,
          trigger,
          mode: "auto",
          brings: broughtBy(hub, connection),
        },
        now,
        { condition: isClockAsRead(clock!), also: [moved] },
      )
    );
    if (queuedRuns === null) continue;
    queued++;
    for (const id of queuedRuns) {
      logRun(hub, { id, organizationId, connectionId }, "run.queued", { trigger, mode: "auto" });
    }
  }
  if (queued > 0) hub.wake();
  return queued;
}

/** Null: the queue is full. The fetch stays due, and is queued once there is room. */
export async function unlessQueueFull<T>(queue: () => Promise<T | null>): Promise<T | null> {
  try {
    return await queue();
  } catch (error) {
    if (error instanceof Fault && error.code === "queue_full") return null;
    throw error;
  }
}

/** Checks whether a feed has come by the time it was expected; if not, reports that once, and then each week. */
async function lookForFeed(hub: Hub, timed: Timed): Promise<void> {
  const { db } = hub;
  const { connection, timezone, clock } = timed;
  const { expectedBy } = connection;
  const now = hub.now();
  const basis = JSON.stringify([expectedBy, timezone]);
  const standing = clock === null ? undefined : isExpectationAsRead(clock);
  if (expectedBy === null) {
    if (clock === null || (clock.expectedAt === null && clock.overdueSince === null)) return;
    await db.write([setClock(db, connection, NOTHING_EXPECTED, standing)]);
    return;
  }
  if (clock === null || clock.expectedAt === null || clock.expectedBasis !== basis) {
    const expectedAt = nextExpected(expectedBy, timezone, now);
    await db.write([setClock(db, connection, { ...NOTHING_EXPECTED, expectedAt, expectedBasis: basis }, standing)]);
    return;
  }
  if (connection.pausedAt !== null) return;
  if (clock.overdueSince !== null && await hasCome(db, connection, clock.overdueSince)) {
    // The late input does not count for the next expected one as well.
    const arrived = { overdueSince: null, overdueMailedAt: null, expectedFrom: now };
    await db.write([setClock(db, connection, arrived, standing)]);
    return;
  }
  if (clock.expectedAt > now) return await remind(hub, timed, clock);
  // Several expected times may have passed since the last look; only the last one counts.
  const expectedAt = lastExpected(expectedBy, timezone, now + 1);
  const since = Math.max(lastExpected(expectedBy, timezone, expectedAt), clock.expectedFrom ?? 0);
  const next = { expectedAt: nextExpected(expectedBy, timezone, now) };
  if (clock.overdueSince !== null || await hasCome(db, connection, since)) {
    await db.write([setClock(db, connection, next, standing)]);
    return;
  }
  await reportOverdue(hub, timed, clock, { ...next, overdueSince: expectedAt, overdueMailedAt: now }, expectedAt);
}

async function remind(hub: Hub, timed: Timed, clock: Clock): Promise<void> {
  const { overdueSince, overdueMailedAt } = clock;
  const now = hub.now();
  if (overdueSince === null || now - (overdueMailedAt ?? 0) < REMIND_AFTER_MS) return;
  await reportOverdue(hub, timed, clock, { overdueMailedAt: now }, overdueSince);
}

async function reportOverdue(
  hub: Hub,
  { connection }: Timed,
  clock: Clock,
  values: Partial<Clock>,
  overdueSince: number,
): Promise<void> {
  const { db, now } = hub;
  const standing = isExpectationAsRead(clock);
  const event = connectionOverdue(connection, overdueSince);
  const { id: connectionId, organizationId, name } = connection;
  const facts = { again: clock.overdueSince !== null, overdue: { connection: name, since: overdueSince } };
  await db.write([
    ...eventStatements(db, [event], now(), standing),
    ...await mailWithoutRun(hub, { organizationId, connectionId, type: "connection.overdue", facts }, standing),
    setClock(db, connection, values, standing),
  ]);
  hub.log("connection.overdue", {
    organization_id: encodeId("org", organizationId),
    connection_id: encodeId("con", connectionId),
  });
}

const NOTHING_EXPECTED = {
  expectedAt: null,
  expectedBasis: "",
  overdueSince: null,
  overdueMailedAt: null,
  expectedFrom: null,
};
