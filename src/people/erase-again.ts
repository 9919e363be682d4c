/**
 * Erases people again in a database that is older than their erasure, before a hub starts on it.
 *
 * Inputs that waited when the database was copied may hold them. As at that time, they are imported first; those that
 * cannot go on by themselves are cancelled, as nobody may be brought back by them later.
 */
import type { By } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { cancelRun } from "../runs/approve.ts";
import { runNext } from "../runs/next.ts";
import type { RunOptions } from "../runs/stage.ts";
import { listRunnable } from "../store/runs/queue.ts";
import { listQueuedRuns } from "../store/people/erased-runs.ts";
import { listToErase } from "../store/restore.ts";
import { eraseUser } from "./erase.ts";

export interface ErasedAgain {
  readonly people: number;
  /** Runs that were cancelled, because their inputs may have held one of them. */
  readonly cancelled: readonly number[];
}

/** `userIds`: those that are not stored, or erased already, are passed over. No other process may use the database. */
export async function eraseAgain(
  hub: Hub,
  userIds: readonly number[],
  options: RunOptions,
  by: By,
): Promise<ErasedAgain> {
  const people = await listToErase(hub.db, userIds);
  const cancelled: number[] = [];
  for (const organizationId of new Set(people.map((person) => person.organizationId))) {
    await carryAll(hub, organizationId, options);
  }
  for (const { organizationId, userId } of people) {
    try {
      await eraseUser(hub, organizationId, userId, by);
    } catch (error) {
      if (!(error instanceof Fault && error.code === "conflict")) throw error;
      for (const run of await listQueuedRuns(hub.db, organizationId)) {
        await cancelRun(hub, organizationId, run, by);
        cancelled.push(run);
      }
      await eraseUser(hub, organizationId, userId, by);
    }
  }
  return { people: people.length, cancelled };
}

/** Carries the organization's runs that can go on. */
async function carryAll(hub: Hub, organizationId: number, options: RunOptions): Promise<void> {
  const isGone = options.isGone ?? (() => false);
  for (;;) {
    const next = (await listRunnable(hub.db, hub.now(), null, isGone)).find((run) =>
      run.organizationId === organizationId
    );
    if (next === undefined || await runNext(hub, { ...options, runId: next.id }) === null) return;
  }
}
