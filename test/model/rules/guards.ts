/** Whether a plan is more than goes without asking. */
import type { Column, Connection } from "./state.ts";

export interface Amounts {
  readonly deactivate: number;
  readonly reactivate: number;
  readonly identity: number;
  readonly update: number;
  readonly create: number;
  readonly errors: number;
  readonly contradictions: number;
}

export interface Bases {
  readonly read: number;
  /** Active people who are linked to the connection, new ones of this run among them. */
  readonly active: number;
  /** The same without this run's new people. */
  readonly known: number;
  /** People who were linked before, and the active ones of them. */
  readonly linked: number;
  readonly activeLinked: number;
  /** Whether most of those who are linked are absent. */
  readonly mostAreAbsent: boolean;
}

export const NO_BASES: Bases = {
  read: 0,
  active: 0,
  known: 0,
  linked: 0,
  activeLinked: 0,
  mostAreAbsent: false,
};

type Name = keyof Amounts;

const DEFAULTS: Readonly<Record<Name, { percent: number; floor: number; cap: number }>> = {
  deactivate: { percent: 5, floor: 5, cap: 500 },
  reactivate: { percent: 5, floor: 5, cap: 500 },
  identity: { percent: 2, floor: 5, cap: 500 },
  update: { percent: 50, floor: 50, cap: Infinity },
  create: { percent: 20, floor: 50, cap: Infinity },
  errors: { percent: 40, floor: 50, cap: Infinity },
  contradictions: { percent: 20, floor: 4, cap: Infinity },
};
const HALVED: readonly Name[] = ["deactivate", "reactivate", "identity"];

export function guardsThatHold(connection: Connection, amounts: Amounts, bases: Bases): string[] {
  const names = Object.keys(DEFAULTS) as Name[];
  return names.filter((name) => holds(name, amounts[name], connection, bases));
}

export function holds(name: Name, count: number, { limits, memory }: Connection, bases: Bases): boolean {
  const own = limits[name] ?? {};
  if (own.enabled === false || (name === "create" && memory.fullInputs === 0)) return false;
  const base = name === "errors" || name === "contradictions"
    ? bases.read
    : name === "update" || name === "create"
    ? bases.known
    : bases.active;
  const floor = own.floor ?? floorOf(name, base, memory.fullInputs >= 3 || bases.mostAreAbsent);
  const cap = own.cap === null ? Infinity : own.cap ?? DEFAULTS[name].cap;
  const percent = own.percent ?? DEFAULTS[name].percent;
  if (count > Math.max(floor, Math.min(cap, percent * base / 100))) return true;
  return HALVED.includes(name) && count >= 2 && count > (name === "reactivate" ? bases.linked : bases.activeLinked) / 2;
}

function floorOf(name: Name, base: number, isCreateSettled: boolean): number {
  const half = Math.min(50, Math.max(5, base / 2));
  if (name === "update") return half;
  if (name === "create") return isCreateSettled ? half : DEFAULTS.create.floor;
  return HALVED.includes(name) && base < 50 ? Math.max(2, Math.ceil(base / 10)) : DEFAULTS[name].floor;
}

export interface ColumnsSeen {
  readonly connection: Connection;
  readonly columns: readonly Column[];
  /** By key, which columns have a value. */
  readonly filled: ReadonlyMap<string, ReadonlySet<Column>>;
  /** Keys of people who were linked before: nobody else has anything to lose. */
  readonly linked: ReadonlySet<string>;
  /** Keys of people who leave with this input. */
  readonly leaving: ReadonlySet<string>;
  /** Keys of people whose manager leaves. */
  readonly managerLeft: ReadonlySet<string>;
  /** How many who had left would return. */
  readonly returning: number;
  /** Whether what somebody had in a column counts. */
  counts(key: string, column: Column): boolean;
}

/** Whether a column has lost too many of its values. */
export function columnGuardHolds(
  { connection, columns, filled, linked, leaving, managerLeft, returning, counts }: ColumnsSeen,
): boolean {
  const { limits, memory, policy } = connection;
  const isFirst = memory.fullInputs === 0 || memory.filled === null;
  if (limits.column?.enabled === false || isFirst || policy.empty_cells !== "clear") return false;
  const before = memory.filled!;
  const all = [...filled.keys()].filter((key) => linked.has(key) && before.has(key) && !leaving.has(key));
  const points = limits.column?.percent ?? 30;
  for (const column of columns) {
    if (!memory.columns.includes(column)) continue;
    if (column === "deactivation_date") {
      const isGone = [...filled.values()].every((cells) => !cells.has(column));
      if (isGone && returning >= 2 && [...before.values()].some((cells) => cells.has(column))) return true;
      continue;
    }
    // Not of those who name no manager any more as theirs has left.
    const isOfManager = column === "manager_id" || column === "manager_email";
    const hasLost = (key: string) =>
      managerLeft.has(key) &&
      ["manager_id", "manager_email"].some((each) =>
        before.get(key)!.has(each as Column) && !filled.get(key)!.has(each as Column)
      );
    const both = isOfManager ? all.filter((key) => !hasLost(key)) : all;
    const was = both.filter((key) => before.get(key)!.has(column) && counts(key, column)).length;
    const is = both.filter((key) => filled.get(key)!.has(column)).length;
    if (was >= 3 && is === 0) return true;
    if (both.length >= 5 && (was - is) * 100 / both.length > points) return true;
  }
  return false;
}
