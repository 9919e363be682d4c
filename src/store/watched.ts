/** How what is waited for is looked at in the database: one query for all of a kind. */
import { createWatch, type Pace, type Waits } from "../waits.ts";
import { findChecks } from "./bridge-states.ts";
import type { Database } from "./database.ts";
import { findRuns } from "./runs.ts";

export function createWaits(db: Database, pace: Pace): Waits {
  return {
    runs: createWatch((things) => findRuns(db, things), pace),
    checks: createWatch((things) => findChecks(db, things), pace),
  };
}
