/**
 * Plans an input and asks the guards.
 *
 * Where records come one by one, a held run stops only the people in it, and a guard that counts over an hour only the
 * changes that it counts. Then the input is divided: rows that other runs bring are left out, and the rest is planned as if
 * they had not come. Rows that have to do with each other stay together. A plan for review is divided in the same way, so
 * that it says what would happen now.
 */
import { bringsRow } from "../model/run.ts";
import { createRowNames, type RowNames } from "../reconcile/row-names.ts";
import { HOURLY } from "../reconcile/summarize.ts";
import { EVERYBODY, findAhead, isAnyAhead, MAX_PASSING_BYTES, placeOf } from "../store/runs/run-names.ts";
import { considerDue } from "./consider-due.ts";
import { considerUpgrade } from "./consider-upgrade.ts";
import type { Considered, Division, Looked, Share } from "./division.ts";
import { guard, isFedByRecord } from "./guard.ts";
import { findJoined } from "./join.ts";
import { namer } from "./namer.ts";
import { makePlan } from "./plan.ts";
import type { Stage } from "./stage.ts";
import type { OpenInput, Turn } from "./turn.ts";

type Input = Extract<Turn, { kind: "go" }>["input"];

export async function consider(stage: Stage, input: Input): Promise<Considered> {
  if (stage.run.upgrade !== null && input.kind === "drop") {
    return await considerUpgrade(stage, stage.run.upgrade, input);
  }
  if (input.kind === "drop" && await isOfRecords(stage, input)) return await considerRecords(stage, input);
  if (input.kind === "none" && await isDueByRecord(stage)) return await considerDue(stage);
  const plan = await makePlan(stage, input);
  return { plan, guarded: await guard(stage, plan), division: null };
}

/** What was divided stays so, whatever its connection has become, and so does what waits for people of held runs. */
async function isOfRecords(stage: Stage, { drop, fetched, coverage, reading }: OpenInput): Promise<boolean> {
  const { hub: { db }, run } = stage;
  if (run.rows !== null) return true;
  return fetched === null && coverage === "diff" && reading.columns.entity === "users" &&
    drop.bytes <= MAX_PASSING_BYTES && (isFedByRecord(stage) || await isAnyAhead(db, run, null));
}

async function isDueByRecord(stage: Stage): Promise<boolean> {
  const { hub: { db }, run } = stage;
  return run.trigger === "due" && (isFedByRecord(stage) || await isAnyAhead(db, run, null));
}

interface Work {
  readonly stage: Stage;
  readonly input: OpenInput;
  readonly place: number | null;
  readonly names: RowNames;
  readonly leftOut: Set<number>;
}

async function considerRecords(stage: Stage, input: OpenInput): Promise<Considered> {
  const { hub: { db }, run, connection } = stage;
  const place = await placeOf(db, run), isBehind = await isAnyAhead(db, run, place);
  // A plan for review that is made again looks at all of its rows again.
  const rows = run.mode === "plan" ? null : run.rows;
  const leftOut = new Set([...rows ?? ""].flatMap((_, n) => bringsRow(rows, n) ? [] : [n]));
  const work: Work = { stage, input, place, names: createRowNames(namer(connection)), leftOut };
  const isQuick = place === null && !isBehind && rows === null && !connection.holdNext;
  let looked = await look(work, isQuick);
  if (isQuick && looked.guarded.length === 0) return { ...looked, division: undivided(work, []) };
  if (isQuick) looked = await look(work, false);
  if (looked.plan.outcomes === null) {
    return { ...looked, division: undivided(work, [EVERYBODY], isBehind && run.mode !== "plan") };
  }
  const behind = isBehind ? await rowsBehind(work) : new Map<number, number>();
  if (place !== null) return { ...looked, division: undivided(work, work.names.of(), behind.size > 0) };
  return await divideNew(work, looked, behind);
}

function undivided({ place, leftOut }: Work, names: readonly string[], mustWait = false): Division {
  return { place, names, mustWait, leftOut, waiting: null, stopped: null };
}

