/** Where the attributes of a user are in the store: an expression for each of them, over the names of people.ts. */
import { type SQL, sql } from "drizzle-orm";
import { nameOfPlace, type Place } from "../../scim/names.ts";
import { ENTERPRISE, OWN } from "../../scim/user-schema.ts";
import { groupMembers, groups } from "./schema.ts";

/**
 * How a column's values are compared: by their exact letters, without regard to case, as stored by a fold of their own,
 * by number, as instants, as 0 and 1, or as a hub's id.
 */
export type Column = {
  readonly kind: "exact" | "text" | "user-name" | "email" | "number" | "instant" | "boolean" | "usr" | "grp";
  readonly sql: SQL;
};

/** One of an attribute's values, or all of them, if there are any number: what holds of one of them. */
export interface Element {
  readonly some: (condition: SQL) => SQL;
  /** Null: it has no such part. */
  readonly part: (name: string) => Column | null;
}

const text = (column: string): Column => ({ kind: "text", sql: sql.raw(column) });
const exact = (column: string): Column => ({ kind: "exact", sql: sql.raw(column) });

const FORMATTED = "nullif(trim(coalesce(u.first_name, '') || ' ' || coalesce(u.last_name, '')), '')";

/** Attributes with one value, by full name. */
const SINGLE: Readonly<Record<string, Column>> = {
  "id": { kind: "usr", sql: sql.raw("u.id") },
  "externalId": exact("s.external_id"),
  "userName": { kind: "user-name", sql: sql.raw("s.folded") },
  "displayName": text(`coalesce(s.display_name, ${FORMATTED})`),
  "nickName": text("u.preferred_name"),
  "title": text("u.title"),
  "userType": text("u.employment_status"),
  "preferredLanguage": text("u.language"),
  "timezone": exact("u.timezone"),
  "active": { kind: "boolean", sql: sql.raw("(u.status = 'active')") },
  [`${ENTERPRISE}:employeeNumber`]: exact("u.employee_id"),
  [`${ENTERPRISE}:department`]: text("d.name"),
  [`${OWN}:hire_date`]: exact("u.hire_date"),
  [`${OWN}:deactivation_date`]: exact("u.deactivation_date"),
  [`${OWN}:on_leave`]: { kind: "boolean", sql: sql.raw("u.on_leave") },
};

/** Parts of complex attributes with one value. */
const PARTS: Readonly<Record<string, Readonly<Record<string, Column>>>> = {
  name: { formatted: text(FORMATTED), givenName: text("u.first_name"), familyName: text("u.last_name") },
  meta: {
    created: { kind: "instant", sql: sql.raw("s.created_at") },
    lastModified: { kind: "instant", sql: sql.raw("max(s.updated_at, u.updated_at, s.created_at)") },
    resourceType: exact("'User'"),
  },
  [`${ENTERPRISE}:manager`]: { value: { kind: "usr", sql: sql.raw("u.manager_id") } },
};

/** An element that is there when its column has a value. */
function stored(column: string, part: string, kind: Column["kind"], type: string, primary: string): Element {
  const parts: Readonly<Record<string, Column>> = {
    [part]: { kind, sql: sql.raw(column) },
    type: text(`'${type}'`),
    primary: { kind: "boolean", sql: sql.raw(primary) },
  };
  return {
    some: (condition) => sql`(${sql.raw(column)} is not null and ${condition})`,
    part: (name) => parts[name] ?? null,
  };
}

const GROUP: Element = {
  some: (condition) =>
    sql`exists (select 1 from ${groupMembers} m join ${groups} g on g.id = m.group_id
      where m.user_id in (select w.id from users w where w.id = u.id or w.merged_into = u.id) and g.connection_id = s.connection_id and g.organization_id = u.organization_id
        and ${condition})`,
  part: (name) => name === "value" ? { kind: "grp", sql: sql.raw("g.id") } : name === "display" ? text("g.name") : null,
};

const ELEMENTS: Readonly<Record<string, readonly Element[]>> = {
  emails: [stored("u.email", "value", "email", "work", "1")],
  phoneNumbers: [
    stored("u.phone", "value", "text", "work", "1"),
    stored("u.mobile_phone", "value", "text", "mobile", "(u.phone is null)"),
  ],
  addresses: [stored("u.location", "locality", "text", "work", "1")],
  groups: [GROUP],
};

/** The elements of a multi-valued attribute; null: it has one value, or is not in the store. */
export function elementsAt(place: Place): readonly Element[] | null {
  const name = nameOfPlace(place);
  if (Object.hasOwn(ELEMENTS, name)) return ELEMENTS[name]!;
  if (!place.attribute.multiValued || place.extension?.id !== OWN) return null;
  const values = sql`json_each(u.custom, ${pathOf(place)})`;
  return [{
    some: (condition) => sql`exists (select 1 from ${values} v where ${condition})`,
    part: (part) => part === "" ? text("v.value") : null,
  }];
}

/** The column of an attribute with one value; null: it is not in the store. */
export function columnAt(place: Place): Column | null {
  const name = nameOfPlace(place);
  if (place.sub !== null) {
    return Object.hasOwn(PARTS, name) && Object.hasOwn(PARTS[name]!, place.sub.name)
      ? PARTS[name]![place.sub.name]!
      : null;
  }
  if (Object.hasOwn(SINGLE, name)) return SINGLE[name]!;
  if (place.extension?.id !== OWN || place.attribute.multiValued) return null;
  const { type } = place.attribute;
  const kind = type === "decimal" ? "number" : type === "boolean" ? "boolean" : "text";
  return { kind, sql: sql`json_extract(u.custom, ${pathOf(place)})` };
}

/** Of a complex attribute without a part: whether any of its parts has a value. */
export function anyPartOf(place: Place): SQL | null {
  const name = nameOfPlace(place);
  if (!Object.hasOwn(PARTS, name)) return null;
  return sql`coalesce(${sql.join(Object.values(PARTS[name]!).map((column) => column.sql), sql`, `)}) is not null`;
}

/** The names of attributes are letters, digits, dashes and underscores. */
function pathOf({ attribute }: Place): string {
  return `$."${attribute.name}"`;
}
