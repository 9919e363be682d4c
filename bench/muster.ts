/** Muster as its users meet it: the command line, on a data directory of its own. */
import { join } from "node:path";
import { ENTRY, LAUNCH, PATH, RUNTIME } from "../test/support/launch.ts";
import { measure, type Measured } from "./process.ts";
import type { DayCounts } from "./sqlite.ts";

/** The program and its first arguments, as the package's own commands have them; the bench's runtime runs Muster too. */
export const MUSTER = {
  program: LAUNCH,
  args: [RUNTIME, ENTRY],
  env: { PATH },
} as const;

/** The database inside a data directory. */
export function databaseIn(dataDirectory: string): string {
  return join(dataDirectory, "muster.db");
}

/** Imports one day's file and gives what it meant. Throws unless every row was good and the plan was applied. */
export async function importWithMuster(
  dataDirectory: string,
  file: string,
  more: readonly string[] = [],
): Promise<Measured & { counts: DayCounts }> {
  const measured = await measure(MUSTER.program, [...MUSTER.args, "import", file, "--json", ...more], {
    env: { ...MUSTER.env, MUSTER_DATA_DIR: dataDirectory },
  });
  const answer = JSON.parse(measured.stdout);
  const run = answer.run ?? answer;
  if (run.status !== "succeeded") throw new Error(`The run ended as ${run.status}, and should have succeeded`);
  return { ...measured, counts: run.counts };
}

/** Seconds until the command line has answered and ended, without any work: the best of three. */
export async function startUpSeconds(): Promise<number> {
  let best = Infinity;
  for (let time = 0; time < 3; time++) {
    best = Math.min(best, (await measure(MUSTER.program, [...MUSTER.args, "--version"], { env: MUSTER.env })).seconds);
  }
  return best;
}
