/** Reverts a run: queues a run that plans the inverse changes, which is approved like any other plan. */
import { type By, HUB } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { logRun } from "./log.ts";
import { queueRevert } from "../store/runs/run-decisions.ts";
import { findOrganization } from "../store/organizations.ts";
import { findRun } from "../store/runs/runs.ts";

/** Returns the id of the reverting run. Fails with `conflict` if this run has applied nothing. */
export async function revertRun(hub: Hub, organizationId: number, runId: number, by: By = HUB): Promise<number> {
  const found = await findRun(hub.db, organizationId, runId);
  if (found === null) throw new Fault("not_found", "There is no such run");
  const { run } = found;
  if (!["succeeded", "partial", "cancelled"].includes(run.status) || run.counts === null) {
    throw new Fault("conflict", `The run is "${run.status}"; only one that has applied changes can be reverted`);
  }
  const until = (await findOrganization(hub.db, organizationId))?.historyUntil ?? null;
  if (until !== null && (run.finishedAt ?? until) < until) {
    throw new Fault(
      "conflict",
      "The run's changes were deleted with the organization's old history, so it cannot be reverted",
    );
  }
  const requestId = hub.requestId ?? null;
  const id = await queueRevert(hub.db, run, requestId, hub.now(), by);
  logRun(hub, { ...run, id, requestId }, "run.queued", { trigger: "revert", mode: "plan" });
  hub.wake();
  return id;
}
