/**
 * Visits the remote servers of all connections, each on its schedule, independently of the others. A connection is visited
 * once at a time.
 *
 * A visit that waits for its server costs next to nothing, so there are places for all of them; those that failed last time
 * have places of their own. Reading files costs memory, and has few places.
 */
import { createLane } from "../../std/lanes.ts";
import { nextDue } from "../cadence.ts";
import type { BridgeConnection, Poller, PollerOptions, Trouble } from "../contract.ts";
import { troubleOf } from "../trouble.ts";
import { checkRemote } from "./check.ts";
import { type Clock, createClock } from "./clock.ts";
import { nextRegular, nextVisit } from "./due.ts";
import { LIMITS, type Limits } from "./limits.ts";
import { openSession, type Session } from "./session.ts";
import { createTransport } from "./transport.ts";
import { createMemory, type Memory, visit } from "./visit.ts";

const VISITS = 256;
const VISITS_OF_FAILING = 64;
const TRANSFERS = 6;
const TRANSFERS_OF_ONE = 2;

interface Watched {
  connection: BridgeConnection;
  memory: Memory;
  failures: number;
  /** When it was last visited by its schedule. */
  regularAt: number;
  /** Cancels the next visit. */
  cancel: () => void;
  /** Ends the current visit; null: there is none. */
  visiting: AbortController | null;
}

/** What tests replace. */
export interface Made {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly open: typeof openSession;
}

type Polling = ReturnType<typeof createPolling>;

function createPolling(options: PollerOptions, made: Partial<Made>) {
  return {
    ...options,
    clock: made.clock ?? createClock(options.now),
    limits: made.limits ?? LIMITS,
    open: made.open ?? openSession,
    /** By the connection's id. */
    watched: new Map<string, Watched>(),
    visits: createLane(VISITS),
    visitsOfFailing: createLane(VISITS_OF_FAILING),
    transfers: createLane(TRANSFERS, TRANSFERS_OF_ONE),
    running: new Set<Promise<void>>(),
    isClosed: false,
  };
}

export function createPoller(options: PollerOptions, made: Partial<Made> = {}): Poller {
  const polling = createPolling(options, made);
  const { dial, limits, visits, open } = polling;
  followConnections(polling);
  return {
    changed: () => followConnections(polling),
    check: (connection, signal) => checkRemote({ dial, connection, limits, signal }),
    async openTransport(connection, signal) {
      const leave = await visits.take(connection.organization);
      try {
        return createTransport(await open({ dial, connection, limits, signal }), leave);
      } catch (error) {
        leave();
        throw error;
      }
    },
    async close() {
      polling.isClosed = true;
      for (const [id, each] of polling.watched) forget(polling, id, each);
      await Promise.allSettled(polling.running);
    },
  };
}

function followConnections(polling: Polling): void {
  const { isClosed, hub, watched } = polling;
  if (isClosed) return;
  const remote = new Map(hub.connections().filter(({ mode }) => mode === "remote").map((each) => [each.id, each]));
  for (const [id, each] of watched) {
    const connection = remote.get(id);
    if (connection === undefined) forget(polling, id, each);
    else if (isAlike(connection, each.connection)) each.connection = connection;
    else renew(polling, each, connection);
  }
  for (const [id, connection] of remote) {
    if (watched.has(id)) continue;
    const each = { connection, memory: createMemory(), failures: 0, regularAt: -Infinity, cancel() {}, visiting: null };
    watched.set(id, each);
    plan(polling, each, firstVisit(polling, connection));
  }
}

function forget({ watched }: Polling, id: string, each: Watched): void {
  watched.delete(id);
  each.cancel();
  each.visiting?.abort(new Error("The connection is no longer held"));
}

/** Settings have changed: what was seen may be another folder's, and what failed may work now. */
function renew(polling: Polling, each: Watched, connection: BridgeConnection): void {
  each.connection = connection;
  each.memory = createMemory();
  each.failures = 0;
  each.visiting?.abort(new Error("The connection has changed"));
  plan(polling, each, firstVisit(polling, connection));
}

