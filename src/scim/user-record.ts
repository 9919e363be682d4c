/**
 * A user resource as a record of its connection, in the hub's own fields: what the client named, and nothing else, so that
 * a SCIM write is planned like any other input. No I/O.
 */
import type { CustomField } from "../model/record.ts";
import { ENTERPRISE, OWN, reachable } from "./user-schema.ts";
import type { Given } from "./read-resource.ts";
import { elementsOf, type Node, own, type Resource, type Simple, type Value } from "./value.ts";

/** A cell of a record: null clears the field. */
export type RecordCell = Simple | readonly string[] | null;
export type FieldRecord = { [field: string]: RecordCell };

interface Source {
  /** The full name of the attribute. */
  readonly attribute: string;
  /** What the resource says of the field; undefined: nothing. */
  readonly read: (resource: Resource) => Simple | readonly string[] | undefined;
}

const core = (
  name: string,
  read = (value: Value | undefined) => value as Simple | undefined,
): Source => ({
  attribute: name,
  read: (resource) => read(own(resource, name) as Value | undefined),
});

const inside = (urn: string, name: string): Source => ({
  attribute: `${urn}:${name}`,
  read: (resource) =>
    own(own(resource, urn) as { [name: string]: Value } | undefined, name) as
      | Simple
      | undefined,
});

const sub = (name: string) => (value: Value | undefined) => own(value as Node | undefined, name);

/** The fields that come from a resource, each by its attribute. The manager is apart: it names another resource. */
const SOURCES: Readonly<Record<string, Source>> = {
  username: core("userName"),
  first_name: core("name", sub("givenName")),
  last_name: core("name", sub("familyName")),
  preferred_name: core("nickName"),
  title: core("title"),
  employment_status: core("userType"),
  language: core("preferredLanguage"),
  timezone: core("timezone"),
  is_active: core("active"),
  email: core("emails", (value) => best(value, "work", "value")),
  phone: core(
    "phoneNumbers",
    (value) => typed(value, "work", "value") ?? best(value, null, "value", "mobile"),
  ),
  mobile_phone: core(
    "phoneNumbers",
    (value) => typed(value, "mobile", "value"),
  ),
  location: core("addresses", (value) => best(value, "work", "locality")),
  employee_id: inside(ENTERPRISE, "employeeNumber"),
  department_name: inside(ENTERPRISE, "department"),
  hire_date: inside(OWN, "hire_date"),
  deactivation_date: inside(OWN, "deactivation_date"),
  on_leave: inside(OWN, "on_leave"),
};

/** The full name of the manager's attribute. */
export const MANAGER = `${ENTERPRISE}:manager`;

/** Attributes with one field: a client that names them means it, whether or not it differs. */
const SINGLE: ReadonlySet<string> = new Set(
  Object.values(SOURCES).map(({ attribute }) => attribute).filter((name) =>
    !["name", "emails", "phoneNumbers", "addresses"].includes(name)
  ),
);

function sourcesOf(
  customFields: readonly CustomField[],
): [field: string, source: Source][] {
  const own = reachable(customFields).map((
    { key },
  ): [string, Source] => [key, inside(OWN, key)]);
  return [...Object.entries(SOURCES), ...own];
}

/**
 * The record of a whole resource. A field without a value is cleared where the client named its attribute, and where
 * `isOwn` says that the connection has written it.
 */
export function recordOf(
  { resource, named }: Given,
  customFields: readonly CustomField[],
  isOwn: (field: string) => boolean,
): FieldRecord {
  const record: FieldRecord = {};
  for (const [field, { attribute, read }] of sourcesOf(customFields)) {
    const value = read(resource);
    if (value !== undefined && value !== "") record[field] = value;
    else if (field !== "is_active" && (named.has(attribute) || isOwn(field))) {
      record[field] = null;
    }
  }
  return record;
}

/** The record of a PATCH: the fields of the attributes that it is about. Of those with several fields, what differs. */
export function recordOfPatch(
  { resource, named }: Given,
  before: Resource,
  customFields: readonly CustomField[],
): FieldRecord {
  const record: FieldRecord = {};
  for (const [field, { attribute, read }] of sourcesOf(customFields)) {
    if (!named.has(attribute)) continue;
    const value = read(resource) ?? null;
    if (field === "is_active" && value === null) continue;
    const isMeant = SINGLE.has(attribute) || attribute.startsWith(OWN);
    if (isMeant || value !== (read(before) ?? null)) {
      record[field] = value === "" ? null : value;
    }
  }
  return record;
}

/** The manager's id, as the client names it; null: none. */
export function managerIdOf(resource: Resource): string | null {
  const manager = own(
    own(resource, ENTERPRISE) as { [name: string]: Value } | undefined,
    "manager",
  );
  const value = own(manager as Node | undefined, "value");
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

/** The part of the element with this type; undefined: there is none. */
function typed(
  value: Value | undefined,
  type: string,
  part: string,
): Simple | undefined {
  const found = (elementsOf(value) as readonly Node[]).find((each) => String(each.type ?? "").toLowerCase() === type);
  return own(found, part);
}

/** The part of the primary element, else of the one with the type, else of the first. `not`: a type that is passed over. */
function best(
  value: Value | undefined,
  type: string | null,
  part: string,
  not?: string,
): Simple | undefined {
  const elements = (elementsOf(value) as readonly Node[])
    .filter((each) =>
      own(each, part) !== undefined &&
      String(each.type ?? "").toLowerCase() !== not
    );
  const found = elements.find((each) => each.primary === true) ??
    elements.find((each) => String(each.type ?? "").toLowerCase() === type) ??
    elements[0];
  return own(found, part);
}
