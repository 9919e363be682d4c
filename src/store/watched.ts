/** Waiting for runs and checks in the database: one query for all of a kind. */
import { createWatch, type Pauses, type Waits } from "./waits.ts";
import { findChecks } from "./bridges/bridge-states.ts";
import type { Database } from "./database.ts";
import { findRuns } from "./runs/runs.ts";

export function createWaits(db: Database, pauses: Pauses): Waits {
  return {
    runs: createWatch((things) => findRuns(db, things), pauses),
    checks: createWatch((things) => findChecks(db, things), pauses),
  };
}
