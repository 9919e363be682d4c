/** A smaller scenario in which the same is wrong: fewer days, rows, columns and mutations. */
import type { Day, Scenario } from "./scenario.ts";
import { type Trial, tryScenario } from "./try.ts";

/** Kinds of differences, without their values: what stays the same while a scenario gets smaller. */
const kindOf = ({ wrong, breaches }: Trial) => [...breaches, ...wrong][0]?.replace(/\d+/g, "n").slice(0, 40) ?? "";

export async function minimize(scenario: Scenario, trial: Trial): Promise<{ scenario: Scenario; trial: Trial }> {
  let best = { scenario, trial };
  const kind = kindOf(trial);
  for (let isSmaller = true, tries = 0; isSmaller && tries < 80;) {
    isSmaller = false;
    for (const smaller of smallerOnes(best.scenario)) {
      if (++tries > 80) break;
      const next = await tryScenario(smaller);
      if (kindOf(next) !== kind) continue;
      best = { scenario: smaller, trial: next };
      isSmaller = true;
      break;
    }
  }
  return best;
}

function* smallerOnes(scenario: Scenario): Iterable<Scenario> {
  const { days } = scenario;
  const withDays = (changed: readonly Day[]): Scenario => ({ ...scenario, days: changed });
  for (let i = days.length - 1; i >= 0; i--) if (days.length > 1) yield withDays(days.toSpliced(i, 1));
  const humans = [...new Set(days.flatMap(({ rows }) => rows.map(({ truth }) => truth)))];
  if (humans.length > 4) {
    for (const part of [humans.slice(0, humans.length / 2), humans.slice(humans.length / 2)]) {
      yield withDays(days.map((day) => ({ ...day, rows: day.rows.filter(({ truth }) => !part.includes(truth)) })));
    }
  }
  for (const human of humans) {
    yield withDays(days.map((day) => ({ ...day, rows: day.rows.filter(({ truth }) => truth !== human) })));
  }
  for (const header of new Set(days.flatMap(({ headers }) => headers))) {
    yield withDays(days.map((day) => ({ ...day, headers: day.headers.filter((each) => each !== header) })));
  }
  for (const [at, day] of days.entries()) {
    if (day.parts > 1) yield withDays(days.with(at, { ...day, parts: day.parts - 1 }));
    for (let i = 0; i < day.edits.length; i++) {
      yield withDays(days.with(at, { ...day, edits: day.edits.toSpliced(i, 1) }));
    }
    for (let i = 0; i < day.rows.length; i++) yield withDays(days.with(at, { ...day, rows: day.rows.toSpliced(i, 1) }));
  }
}
