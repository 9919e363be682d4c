/**
 * Guards: does this plan look like an accident? Pure: figures in, the guards that hold it out.
 *
 * A guard holds when n > max(floor, min(cap, percent × base)). Guards of changes that remove access or give it to another
 * person also hold when n is at least 2 and more than half of the people who were linked before.
 */
import type { Filled } from "../model/connection.ts";
import { floorAt, type GuardName, type Guards, type ResolvedGuard } from "../model/guards.ts";
import type { Issue } from "../model/record.ts";
import { columnVanished } from "./issues/input.ts";
import { HOURLY, type KeptColumn, type UserPlan } from "./summarize.ts";

/** Guards that always hold for more than half of the people. */
const HALF: ReadonlySet<GuardName> = new Set(["deactivate", "reactivate", "identity", "missing"]);

export interface Held {
  readonly guard: GuardName;
  /** The field, for the guards `column` and `field_gone`. */
  readonly field?: string;
  readonly count: number;
  readonly limit: number;
  readonly base: number;
  /** The part of `count` that earlier runs did within the hour. */
  readonly earlier?: number;
}

/** What each guard that counts compares with its limit; null: the guard has nothing to say of this run. */
export type GuardFigures = Readonly<Record<Counting, number | null>>;
type Counting = Exclude<GuardName, "column" | "field_gone">;

/** Of a plan that does none of it. */
export const NO_FIGURES: GuardFigures = {
  deactivate: 0,
  reactivate: 0,
  identity: 0,
  update: 0,
  create: null,
  errors: 0,
  departments: null,
  missing: null,
  contradictions: null,
};

/** What the figures are compared with. */
export interface Bases {
  /** Active users linked to the connection, before or by this run. */
  readonly people: number;
  /** The same without those whom this run makes. */
  readonly known: number;
  /** Active users linked to the connection before this run. */
  readonly before: number;
  readonly rows: number;
  /** Active departments of the organization. */
  readonly departments: number;
  /** Whether new people are rare here: then the floor of `create` follows the base. */
  readonly isSettled: boolean;
}

export const NO_BASES: Bases = { people: 0, known: 0, before: 0, rows: 0, departments: 0, isSettled: false };

/** The base of each guard's percentage. */
const BASE_OF: Readonly<Record<Counting, "people" | "known" | "rows" | "departments">> = {
  deactivate: "people",
  reactivate: "people",
  identity: "people",
  update: "known",
  create: "known",
  errors: "rows",
  departments: "departments",
  missing: "people",
  contradictions: "rows",
};

/** `news`: whether new people, and new departments, are news: until a first input was applied, all of them are new. */
export function figuresOf(
  plan: Pick<UserPlan, "counts" | "deactivate" | "identity" | "overwritten" | "newlyMissing" | "conflicts">,
  { news, isFetched }: { news: { people: boolean; departments: boolean }; isFetched: boolean },
): GuardFigures {
  const { counts } = plan;
  return {
    deactivate: plan.deactivate,
    reactivate: counts.reactivated,
    identity: plan.identity,
    update: plan.overwritten,
    create: news.people ? counts.created : null,
    errors: counts.failed,
    departments: news.departments ? counts.departments_created : null,
    // Where nothing is fetched, the sender has left them out.
    missing: isFetched ? plan.newlyMissing : null,
    contradictions: plan.conflicts,
  };
}

/** What runs of the last hour did, where records come one by one. */
export interface Earlier {
  readonly deactivate: number;
  readonly reactivate: number;
  readonly identity: number;
  /** The part of `deactivate` who lost access at once, and so are no longer among the active. */
  readonly left: number;
}

/** Whether so many rows would make their users somebody else that the plan is held instead, with all of them in it. */
export function isHeldForConflicts(
  { conflicts, counts }: Pick<UserPlan, "conflicts" | "counts">,
  { contradictions }: Guards,
): boolean {
  return contradictions.enabled && conflicts > guardLimit(contradictions, counts.read);
}

/** From so many records on, an input is looked at by itself where records come one by one. */
const MIN_RECORDS = 20;

/** The figures of a connection that is fed record by record, where an accident comes in small pieces. */
export function overAnHour(figures: GuardFigures, earlier: Earlier, rows: number): GuardFigures {
  return {
    ...(rows < MIN_RECORDS ? NOTHING_TO_SAY : figures),
    ...Object.fromEntries(HOURLY.map((name) => [name, withEarlier(figures[name]!, earlier[name])])),
  };
}

