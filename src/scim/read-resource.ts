/**
 * The body of a POST or PUT as a resource: attributes of the schema alone, in the schema's spelling. Read-only attributes,
 * and those that the hub does not know, are left out. No I/O.
 */
import { coerce } from "./coerce.ts";
import { ScimError } from "./error.ts";
import { findNamed, nameOfPlace, type Place } from "./names.ts";
import type { ResourceType } from "./schema.ts";
import { elementsOf, type Node, type Resource, setAt, valueAt } from "./value.ts";

/** A resource, with the full names of the attributes that the client has named, whether or not they have a value. */
export interface Given {
  readonly resource: Resource;
  readonly named: ReadonlySet<string>;
}

const MAX_KEYS = 1_000;

export function readResource(type: ResourceType, body: unknown): Given {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ScimError("invalidSyntax", "The body should be a JSON object");
  }
  checkSchemas(type, body as { schemas?: unknown });
  const given: Given & { named: Set<string> } = {
    resource: {},
    named: new Set(),
  };
  const entries = Object.entries(body);
  if (entries.length > MAX_KEYS) {
    throw new ScimError(
      "invalidValue",
      `The body has more than ${MAX_KEYS} keys`,
    );
  }
  for (const [key, value] of entries) readKey(type, given, key, value);
  checkRequired(type, given.resource);
  for (const { extension, attribute } of multiValued(type)) {
    checkPrimary(given.resource, { extension, attribute });
  }
  return given;
}

function readKey(
  type: ResourceType,
  given: Given & { named: Set<string> },
  key: string,
  value: unknown,
): void {
  const found = findNamed(type, key);
  if (found.kind === "extension") {
    if (value === null) return;
    if (typeof value !== "object" || Array.isArray(value)) {
      throw new ScimError(
        "invalidValue",
        `"${found.extension.id}" should be an object`,
      );
    }
    for (const [name, inside] of Object.entries(value)) {
      readKey(type, given, `${found.extension.id}:${name}`, inside);
    }
    return;
  }
  if (
    found.kind !== "place" || found.place.sub !== null ||
    isNotWritten(found.place)
  ) return;
  given.named.add(nameOfPlace(found.place));
  setAt(given.resource, found.place, coerce(found.place.attribute, value));
}

/** `schemas` follows from what the resource has. */
function isNotWritten({ attribute }: Place): boolean {
  return attribute.mutability === "readOnly" || attribute.name === "schemas";
}

/** URNs that are not of the type are passed over: Entra names one of its own for groups. */
function checkSchemas(
  { core, name }: ResourceType,
  { schemas }: { schemas?: unknown },
): void {
  if (schemas === undefined) return;
  const isNamed = Array.isArray(schemas) &&
    schemas.some((each) => typeof each === "string" && each.toLowerCase() === core.id.toLowerCase());
  if (!isNamed) {
    throw new ScimError(
      "invalidSyntax",
      `"schemas" should be a list with "${core.id}" for a ${name}`,
    );
  }
}

/** Fails when an attribute that a resource needs has no value. */
export function checkRequired(
  { core }: ResourceType,
  resource: Resource,
): void {
  for (const attribute of core.attributes) {
    const value = valueAt(resource, { extension: null, attribute });
    if (
      attribute.required &&
      (value === undefined ||
        (typeof value === "string" && value.trim() === ""))
    ) {
      throw new ScimError("invalidValue", `"${attribute.name}" is required`);
    }
  }
}

function multiValued({ core, extensions }: ResourceType) {
  return [
    ...core.attributes.map((attribute) => ({ extension: null, attribute })),
    ...extensions.flatMap((extension) => extension.attributes.map((attribute) => ({ extension, attribute }))),
  ].filter(({ attribute }) => attribute.multiValued);
}

function checkPrimary(
  resource: Resource,
  place: Pick<Place, "extension" | "attribute">,
): void {
  const primary = elementsOf(valueAt(resource, place)).filter((each) => (each as Node).primary === true);
  if (primary.length > 1) {
    throw new ScimError(
      "invalidValue",
      `Only one of "${place.attribute.name}" can be primary`,
    );
  }
}
