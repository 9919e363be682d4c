/**
 * One run, from its lease to its end: find its input, take its turn, plan, ask the guards, decide, save, apply, end.
 *
 * The process that carries a run holds its organization's lease. If it is killed at any point, the next process continues
 * by the run's status: planning starts again, applying goes on with the first page that is not applied. If it has lost the
 * lease, because it could not renew it for too long, it cannot write any more, and leaves the run to the new holder.
 */
import type { Hub } from "../hub.ts";
import { applyPages } from "./apply.ts";
import { beginAttempt, endAttempt } from "./attempt.ts";
import { consider } from "./consider.ts";
import { decide } from "./decide.ts";
import { endRun } from "./end.ts";
import { findInput } from "./input.ts";
import { logRun } from "./log.ts";
import { outcomeOf } from "./outcome.ts";
import { savePlan } from "./save-plan.ts";
import type { Leased, RunOptions, Stage } from "./stage.ts";
import { isFenced } from "../store/fence.ts";
import { passTurn, takeTurn } from "./turn.ts";

/** Carries the run until it ends, or waits for a person or for another run. */
export async function carry(hub: Hub, leased: Leased, options: RunOptions): Promise<void> {
  try {
    await carryUnlessFenced(hub, leased, options);
  } catch (error) {
    if (!isFenced(error)) throw error;
    logRun(hub, leased.run, "run.taken_over", {});
  } finally {
    await options.staging?.clear();
  }
}

async function carryUnlessFenced(hub: Hub, leased: Leased, options: RunOptions): Promise<void> {
  const { run } = leased;
  try {
    if (run.cancelRequested && run.status !== "applying") return await endRun(hub, leased, { status: "cancelled" });
    const stage = await beginAttempt(hub, leased, options);
    const approved = run.status === "applying" ? stage : await plan(stage);
    if (approved !== null) await apply(approved);
  } catch (error) {
    if (isFenced(error)) throw error;
    await endAttempt(hub, leased, options, error);
  }
}

/** Returns the stage of the approved run; null: the run waits, or has ended. No user is written. */
async function plan(stage: Stage): Promise<Stage | null> {
  const turn = await takeTurn(stage, await findInput(stage));
  if (turn.kind !== "go") return await passTurn(stage, turn);
  const considered = await consider(stage, turn.input);
  return await savePlan(stage, considered, await decide(stage, considered));
}

async function apply(stage: Stage): Promise<void> {
  const stopped = await applyPages(stage);
  await endRun(stage.hub, stage, await outcomeOf(stage, stopped));
}
