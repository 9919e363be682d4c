/** `attributes` and `excludedAttributes`: which attributes an answer has (RFC 7644, section 3.9). No I/O. */
import { findNamed, type Place } from "./names.ts";
import { type Attribute, COMMON, type ResourceType } from "./schema.ts";
import { type Node, own, type Resource, type Value } from "./value.ts";

export interface Projection {
  readonly attributes: readonly Place[] | null;
  readonly excluded: readonly Place[];
}

const MAX_NAMES = 200;

/** Names that are unknown select nothing. */
export function readProjection(
  type: ResourceType,
  attributes: string[] | null,
  excluded: string[] | null,
): Projection {
  const places = (names: string[]) =>
    names.slice(0, MAX_NAMES).flatMap((name): Place[] => {
      const found = findNamed(type, name.trim());
      if (found.kind === "place") return [found.place];
      if (found.kind !== "extension") return [];
      return found.extension.attributes.map((attribute) => ({
        extension: found.extension,
        attribute,
        sub: null,
      }));
    });
  return {
    attributes: attributes === null ? null : places(attributes),
    excluded: places(excluded ?? []),
  };
}

/** Whether an answer has anything of this core attribute, so that it need not be read otherwise. */
export function isShown(
  { attributes, excluded }: Projection,
  name: string,
): boolean {
  const isIt = ({ extension, attribute }: Place) => extension === null && attribute.name === name;
  if (attributes !== null) return attributes.some(isIt);
  return !excluded.some((place) => isIt(place) && place.sub === null);
}

export function project(
  type: ResourceType,
  resource: Resource,
  projection: Projection,
): Resource {
  const shown: Resource = {};
  for (const attribute of [...COMMON, ...type.core.attributes]) {
    const value = shownOf(
      own(resource, attribute.name) as Value | undefined,
      null,
      attribute,
      projection,
    );
    if (value !== undefined) shown[attribute.name] = value;
  }
  for (const extension of type.extensions) {
    const holder = own(resource, extension.id) as
      | { [name: string]: Value }
      | undefined;
    const inside: { [name: string]: Value } = {};
    for (const attribute of extension.attributes) {
      const value = shownOf(
        own(holder, attribute.name),
        extension,
        attribute,
        projection,
      );
      if (value !== undefined) inside[attribute.name] = value;
    }
    if (Object.keys(inside).length > 0) shown[extension.id] = inside;
  }
  return shown;
}

function shownOf(
  value: Value | undefined,
  extension: Place["extension"],
  attribute: Attribute,
  { attributes, excluded }: Projection,
): Value | undefined {
  if (value === undefined || attribute.returned === "always") return value;
  const isOf = (place: Place) => place.extension === extension && place.attribute === attribute;
  if (attributes !== null) {
    const own = attributes.filter(isOf);
    if (own.length === 0) return undefined;
    return own.some(({ sub }) => sub === null)
      ? value
      : subsOf(value, (name) => own.some(({ sub }) => sub!.name === name));
  }
  const without = excluded.filter(isOf);
  if (without.length === 0) return value;
  if (without.some(({ sub }) => sub === null)) return undefined;
  return subsOf(
    value,
    (name) => without.every(({ sub }) => sub!.name !== name),
  );
}

function subsOf(
  value: Value,
  isWanted: (name: string) => boolean,
): Value | undefined {
  const pick = (node: Node) => Object.fromEntries(Object.entries(node).filter(([name]) => isWanted(name)));
  if (!Array.isArray(value)) {
    return typeof value === "object" ? pick(value as Node) : value;
  }
  return (value as readonly (Node | string)[]).map((each) => typeof each === "object" ? pick(each) : each) as Node[];
}
