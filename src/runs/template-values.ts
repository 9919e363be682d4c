/**
 * What a template of connections sets, value by value, and what becomes of a connection that has values of its own. Each
 * value has its place in the connection as a JSON pointer, such as `/limits/deactivate/percent`. Pure.
 */
import type { Schedule } from "../model/connection.ts";
import { GUARD_NAMES, type GuardName, type Limits } from "../model/guards.ts";
import type { Policy } from "../model/policy.ts";
import type { KeyField } from "../model/record.ts";
import { sameStored } from "../reconcile/image.ts";
import { pathOf, pointerOf } from "../std/json-pointer.ts";

/** The part of a connection that a template can set. */
export interface Content {
  readonly preset: string | null;
  readonly key: KeyField | null;
  readonly schedule: Schedule | null;
  readonly settings: Record<string, unknown>;
  readonly mapping: Record<string, string | null>;
  readonly policy: Policy;
  readonly limits: Limits;
}

/** By place; what is not set is not there. */
export type Values = ReadonlyMap<string, unknown>;

/**
 * The values of `content`. A null preset or schedule is a value. A null key is not: it is the preset's or the input's. Nor
 * is null in a policy, as earlier versions have stored it.
 */
export function toValues({ preset, key, schedule, settings, mapping, policy, limits }: Partial<Content>): Values {
  const sections: [path: string[], values: object | undefined][] = [
    [[], { preset, schedule, key: key ?? undefined }],
    [["settings"], settings],
    [["mapping"], mapping],
    [["policy"], policy && Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== null))],
    ...GUARD_NAMES.map((guard): [string[], object | undefined] => [["limits", guard], limits?.[guard]]),
  ];
  return new Map(
    sections.flatMap(([path, values]) =>
      Object.entries(values ?? {}).filter(([, value]) => value !== undefined)
        .map(([name, value]) => [pointerOf([...path, name]), value] as const)
    ),
  );
}

/** What `toValues` made the values of. */
export function toContent(values: Values): Content {
  const all = [...values].map(([place, value]) => ({ path: pathOf(place), value }));
  const section = (...names: string[]) =>
    Object.fromEntries(
      all.filter(({ path }) => path.length === names.length + 1 && names.every((name, i) => path[i] === name))
        .map(({ path, value }) => [path.at(-1)!, value]),
    );
  const guards = new Set(all.flatMap(({ path: [first, guard] }) => first === "limits" ? [guard as GuardName] : []));
  const { preset = null, key = null, schedule = null } = section() as Partial<Content>;
  return {
    preset,
    key,
    schedule,
    settings: section("settings"),
    mapping: section("mapping") as Content["mapping"],
    policy: section("policy") as Policy,
    limits: Object.fromEntries([...guards].map((guard) => [guard, section("limits", guard)])) as Limits,
  };
}

/** A value that changes; undefined: it is not set. */
export interface ValueChange {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** A value that the connection has by itself; undefined: it is not set. */
export interface OwnValue {
  readonly field: string;
  readonly own: unknown;
  /** What the template sets. */
  readonly template: unknown;
  /** What the template had set when it was last applied. */
  readonly before: unknown;
}

export interface Merged {
  readonly values: Values;
  readonly changes: readonly ValueChange[];
  readonly kept: readonly OwnValue[];
}

/**
 * `before`: what the template has set when it was last applied; `template`: what it sets now; `own`: the connection's values.
 * A value follows the template if the template has changed it and the connection has not. Merging the outcome again changes
 * nothing.
 */
export function mergeValues(before: Values, template: Values, own: Values): Merged {
  const values = new Map(own);
  const changes: ValueChange[] = [], kept: OwnValue[] = [];
  for (const field of new Set([...before.keys(), ...template.keys()])) {
    const [was, next, mine] = [before, template, own].map((each) => each.get(field));
    if (sameStored(mine, next)) continue;
    if (sameStored(was, next) || !sameStored(mine, was)) {
      kept.push({ field, own: mine, template: next, before: was });
      continue;
    }
    if (next === undefined) values.delete(field);
    else values.set(field, next);
    changes.push({ field, before: mine, after: next });
  }
  return { values, changes, kept };
}
