/**
 * Reads the sources of queued runs, several at a time, beside everything else that a process does: a slow source does not
 * delay other runs. Organizations take turns, and each has only a few reads at a time, at most as many as are left to the
 * others.
 *
 * A read whose source has been silent for a while waits: it goes on, and its place is free for another. Of those that wait
 * there is a bound, too, as each takes memory; they end by the time limits of their requests.
 */
import { queueDueFetches } from "./clocks.ts";
import type { Hub } from "../hub.ts";
import { claimFetch } from "../store/connections/fetches.ts";
import { createIdle } from "../std/idle.ts";
import { createTurns, hasPlace } from "../std/turns.ts";
import { type FetchOptions, fetchRun } from "./fetch-run.ts";

const MAX_TOGETHER = 16;
const MAX_OF_ORGANIZATION = 4;
/** With those that wait for their source. */
const MAX_IN_ALL = 64, MAX_IN_ALL_OF_ORGANIZATION = 16;
/** How long a read may give no row, and get no answer, before its place is free. */
const SILENT_MS = 10_000;

interface Reading {
  readonly organizationId: number;
  ended: Promise<void>;
  /** When it last gave a row, or got an answer. */
  lastSignAt: number;
}

export interface FetcherOptions extends FetchOptions {
  /** Name of this process, which holds the leases of the fetches that it reads. */
  readonly owner: string;
  /** Whether the process of this name has certainly died, so that its fetches can be taken over at once. */
  readonly isGone?: (owner: string) => boolean;
  /** How often to look for queued and due fetches while there is nothing to do. */
  readonly lookEveryMs: number;
  /** True: returns once nothing is queued, instead of waiting for more. */
  readonly untilIdle?: boolean;
  /** Called when the last read has ended and none is left. */
  readonly rest?: () => void;
}

/** Reads until the signal is aborted. Reads that have begun are then released for the next process. */
export async function runFetcher(hub: Hub, options: FetcherOptions): Promise<void> {
  const { signal, owner, isGone = () => false } = options;
  const reading = new Map<number, Reading>();
  const turns = createTurns();
  let trouble: unknown = null;
  const idle = createIdle();
  signal.addEventListener("abort", idle.wake, { once: true });

  try {
    while (!signal.aborted && trouble === null) {
      await queueDueFetches(hub);
      while (!signal.aborted && hasRoom() && await start());
      if (options.untilIdle && reading.size === 0) return;
      await idle.wait(options.lookEveryMs);
    }
  } finally {
    await Promise.all([...reading.values()].map(({ ended }) => ended));
  }
  if (trouble !== null) throw trouble;

  function active(): Reading[] {
    const since = hub.now() - SILENT_MS;
    return [...reading.values()].filter(({ lastSignAt }) => lastSignAt > since);
  }

  function hasRoom(): boolean {
    return reading.size < MAX_IN_ALL && active().length < MAX_TOGETHER;
  }

  /** Organizations that may not have another read now. */
  function busyOrganizations(): number[] {
    const places = { taken: active().length, all: MAX_TOGETHER, most: MAX_OF_ORGANIZATION };
    const mine = countBy(active()), inAll = countBy([...reading.values()]);
    return [...inAll].filter(([id, count]) =>
      count >= MAX_IN_ALL_OF_ORGANIZATION || !hasPlace({ mine: mine.get(id) ?? 0, ...places })
    ).map(([id]) => id);
  }

  async function start(): Promise<boolean> {
    const known = new Set(reading.keys());
    const claimed = await claimFetch(hub.db, owner, hub.now(), {
      isGone,
      busy: busyOrganizations(),
      turns,
      reading: known,
    });
    if (claimed === null) {
      if (reading.size === 0) turns.forget();
      return false;
    }
    const { organizationId, runId } = claimed.fetch;
    const one: Reading = { organizationId, ended: Promise.resolve(), lastSignAt: hub.now() };
    const onSign = () => void (one.lastSignAt = hub.now());
    one.ended = fetchRun(hub, claimed, { ...options, onSign }).catch((error) => trouble ??= error).finally(() => {
      reading.delete(runId);
      if (reading.size === 0) options.rest?.();
      idle.wake();
    });
    reading.set(runId, one);
    return true;
  }
}

function countBy(all: readonly Reading[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { organizationId } of all) counts.set(organizationId, (counts.get(organizationId) ?? 0) + 1);
  return counts;
}
