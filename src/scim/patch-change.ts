/** One operation of a PATCH on an attribute with one value. No I/O. */
import { coerce, simple } from "./coerce.ts";
import { ScimError } from "./error.ts";
import { nameOfPlace, type Place } from "./names.ts";
import type { Resource } from "./value.ts";
import { type Node, setAt, valueAt } from "./value.ts";

export type Operation = "add" | "remove" | "replace";

export interface Change {
  readonly given: { readonly resource: Resource; readonly named: Set<string> };
  readonly op: Operation;
  readonly place: Place;
  readonly value: unknown;
}

export function replaceWhole(
  { given: { resource }, op, place, value }: Change,
): void {
  const { attribute, sub } = place;
  if (op === "remove") {
    requireOptional(place);
    if (sub === null) return setAt(resource, place, undefined);
    const rest = { ...valueAt(resource, place) as Node | undefined };
    delete rest[sub.name];
    return setAt(resource, place, rest);
  }
  if (sub !== null) {
    const node = { ...valueAt(resource, place) as Node | undefined };
    if (value === null) delete node[sub.name];
    else node[sub.name] = simple(sub, value);
    return setAt(resource, place, node);
  }
  const made = coerce(attribute, value);
  if (attribute.type !== "complex" || made === undefined) {
    return setAt(resource, place, made);
  }
  // Sub-attributes that are not named stay (RFC 7644, section 3.5.2.3).
  setAt(resource, place, {
    ...valueAt(resource, place) as Node | undefined,
    ...made as Node,
  });
}

export function requireOptional(place: Place): void {
  if (place.sub === null && place.attribute.required) {
    throw new ScimError(
      "mutability",
      `"${nameOfPlace(place)}" is required, so it cannot be removed`,
    );
  }
}
