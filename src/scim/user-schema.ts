/**
 * The schemas of users: the core, the enterprise extension, and the extension of an organization, which has Muster's own
 * fields and the organization's custom fields. Attributes of the RFC that Muster does not keep are accepted and dropped.
 * No I/O.
 */
import type { CustomField } from "../model/record.ts";
import { type Attribute, attribute, complex, type ResourceType, type Schema } from "./schema.ts";

export const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
export const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const OWN = "urn:ietf:params:scim:schemas:extension:muster:2.0:User";

const USER_REFERENCE = {
  type: "reference",
  referenceTypes: ["User"],
  mutability: "readOnly",
} as const;

/** A multi-valued attribute of which Muster keeps one value of each of these types. */
function typed(
  name: string,
  description: string,
  value: Attribute,
  types: readonly string[],
  ignored: string[] = [],
) {
  return complex(name, description, [
    value,
    attribute("type", "What it is for", { canonicalValues: types }),
    attribute("primary", "Whether it is the preferred one", {
      type: "boolean",
    }),
  ], { multiValued: true, ignored: ["display", "$ref", ...ignored] });
}

const CORE: Schema = {
  id: USER,
  name: "User",
  description: "A person",
  attributes: [
    attribute(
      "userName",
      "The name to sign in with, unique in the connection",
      {
        required: true,
        uniqueness: "server",
      },
    ),
    complex("name", "The parts of the name", [
      attribute("formatted", "The whole name, made of its parts", {
        mutability: "readOnly",
      }),
      attribute("familyName", "The last name"),
      attribute("givenName", "The first name"),
    ], { ignored: ["middleName", "honorificPrefix", "honorificSuffix"] }),
    attribute("displayName", "The name as the provider shows it"),
    attribute("nickName", "The preferred name"),
    attribute("title", "The job title"),
    attribute("userType", "The employment status"),
    attribute("preferredLanguage", "The language, as in BCP 47"),
    attribute("timezone", "The time zone, as in the IANA database", {
      caseExact: true,
    }),
    attribute("active", "Whether the person is active", { type: "boolean" }),
    typed("emails", "The work email", attribute("value", "The address"), [
      "work",
    ]),
    typed(
      "phoneNumbers",
      "Phone at work, and mobile phone",
      attribute("value", "The number"),
      ["work", "mobile"],
    ),
    typed(
      "addresses",
      "Where the person works",
      attribute("locality", "The place"),
      ["work"],
      [
        "formatted",
        "streetAddress",
        "region",
        "postalCode",
        "country",
      ],
    ),
    complex(
      "groups",
      "The groups that the person is in; changed by the groups' members",
      [
        attribute("value", "The group's id", {
          caseExact: true,
          mutability: "readOnly",
        }),
        attribute("$ref", "The group's address", {
          type: "reference",
          referenceTypes: ["Group"],
          mutability: "readOnly",
        }),
        attribute("display", "The group's name", { mutability: "readOnly" }),
      ],
      { multiValued: true, mutability: "readOnly", ignored: ["type"] },
    ),
  ],
  ignored: [
    "profileUrl",
    "locale",
    "password",
    "ims",
    "photos",
    "entitlements",
    "roles",
    "x509Certificates",
  ],
};

const ENTERPRISE_USER: Schema = {
  id: ENTERPRISE,
  name: "EnterpriseUser",
  description: "A person in an enterprise",
  attributes: [
    attribute(
      "employeeNumber",
      "The employee id; upper and lower case differ",
      { caseExact: true },
    ),
    attribute("department", "The name of the department"),
    complex("manager", "The manager", [
      attribute("value", "The id of the manager's own resource", {
        caseExact: true,
      }),
      attribute(
        "$ref",
        "The address of the manager's own resource",
        USER_REFERENCE,
      ),
      attribute("displayName", "The manager's name", {
        mutability: "readOnly",
      }),
    ]),
  ],
  ignored: ["costCenter", "organization", "division"],
};

/** Names that SCIM allows for attributes, of which no object has one by birth. */
const NAME = /^[A-Za-z][\w-]*$/;
const TAKEN: ReadonlySet<string> = new Set([
  "constructor",
  "hire_date",
  "deactivation_date",
  "on_leave",
]);

/** The custom fields that can be attributes. Others are not reached by SCIM. */
export function reachable(customFields: readonly CustomField[]): CustomField[] {
  const seen = new Set<string>();
  return customFields.filter(({ key }) => {
    const folded = key.toLowerCase();
    if (!NAME.test(key) || TAKEN.has(folded) || seen.has(folded)) return false;
    seen.add(folded);
    return true;
  });
}

function customAttribute(
  { key, label, type, required, options }: CustomField,
): Attribute {
  return attribute(key, label, {
    required: false,
    type: type === "number" ? "decimal" : type === "boolean" ? "boolean" : "string",
    multiValued: type === "multi_select",
    ...(options.length > 0 ? { canonicalValues: options } : {}),
    ...(required ? { description: `${label} (every person needs one)` } : {}),
  } as Partial<Attribute>);
}

/** The type of users in an organization with these custom fields. */
export function userType(customFields: readonly CustomField[]): ResourceType {
  const own: Schema = {
    id: OWN,
    name: "MusterUser",
    description: "Muster's own fields, and the custom fields of the organization",
    attributes: [
      attribute("hire_date", "The first day, as YYYY-MM-DD", {
        caseExact: true,
      }),
      attribute("deactivation_date", "The day of leaving, as YYYY-MM-DD", {
        caseExact: true,
      }),
      attribute("on_leave", "Whether the person is on leave", {
        type: "boolean",
      }),
      ...reachable(customFields).map(customAttribute),
    ],
    ignored: [],
  };
  return {
    name: "User",
    endpoint: "/Users",
    description: "A person",
    core: CORE,
    extensions: [ENTERPRISE_USER, own],
  };
}
