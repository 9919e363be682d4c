/**
 * Inputs that come about by chance, one after the other, until the time is over: `npm run fuzz -- --minutes 5 --seed 1`.
 * A third of the time they go through the reader alone, and a third through a hub. One that does what no input may do ends
 * it, with the seed that brings it back and the file beside it. In the last third, files of an HR department follow each
 * other, and a model of the rules (test/model/rules) says what the hub must do; what it does else ends it, made small.
 */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { huntRules } from "../model/scenarios/hunt.ts";
import { importing } from "../support/imports.ts";
import { importOnce } from "./hub.ts";
import { mutate } from "./mutate.ts";
import { createRandom } from "./random.ts";
import { readOnce } from "./reader.ts";
import { type Input, shape } from "./shapes.ts";

/** How many inputs ended how. */
export type Tally = Record<string, number>;

/** People of one hub: more would make each import slower. */
const INPUTS_OF_A_HUB = 200;

/** Reads inputs from this seed on until `until` says that it is enough. */
export async function fuzzReader(seed: number, until: (count: number) => boolean): Promise<Tally> {
  const tally: Tally = {};
  for (let count = 0; !until(count); count++) await noted(tally, seed + count, readOnce);
  return tally;
}

/** Imports inputs from this seed on until `until` says that it is enough. */
export async function fuzzHub(seed: number, until: (count: number) => boolean): Promise<Tally> {
  const tally: Tally = {};
  for (let count = 0; !until(count);) {
    await importing(async (world) => {
      await world.set("csv", { key: "email" });
      for (let i = 0; i < INPUTS_OF_A_HUB && !until(count); i++, count++) {
        await noted(tally, seed + count, (input) => importOnce(world, input));
      }
    });
  }
  return tally;
}

/** Fails with the seed in its message, and the input in a file. */
async function noted(
  tally: Tally,
  seed: number,
  work: (input: Input, random: ReturnType<typeof createRandom>) => Promise<string>,
): Promise<void> {
  const random = createRandom(seed);
  const input = mutate(shape(random), random);
  try {
    const end = await work(input, random);
    tally[end] = (tally[end] ?? 0) + 1;
  } catch (cause) {
    const file = join(tmpdir(), `fuzz-${seed}-${input.name}`);
    writeFileSync(file, input.bytes);
    throw new Error(`Seed ${seed} (${file} as ${input.type}): ${(cause as Error).message}`, { cause });
  }
}

function until(ms: number): (count: number) => boolean {
  const end = Date.now() + ms;
  return () => Date.now() >= end;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { minutes: { type: "string" }, seed: { type: "string" } } });
  const minutes = Number(values.minutes ?? "1"), seed = Number(values.seed ?? Date.now() % 1e9);
  if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error("Usage: npm run fuzz -- --minutes N [--seed N]");
  console.log(`from seed ${seed}`);
  for (const [name, fuzz] of Object.entries({ reader: fuzzReader, hub: fuzzHub, rules: huntRules })) {
    const tally = await fuzz(seed, until(minutes * 20_000));
    const total = Object.values(tally).reduce((sum, count) => sum + count, 0);
    console.log(`${name}: ${total} inputs`);
    for (const [end, count] of Object.entries(tally).toSorted((a, b) => b[1] - a[1])) console.log(`  ${count}  ${end}`);
  }
}

if (process.argv[1]?.endsWith("fuzz.ts")) await main();
