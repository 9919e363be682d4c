/** Waiting for runs. The requests of one process share their reads; on Workers, each request reads by itself. */
import type { Hub } from "../../hub.ts";
import { isAtRest, type StoredRun } from "../../store/runs/runs.ts";
import { createWaits } from "../../store/watched.ts";
import { ALONE, type Waits, type Watched } from "../../store/waits.ts";

export function waitsOf(hub: Hub): Waits {
  return hub.waits ?? createWaits(hub.db, ALONE);
}

/** Waits until the run is at rest, or `ms` have passed. Null: the run is deleted. */
export function untilAtRest(
  hub: Hub,
  run: Watched,
  options: { readonly ms: number; readonly signal?: AbortSignal },
): Promise<StoredRun | null> {
  return waitsOf(hub).runs.until(run, (found) => found === null || isAtRest(found.run.status), options);
}
