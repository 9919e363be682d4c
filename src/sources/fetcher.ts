/**
 * Reads the sources of queued runs, several at a time, beside everything else that a process does: a slow source does not
 * delay other runs. Organizations take turns, and have places (read-places.ts).
 */
import { queueDueFetches } from "./clocks.ts";
import type { Hub } from "../hub.ts";
import { claimFetch } from "../store/connections/fetches.ts";
import { createIdle } from "../std/idle.ts";
import { createTurns } from "../std/turns.ts";
import { type FetchOptions, fetchRun } from "./fetch-run.ts";
import { createReadPlaces } from "./read-places.ts";

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
  /** Until each read has ended, by its run. */
  const reading = new Map<number, Promise<void>>();
  const places = createReadPlaces(hub.now);
  const turns = createTurns();
  let trouble: unknown = null;
  const idle = createIdle();
  signal.addEventListener("abort", idle.wake, { once: true });

  try {
    while (!signal.aborted && trouble === null) {
      await queueDueFetches(hub);
      while (!signal.aborted && places.hasRoom() && await start());
      if (options.untilIdle && reading.size === 0) return;
      await idle.wait(options.lookEveryMs);
    }
  } finally {
    await Promise.all(reading.values());
  }
  if (trouble !== null) throw trouble;

  async function start(): Promise<boolean> {
    const known = new Set(reading.keys());
    const claimed = await claimFetch(hub.db, owner, hub.now(), {
      isGone,
      busy: places.busy(),
      turns,
      reading: known,
    });
    if (claimed === null) {
      if (reading.size === 0) turns.forget();
      return false;
    }
    const { organizationId, runId } = claimed.fetch;
    const { yields, sign, giveBack } = places.take(organizationId);
    const ended = fetchRun(hub, claimed, { ...options, yields, onSign: sign }).catch((error) => trouble ??= error)
      .finally(() => {
        giveBack();
        reading.delete(runId);
        if (reading.size === 0) options.rest?.();
        idle.wake();
      });
    reading.set(runId, ended);
    return true;
  }
}