/** `behind`: rows about people of other runs, with the run that each waits for. */
async function divideNew(
  work: Work,
  all: Looked,
  behind: ReadonlyMap<number, number>,
): Promise<Considered> {
  const { names, leftOut } = work;
  let looked = all, waiting: Share | null = null;
  if (behind.size > 0) {
    const without = await lookWithout(work, looked, names.together(behind.keys()));
    looked = without.looked;
    waiting = { ...shareOf(work, without.places), behind };
  }
  const { stopped, ...rest } = await withoutStopped(work, looked);
  const own = [...all.plan.outcomes!].flatMap((_, n) => leftOut.has(n) ? [] : [n]);
  return { ...rest, division: { ...undivided(work, names.of(own)), waiting, stopped } };
}

/** Leaves out what the guards stop, if others are to be applied, or if a held run takes it. */
async function withoutStopped(work: Work, looked: Looked): Promise<Looked & Pick<Division, "stopped">> {
  const { stage, input, names, leftOut } = work;
  const rows = stage.connection.holdNext ? null : stoppedRows(looked);
  if (rows === null) return { ...looked, stopped: null };
  const places = new Set([...names.together(rows)].filter((n) => !leftOut.has(n)));
  const isAll = places.size === looked.plan.counts.read;
  if (isAll && await findJoined(stage, input, places, looked.guarded) === null) return { ...looked, stopped: null };
  const without = await lookWithout(work, looked, places);
  const joined = await findJoined(stage, input, without.places, looked.guarded);
  return { ...without.looked, stopped: { ...shareOf(work, without.places), joined, guarded: looked.guarded } };
}

async function look({ stage, input, names, leftOut }: Work, isQuick: boolean): Promise<Looked> {
  const plan = await makePlan(stage, { ...input, choice: { leftOut, names: isQuick ? null : names } });
  return { plan, guarded: await guard(stage, plan) };
}

/** The rows about people of runs ahead of this one, with the first such run. */
async function rowsBehind({ stage: { hub, run }, place, names, leftOut }: Work): Promise<Map<number, number>> {
  const ahead = await findAhead(hub.db, run, place, names.of());
  const everybody = ahead.get(EVERYBODY);
  const rows = everybody === undefined ? names.rowsWith(new Set(ahead.keys())) : names.rows();
  return new Map(
    rows.filter((n) => !leftOut.has(n)).map((n) => {
      const own = names.of([n]).flatMap((name) => ahead.get(name) ?? []);
      return [n, Math.min(everybody ?? Infinity, ...own)];
    }),
  );
}

/**
 * Plans without the rows at these places, and without those that then come to something else: a row that takes an address
 * which another gives up would be refused without it. Returns all places that were left out.
 */
async function lookWithout(
  work: Work,
  before: Looked,
  places: ReadonlySet<number>,
): Promise<{ looked: Looked; places: ReadonlySet<number> }> {
  const { names, leftOut } = work;
  const all = new Set<number>();
  for (let next: Iterable<number> = places;;) {
    for (const n of next) {
      all.add(n);
      leftOut.add(n);
    }
    const looked = await look(work, false);
    const outcomes = looked.plan.outcomes!;
    const moved = [...before.plan.outcomes!].flatMap((letter, n) =>
      !leftOut.has(n) && letter !== outcomes[n] ? [n] : []
    );
    if (moved.length === 0) return { looked, places: all };
    next = [...names.together(moved)].filter((n) => !leftOut.has(n));
  }
}

function shareOf({ names }: Work, places: ReadonlySet<number>): Share {
  return { places, names: names.of(places), behind: new Map() };
}

/** The rows that the guards stop; null: they stop nothing, or the whole input. */
function stoppedRows({ plan, guarded }: Looked): number[] | null {
  if (plan.guarded.kind !== "people" || guarded.length === 0) return null;
  const { counted } = plan.guarded.plan;
  const rows: number[] = [];
  for (const { guard } of guarded) {
    const name = HOURLY.find((each) => each === guard);
    if (name === undefined) return null;
    rows.push(...counted[name]);
  }
  return rows;
}
