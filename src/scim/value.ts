/** Resources as the engine holds them: objects whose keys are names of the schema and nothing else. No I/O. */
import type { Place } from "./names.ts";

export type Simple = string | number | boolean;
/** The sub-attributes of a complex value. */
export type Node = { [name: string]: Simple };
export type Value = Simple | Node | readonly Simple[] | readonly Node[];
/** Values by attribute; those of an extension in an object by its URN. What has no value is absent. */
export type Resource = { [name: string]: Value | { [name: string]: Value } };

/** Own keys alone: an attribute may be called what objects have by birth. */
export function own<T>(
  from: { readonly [name: string]: T } | undefined,
  name: string,
): T | undefined {
  return from !== undefined && Object.hasOwn(from, name) ? from[name] : undefined;
}

/** The object that has the attributes of the place's schema; undefined: the resource has none of them. */
export function holderOf(
  resource: Resource,
  { extension }: Pick<Place, "extension">,
) {
  return extension === null
    ? resource as { [name: string]: Value }
    : own(resource, extension.id) as { [name: string]: Value } | undefined;
}

export function valueAt(
  resource: Resource,
  place: Pick<Place, "extension" | "attribute">,
): Value | undefined {
  return own(holderOf(resource, place), place.attribute.name);
}

/** The elements of a value, whether it has one or many. */
export function elementsOf(
  value: Value | undefined,
): readonly (Simple | Node)[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as Simple | Node];
}

/** Sets the value, or removes it; an extension without values is removed. */
export function setAt(
  resource: Resource,
  place: Pick<Place, "extension" | "attribute">,
  value: Value | undefined,
): void {
  const { extension, attribute: { name } } = place;
  const isNothing = value === undefined ||
    (Array.isArray(value) && value.length === 0) ||
    (typeof value === "object" && !Array.isArray(value) &&
      Object.keys(value).length === 0);
  const holder = holderOf(resource, place) ?? {};
  if (isNothing) delete holder[name];
  else holder[name] = value;
  if (extension === null) return;
  if (Object.keys(holder).length === 0) delete resource[extension.id];
  else resource[extension.id] = holder;
}
