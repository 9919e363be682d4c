/** One scenario, day by day, on the model and on the engine. */
import type { Lab } from "../../laws/lab.ts";
import { beginDay, compareRuns, compareStates, emptyState, planDay } from "./compare.ts";
import { answer, beginDay as beginInEngine, openEngine, passTime, sendDay, whatIsHeld } from "./engine.ts";
import { decideInModel, decideRows } from "./decisions.ts";
import { breachesOfOrder, breachesOfRepeat } from "./repeat.ts";
import { breachesOf, type Truth } from "./truth.ts";
import { describeScenario, type Scenario } from "./scenario.ts";

export interface Trial {
  /** Where the engine differs from the model on the first day on which something is wrong. */
  readonly wrong: readonly string[];
  /** Which laws are broken on that day, whatever the model says. */
  readonly breaches: readonly string[];
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
  let links: readonly string[] = [];
  const truth: Truth = new Map();
  const statuses: string[] = [];
  for (const [index, day] of scenario.days.entries()) {
    passTime(lab, day);
    await beginInEngine(lab, day);
    state = beginDay(state, day, lab);
    const wanted = planDay(state, day, lab);
    // On one day alone, as this takes three times as long.
    const before = index === scenario.days.length - 1 && index > 0 ? await lab.copy() : null;
    const seen = await sendDay(lab, day, index);
    statuses.push(seen.error ?? seen.status);
    const wrong = scenario.isCompared ? compareRuns(wanted, seen, state) : [];
    const { limits } = scenario.sources.find(({ slug }) => slug === day.connection)!;
    const linked = links.filter((link) => link.startsWith(`${day.connection} `)).length;
    const breaches = breachesOf(truth, day, seen, { isGuarded: Object.keys(limits).length === 0, linked });
    if (seen.status === "held") await answer(lab, seen, day);
    if (wanted.status !== "held" || day.ifHeld === "approve") state = wanted.after;
    const held = await whatIsHeld(lab);
    links = held.links;
    if (scenario.isCompared) wrong.push(...compareStates(state, held));
    if (before !== null) {
      breaches.push(...await breachesOfOrder(before, day, index, seen, held));
      if (seen.status === "succeeded" || seen.status === "partial") {
        breaches.push(...await breachesOfRepeat(lab, day, index, seen));
      }
      before.close();
    }
    if (day.decides && seen.status !== "held") {
      state = decideInModel(state, wanted, day, await decideRows(lab, seen, day, { truth, doubts: wanted.doubts }));
    }
    if (wrong.length + breaches.length > 0) return { wrong, breaches, day: index + 1, statuses };
  }
  return { wrong: [], breaches: [], day: 0, statuses };
}

/** The scenario of a seed, or a smaller one, with what is wrong, as a person reads it. */
export function describeTrial(seed: number, scenario: Scenario, { wrong, breaches, day }: Trial): string {
  return `Seed ${seed}\n${describeScenario(scenario)}\nWrong on day ${day}:\n  ${[...breaches, ...wrong].join("\n  ")}`;
}
