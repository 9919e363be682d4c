/** Approving a plan, and cancelling a run: what people decide about runs. */
import { type By, HUB } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { logRun } from "./log.ts";
import { eventOfUntouched } from "../notify/run-events.ts";
import { approvePlanned, planAfresh, requestCancel } from "../store/runs/run-decisions.ts";
import { findRun } from "../store/runs/runs.ts";

/**
 * Lets the plan that was seen be applied. Fails with `plan_changed` when it is another one, or when the hub has moved
 * since: then the same run is planned afresh, with a new hash.
 */
export async function approveRun(
  hub: Hub,
  organizationId: number,
  runId: number,
  planHash: string,
  by: By = HUB,
): Promise<void> {
  const found = await findRun(hub.db, organizationId, runId);
  if (found === null) throw new Fault("not_found", "There is no such run");
  const { run } = found;
  if (run.status !== "planned" && run.status !== "held") {
    throw new Fault("conflict", `The run is "${run.status}"; only a planned or held one can be approved`);
  }
  if (run.planHash !== planHash) {
    throw new Fault(
      "plan_changed",
      "The plan is not the one with this hash; look at the run's plan_hash and its changes again",
    );
  }
  if (await approvePlanned(hub.db, run, hub.now(), by)) {
    logRun(hub, { ...run, requestId: hub.requestId ?? null }, "run.approved");
    return hub.wake();
  }
  await planAfresh(hub.db, run, hub.now(), by);
  hub.wake();
  throw new Fault(
    "plan_changed",
    "People have changed since the plan was made; the run is planned afresh, look at it again",
  );
}

/** Stops the run: at once while it waits or is planned, after the current chunk while it is applied. */
export async function cancelRun(hub: Hub, organizationId: number, runId: number, by: By = HUB): Promise<void> {
  const found = await findRun(hub.db, organizationId, runId);
  if (found === null) throw new Fault("not_found", "There is no such run");
  const ended = { status: "cancelled", finishedAt: hub.now(), counts: null } as const;
  const events = await eventOfUntouched(hub, found.run, ended);
  if (!await requestCancel(hub.db, found.run, events, hub.now(), by)) {
    throw new Fault("conflict", `The run is "${found.run.status}" and can no longer be cancelled`);
  }
  const atWork = found.run.status === "planning" || found.run.status === "applying";
  logRun(hub, { ...found.run, requestId: hub.requestId ?? null }, "run.cancel_requested", { at_work: atWork });
  if (!atWork) logRun(hub, found.run, "run.ended", { status: "cancelled" });
  hub.wake();
}
