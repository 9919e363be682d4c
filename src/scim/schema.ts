/**
 * Schemas of SCIM resources as data (RFC 7643, section 7). Filters, paths, PATCH and projections are driven by them: what
 * is not an attribute here reaches no object. No I/O.
 */

export type AttributeType =
  | "string"
  | "boolean"
  | "decimal"
  | "integer"
  | "dateTime"
  | "reference"
  | "complex";

export interface Attribute {
  readonly name: string;
  readonly type: AttributeType;
  readonly description: string;
  readonly multiValued: boolean;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: "readOnly" | "readWrite" | "immutable";
  readonly returned: "always" | "default" | "request";
  readonly uniqueness: "none" | "server";
  readonly canonicalValues?: readonly string[];
  readonly referenceTypes?: readonly string[];
  readonly subAttributes?: readonly Attribute[];
  /** Names of sub-attributes of the RFC that are accepted and not kept. */
  readonly ignored?: readonly string[];
}

export interface Schema {
  /** A URN. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly Attribute[];
  /** Names of attributes of the RFC that are accepted and not kept. */
  readonly ignored: readonly string[];
}

export interface ResourceType {
  readonly name: "User" | "Group";
  readonly endpoint: "/Users" | "/Groups";
  readonly description: string;
  readonly core: Schema;
  readonly extensions: readonly Schema[];
}

type Given = Partial<Omit<Attribute, "name" | "description">>;

/** An attribute with the RFC's defaults (RFC 7643, section 2.2). */
export function attribute(
  name: string,
  description: string,
  given: Given = {},
): Attribute {
  return {
    name,
    type: "string",
    description,
    multiValued: false,
    required: false,
    caseExact: given.type === "reference",
    mutability: "readWrite",
    returned: "default",
    uniqueness: "none",
    ...given,
  };
}

/** A complex attribute with these sub-attributes. */
export function complex(
  name: string,
  description: string,
  subAttributes: readonly Attribute[],
  given: Given = {},
): Attribute {
  return attribute(name, description, {
    ...given,
    type: "complex",
    subAttributes,
  });
}

/** The attributes that every resource has (RFC 7643, section 3.1), which belong to no schema. */
export const COMMON: readonly Attribute[] = [
  attribute(
    "schemas",
    "URNs of the schemas whose attributes the resource has",
    {
      type: "reference",
      multiValued: true,
      returned: "always",
    },
  ),
  attribute("id", "The hub's own id, which never changes", {
    caseExact: true,
    mutability: "readOnly",
    returned: "always",
    uniqueness: "server",
  }),
  attribute("externalId", "The identity provider's own id", {
    caseExact: true,
  }),
  complex("meta", "What the hub knows of the resource itself", [
    attribute("resourceType", "User or Group", {
      caseExact: true,
      mutability: "readOnly",
    }),
    attribute("created", "When the provider made it", {
      type: "dateTime",
      mutability: "readOnly",
    }),
    attribute("lastModified", "When it was last changed", {
      type: "dateTime",
      mutability: "readOnly",
    }),
    attribute("location", "Its address", {
      type: "reference",
      mutability: "readOnly",
    }),
    attribute("version", "Its version, for If-Match", {
      caseExact: true,
      mutability: "readOnly",
    }),
  ], { mutability: "readOnly" }),
];
