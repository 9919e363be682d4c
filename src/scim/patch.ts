/**
 * PATCH (RFC 7644, section 3.5.2) on a copy of a resource: all of the operations, in order, or none. Accepted beyond the
 * RFC's letter is what Entra sends in both of its dialects: operators in any case, dotted and URN keys without a path,
 * `Remove` with a list of members, a filtered path that matches nothing yet. No I/O.
 */
import { ScimError } from "./error.ts";
import { findNamed, nameOfPlace } from "./names.ts";
import { parsePath, type Path } from "./path.ts";
import { type Change, type Operation, replaceWhole } from "./patch-change.ts";
import { changeElements } from "./patch-elements.ts";
import { checkRequired, type Given } from "./read-resource.ts";
import type { ResourceType, Schema } from "./schema.ts";
import { own, type Resource, type Value } from "./value.ts";

const PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const MAX_OPERATIONS = 1_000;
/** What clients repeat of a resource that they have read. */
const REPEATED: ReadonlySet<string> = new Set(["schemas", "meta", "groups"]);

/** The resource after the operations, with the full names of the attributes that they are about. */
export function applyPatch(
  type: ResourceType,
  before: Resource,
  body: unknown,
): Given {
  const operations = readOperations(body);
  const given: Given & { named: Set<string> } = {
    resource: structuredClone(before),
    named: new Set(),
  };
  for (const { op, path, value } of operations) {
    if (path !== undefined) {
      applyAt(type, given, op, parsePath(type, path), value);
    } else applyWithoutPath(type, given, op, value);
  }
  checkRequired(type, given.resource);
  return given;
}

interface Sent {
  readonly op: Operation;
  readonly path: string | undefined;
  readonly value: unknown;
}

function readOperations(body: unknown): Sent[] {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw syntax("The body should be a JSON object");
  }
  const entries = new Map(
    Object.entries(body).map((
      [key, value],
    ) => [key.toLowerCase(), value as unknown]),
  );
  const schemas = entries.get("schemas");
  if (
    schemas !== undefined &&
    !(Array.isArray(schemas) && schemas.includes(PATCH_OP))
  ) {
    throw syntax(`"schemas" should be a list with "${PATCH_OP}"`);
  }
  const operations = entries.get("operations");
  if (!Array.isArray(operations) || operations.length === 0) {
    throw syntax('"Operations" should be a list with at least one operation');
  }
  if (operations.length > MAX_OPERATIONS) {
    throw syntax(`There are more than ${MAX_OPERATIONS} operations`);
  }
  return operations.map(readOperation);
}

function readOperation(sent: unknown): Sent {
  if (typeof sent !== "object" || sent === null) {
    throw syntax("An operation should be an object");
  }
  const { op, path, value } = sent as Record<string, unknown>;
  const name = typeof op === "string" ? op.toLowerCase() : "";
  if (name !== "add" && name !== "remove" && name !== "replace") {
    throw syntax('"op" should be "add", "remove" or "replace"');
  }
  if (path !== undefined && path !== null && typeof path !== "string") {
    throw syntax('"path" should be a text');
  }
  const known = typeof path === "string" && path.trim() !== "" ? path : undefined;
  if (name === "remove" && known === undefined) {
    throw new ScimError("noTarget", 'An operation "remove" needs a "path"');
  }
  return { op: name, path: known, value };
}

/** `value` has attributes by name, dotted path, URN path, or in an object by the URN of their extension. */
function applyWithoutPath(
  type: ResourceType,
  given: Change["given"],
  op: Operation,
  value: unknown,
): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw syntax('An operation without "path" needs an object as "value"');
  }
  for (const [key, each] of Object.entries(value)) {
    if (REPEATED.has(key.toLowerCase())) continue;
    const found = findNamed(type, key);
    if (found.kind === "unknown") {
      throw new ScimError(
        "invalidPath",
        `A ${type.name} has no attribute "${key.slice(0, 200)}"`,
      );
    }
    applyAt(
      type,
      given,
      op,
      found.kind === "place" ? { ...found, filter: null } : found,
      each,
    );
  }
}

function applyAt(
  type: ResourceType,
  given: Change["given"],
  op: Operation,
  path: Path,
  value: unknown,
): void {
  if (path.kind === "ignored") return;
  if (path.kind === "extension") {
    return applyToExtension(type, given, op, path.extension, value);
  }
  const { place, filter } = path;
  const { attribute, sub } = place;
  if (
    attribute.name === "id" && value !== undefined &&
    own(given.resource, "id") === value
  ) return;
  if (
    attribute.mutability === "readOnly" || attribute.name === "schemas" ||
    sub?.mutability === "readOnly"
  ) {
    // The name in full is made of its parts, whatever a provider writes into it.
    if (
      sub?.name === "formatted" || sub?.name === "displayName" ||
      sub?.name === "$ref"
    ) return;
    throw new ScimError("mutability", `"${nameOfPlace(place)}" is read-only`);
  }
  if (op !== "remove" && value === undefined) {
    throw syntax(`An operation "${op}" needs a "value"`);
  }
  given.named.add(nameOfPlace(place));
  const change: Change = { given, op, place, value };
  if (attribute.multiValued) changeElements(change, filter);
  else if (filter !== null) {
    throw new ScimError(
      "invalidPath",
      `"${attribute.name}" has one value: it needs no filter`,
    );
  } else replaceWhole(change);
}

function applyToExtension(
  type: ResourceType,
  given: Change["given"],
  op: Operation,
  extension: Schema,
  value: unknown,
): void {
  if (op === "remove") {
    for (const attribute of extension.attributes) {
      const place = { extension, attribute, sub: null };
      applyAt(
        type,
        given,
        op,
        { kind: "place", place, filter: null },
        undefined,
      );
    }
    return;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ScimError(
      "invalidValue",
      `"${extension.id}" should be an object`,
    );
  }
  const inside: { [key: string]: Value } = {};
  for (const [key, each] of Object.entries(value)) {
    inside[`${extension.id}:${key}`] = each as Value;
  }
  applyWithoutPath(type, given, op, inside);
}

function syntax(detail: string): ScimError {
  return new ScimError("invalidSyntax", detail);
}