/** At once; a daily visit only if it was missed. */
function firstVisit({ clock }: Polling, { settings: { when }, visitedAt = null }: BridgeConnection): number {
  const now = clock.now();
  if (when.kind !== "daily") return now;
  return visitedAt !== null && nextDue(when, visitedAt) <= now ? now : nextDue(when, now);
}

function plan(polling: Polling, each: Watched, at: number): void {
  const { clock, running } = polling;
  each.cancel();
  each.cancel = clock.after(at - clock.now(), () => {
    // Timers end early where they cannot wait as long, or where the clock was set.
    if (clock.now() < at) return plan(polling, each, at);
    const work = visitOnce(polling, each).finally(() => running.delete(work));
    running.add(work);
  });
}

/** Visits the server, reports how it went, and plans the next visit. */
async function visitOnce(polling: Polling, each: Watched): Promise<void> {
  const { hub, log, clock, watched } = polling;
  const { connection } = each;
  const { when } = connection.settings;
  // An earlier visit is still being ended, and plans the next one when it has ended.
  if (each.visiting !== null) return;
  const { signal } = each.visiting = new AbortController();
  if (each.failures === 0) each.regularAt = lastRegular(each, clock.now());
  const { trouble, isFailed, wholeIn } = await visitServer(polling, each, signal);
  each.visiting = null;
  if (polling.isClosed || watched.get(connection.id) !== each) return;
  if (signal.aborted) return plan(polling, each, firstVisit(polling, each.connection));
  hub.reportHealth(connection, trouble);
  if (trouble !== null) log("sftp.visit_failed", { connection: connection.id, code: trouble.code });
  each.failures = isFailed ? each.failures + 1 : 0;
  const now = clock.now();
  const outcome = {
    trouble: isFailed ? trouble!.code : null,
    failures: each.failures,
    wholeAt: wholeIn === null ? null : now + wholeIn,
    regularAt: each.regularAt,
  };
  plan(polling, each, nextVisit(when, connection.id, outcome, now));
}

interface VisitOutcome {
  readonly trouble: Trouble | null;
  /** Whether files were left because of the trouble. */
  readonly isFailed: boolean;
  /** Milliseconds until a file that waits may be whole; null: none waits. */
  readonly wholeIn: number | null;
}

/** Never rejects. */
async function visitServer(polling: Polling, each: Watched, signal: AbortSignal): Promise<VisitOutcome> {
  const { hub, dial, limits, open, clock, transfers } = polling;
  const { connection, memory } = each;
  const lane = each.failures > 0 ? polling.visitsOfFailing : polling.visits;
  const leave = await lane.take(connection.organization);
  let session: Session | null = null;
  try {
    signal.throwIfAborted();
    session = await open({ dial, connection, limits, signal });
    const transfer = () => {
      leave();
      return transfers.take(connection.organization);
    };
    const visited = await visit(session, { hub, memory, elapsed: clock.elapsed, transfer, signal });
    return {
      trouble: visited.trouble === null ? null : troubleOf(visited.trouble),
      isFailed: visited.isStopped,
      wholeIn: visited.nextAt === null ? null : visited.nextAt - clock.elapsed(),
    };
  } catch (error) {
    return { trouble: troubleOf(error), isFailed: true, wholeIn: null };
  } finally {
    leave();
    session?.close();
  }
}

/** When the connection was last visited by its schedule: visits in between, for a file that waits, do not count. */
function lastRegular({ connection, regularAt }: Watched, now: number): number {
  if (regularAt === -Infinity) return now;
  return nextRegular(connection.settings.when, connection.id, regularAt) <= now ? now : regularAt;
}

/** Whether settings and secrets are the same. */
function isAlike(a: BridgeConnection, b: BridgeConnection): boolean {
  const of = ({ settings, secrets }: BridgeConnection) => JSON.stringify([settings, secrets]);
  return a === b || of(a) === of(b);
}
