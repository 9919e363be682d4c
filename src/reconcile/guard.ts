/**
 * Guards: does this plan look like an accident? Pure: figures in, the guards that hold it out.
 *
 * A guard holds when n > max(floor, min(cap, percent × base)). Guards of changes that remove access or give it to another
 * person also hold when n > base / 2 and n is at least 2.
 */
import type { Filled } from "../model/connection.ts";
import type { GuardName, Guards, GuardSettings } from "../model/guards.ts";
import type { Issue } from "../model/record.ts";
import { columnVanished } from "./issues/input.ts";
import type { UserPlan } from "./summarize.ts";

/** Guards that always hold for more than half of the people. */
const HALF: ReadonlySet<GuardName> = new Set(["deactivate", "reactivate", "identity", "missing"]);

export interface Held {
  readonly guard: GuardName;
  /** The field, for the guards `column` and `field_gone`. */
  readonly field?: string;
  readonly count: number;
  readonly limit: number;
  readonly base: number;
}

/** What each guard that counts compares with its limit; null: the guard has nothing to say of this run. */
export type GuardFigures = Readonly<Record<Counting, number | null>> & { readonly rowsRead: number };
type Counting = Exclude<GuardName, "column" | "field_gone">;

/** Of a plan that does none of it. */
export const NO_FIGURES: GuardFigures = {
  deactivate: 0,
  reactivate: 0,
  identity: 0,
  update: 0,
  create: null,
  errors: 0,
  missing: null,
  contradictions: null,
  rowsRead: 0,
};

/** `isFirst`: the connection has not yet applied a complete full input, so creating people is what the run is for. */
export function figuresOf(
  plan: Pick<UserPlan, "counts" | "deactivate" | "identity" | "newlyMissing" | "conflicts">,
  { isFirst, isFetched }: { isFirst: boolean; isFetched: boolean },
): GuardFigures {
  const { counts } = plan;
  return {
    deactivate: plan.deactivate,
    reactivate: counts.reactivated,
    identity: plan.identity,
    update: counts.updated,
    create: isFirst ? null : counts.created,
    errors: counts.failed,
    // Where nothing is fetched, the sender has left them out.
    missing: isFetched ? plan.newlyMissing : null,
    contradictions: plan.conflicts,
    rowsRead: counts.read,
  };
}

/** The figures of a run together with those of earlier runs. */
export function addFigures(figures: GuardFigures, earlier: Readonly<Record<string, number>>): GuardFigures {
  const sums = Object.entries(figures).map(([name, n]) => [name, n === null ? null : n + (earlier[name] ?? 0)]);
  return Object.fromEntries(sums) as GuardFigures;
}

/** Whether so many rows would make their users somebody else that the plan is held instead, with all of them in it. */
export function isHeldForConflicts(
  { conflicts, counts }: Pick<UserPlan, "conflicts" | "counts">,
  { contradictions }: Guards,
): boolean {
  return contradictions.enabled && conflicts > guardLimit(contradictions, counts.read);
}

/** The most that may change without being held: what `n` is compared with. */
export function guardLimit(settings: GuardSettings, base: number): number {
  return Math.max(settings.floor, Math.min(settings.cap ?? Infinity, Math.floor((settings.percent / 100) * base)));
}

/** `base`: active users linked to the connection before or by this run. */
export function holdingGuards(
  figures: GuardFigures,
  base: number,
  guards: Guards,
): Held[] {
  const held: Held[] = [];
  for (const guard of Object.keys(NO_FIGURES).filter((name) => name !== "rowsRead") as Counting[]) {
    const count = figures[guard];
    if (count === null || !guards[guard].enabled) continue;
    const against = guard === "errors" || guard === "contradictions" ? figures.rowsRead : base;
    let limit = guardLimit(guards[guard], against);
    if (HALF.has(guard) && count >= 2) limit = Math.min(limit, Math.floor(against / 2));
    if (count > limit) held.push({ guard, count, limit, base: against });
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

const MIN_ROWS = 20;

/** Columns that lost more values than can be by chance. Only for complete full inputs whose empty cells clear. */
export function vanishedColumns(
  now: Filled,
  last: Filled | null,
  guards: Guards,
): Held[] {
  const { enabled, percent } = guards.column;
  if (!enabled || last === null || now.rows < MIN_ROWS || last.rows < MIN_ROWS) return [];
  const held: Held[] = [];
  for (const [field, filled] of Object.entries(last.filled)) {
    const count = now.filled[field];
    // A missing column clears nothing.
    if (count === undefined) continue;
    const fall = filled / last.rows - count / now.rows;
    // Shares are compared in points, so that a rounding error of floating point does not hold a run.
    if (fall * 100 > percent + 1e-9) {
      held.push({
        guard: "column",
        field,
        count,
        limit: Math.ceil((filled / last.rows - percent / 100) * now.rows),
        base: now.rows,
      });
    }
  }
  return held;
}
