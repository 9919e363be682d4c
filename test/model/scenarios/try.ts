/** One scenario, day by day, on the model and on the engine. */
import type { Lab } from "../../laws/lab.ts";
import { beginDay, compareRuns, compareStates, emptyState, planDay } from "./compare.ts";
import { ALONE, NOTHING_BEFORE } from "../rules/parts.ts";
import type { State } from "../rules/state.ts";
import { answer, beginDay as beginInEngine, lookAt, openEngine, passTime, sendFiles, whatIsHeld } from "./engine.ts";
import { decideInModel, decideRows } from "./decisions.ts";
import { breachesOfOrder, breachesOfRepeat } from "./repeat.ts";
import { breachesOf, type Truth } from "./truth.ts";
import { describeScenario, filesOf, type Scenario } from "./scenario.ts";

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
    const held = await beginInEngine(lab, day), due = beginDay(state, day, lab);
    const isOne = filesOf(day).length === 1;
    // On one day alone, as this takes three times as long.
    const before = index === scenario.days.length - 1 && index > 0 && isOne ? await lab.copy() : null;
    const { wanted, seen, breaches, ...played } = await playFiles(lab, due.after, { scenario, index, truth, links });
    state = played.state;
    statuses.push(...played.statuses);
    if (played.isOver) {
      before?.close();
      break;
    }
    const wrong = due.held === held ? [] : [`leaving days held: model ${due.held}, engine ${held}`];
    const holding = await whatIsHeld(lab);
    links = holding.links;
    wrong.push(...played.wrong, ...compareStates(state, holding));
    if (before !== null) {
      breaches.push(...await breachesOfOrder(before, day, index, seen, holding));
      if (seen.status === "succeeded" || seen.status === "partial") {
        breaches.push(...await breachesOfRepeat(lab, day, index, seen));
      }
      before.close();
    }
    if (day.decides && isOne && seen.status !== "held") {
      state = decideInModel(state, wanted, day, await decideRows(lab, seen, day, { truth, doubts: wanted.doubts }));
    }
    if (!scenario.isCompared) wrong.length = 0;
    if (wrong.length + breaches.length > 0) return { wrong, breaches, day: index + 1, statuses };
  }
  return { wrong: [], breaches: [], day: 0, statuses };
}

interface At {
  readonly scenario: Scenario;
  readonly index: number;
  readonly truth: Truth;
  /** Links before the day. */
  readonly links: readonly string[];
}

/** Sends the day's files together, and looks at one after the other; `wanted` and `seen` are of the last. */
async function playFiles(lab: Lab, before: State, { scenario, index, truth, links }: At) {
  const day = scenario.days[index]!, files = filesOf(day);
  const { limits, policy } = scenario.sources.find(({ slug }) => slug === day.connection)!;
  const known = {
    isGuarded: Object.keys(limits).length === 0,
    linked: links.filter((link) => link.startsWith(`${day.connection} `)).length,
  };
  const wrong: string[] = [], breaches: string[] = [], statuses: string[] = [];
  const runs = await sendFiles(lab, files, index);
  let state = before, shown = NOTHING_BEFORE, first = 0;
  for (const [at, file] of files.entries()) {
    const isLast = at === files.length - 1, isFirst = at === first;
    const asks = isFirst && !isLast && policy.missing === "deactivate" && policy.pick !== "all";
    const wanted = planDay(state, file, isFirst && isLast ? ALONE : { before: shown, isLast, asks }, lab);
    const seen = await lookAt(lab, runs[at]!);
    // Two answers are right, and what comes after depends on which it was.
    if (wanted.isOpen) return { state, wrong: [], breaches: [], statuses, wanted, seen, isOver: true };
    statuses.push(seen.error ?? seen.status);
    wrong.push(...compareRuns(wanted, seen, state));
    breaches.push(...breachesOf(truth, file, seen, known));
    if (seen.status === "held") await answer(lab, seen.run, day.ifHeld);
    if (wanted.status !== "held" || day.ifHeld === "approve") [state, shown] = [wanted.after, wanted.shown];
    // Whoever says that they are not one input leaves the others to themselves.
    else if (asks) [shown, first] = [NOTHING_BEFORE, at + 1];
    else shown = { ...shown, isWhole: false };
    if (isLast) return { state, wrong, breaches, statuses, wanted, seen, isOver: false };
  }
  throw new Error("A day without a file");
}

/** The scenario of a seed, or a smaller one, with what is wrong, as a person reads it. */
export function describeTrial(seed: number, scenario: Scenario, { wrong, breaches, day }: Trial): string {
  return `Seed ${seed}\n${describeScenario(scenario)}\nWrong on day ${day}:\n  ${[...breaches, ...wrong].join("\n  ")}`;
}
