/**
 * Settings in layers: each layer overrides those before it, and every value remembers which layer it comes from. Runs use
 * the values, the API shows where they come from, and both come from here. Pure.
 */

export const ORIGINS = ["default", "organization", "connector", "preset", "template", "connection"] as const;

/** What a value comes from. `default`: nothing sets it. */
export type SetBy = (typeof ORIGINS)[number];

/** A value in force, and what it comes from. */
export interface InForce<Value> {
  readonly value: Value;
  readonly from: SetBy;
}

export type Traced<Values> = { readonly [name in keyof Values]: InForce<Values[name]> };

/** Values of one layer; an undefined one leaves the layers before in force. */
export type Layer<Values> = readonly [
  from: SetBy,
  values: { readonly [name in keyof Values]?: Values[name] | undefined },
];

/** The first layer has every value, the last one wins. */
export function traceLayers<Values extends object>(
  all: readonly ["default", Values],
  ...layers: readonly Layer<Values>[]
): Traced<Values> {
  const traced: Record<string, InForce<unknown>> = {};
  for (const [from, values] of [all, ...layers]) {
    for (const [name, value] of Object.entries(values)) if (value !== undefined) traced[name] = { value, from };
  }
  return traced as Traced<Values>;
}

export function valuesOf<Values extends object>(traced: Traced<Values>): Values {
  const entries = Object.entries(traced) as [string, InForce<unknown>][];
  return Object.fromEntries(entries.map(([name, { value }]) => [name, value])) as Values;
}
