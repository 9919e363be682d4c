/** A person as the resource that a connection sees: made of the hub's own fields each time it is read. No I/O. */
import type { CustomField } from "../model/record.ts";
import { ENTERPRISE, OWN, reachable, USER } from "./user-schema.ts";
import type { Node, Resource, Simple, Value } from "./value.ts";

/** What the store knows of the person. Instants are milliseconds since 1970. */
export interface UserFacts {
  readonly id: string;
  readonly externalId: string | null;
  readonly userName: string;
  /** As the provider shows it; null: it names none. */
  readonly displayName: string | null;
  readonly active: boolean;
  /** By the hub's names of fields. */
  readonly fields: Readonly<Record<string, string | boolean | null>>;
  readonly custom: Readonly<Record<string, unknown>>;
  readonly manager:
    | { readonly id: string; readonly name: string | null }
    | null;
  readonly groups: readonly { readonly id: string; readonly name: string }[];
  readonly createdAt: number;
  readonly changedAt: number;
}

/** `base`: the address of the connection's resources. */
export function userResource(
  facts: UserFacts,
  customFields: readonly CustomField[],
  base: string,
): Resource {
  const { fields } = facts;
  const extensions = {
    [ENTERPRISE]: enterpriseOf(facts, base),
    [OWN]: ownOf(facts, customFields),
  };
  const present = Object.entries(extensions).filter(([, each]) => Object.keys(each).length > 0);
  const formatted = [fields.first_name, fields.last_name].filter((each) => each !== null).join(" ");
  return assigned({
    schemas: [USER, ...present.map(([urn]) => urn)],
    id: facts.id,
    externalId: facts.externalId,
    userName: facts.userName,
    name: assigned({
      formatted,
      familyName: fields.last_name,
      givenName: fields.first_name,
    }),
    displayName: facts.displayName ?? (formatted === "" ? null : formatted),
    nickName: fields.preferred_name,
    title: fields.title,
    userType: fields.employment_status,
    preferredLanguage: fields.language,
    timezone: fields.timezone,
    active: facts.active,
    emails: elements([fields.email, "work"], "value", true),
    phoneNumbers: [
      ...elements([fields.phone, "work"], "value", true),
      ...elements(
        [fields.mobile_phone, "mobile"],
        "value",
        fields.phone === null,
      ),
    ],
    addresses: elements([fields.location, "work"], "locality", true),
    groups: facts.groups.map(({ id, name }) => ({
      value: id,
      $ref: `${base}/Groups/${id}`,
      display: name,
    })),
    ...Object.fromEntries(present),
    meta: {
      resourceType: "User",
      created: new Date(facts.createdAt).toISOString(),
      lastModified: new Date(Math.max(facts.changedAt, facts.createdAt))
        .toISOString(),
      location: `${base}/Users/${facts.id}`,
    },
  });
}

function enterpriseOf(
  { fields, manager }: UserFacts,
  base: string,
): { [name: string]: Value } {
  return assigned({
    employeeNumber: fields.employee_id,
    department: fields.department_name,
    manager: manager === null ? null : assigned({
      value: manager.id,
      $ref: `${base}/Users/${manager.id}`,
      displayName: manager.name,
    }),
  }) as { [name: string]: Value };
}

function ownOf(
  { fields, custom }: UserFacts,
  customFields: readonly CustomField[],
): { [name: string]: Value } {
  const own = assigned({
    hire_date: fields.hire_date,
    deactivation_date: fields.deactivation_date,
    on_leave: fields.on_leave === true ? true : null,
  }) as { [name: string]: Value };
  for (const { key } of reachable(customFields)) {
    const value = Object.hasOwn(custom, key) ? custom[key] : null;
    if (value !== null && value !== undefined) own[key] = value as Value;
  }
  return own;
}

/** A list with the one value, or without it. */
function elements(
  [value, type]: [Simple | null | undefined, string],
  part: string,
  isFirst: boolean,
): Node[] {
  if (value === null || value === undefined) return [];
  return [{ [part]: value, type, ...(isFirst ? { primary: true } : {}) }];
}

/** Without what has no value. */
function assigned(
  from: {
    [name: string]: Value | null | undefined | { [name: string]: Value };
  },
): Resource & Node {
  return Object.fromEntries(
    Object.entries(from).filter(([, value]) =>
      value !== null && value !== undefined && value !== "" &&
      !(typeof value === "object" && Object.keys(value).length === 0)
    ),
  ) as Resource & Node;
}
