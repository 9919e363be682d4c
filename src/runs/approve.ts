/** Approves a plan, or cancels a run. */
import { type By, HUB } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { logRun } from "./log.ts";
import { eventOfUntouched } from "../notify/run-events.ts";
import { approvePlanned, planAfresh, requestCancel } from "../store/runs/run-decisions.ts";
import { placeOf } from "../store/runs/run-names.ts";
import { dataVersionOf } from "../store/runs/run-steps.ts";
import { findRun, type Run } from "../store/runs/runs.ts";
import { stillFits } from "../store/runs/superseded.ts";

/**
 * Approves the plan with this hash. Fails with `plan_changed` if the run has another plan by now, or if people have changed
 * since it was made: then the run is planned again, with a new hash.
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
  const isAtWork = run.status === "queued" || run.status === "planning";
  if (isAtWork && run.heldBy.length > 0) throw addedTo();
  if (run.status !== "planned" && run.status !== "held") {
    throw new Fault("conflict", `The run is "${run.status}"; only a planned or held one can be approved`);
  }
  if (run.upgrade !== null) {
    throw new Fault(
      "conflict",
      "The run only shows what an upgrade of the connector would change: apply the upgrade of the connection instead",
    );
  }
  if (run.planHash !== planHash) {
    throw new Fault(
      "plan_changed",
      "plan_hash does not match the current plan; review the run's changes again",
    );
  }
  if (await approvePlanned(hub.db, run, await versionOf(hub, run), hub.now(), by)) {
    logRun(hub, { ...run, requestId: hub.requestId ?? null }, "run.approved");
    return hub.wake();
  }
  await planAfresh(hub.db, run, hub.now(), by);
  hub.wake();
  throw new Fault(
    "plan_changed",
    "People have changed since the plan was made; the run is planned again, review it then",
  );
}

/** Cancels the run: at once if it waits or is planned, after the current batch if it is being applied. */
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

function addedTo(): Fault {
  return new Fault("plan_changed", "More was added to the held run, and it is planned again; review it then");
}

/**
 * The version of the organization's data at which the run's plan holds. Where records come one by one, other people change
 * all the time: there it is the present one as long as nobody in the plan has changed, and no address or id in it is taken.
 */
async function versionOf({ db, now }: Hub, run: Run): Promise<number | null> {
  if (await placeOf(db, run) === null) return run.planVersion;
  const present = await dataVersionOf(db, run.organizationId);
  return present === run.planVersion || await stillFits(db, { ...run, edits: null, now: now() })
    ? present
    : run.planVersion;
}
