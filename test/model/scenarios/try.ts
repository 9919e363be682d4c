/** One scenario, day by day, on the model and on the engine. */
import type { Lab } from "../../laws/lab.ts";
import { compareRuns, compareStates, emptyState, planDay } from "./compare.ts";
import { answer, openEngine, passTime, sendDay, whatIsHeld } from "./engine.ts";
import { describeScenario, type Scenario } from "./scenario.ts";

export interface Trial {
  /** What is wrong on the first day on which something is; empty where nothing is. */
  readonly wrong: readonly string[];
  readonly day: number;
  /** Statuses of the runs, for the tally. */
  readonly statuses: readonly string[];
}

export async function tryScenario(scenario: Scenario): Promise<Trial> {
  const lab = await openEngine(scenario);
  try {
    return await tryOn(lab, scenario);
  } finally {
    lab.close();
  }
}

async function tryOn(lab: Lab, scenario: Scenario): Promise<Trial> {
  let state = emptyState(scenario);
  const statuses: string[] = [];
  for (const [index, day] of scenario.days.entries()) {
    passTime(lab, day);
    const wanted = planDay(state, day, lab);
    const seen = await sendDay(lab, day, index);
    statuses.push(seen.error ?? seen.status);
    const wrong = compareRuns(wanted, seen, state);
    if (seen.status === "held") await answer(lab, seen, day);
    if (wanted.status !== "held" || day.ifHeld === "approve") state = wanted.after;
    wrong.push(...compareStates(state, await whatIsHeld(lab)));
    if (wrong.length > 0) return { wrong, day: index + 1, statuses };
  }
  return { wrong: [], day: 0, statuses };
}

/** The scenario of a seed, or a smaller one, with what is wrong, as a person reads it. */
export function describeTrial(seed: number, scenario: Scenario, { wrong, day }: Trial): string {
  return `Seed ${seed}\n${describeScenario(scenario)}\nWrong on day ${day}:\n  ${wrong.join("\n  ")}`;
}
