/** Scenarios of one seed after the other, until it is enough; the first that goes wrong ends it, made small. */
import { createRandom } from "../../fuzz/random.ts";
import { generateScenario } from "./generate.ts";
import { minimize } from "./minimize.ts";
import { describeTrial, tryScenario } from "./try.ts";

/** Fails with the seed and a small scenario. Gives how many runs ended how. */
export async function huntRules(seed: number, until: (count: number) => boolean): Promise<Record<string, number>> {
  const tally: Record<string, number> = {};
  for (let count = 0; !until(count); count++) {
    const found = await huntOne(seed + count, tally);
    if (found !== null) throw new Error(found);
  }
  return tally;
}

/** What is wrong with the scenario of this seed, as a person reads it, or null. */
export async function huntOne(seed: number, tally: Record<string, number> = {}): Promise<string | null> {
  const scenario = generateScenario(createRandom(seed));
  const trial = await tryScenario(scenario);
  for (const status of trial.statuses) tally[status] = (tally[status] ?? 0) + 1;
  if (trial.wrong.length + trial.breaches.length === 0) return null;
  const small = await minimize(scenario, trial);
  return describeTrial(seed, small.scenario, small.trial);
}

/** Runs that were applied, that had errors, and that were held. */
export function isVaried(tally: Record<string, number>): boolean {
  return ["succeeded", "partial", "held"].every((status) => (tally[status] ?? 0) > 0);
}
