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
  /** Fetched sources keep those who left, so people who are gone from one have mostly been hidden. */
  missing: { percent: 5, floor: 2, cap: 500, enabled: true },
  /** For fetched sources: a field of which nothing can be read any more. Its numbers do not matter. */
  field_gone: { percent: 0, floor: 0, cap: null, enabled: true },
  /** `percent`: by how many points a column's share of filled cells may fall. */
  column: { percent: 30, floor: 0, cap: null, enabled: true },
} as const satisfies Record<string, GuardSettings>;

export type GuardName = keyof typeof DEFAULT_GUARDS;
export type Guards = Readonly<Record<GuardName, GuardSettings>>;

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

/** As traceGuards: the numbers alone. */
export function resolveGuards(limits: Limits): Guards {
  return Object.fromEntries(
    Object.entries(traceGuards(limits)).map(([name, each]) => [name, valuesOf(each)]),
  ) as Guards;
}
