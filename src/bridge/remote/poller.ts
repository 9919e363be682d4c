/**
 * Visits the remote servers of all connections, each at its time, whatever the others do.
 *
 * A visit that waits for its server costs next to nothing, so there are places for all; those that failed last time have
 * places of their own, and reading files, which costs memory, has few. One connection is visited once at a time.
 */
import type { BridgeConnection, Poller, PollerOptions, Trouble } from "../contract.ts";
import { troubleOf } from "../trouble.ts";
import { checkRemote } from "./check.ts";
import { type Clock, createClock } from "./clock.ts";
import { nextRegular, nextVisit } from "./due.ts";
import { nextDue } from "../cadence.ts";
import { createLane } from "../../std/lanes.ts";
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
  /** When it was visited by its cadence last. */
  regularAt: number;
  /** Takes the next visit back. */
  cancel: () => void;
  /** Ends the visit that is going on; null: none is. */
  visiting: AbortController | null;
}

/** What tests hand in. */
export interface Made {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly open: typeof openSession;
}

export function createPoller(options: PollerOptions, made: Partial<Made> = {}): Poller {
  const { hub, dial, log } = options;
  const clock = made.clock ?? createClock(options.now);
  const limits = made.limits ?? LIMITS;
  const open = made.open ?? openSession;
  const visits = createLane(VISITS), failing = createLane(VISITS_OF_FAILING);
  const transfers = createLane(TRANSFERS, TRANSFERS_OF_ONE);
  const watched = new Map<string, Watched>();
  const going = new Set<Promise<void>>();
  const sessions = new Set<Session>();
  let isClosed = false;

  function changed(): void {
    if (isClosed) return;
    const remote = new Map(
      hub.connections().filter(({ mode }) => mode === "remote").map((each) => [each.id, each]),
    );
    for (const [id, each] of watched) {
      const connection = remote.get(id);
      if (connection === undefined) forget(id, each);
      else if (!isAlike(connection, each.connection)) renew(each, connection);
      else each.connection = connection;
    }
    for (const [id, connection] of remote) if (!watched.has(id)) watch(connection);
  }

  function watch(connection: BridgeConnection): void {
    const each: Watched = {
      connection,
      memory: createMemory(),
      failures: 0,
      regularAt: -Infinity,
      cancel: () => {},
      visiting: null,
    };
    watched.set(connection.id, each);
    plan(each, firstVisit(connection));
  }

  function forget(id: string, each: Watched): void {
    watched.delete(id);
    each.cancel();
    each.visiting?.abort(new Error("The connection is no longer held"));
  }

  /** What was seen under other settings may be another folder's. What was put in place of them is tried at once. */
  function renew(each: Watched, connection: BridgeConnection): void {
    each.connection = connection;
    each.memory = createMemory();
    each.failures = 0;
    each.visiting?.abort(new Error("The connection has changed"));
    plan(each, firstVisit(connection));
  }

  /** At once, but for a day's hour: then only if it was missed. */
  function firstVisit({ settings: { when }, visitedAt = null }: BridgeConnection): number {
    const now = clock.now();
    if (when.kind !== "daily") return now;
    return visitedAt !== null && nextDue(when, visitedAt) <= now ? now : nextDue(when, now);
  }

  function plan(each: Watched, at: number): void {
    each.cancel();
    each.cancel = clock.after(at - clock.now(), () => {
      // Timers end early where they cannot wait as long, or where the clock was set.
      if (clock.now() < at) return plan(each, at);
      const work = visitOnce(each).finally(() => going.delete(work));
      going.add(work);
    });
  }

  async function visitOnce(each: Watched): Promise<void> {
    const { connection, memory } = each;
    const { when } = connection.settings;
    // Held back by a visit of before that is being ended: it is planned again by whoever ends.
    if (each.visiting !== null) return;
    const ending = each.visiting = new AbortController();
    const { signal } = ending;
    const startedAt = clock.now();
    if (each.failures === 0) each.regularAt = lastRegular(each, startedAt);
    const leave = await (each.failures > 0 ? failing : visits).take(connection.organization);
    let session: Session | null = null;
    let trouble: Trouble | null = null, isFailed = false;
    let wholeIn: number | null = null;
    try {
      signal.throwIfAborted();
      session = await open(dial, connection, limits, signal);
      sessions.add(session);
      const visited = await visit(session, {
        hub,
        memory,
        elapsed: clock.elapsed,
        transfer: () => {
          leave();
          return transfers.take(connection.organization);
        },
        signal,
      });
      trouble = visited.trouble === null ? null : troubleOf(visited.trouble);
      isFailed = visited.isStopped;
      wholeIn = visited.nextAt === null ? null : visited.nextAt - clock.elapsed();
    } catch (error) {
      trouble = troubleOf(error);
      isFailed = true;
    } finally {
      leave();
      if (session !== null) sessions.delete(session);
      session?.close();
      each.visiting = null;
    }
    if (isClosed || watched.get(connection.id) !== each) return;
    if (signal.aborted) return plan(each, firstVisit(each.connection));
    hub.fares(connection, trouble);
    if (trouble !== null) log("sftp.visit_failed", { connection: connection.id, code: trouble.code });
    each.failures = isFailed ? each.failures + 1 : 0;
    const now = clock.now();
    plan(
      each,
      nextVisit(when, connection.id, {
        trouble: isFailed ? trouble!.code : null,
        failures: each.failures,
        wholeAt: wholeIn === null ? null : now + wholeIn,
        regularAt: each.regularAt,
      }, now),
    );
  }

  /** Visits in between, for a file that waits, are none of the cadence's. */
  function lastRegular({ connection, regularAt }: Watched, now: number): number {
    if (regularAt === -Infinity) return now;
    return nextRegular(connection.settings.when, connection.id, regularAt) <= now ? now : regularAt;
  }

  changed();
  return {
    changed,
    check: (connection, signal) => checkRemote(dial, connection, limits, signal),
    async openTransport(connection, signal) {
      const leave = await visits.take(connection.organization);
      try {
        return createTransport(await open(dial, connection, limits, signal), leave);
      } catch (error) {
        leave();
        throw error;
      }
    },
    async close() {
      isClosed = true;
      for (const [id, each] of watched) forget(id, each);
      await Promise.allSettled(going);
    },
  };
}

/** Whether what is visited, and how, is the same. */
function isAlike(a: BridgeConnection, b: BridgeConnection): boolean {
  const of = ({ settings, secrets }: BridgeConnection) => JSON.stringify([settings, secrets]);
  return a === b || of(a) === of(b);
}
