/** Guards by name, and the limits that a connection may set for them: the nouns, their defaults, and their shapes. */
import { z } from "zod";
import { type Traced, traceLayers, valuesOf } from "./layers.ts";

/** What one guard allows: `percent` of the base, at least `floor`, at most `cap` (null: no cap). */
export interface GuardSettings {
  readonly percent: number;
  readonly floor: number;
  readonly cap: number | null;
  readonly enabled: boolean;
}

export const DEFAULT_GUARDS = {
  deactivate: { percent: 5, floor: 5, cap: 500, enabled: true },
  reactivate: { percent: 5, floor: 5, cap: 500, enabled: true },
  identity: { percent: 2, floor: 5, cap: 500, enabled: true },
  update: { percent: 50, floor: 50, cap: null, enabled: true },
  create: { percent: 20, floor: 50, cap: null, enabled: true },
  errors: { percent: 40, floor: 50, cap: null, enabled: true },
  /** Rows that would make their users somebody else, of the rows read. */
  contradictions: { percent: 20, floor: 4, cap: null, enabled: true },
  /** New departments. */
  departments: { percent: 30, floor: 5, cap: null, enabled: true },
  /** Fetched sources keep those who left, so people who are gone from one have mostly been hidden. */
  missing: { percent: 5, floor: 2, cap: 500, enabled: true },
  /** For fetched sources: a field of which nothing can be read any more. Its numbers do not matter. */
  field_gone: { percent: 0, floor: 0, cap: null, enabled: true },
  /** `percent`: by how many points a column's share of filled cells may fall. */
  column: { percent: 30, floor: 0, cap: null, enabled: true },
} as const satisfies Record<string, GuardSettings>;

export type GuardName = keyof typeof DEFAULT_GUARDS;

/** How a floor follows the base: a tenth of a base under 50, from 2 on; or half of any base, from 5 to 50. */
export type FloorRule = "tenth" | "half";

/** Guards whose floor follows the base unless a connection sets it. */
const FLOOR_RULES: { readonly [name in GuardName]?: FloorRule } = {
  deactivate: "tenth",
  reactivate: "tenth",
  identity: "tenth",
  update: "half",
  create: "half",
};

/** The limits of a connection: its own, and the defaults. */
export interface ResolvedGuard extends GuardSettings {
  /** Null: the floor is the same at every base. */
  readonly floorRule: FloorRule | null;
}
export type Guards = Readonly<Record<GuardName, ResolvedGuard>>;

export const GUARD_NAMES = Object.keys(DEFAULT_GUARDS) as [GuardName, ...GuardName[]];

const NUMBER = z.int().min(0).max(100_000_000);
const LIMIT = z.strictObject({
  percent: z.number().min(0).max(100).optional(),
  floor: NUMBER.optional(),
  /** Null: no cap. */
  cap: NUMBER.nullable().optional(),
  enabled: z.boolean().optional(),
});
const SHOWN = LIMIT.meta({ id: "Limit" });

/** A guard without numbers is only switched on and off. */
type Shapes<Limit, Toggle> = { [name in GuardName]: name extends "field_gone" ? Toggle : Limit };

function limitsOf<Limit extends z.ZodType, Toggle extends z.ZodType>(limit: Limit, toggle: Toggle) {
  const shapes = GUARD_NAMES.map((name) => [name, name === "field_gone" ? toggle : limit]);
  return z.strictObject(Object.fromEntries(shapes) as Shapes<Limit, Toggle>).partial();
}

/** As they are set; absent means the default. */
export const LIMITS = limitsOf(LIMIT.meta({ id: "LimitInput" }), z.strictObject({ enabled: z.boolean() }));
/** As they are shown. */
export const LIMITS_SHOWN = limitsOf(SHOWN, SHOWN);

export type Limits = z.infer<typeof LIMITS>;

/** The defaults, with a connection's own numbers in their places, and which of the two each one is. */
export function traceGuards(limits: Limits): { readonly [name in GuardName]: Traced<GuardSettings> } {
  const traced = GUARD_NAMES.map((name) =>
    [name, traceLayers<GuardSettings>(["default", DEFAULT_GUARDS[name]], ["connection", limits[name] ?? {}])] as const
  );
  return Object.fromEntries(traced) as { [name in GuardName]: Traced<GuardSettings> };
}

/** As traceGuards: the numbers alone. A floor that the connection sets is that at every base. */
export function resolveGuards(limits: Limits): Guards {
  const resolved = Object.entries(traceGuards(limits)).map(([key, each]) => {
    const name = key as GuardName, own: Partial<GuardSettings> = limits[name] ?? {};
    return [name, {
      ...valuesOf(each),
      floorRule: own.floor === undefined ? FLOOR_RULES[name] ?? null : null,
    }] as const;
  });
  return Object.fromEntries(resolved) as Guards;
}

/** The floor at this base. */
export function floorAt({ floor, floorRule }: ResolvedGuard, base: number): number {
  if (floorRule === "half") return Math.min(50, Math.max(5, Math.floor(base / 2)));
  return floorRule === "tenth" && base < 50 ? Math.max(2, Math.ceil(base / 10)) : floor;
}

/** Whether a guard lets anything pass that it held before, at whatever base. */
export function isLooser(before: ResolvedGuard, after: ResolvedGuard): boolean {
  if (!before.enabled) return false;
  return !after.enabled || after.percent > before.percent || after.floor > before.floor ||
    floorAt(after, 0) > floorAt(before, 0) || (after.cap ?? Infinity) > (before.cap ?? Infinity);
}
