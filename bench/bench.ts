/**
 * `npm run bench`: Muster beside the `sqlite3` tool and a hand-written importer, on the same files, in the same run.
 *
 * Prints its tables to stdout and what it is doing to stderr. See README.md for what each scenario is.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CHAINS, type Day } from "./days.ts";
import { type FileName, writePeople } from "./files.ts";
import { databaseIn, importWithMuster, startUpSeconds } from "./muster.ts";
import { measure, type Measured } from "./process.ts";
import { type Felt, importWhileServing } from "./serving.ts";
import { compareDatabases, type DayCounts, importWithSqlite, prepareDatabase } from "./sqlite.ts";
import { type Figure, type Result, resultTable, servingTable } from "./table.ts";

const SERVING = "serving";
const NAMES = [...Object.values(CHAINS).flat().map((day) => day.name), SERVING];
const SYSTEMS = ["sqlite3", "handwritten", "muster"];

/** The hand-written importer takes minutes beyond this; larger files are extrapolated from one of this size. */
const HANDWRITTEN_PEOPLE = 100_000;

const { values: flags } = parseArgs({
  options: {
    people: { type: "string", multiple: true, default: ["100000", "1000000"] },
    only: { type: "string", default: NAMES.join(",") },
    systems: { type: "string", default: SYSTEMS.join(",") },
    rounds: { type: "string", default: "3" },
    keep: { type: "boolean", default: false },
  },
});
const sizes = flags.people.map((text) => {
  const people = Number(text.replaceAll("_", ""));
  if (!Number.isInteger(people) || people < 1 || people > 9_999_999) {
    throw new Error(`Cannot use "${text}" as --people: it should be a number from 1 to 9999999`);
  }
  return people;
});
const rounds = Number(flags.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 9) {
  throw new Error(`Cannot use "${flags.rounds}" as --rounds: it should be a number from 1 to 9`);
}
const only = choose("--only", flags.only, NAMES);
const systems = choose("--systems", flags.systems, SYSTEMS);
mkdirSync(join(import.meta.dirname!, "data"), { recursive: true });
/** Of this run alone: two benches at once may spoil each other's times and not each other's files. */
const DATA = mkdtempSync(join(import.meta.dirname!, "data", "run-"));
const files = new Map<string, string>();
const handwrittenFigures = new Map<string, Figure>();

try {
  if (systems.has("muster")) {
    console.log(`Muster's start-up, part of each of its times: ${(await startUpSeconds()).toFixed(2)} s\n`);
  }
  for (const people of sizes) {
    const results: Result[] = [];
    const felt: Felt[] = [];
    for (let round = 1; round <= rounds; round++) {
      for (const [chain, days] of Object.entries(CHAINS)) {
        addRound(results, await benchChain(people, chain, days, round));
      }
      if (only.has(SERVING) && systems.has("muster")) felt.push(await benchServing(people, results, round));
    }
    if (results.length > 0) console.log(`${resultTable(people, results)}\n`);
    if (felt.length > 0) console.log(`${servingTable(people, felt)}\n`);
  }
} finally {
  if (flags.keep) console.error(`Kept ${DATA}`);
  else rmSync(DATA, { recursive: true, force: true });
}

/** Puts a round's figures beside those of the rounds before it. */
function addRound(results: Result[], round: readonly Result[]): void {
  for (const result of round) {
    const at = results.findIndex(({ scenario }) => scenario === result.scenario);
    const before = results[at];
    if (before === undefined) results.push(result);
    else {
      results[at] = {
        ...result,
        sqlite: [...before.sqlite, ...result.sqlite],
        muster: [...before.muster, ...result.muster],
        differences: result.differences === null ? null : Math.max(before.differences ?? 0, result.differences),
      };
    }
  }
}

async function benchServing(people: number, results: readonly Result[], round: number): Promise<Felt> {
  const folder = dataDirectory(people, "sorted");
  if (!results.some((result) => result.scenario === CHAINS.sorted![0]!.scenario)) {
    rmSync(folder, { recursive: true, force: true });
    say(people, SERVING, "people to be edited", round);
    await importWithMuster(folder, fileOf(people, "sorted"));
  }
  say(people, SERVING, "import while serving", round);
  return await importWhileServing(folder, fileOf(people, "sorted"), people);
}

