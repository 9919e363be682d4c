/**
 * What clients send becomes values of the schema. Accepted beyond the RFC's letter is what providers really send: booleans
 * as text, one value instead of a list, a list of one instead of a value, the `value` of a complex one alone. No I/O.
 */
import { ScimError } from "./error.ts";
import { byName, isIn } from "./names.ts";
import type { Attribute } from "./schema.ts";
import type { Node, Simple, Value } from "./value.ts";

const MAX_TEXT = 10_000;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?$/;
const INTEGER = /^-?\d+$/;
const DECIMAL = /^-?\d+(?:\.\d+)?$/;

/** The value of an attribute; undefined: it is unassigned, by null, an empty list or an object without values. */
export function coerce(
  attribute: Attribute,
  given: unknown,
): Value | undefined {
  if (given === null || given === undefined) return undefined;
  if (!attribute.multiValued) {
    // A manager comes as a list of one from some.
    const one = Array.isArray(given) && attribute.type === "complex" && given.length <= 1 ? given[0] : given;
    return one === undefined || one === null ? undefined : element(attribute, one);
  }
  const all = (Array.isArray(given) ? given : [given]).flatMap(
    (each: unknown) => {
      const made = each === null ? undefined : element(attribute, each);
      return made === undefined ? [] : [made];
    },
  );
  if (all.length === 0) return undefined;
  return attribute.type === "complex" ? distinct(all as Node[]) : [...new Set(all as Simple[])];
}

/** One value of the attribute. */
export function element(
  attribute: Attribute,
  given: unknown,
): Simple | Node | undefined {
  return attribute.type === "complex" ? node(attribute, given) : simple(attribute, given);
}

/** A complex value. Sub-attributes that are read-only, or that the hub does not keep, are left out. */
export function node(attribute: Attribute, given: unknown): Node | undefined {
  const subs = attribute.subAttributes ?? [];
  if (typeof given !== "object" || given === null) {
    const value = byName(subs, "value");
    if (value === null) throw refuse(attribute, "an object");
    return { [value.name]: simple(value, given) };
  }
  if (Array.isArray(given)) throw refuse(attribute, "an object");
  const made: Node = {};
  for (const [key, value] of Object.entries(given)) {
    const sub = byName(subs, key);
    if (sub === null) {
      if (isIn(attribute.ignored ?? [], key)) continue;
      throw new ScimError(
        "invalidValue",
        `"${attribute.name}" has no "${key.slice(0, 100)}"`,
      );
    }
    if (sub.mutability === "readOnly" || value === null || value === "") {
      continue;
    }
    made[sub.name] = simple(sub, value);
  }
  return Object.keys(made).length === 0 ? undefined : made;
}

/** A value that is not complex. */
export function simple(attribute: Attribute, given: unknown): Simple {
  switch (attribute.type) {
    case "boolean":
      return toBoolean(given) ?? fail(attribute, "true or false");
    case "integer":
    case "decimal":
      return number(attribute, given);
    case "dateTime":
      if (
        typeof given === "string" && DATE_TIME.test(given) &&
        !Number.isNaN(Date.parse(given))
      ) return given;
      return fail(attribute, "a date with a time, like 2026-03-02T08:00:00Z");
    default:
      if (typeof given !== "string") return fail(attribute, "a text");
      if (given.length > MAX_TEXT) {
        return fail(attribute, `a text of at most ${MAX_TEXT} characters`);
      }
      return given;
  }
}

/** Entra writes booleans as "True" and "False". Null: it is none. */
export function toBoolean(given: unknown): boolean | null {
  if (typeof given === "boolean") return given;
  const text = typeof given === "string" ? given.toLowerCase() : null;
  return text === "true" ? true : text === "false" ? false : null;
}

function number(attribute: Attribute, given: unknown): number {
  const isInteger = attribute.type === "integer",
    pattern = isInteger ? INTEGER : DECIMAL;
  const made = typeof given === "string" && pattern.test(given) ? Number(given) : given;
  if (
    typeof made === "number" && Number.isFinite(made) &&
    (!isInteger || Number.isInteger(made))
  ) return made;
  return fail(attribute, isInteger ? "a whole number" : "a number");
}

/** Two elements with the same type and value are one. */
function distinct(nodes: readonly Node[]): Node[] {
  return [...new Map(nodes.map((each) => [identityOf(each), each])).values()];
}

/** What makes an element the same as another: its type and value, or all of it where it has no value. */
export function identityOf(element: Node): string {
  const { type, value } = element;
  if (value === undefined) {
    return JSON.stringify(
      Object.entries(element).sort(([a], [b]) => a < b ? -1 : 1),
    );
  }
  return JSON.stringify([String(type ?? "").toLowerCase(), value]);
}

function refuse({ name }: Attribute, what: string): ScimError {
  return new ScimError("invalidValue", `"${name}" should be ${what}`);
}

function fail(attribute: Attribute, what: string): never {
  throw refuse(attribute, what);
}
