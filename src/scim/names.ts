/**
 * Names of attributes, as clients write them: `userName`, `name.givenName`, `urn:…:2.0:User:manager.value`. Case does not
 * matter. No I/O.
 */
import { type Attribute, COMMON, type ResourceType, type Schema } from "./schema.ts";

/** Where a value is: an attribute, or one of its sub-attributes. */
export interface Place {
  /** Null: the attribute is of the core, or common to all resources. */
  readonly extension: Schema | null;
  readonly attribute: Attribute;
  readonly sub: Attribute | null;
}

export type Named =
  | { readonly kind: "place"; readonly place: Place }
  /** The whole object of an extension. */
  | { readonly kind: "extension"; readonly extension: Schema }
  /** The RFC has it, and the hub does not keep it. */
  | { readonly kind: "ignored" }
  | { readonly kind: "unknown" };

const UNKNOWN: Named = { kind: "unknown" };

/** What a name means in resources of the type. */
export function findNamed(type: ResourceType, text: string): Named {
  const folded = text.toLowerCase();
  for (const schema of [...type.extensions, type.core]) {
    const id = schema.id.toLowerCase();
    if (!folded.startsWith(id)) continue;
    if (folded.length === id.length) {
      return schema === type.core ? UNKNOWN : { kind: "extension", extension: schema };
    }
    // Some clients write a dot behind the URN instead of a colon.
    if (folded[id.length] !== ":" && folded[id.length] !== ".") continue;
    return findIn(type, schema, folded.slice(id.length + 1));
  }
  if (folded.startsWith("urn:")) return UNKNOWN;
  const found = findIn(type, type.core, folded);
  if (found.kind !== "unknown") return found;
  // The URN of an extension should be written, and some clients leave it out.
  for (const extension of type.extensions) {
    const inside = findIn(type, extension, folded);
    if (inside.kind !== "unknown") return inside;
  }
  return UNKNOWN;
}

/** `folded`: a name without its URN, in lower case. */
function findIn(type: ResourceType, schema: Schema, folded: string): Named {
  const [name, subName, ...more] = folded.split(".");
  if (more.length > 0) return UNKNOWN;
  const isCore = schema === type.core;
  const attribute = byName(schema.attributes, name!) ??
    (isCore ? byName(COMMON, name!) : null);
  if (attribute === null) {
    return isIn(schema.ignored, name!) ? { kind: "ignored" } : UNKNOWN;
  }
  const extension = isCore ? null : schema;
  if (subName === undefined) {
    return { kind: "place", place: { extension, attribute, sub: null } };
  }
  const sub = byName(attribute.subAttributes ?? [], subName);
  if (sub === null) {
    return isIn(attribute.ignored ?? [], subName) ? { kind: "ignored" } : UNKNOWN;
  }
  return { kind: "place", place: { extension, attribute, sub } };
}

/** The attribute with this name; null: there is none. */
export function byName(
  attributes: readonly Attribute[],
  name: string,
): Attribute | null {
  const folded = name.toLowerCase();
  return attributes.find((each) => each.name.toLowerCase() === folded) ?? null;
}

export function isIn(names: readonly string[], name: string): boolean {
  const folded = name.toLowerCase();
  return names.some((each) => each.toLowerCase() === folded);
}

/** The full name of an attribute, without its sub-attribute. */
export function nameOfPlace(
  { extension, attribute }: Pick<Place, "extension" | "attribute">,
): string {
  return extension === null ? attribute.name : `${extension.id}:${attribute.name}`;
}
