/** A filter of users as a condition in SQL: the same meaning as evaluate.ts has, over the whole connection at once. */
import { type SQL, sql } from "drizzle-orm";
import { decodeId } from "../../model/id.ts";
import { foldEmail } from "../../reconcile/fold.ts";
import { ScimError } from "../../scim/error.ts";
import type { Comparison, Filter } from "../../scim/filter.ts";
import { foldUserName } from "../../scim/fold.ts";
import { nameOfPlace, type Place } from "../../scim/names.ts";
import { ENTERPRISE, USER } from "../../scim/user-schema.ts";
import type { Start } from "./people.ts";
import { compareStored, compareText, ordered } from "./texts.ts";
import { anyPartOf, type Column, columnAt, type Element, elementsAt } from "./user-places.ts";

export function conditionOf(filter: Filter): SQL {
  return compile(filter, null, false);
}

/**
 * `element`: within brackets, the element that the leaves are about. `isDenied`: below a "not", where what is neither
 * true nor false has to be false; elsewhere it is left as it is, so that indexes are used.
 */
function compile(filter: Filter, element: Element | null, isDenied: boolean): SQL {
  switch (filter.kind) {
    case "and":
    case "or": {
      const all = filter.filters.map((each) => compile(each, element, isDenied));
      return sql`(${sql.join(all, sql.raw(` ${filter.kind} `))})`;
    }
    case "not":
      return sql`not ${compile(filter.filter, element, true)}`;
    case "some":
      return anyOf(elementsOf(filter.place), (each) => compile(filter.filter, each, isDenied));
    case "present":
      return presence(filter.place, element);
    case "compare": {
      const made = comparison(filter, element);
      return isDenied ? sql`coalesce(${made}, 0)` : made;
    }
  }
}

function anyOf(elements: readonly Element[], condition: (element: Element) => SQL): SQL {
  return sql`(${sql.join(elements.map((each) => each.some(condition(each))), sql` or `)})`;
}

function elementsOf(place: Place): readonly Element[] {
  return elementsAt(place) ?? [{ some: (condition) => condition, part: (name) => columnOfPart(place, name) }];
}

/** A complex attribute with one value is its own element. */
function columnOfPart(place: Place, name: string): Column | null {
  const sub = place.attribute.subAttributes?.find((each) => each.name === name) ?? null;
  return sub === null ? null : columnAt({ ...place, sub });
}

function presence(place: Place, element: Element | null): SQL {
  if (element !== null) return sql`(${partOf(place, element).sql} is not null)`;
  if (place.extension === null && place.attribute.name === "schemas") return sql`(1)`;
  const elements = elementsAt(place);
  if (elements !== null) {
    return anyOf(elements, (each) => place.sub === null ? sql`1` : sql`${partOf(place, each).sql} is not null`);
  }
  const all = place.sub === null ? anyPartOf(place) : null;
  return all ?? sql`(${column(place).sql} is not null)`;
}

function comparison(filter: Comparison, element: Element | null): SQL {
  const { place, operator } = filter;
  if (element !== null) return compare(partOf(place, element), filter);
  if (place.extension === null && place.attribute.name === "schemas") return compareSchemas(filter);
  const elements = elementsAt(place);
  if (elements === null) return compare(column(place), filter);
  const some = anyOf(elements, (each) => compare(partOf(place, each), filter));
  if (operator !== "ne") return some;
  return sql`(${some} or not ${anyOf(elements, () => sql`1`)})`;
}

function partOf(place: Place, element: Element): Column {
  return element.part(place.sub?.name ?? "") ?? refuse(place);
}

function column(place: Place): Column {
  return columnAt(place) ?? refuse(place);
}

function refuse(place: Place): never {
  const name = `${nameOfPlace(place)}${place.sub === null ? "" : `.${place.sub.name}`}`;
  throw new ScimError("invalidFilter", `"${name}" cannot be searched`);
}

/** Everybody has the core; the enterprise's comes with its values. */
function compareSchemas({ operator, value }: Comparison): SQL {
  if (operator !== "eq") throw new ScimError("invalidFilter", '"schemas" is compared by eq');
  const urn = String(value).toLowerCase();
  if (urn === USER.toLowerCase()) return sql`(1)`;
  if (urn !== ENTERPRISE.toLowerCase()) return sql`(0)`;
  return sql`(coalesce(u.employee_id, u.department_id, u.manager_id) is not null)`;
}

function compare(column: Column, { operator, value }: Comparison): SQL {
  switch (column.kind) {
    case "exact":
    case "text":
      return compareText(column.sql, operator, String(value), column.kind === "exact");
    case "user-name":
      return compareStored(column.sql, operator, foldUserName(String(value)));
    case "email":
      return compareStored(column.sql, operator, foldEmail(String(value)));
    case "boolean":
      return sql`coalesce(${column.sql}, 0) ${sql.raw(operator === "eq" ? "=" : "<>")} ${value === true ? 1 : 0}`;
    case "number":
    case "instant":
      return ordered(column.sql, operator, Number(value));
    case "usr":
    case "grp":
      if (operator !== "eq" && operator !== "ne") {
        throw new ScimError("invalidFilter", "Ids are compared by eq and ne");
      }
      // No id is 0, so a text that is none finds nobody.
      return ordered(column.sql, operator, decodeId(column.kind, String(value)) ?? 0);
  }
}

/** What resources are sorted by: of several values the first. Null: by nothing that is stored. */
export function orderOf(place: Place): SQL | null {
  const parts = elementsAt(place);
  if (parts === null) return columnOfOrder(columnAt(place));
  if (nameOfPlace(place) === "groups" || parts.length === 0) return null;
  const name = place.sub?.name ?? (place.attribute.name === "addresses" ? "locality" : "value");
  const columns = parts.flatMap((each) => each.part(name) ?? []);
  if (columns.length < parts.length) return null;
  const all = columns.map((each) => each.sql);
  return all.length === 1 ? sql`lower(${all[0]!})` : sql`lower(coalesce(${sql.join(all, sql`, `)}))`;
}

function columnOfOrder(column: Column | null): SQL | null {
  if (column === null) return null;
  return column.kind === "text" ? sql`lower(${column.sql})` : column.sql;
}

/** Attributes by which few people of an organization are found. */
const RARE: ReadonlySet<string> = new Set(["emails", `${ENTERPRISE}:employeeNumber`, "id"]);

/** Where a search with this filter begins. */
export function startOf(filter: Filter): Start {
  return isRare(filter) ? "users" : "resources";
}

function isRare(filter: Filter): boolean {
  switch (filter.kind) {
    case "and":
      return filter.filters.some(isRare);
    case "some":
      return isRare(filter.filter);
    case "compare": {
      const isValue = filter.place.sub === null || filter.place.sub.name === "value";
      return filter.operator === "eq" && isValue && RARE.has(nameOfPlace(filter.place));
    }
    default:
      return false;
  }
}
