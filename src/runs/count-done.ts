/** Counts the changes of a run that were applied. */
import { COUNTED } from "../model/change.ts";
import { type Counts, NO_COUNTS } from "../model/run.ts";
import type { Database } from "../store/database.ts";
import { countNotApplied } from "../store/runs/run-steps.ts";
import type { Run } from "../store/runs/runs.ts";

/** The run's counts without changes that were not applied, and whether any of those was superseded. */
export async function countDone(db: Database, run: Run): Promise<{ counts: Counts; superseded: boolean }> {
  const { superseded, stopped, departments } = await countNotApplied(db, run.id);
  const counts: Counts = { ...run.counts! };
  const leftOut = [superseded, stopped, ...(run.entity === "departments" ? [departments] : [])];
  for (const [action, count] of leftOut.flatMap((sums) => Object.entries(sums))) {
    const kind = COUNTED[action as keyof typeof COUNTED];
    const rows = Math.min(count, counts[kind]);
    counts[kind] -= rows;
    counts.skipped += rows;
  }
  for (const [action, count] of Object.entries(departments)) {
    const kind = action === "create" ? "departments_created" : "departments_updated";
    counts[kind] = Math.max(0, counts[kind] - count);
  }
  return { counts, superseded: Object.keys(superseded).length > 0 };
}

/** The counts of a run that fails before anything is applied: what was read, and nothing that its plan would have done. */
export function countNothingDone({ read, failed, warned }: Counts): Counts {
  return { ...NO_COUNTS, read, failed, warned };
}
