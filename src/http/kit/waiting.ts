/** Requests that wait for a run: all in a process together, or, where each request lives alone, each by itself. */
import type { Hub } from "../../hub.ts";
import { isAtRest, type StoredRun } from "../../store/runs/runs.ts";
import { createWaits } from "../../store/watched.ts";
import { ALONE, type Waits, type Watched } from "../../store/waits.ts";

export function waitsOf(hub: Hub): Waits {
  return hub.waits ?? createWaits(hub.db, ALONE);
}

/** The run once it is at rest or `ms` have passed; null when it is gone. */
export function untilAtRest(
  hub: Hub,
  run: Watched,
  options: { readonly ms: number; readonly signal?: AbortSignal },
): Promise<StoredRun | null> {
  return waitsOf(hub).runs.until(run, (found) => found === null || isAtRest(found.run.status), options);
}
