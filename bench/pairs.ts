/**
 * `deno run -A bench/pairs.ts TREE TREE`: imports of two checkouts of Muster in turn, on the same files.
 *
 * Prints for each day the second tree's time as so many times the first's, for each pair and at the median. Which of them
 * begins changes with each pair, as machines slow down and speed up. Each tree needs its own `node_modules`.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CHAINS } from "./days.ts";
import { writePeople } from "./files.ts";
import { measure, type Measured } from "./process.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    people: { type: "string", default: "1000000" },
    pairs: { type: "string", default: "5" },
    only: { type: "string", default: "first" },
  },
});
const trees = positionals.map((path) => resolve(path));
if (trees.length !== 2) throw new Error("Name two checkouts: deno run -A bench/pairs.ts TREE TREE");
const people = Number(flags.people), pairs = Number(flags.pairs);
const only = flags.only.split(",");
const chains = Object.values(CHAINS).map((days) =>
  days.slice(0, 1 + days.findLastIndex(({ name }) => only.includes(name)))
).filter((days) => days.length > 0);
if (!Number.isInteger(people) || !Number.isInteger(pairs) || chains.length === 0) {
  throw new Error("Cannot use these flags: --people and --pairs are numbers, --only names days (see README.md)");
}
mkdirSync(join(import.meta.dirname!, "data"), { recursive: true });
const DATA = mkdtempSync(join(import.meta.dirname!, "data", "pairs-"));

try {
  for (const days of chains) {
    const times = days.map(() => trees.map(() => [] as Measured[]));
    for (const [at, day] of days.entries()) writePeople(join(DATA, String(at)), day.file, people);
    for (let pair = 0; pair < pairs; pair++) {
      for (const tree of pair % 2 === 0 ? [0, 1] : [1, 0]) {
        const home = mkdtempSync(join(DATA, "home-"));
        for (const [at, day] of days.entries()) {
          times[at]![tree]!.push(await importOn(trees[tree]!, home, join(DATA, String(at), `${day.file}.csv`)));
        }
        rmSync(home, { recursive: true });
      }
      console.error(`${pair + 1} of ${pairs}`);
    }
    for (const [at, day] of days.entries()) if (only.includes(day.name)) print(day.scenario, times[at]!);
  }
} finally {
  rmSync(DATA, { recursive: true, force: true });
}

/** One import by one tree's own command line. Throws unless it succeeds. */
async function importOn(tree: string, home: string, file: string): Promise<Measured> {
  const args = ["deno", join(tree, "src/deno.ts"), "import", file, "--json"];
  const measured = await measure(join(tree, "src/launch.sh"), args, { env: { MUSTER_DATA_DIR: home } });
  const answer = JSON.parse(measured.stdout);
  const run = answer.run ?? answer;
  if (run.status !== "succeeded") throw new Error(`The run on ${tree} ended as ${run.status}`);
  return measured;
}

function print(scenario: string, times: Measured[][]): void {
  const [first, second] = times as [Measured[], Measured[]];
  const ratios = (of: (measured: Measured) => number) => first.map((one, pair) => of(second[pair]!) / of(one));
  const line = (name: string, all: number[]) =>
    console.log(`  ${name}: ${median(all).toFixed(3)} (${all.map((one) => one.toFixed(3)).join(" ")})`);
  console.log(`${scenario}, ${people} people, ${pairs} pairs`);
  for (const [tree, all] of times.entries()) line(`seconds of tree ${tree + 1}`, all.map(({ seconds }) => seconds));
  line("time, second by first", ratios(({ seconds }) => seconds));
  line("processor time, second by first", ratios(({ cpuSeconds }) => cpuSeconds ?? NaN));
}

function median(all: number[]): number {
  return all.toSorted((a, b) => a - b)[all.length >> 1]!;
}
