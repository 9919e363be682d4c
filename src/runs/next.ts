/** Chooses the next run, and leases it so that one process carries it. */
import type { Hub } from "../hub.ts";
import { claimRun, listRunnable, type Runnable } from "../store/runs/queue.ts";
import { carry } from "./run.ts";
import type { Leased, RunOptions } from "./stage.ts";
import { createRunTurns, type RunTurns } from "./turns.ts";

/**
 * Carries the next run that can go on, or only `options.runId`, to its end. Returns its id; null: there is none. `turns`
 * decides which organization is next; by default, the one with the oldest run.
 */
export async function runNext(
  hub: Hub,
  options: RunOptions,
  turns: RunTurns = createRunTurns(),
): Promise<number | null> {
  const isGone = options.isGone ?? (() => false);
  for (const runnable of turns.order(await listRunnable(hub.db, hub.now(), options.runId ?? null, isGone))) {
    const leased = await leaseRun(hub, runnable, options);
    if (leased === null) continue;
    const startedAt = hub.now();
    try {
      await carry(hub, leased, options);
    } finally {
      turns.took(runnable, hub.now() - startedAt);
    }
    return runnable.id;
  }
  turns.forget();
  return null;
}

/** Null: another process was faster. */
export async function leaseRun(hub: Hub, runnable: Runnable, options: RunOptions): Promise<Leased | null> {
  return await claimRun(hub.db, runnable, { name: options.owner, isGone: options.isGone });
}
