/** Whether an input is about people or departments, by its columns alone. No I/O. */
import type { Entity } from "../model/record.ts";
import { cleanHeader } from "./clean.ts";
import type { Dictionary } from "./dictionary.ts";
import { foldHeader, type HeaderOptions, isReportColumn, namesOf, read } from "./header.ts";

/** A header that says what its rows are. */
const SAYS_DEPARTMENT = /^(?:department|dept)/;

/**
 * Departments only where the columns look like nothing else: every used one is a department's, `name` is among them, and
 * either a parent, an id of the department, or a header that says "department". A people file whose key is not known has
 * a `name`, too, and would make departments of people.
 */
export function detectEntity(
  header: readonly string[],
  dictionaries: { readonly users: Dictionary; readonly departments: Dictionary },
  options: Omit<HeaderOptions, "key">,
): Entity {
  const columns = header.map(cleanHeader).filter((column) => column !== "" && !isReportColumn(column));
  const readingsIn = (dictionary: Dictionary) => {
    const known = namesOf(dictionary, options.customKeys);
    return columns.map((column) => read(column, known, dictionary, options)?.field ?? null);
  };
  const asPeople = readingsIn(dictionaries.users), asDepartments = readingsIn(dictionaries.departments);
  const isMeantForPeople = asPeople.some((field, i) => field !== null && asDepartments[i] === null);
  if (isMeantForPeople || isKnownPeopleHeader(columns, options.before)) return "users";
  const names = columns.filter((_, i) => asDepartments[i] === "name");
  const hasParent = asDepartments.includes("parent");
  const isSure = hasParent || asDepartments.includes("department_id") ||
    // Beside a "Name", a "Department" is where the person of that name works.
    names.length > 0 && names.every((column) => SAYS_DEPARTMENT.test(foldHeader(column)));
  const isAllKnown = columns.every((column, i) => asDepartments[i] !== null || isIgnored(column, options));
  return names.length > 0 && isSure && (isAllKnown || hasParent) ? "departments" : "users";
}

/** Whether the connection has read people under these very headers. */
function isKnownPeopleHeader(columns: readonly string[], before: HeaderOptions["before"]): boolean {
  const known = new Set(Object.values(before));
  return columns.length > 0 && columns.every((column) => known.has(column));
}

function isIgnored(column: string, { mapping }: Pick<HeaderOptions, "mapping">): boolean {
  return mapping[column] === null;
}
