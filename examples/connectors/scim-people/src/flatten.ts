import type { Cell, FetchedRecord } from "@muster-hub/connector";

const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/** What a user resource says, by the names of the mapping. What it does not say stays out, and is left as it is. */
export function flatten(user: Record<string, unknown>): FetchedRecord {
  const name = objectOf(user.name), enterprise = objectOf(user[ENTERPRISE]);
  const all: Record<string, unknown> = {
    "id": user.id,
    "userName": user.userName,
    "name.givenName": name.givenName,
    "name.familyName": name.familyName,
    "emails.primary": primaryOf(user.emails, "work"),
    "title": user.title,
    // Some send it as a text. Absent means nothing.
    "active": user.active,
    "locale": user.locale,
    "timezone": user.timezone,
    "phoneNumbers.work": primaryOf(user.phoneNumbers, "work"),
    "enterprise.employeeNumber": enterprise.employeeNumber,
    "enterprise.department": enterprise.department,
    "enterprise.manager": managerOf(enterprise.manager),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<string, Cell>;
}

/** The primary value; without one, that of the type; without that, the first. */
function primaryOf(values: unknown, type: string): unknown {
  if (values === undefined) return undefined;
  const list = (Array.isArray(values) ? values : [values]).map(objectOf);
  const found = list.find(({ primary }) => primary === true || primary === "true") ??
    list.find((value) => value.type === type) ?? list[0];
  return found === undefined ? null : found.value;
}

/** An object by the RFC; some send the id alone, or a list of one. */
function managerOf(manager: unknown): unknown {
  const one = Array.isArray(manager) ? manager[0] : manager;
  return typeof one === "object" && one !== null ? (one as Record<string, unknown>).value : one;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}