/** What was done before, and approved, holds no run that does nothing of the kind. */
function withEarlier(count: number, earlier: number): number {
  return count === 0 ? 0 : count + earlier;
}

const NOTHING_TO_SAY = Object.fromEntries(Object.keys(NO_FIGURES).map((name) => [name, null])) as GuardFigures;

/** The most that may change without being held: what `n` is compared with. */
export function guardLimit(settings: ResolvedGuard, base: number): number {
  const share = Math.floor((settings.percent / 100) * base);
  return Math.max(floorAt(settings, base), Math.min(settings.cap ?? Infinity, share));
}

/**
 * `returning`: people whom this run makes active again, who were linked before without being active. `earlier`: the part
 * of the figures that is of earlier runs.
 */
export function holdingGuards(
  figures: GuardFigures,
  bases: Bases,
  guards: Guards,
  { returning = 0, earlier = {} }: { returning?: number; earlier?: Readonly<Partial<Record<Counting, number>>> } = {},
): Held[] {
  const held: Held[] = [];
  for (const guard of Object.keys(NO_FIGURES) as Counting[]) {
    const count = figures[guard];
    if (count === null || !guards[guard].enabled) continue;
    const base = bases[BASE_OF[guard]];
    if (guard === "departments" && base === 0) continue;
    const settings = guard === "create" && !bases.isSettled ? { ...guards.create, floorRule: null } : guards[guard];
    const limit = guardLimit(settings, base);
    const before = bases.before + (guard === "reactivate" ? returning : 0), half = Math.floor(before / 2);
    const isHalf = HALF.has(guard) && count >= 2 && half < limit;
    if (count <= (isHalf ? half : limit)) continue;
    held.push({
      guard,
      count,
      ...(isHalf ? { limit: half, base: before } : { limit, base }),
      ...(earlier[guard] ? { earlier: earlier[guard] } : {}),
    });
  }
  return held;
}

/** A warning for each field whose column the last complete full input had, and this one has not: reported once. */
export function goneColumns(now: Filled, last: Filled): Issue[] {
  return Object.entries(last.filled).filter(([field, filled]) => filled > 0 && now.filled[field] === undefined)
    .map(([field]) => columnVanished(field, last.headers?.[field] ?? field));
}

/** Fields that the last complete full read had values for, and of which this one has nothing at all. */
export function goneFields(now: Filled, last: Filled, guards: Guards): Held[] {
  if (!guards.field_gone.enabled) return [];
  return Object.entries(last.filled).filter(([field, filled]) => filled > 0 && now.filled[field] === undefined)
    .map(([field, filled]) => ({ guard: "field_gone", field, count: filled, limit: 0, base: last.rows }));
}

/** From so many people on, a column's share of values is compared; from so many values on, whether any is left. */
const MIN_PEOPLE = 5, MIN_VALUES = 3;
/** So many leavers who come back because no leaving date is left are no coincidence. */
const MIN_RETURNING = 2;

/** Columns that lost more values than can be by chance. Only for full inputs whose empty cells clear. */
export function vanishedColumns({ kept, returning }: Pick<UserPlan, "kept" | "returning">, guards: Guards): Held[] {
  const { enabled, percent } = guards.column;
  if (!enabled) return [];
  const held = kept.filter((column) => hasVanished(column, percent)).map(({ field, people, before, after }): Held => {
    // All are gone from a column with few values: any value that is left is enough.
    const limit = Math.max(1, Math.ceil(before - (percent / 100) * people));
    return { guard: "column", field, count: after, limit, base: people };
  });
  if (returning >= MIN_RETURNING) {
    held.push({
      guard: "column",
      field: "deactivation_date",
      count: returning,
      limit: MIN_RETURNING - 1,
      base: returning,
    });
  }
  return held;
}

function hasVanished({ people, before, after }: KeptColumn, percent: number): boolean {
  if (before >= MIN_VALUES && after === 0) return true;
  // Shares are compared in points, so that a rounding error of floating point does not hold a run.
  return people >= MIN_PEOPLE && ((before - after) / people) * 100 > percent + 1e-9;
}