/** Runs a chain of days as far as any of them was asked for, each day on every system before the next day. */
async function benchChain(people: number, chain: string, days: readonly Day[], round: number): Promise<Result[]> {
  const last = days.findLastIndex((day) => only.has(day.name));
  if (last < 0) return [];
  const baseline = await freshBaseline(people, `${chain}-sqlite`);
  rmSync(dataDirectory(people, chain), { recursive: true, force: true });
  const handwritten = await prepareHandwritten(people, chain);
  const results: Result[] = [];
  for (const [index, day] of days.slice(0, last + 1).entries()) {
    const file = fileOf(people, day.file);
    let sqlite: (Measured & { counts: DayCounts }) | null = null;
    let muster: (Measured & { counts: DayCounts }) | null = null;
    let differences: number | null = null;
    if (systems.has("sqlite3")) {
      say(people, day.scenario, "sqlite3", round);
      sqlite = await importWithSqlite(baseline, file, index === 0 ? "first" : "later");
    }
    if (systems.has("muster")) {
      say(people, day.scenario, "Muster", round);
      muster = await importWithMuster(dataDirectory(people, chain), file);
    }
    if (sqlite && muster) {
      for (const count of ["created", "updated", "unchanged"] as const) {
        if (sqlite.counts[count] !== muster.counts[count]) {
          throw new Error(`${count} is ${muster.counts[count]} by Muster and ${sqlite.counts[count]} by sqlite3`);
        }
      }
      const found = await compareDatabases(baseline, databaseIn(dataDirectory(people, chain)));
      differences = found.users + found.departments + found.links;
    }
    results.push({
      scenario: day.scenario,
      target: day.targets[people] ?? null,
      sqlite: sqlite === null ? [] : [sqlite],
      muster: muster === null ? [] : [muster],
      differences,
      handwritten: await handwritten(day),
    });
  }
  return results;
}

/** Gives a function that measures the hand-written importer on a day, once for each day whatever the size. */
async function prepareHandwritten(people: number, chain: string): Promise<(day: Day) => Promise<Figure | null>> {
  if (!systems.has("handwritten")) return () => Promise.resolve(null);
  const measured = Math.min(people, HANDWRITTEN_PEOPLE);
  const database = await freshBaseline(measured, `${chain}-handwritten`);
  const control = await freshBaseline(measured, `${chain}-handwritten-control`);
  let isFirst = true;
  return async (day) => {
    const id = `${measured} ${day.name}`;
    if (!handwrittenFigures.has(id)) {
      const file = fileOf(measured, day.file);
      say(measured, day.scenario, "hand-written", 1);
      const program = join(import.meta.dirname!, "handwritten.ts");
      handwrittenFigures.set(id, await measure(process.execPath, ["run", "-A", program, file, database]));
      await importWithSqlite(control, file, isFirst ? "first" : "later");
      isFirst = false;
      const { users } = await compareDatabases(control, database);
      if (users > 0) throw new Error(`The hand-written importer left ${users} users wrong, and should leave none`);
    }
    const figure = handwrittenFigures.get(id)!;
    if (people === measured) return figure;
    return { ...figure, seconds: figure.seconds * people / measured, extrapolated: true };
  };
}

async function freshBaseline(people: number, name: string): Promise<string> {
  const database = join(DATA, String(people), `${name}.db`);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(database + suffix, { force: true });
  await prepareDatabase(database);
  return database;
}

function dataDirectory(people: number, chain: string): string {
  return join(DATA, String(people), `${chain}-muster`);
}

/** The path of a file, written when it is first asked for. */
function fileOf(people: number, name: FileName): string {
  const id = `${people} ${name}`;
  if (!files.has(id)) files.set(id, writePeople(join(DATA, String(people)), name, people));
  return files.get(id)!;
}

function choose(flag: string, text: string, known: readonly string[]): ReadonlySet<string> {
  const names = text.split(",");
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`Cannot use "${unknown}" in ${flag}: it should be of ${known.join(", ")}`);
  return new Set(names);
}

function say(people: number, scenario: string, system: string, round: number): void {
  console.error(`${people.toLocaleString("en")} people, ${scenario}, round ${round}: ${system}`);
}
