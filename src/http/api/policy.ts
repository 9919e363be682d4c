/** Schemas of a connection's policy and limits, as requests give them. */
import { z } from "zod";
import { decodeId } from "../../model/id.ts";
import type { Limits, Policy } from "../../model/connection.ts";
import { COVERAGE } from "../kit/values.ts";

const USER_ID = z.string().refine((text) => decodeId("usr", text) !== null, "should be the id of a user, like usr_…");
const MAX_STATUSES = 200;
const MAX_PROTECTED = 1000;

/** In changes, null restores the default of a name. */
export const POLICY = z.strictObject(
  {
    coverage: COVERAGE,
    missing: z.enum(["keep", "deactivate"]),
    missing_after_runs: z.int().min(1).max(100),
    missing_after_hours: z.int().min(0).max(8760),
    empty_cells: z.enum(["clear", "keep"]),
    manual_edits: z.enum(["overwrite", "keep"]),
    create: z.boolean(),
    update: z.boolean(),
    deactivate: z.boolean(),
    reactivate: z.boolean(),
    pick: z.enum(["latest", "all"]),
    pre_hires: z.enum(["import", "wait"]),
    only_statuses: z.array(z.string().trim().min(1).max(254)).max(MAX_STATUSES),
    protected: z.array(USER_ID).max(MAX_PROTECTED),
    signature: z.enum(["optional", "required"]),
    priority: z.int().min(-1_000_000).max(1_000_000),
  } satisfies Record<keyof Policy, z.ZodType>,
).partial();

const NUMBER = z.int().min(0).max(100_000_000);
const GUARD = z.strictObject({
  percent: z.number().min(0).max(100).optional(),
  floor: NUMBER.optional(),
  /** Null: no cap. */
  cap: NUMBER.nullable().optional(),
  enabled: z.boolean().optional(),
});

const GUARD_SHOWN = GUARD.meta({ id: "Limit" });

/** Limits in requests. */
export const LIMITS = limitsOf(GUARD.meta({ id: "LimitInput" }), z.strictObject({ enabled: z.boolean() }));
/** Limits in answers. */
export const LIMITS_SHOWN = limitsOf(GUARD_SHOWN, GUARD_SHOWN);

function limitsOf<Toggle extends z.ZodType>(guard: typeof GUARD, toggle: Toggle) {
  return z.strictObject(
    {
      deactivate: guard,
      reactivate: guard,
      identity: guard,
      update: guard,
      create: guard,
      errors: guard,
      missing: guard,
      field_gone: toggle,
      column: toggle,
    } satisfies Record<keyof Limits, z.ZodType>,
  ).partial();
}

/** The same schema for changes: names that are absent keep their value, null removes one. */
export function mergeable<Shape extends z.ZodRawShape>(envelope: z.ZodObject<Shape>): z.ZodObject {
  return z.strictObject(
    Object.fromEntries(Object.entries(envelope.shape).map(([name, value]) => [name, (value as z.ZodType).nullable()])),
  );
}

/** Applies changes to `current`. Names whose change is null are removed. */
export function merge<Values extends object>(current: Values, changes: { readonly [name: string]: unknown }): Values {
  return Object.fromEntries(
    Object.entries({ ...current, ...changes }).filter(([, value]) => value !== null && value !== undefined),
  ) as Values;
}
