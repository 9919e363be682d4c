/**
 * Guards: does this plan look like an accident? Pure: figures in, the guards that hold it out.
 *
 * A guard holds when n > max(floor, min(cap, percent × base)). Guards of changes that remove access or give it to another
 * person also hold when n > base / 2 and n is at least 2.
 */
import type { GuardName } from "../model/connection.ts";
import type { Issue } from "../model/record.ts";
import { columnVanished } from "./issues/input.ts";

export interface GuardSettings {
  readonly percent: number;
  readonly floor: number;
  readonly cap: number | null;
  readonly enabled: boolean;
}

export const DEFAULT_GUARDS: Readonly<Record<GuardName, GuardSettings>> = {
  deactivate: { percent: 5, floor: 5, cap: 500, enabled: true },
  reactivate: { percent: 5, floor: 5, cap: 500, enabled: true },
  identity: { percent: 2, floor: 5, cap: 500, enabled: true },
  update: { percent: 50, floor: 50, cap: null, enabled: true },
  create: { percent: 20, floor: 50, cap: null, enabled: true },
  errors: { percent: 40, floor: 50, cap: null, enabled: true },
  /** Fetched sources keep people who left, so people missing from one are mostly hidden. */
  missing: { percent: 5, floor: 2, cap: 500, enabled: true },
  /** `percent`: by how many points a column's share of filled cells may fall. */
  column: { percent: 30, floor: 0, cap: null, enabled: true },
  /** For fetched sources: a field that cannot be read any more. Its numbers do not matter. */
  field_gone: { percent: 0, floor: 0, cap: null, enabled: true },
};

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

export interface GuardFigures {
  readonly deactivate: number;
  readonly reactivate: number;
  readonly identity: number;
  readonly update: number;
  /** Null: the connection has not applied a complete full input yet, so all people are new. */
  readonly create: number | null;
  readonly errors: number;
  /** People who are missing for the first time. Null: nothing is fetched, so the sender left them out. */
  readonly missing: number | null;
  readonly rowsRead: number;
}

/** The figures of a plan without any of these changes. */
export const NO_FIGURES: GuardFigures = {
  deactivate: 0,
  reactivate: 0,
  identity: 0,
  update: 0,
  create: null,
  errors: 0,
  missing: null,
  rowsRead: 0,
};

/** The most that may change without being held: the limit for `n`. */
export function guardLimit(settings: GuardSettings, base: number): number {
  return Math.max(settings.floor, Math.min(settings.cap ?? Infinity, Math.floor((settings.percent / 100) * base)));
}

/** `base`: active users linked to the connection before or by this run. */
export function holdingGuards(
  figures: GuardFigures,
  base: number,
  guards: Readonly<Record<GuardName, GuardSettings>>,
): Held[] {
  const held: Held[] = [];
  for (const guard of ["deactivate", "reactivate", "identity", "update", "create", "errors", "missing"] as const) {
    const count = figures[guard];
    if (count === null || !guards[guard].enabled) continue;
    const against = guard === "errors" ? figures.rowsRead : base;
    let limit = guardLimit(guards[guard], against);
    if (HALF.has(guard) && count >= 2) limit = Math.min(limit, Math.floor(against / 2));
    if (count > limit) held.push({ guard, count, limit, base: against });
  }
  return held;
}

export interface Filled {
  readonly rows: number;
  /** Non-empty cells by field. */
  readonly filled: Readonly<Record<string, number>>;
}

/** A warning for each field whose column the last complete full input had, and this one does not. */
export function goneColumns(now: Filled, last: Filled): Issue[] {
  return Object.entries(last.filled).filter(([field, filled]) => filled > 0 && now.filled[field] === undefined)
    .map(([field]) => columnVanished(field));
}

/** Fields that had values in the last complete full input, and have none in this one. */
export function goneFields(now: Filled, last: Filled, guards: Readonly<Record<GuardName, GuardSettings>>): Held[] {
  if (!guards.field_gone.enabled) return [];
  return Object.entries(last.filled).filter(([field, filled]) => filled > 0 && now.filled[field] === undefined)
    .map(([field, filled]) => ({ guard: "field_gone", field, count: filled, limit: 0, base: last.rows }));
}

const MIN_ROWS = 20;

/** Columns that lost more values than can be by chance. Only for complete full inputs whose empty cells clear. */
export function vanishedColumns(
  now: Filled,
  last: Filled | null,
  guards: Readonly<Record<GuardName, GuardSettings>>,
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
