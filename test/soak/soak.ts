/**
 * `npm run soak -- --minutes 20 [--seed 1] [--database file|server]`: rounds of two minutes (or less, if that is all the time),
 * one after the other, until the time is over. Three hubs on one database, a minute apart by their clocks, one of them killed
 * every four seconds. Prints a line for each round, and ends at the first that ends otherwise than it must, with the hubs' logs.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { CLOCKS, play, type Round } from "./round.ts";
import { DATABASES } from "./databases.ts";

const ROUND: Omit<Round, "serve" | "seed"> = {
  organizations: 6,
  people: 1000,
  endpoints: 20,
  clocks: CLOCKS,
  seconds: 120,
  killEveryMs: 4000,
};

const { values } = parseArgs({
  options: { minutes: { type: "string" }, seed: { type: "string" }, database: { type: "string" } },
});
const minutes = Number(values.minutes ?? "4"), first = Number(values.seed ?? Date.now() % 1e9);
const chosen = Object.entries(DATABASES).filter(([name]) => (values.database ?? name) === name);
if (!(minutes > 0) || !Number.isInteger(first) || chosen.length === 0) {
  throw new Error("Usage: npm run soak -- --minutes N [--seed N] [--database file|server]");
}
const end = Date.now() + minutes * 60_000;
for (let seed = first; Date.now() < end; seed++) {
  for (const [database, serve] of chosen) {
    const round = { ...ROUND, seconds: Math.min(ROUND.seconds, minutes * 60), serve, seed };
    console.log(JSON.stringify({ seed, database, ...await play(round) }));
  }
}
process.exit(0);
