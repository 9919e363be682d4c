/** One attempt at a run: counts it when it begins, and decides about the run when it fails. */
import type { Hub } from "../hub.ts";
import { Fault } from "../model/errors.ts";
import { causesOf, codeOf } from "../std/causes.ts";
import { releaseLease, renewLease } from "../store/runs/queue.ts";
import { updateRun } from "../store/runs/run-steps.ts";
import { isFull } from "../store/trouble.ts";
import { failRun } from "./end.ts";
import { logRun } from "./log.ts";
import { GivenBack, type Leased, openStage, type RunOptions, type Stage } from "./stage.ts";

const MAX_ATTEMPTS = 10;

/** Fails with `run_failed` after too many attempts. */
export async function beginAttempt(hub: Hub, { run, lease }: Leased, options: RunOptions): Promise<Stage> {
  const { db } = hub;
  if (run.attempts >= MAX_ATTEMPTS) {
    throw new Fault("run_failed", `The run did not end in ${MAX_ATTEMPTS} attempts`);
  }
  await db.write([
    updateRun(db, run.id, {
      attempts: run.attempts + 1,
      startedAt: run.startedAt ?? hub.now(),
      ...(run.status === "applying"
        ? { applyingAt: run.applyingAt ?? hub.now() }
        : { status: "planning", planningAt: hub.now(), plannedAt: null }),
    }),
    ...renewLease(db, lease),
  ]);
  return await openStage(hub, run, lease, options);
}

/**
 * A Fault ends the run. After any other error, such as a stopped process or a full disk, the run is released for another
 * attempt. Fails with `storage_full` on a full disk, and with the error itself if `options.rethrow` is set.
 */
export async function endAttempt(hub: Hub, leased: Leased, options: RunOptions, error: unknown): Promise<void> {
  const { db } = hub;
  const { run, lease } = leased;
  const release = () => db.write([releaseLease(db, lease)]);
  const releaseUncounted = () => db.write([updateRun(db, run.id, { attempts: run.attempts }), releaseLease(db, lease)]);
  if (options.signal.reason instanceof GivenBack) return void await releaseUncounted();
  if (options.signal.aborted) return void await release();
  if (error instanceof Fault) return await failRun(hub, leased, error);
  // The database's messages may contain people's data; its codes do not.
  logRun(hub, run, "run.interrupted", { attempt: run.attempts + 1, error: nameOf(error) });
  if (isFull(error)) {
    await releaseUncounted();
    throw new Fault("storage_full", "The hub's disk is full: make room on it, and the run goes on where it stopped", {
      cause: error,
    });
  }
  await release();
  if (run.attempts + 1 >= MAX_ATTEMPTS) {
    const message = "The run failed in every attempt; the log names the error";
    return await failRun(hub, leased, new Fault("run_failed", message, { cause: error }));
  }
  if (options.rethrow === true) throw error;
}

function nameOf(error: unknown): string {
  const code = causesOf(error).map(codeOf).find((each) => each !== null);
  return code ?? (error instanceof Error ? error.name : "unknown");
}
