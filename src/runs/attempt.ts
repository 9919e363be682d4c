/** One attempt at a run: counts it when it begins, and decides about the run when it fails. */
import type { Hub } from "../hub.ts";
import { isSpent, MAX_ATTEMPTS, pauseAfterDeathMs, pauseAfterErrorMs } from "../model/attempts.ts";
import { Fault } from "../model/errors.ts";
import type { RunPause } from "../model/run.ts";
import { causesOf, codeOf } from "../std/causes.ts";
import { releaseLease, renewLease } from "../store/runs/queue.ts";
import { updateAtWork, updateRun } from "../store/runs/run-steps.ts";
import { findRun, isAtRest, type Run } from "../store/runs/runs.ts";
import { describeTrouble, isAway, isFull, mayBeDone } from "../store/trouble.ts";
import { failRun } from "./end.ts";
import { logRun } from "./log.ts";
import { type Leased, openStage, type RunOptions, type Stage } from "./stage.ts";

/** A run that has gone on for this long since its last pause begins with the first one again. */
const FORGET_AFTER_MS = 600_000;

/** Fails with `run_failed` after too many attempts. Stores the pause that follows if this process dies. */
export async function beginAttempt(hub: Hub, { run, lease }: Leased, options: RunOptions): Promise<Stage> {
  const { db } = hub, now = hub.now(), ms = pauseAfterDeathMs(run.attempts);
  if (isSpent(run.attempts, run.startedAt, now)) {
    throw new Fault("run_failed", `The run did not end in ${run.attempts} attempts`);
  }
  await db.write([
    updateRun(db, run.id, {
      attempts: run.attempts + 1,
      startedAt: run.startedAt ?? now,
      pause: ms === 0 && run.pause === null
        ? null
        : { failures: run.pause?.failures ?? 0, until: now + ms, ms, why: null },
      ...(run.status === "applying"
        ? { applyingAt: run.applyingAt ?? now }
        : { status: "planning", planningAt: now, plannedAt: null }),
    }),
    ...renewLease(db, lease),
  ]);
  return await openStage(hub, run, lease, options);
}

/**
 * A Fault ends the run. After any other error, such as a stopped process or a full disk, the run is released for another
 * attempt, after a pause that doubles. Fails with `storage_full` on a full disk, and with the error itself if
 * `options.rethrow` is set.
 */
export async function endAttempt(hub: Hub, leased: Leased, options: RunOptions, error: unknown): Promise<void> {
  const { db } = hub;
  const { run, lease } = leased;
  const release = (values: Partial<Run>) =>
    db.write([
      ...(Object.keys(values).length === 0 ? [] : [updateAtWork(db, run.id, values)]),
      releaseLease(db, lease),
    ]);
  const uncounted = { attempts: run.attempts, pause: run.pause };
  // A stop says nothing about the run.
  if (options.signal.aborted) return void await release(uncounted);
  if (error instanceof Fault) return await failRun(hub, leased, error);
  if (mayBeDone(error) && await hasReachedItsEnd(hub, run)) return;
  const pause = pauseAfter(run, error, hub.now());
  logRun(hub, run, "run.interrupted", {
    attempt: run.attempts + 1,
    error: nameOf(error),
    why: pause.why,
    again_in_ms: pause.until - hub.now(),
  });
  if (isFull(error)) {
    await release(uncounted);
    throw new Fault("storage_full", "The hub's disk is full: make room on it, and the run goes on where it stopped", {
      cause: error,
    });
  }
  await release({ ...(isAway(error) ? uncounted : {}), pause });
  if (!isAway(error) && run.attempts + 1 >= MAX_ATTEMPTS) {
    const message = `The run failed in every attempt. ${pause.why ?? "The log names the error"}`;
    return await failRun(hub, leased, new Fault("run_failed", message, { cause: error }));
  }
  if (options.rethrow === true) throw error;
}

/** Whether the write that ended the run, or left it to a person, was made although its answer was lost. */
async function hasReachedItsEnd(hub: Hub, run: Run): Promise<boolean> {
  const found = await findRun(hub.db, run.organizationId, run.id);
  if (found === null || !isAtRest(found.run.status)) return false;
  const { status, error } = found.run;
  logRun(hub, run, status === "held" ? "run.held" : "run.ended", { status, code: error?.code ?? null });
  // Runs that follow this one may have been queued with it.
  hub.wake();
  return true;
}

function pauseAfter({ pause }: Run, error: unknown, now: number): RunPause {
  const before = pause !== null && now - pause.until < FORGET_AFTER_MS ? pause.failures : 0;
  const ms = pauseAfterErrorMs(before);
  return { failures: before + 1, until: now + ms, ms, why: describeTrouble(error) };
}

/** The database's messages may contain people's data; its codes do not. */
function nameOf(error: unknown): string {
  const code = causesOf(error).map(codeOf).find((each) => each !== null);
  return code ?? (error instanceof Error ? error.name : "unknown");
}
