/**
 * BambooHR's fields in its three vocabularies, which of them are read, and as what. Pure.
 *
 * A field is known here by its name in reports: custom fields have no other. `status` there is whether somebody is active,
 * and `employmentHistoryStatus` the company's own list; elsewhere the latter is called employment status.
 */

export type SourceName = "employees" | "report" | "dataset";

interface Known {
  /** Its name in the list of employees; null: it is not there. */
  readonly employees: string | null;
  /** Its name in the dataset; null: it is not there. */
  readonly dataset: string | null;
  /** The field it fills when nobody says otherwise; null: none. */
  readonly fills: string | null;
  /** What it costs when the key may not read it. */
  readonly costs: string;
}

function known(employees: string | null, dataset: string | null, fills: string | null, costs: string): Known {
  return { employees, dataset, fills, costs };
}

const KEPT = "it is left as it is";

/** Betterworks' mapping, with the internal id as the key and the manager's internal id for the manager. */
export const FIELDS: Readonly<Record<string, Known>> = {
  id: known("employeeId", "eeid", "source_id", "nobody can be recognized"),
  employeeNumber: known("employeeNumber", "employeeNumber", "employee_id", "people have no employee id"),
  workEmail: known("workEmail", "email", "email", "nobody new can be added, where an email is required"),
  firstName: known("firstName", "firstName", "first_name", "nobody new can be added"),
  lastName: known("lastName", "lastName", "last_name", "nobody new can be added"),
  preferredName: known("preferredName", "preferredName", "preferred_name", KEPT),
  jobTitle: known("jobTitleName", "jobInformationJobTitle", "title", KEPT),
  department: known("departmentName", "jobInformationDepartment", "department_name", KEPT),
  supervisorEId: known("reportsToId", "supervisorEid", "manager_key", "managers are left as they are"),
  workPhone: known("workPhone", "workPhone", "phone", KEPT),
  city: known("city", "city", "location", KEPT),
  hireDate: known("hireDate", "hireDate", "hire_date", "people before their first day cannot be told from others"),
  terminationDate: known("terminationDate", "terminationDate", "deactivation_date", "who leaves is known on the day"),
  status: known("status", "status", "is_active", "nobody can be told to be active"),
  employmentHistoryStatus: known(
    "employmentStatusName",
    "employmentStatus",
    "employment_status",
    "only chosen statuses cannot be imported",
  ),
  mobilePhone: known("mobilePhone", "mobilePhone", null, KEPT),
  homeEmail: known("homeEmail", "homeEmail", null, KEPT),
  homePhone: known("homePhone", null, null, KEPT),
  location: known("locationName", "jobInformationLocation", null, KEPT),
  division: known("divisionName", "jobInformationDivision", null, KEPT),
  country: known("country", "country", null, KEPT),
  state: known("state", null, null, KEPT),
  originalHireDate: known("originalHireDate", "originalHireDate", null, KEPT),
  employeeStatusDate: known("employmentStatusEffectiveDate", "employmentStatusEffectiveDate", null, KEPT),
  supervisorEmail: known(null, "supervisorEmail", null, KEPT),
  supervisorId: known(null, "supervisorId", null, KEPT),
};

/** What a connection reads when nobody says otherwise. */
export const MAPPING: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(FIELDS).flatMap(([name, { fills }]) => fills === null ? [] : [[name, fills]]),
);

/** A field that is read, and the hub's field that it fills. */
export interface Wanted {
  /** Name in reports. */
  readonly name: string;
  readonly fills: string;
}

/** Who somebody is, and whether they are active: no mapping takes that away. */
const FIXED: readonly string[] = ["id", "status"];

/** What is read for the mapping. Where it fills a field from elsewhere, the default one for that field is not read. */
export function wantedFields(mapping: Readonly<Record<string, string | null>>): readonly Wanted[] {
  const fixed = FIXED.map((name) => ({ name, fills: MAPPING[name]! }));
  const taken = new Set(fixed.map(({ fills }) => fills));
  const mapped = Object.entries(mapping).flatMap(([name, fills]) =>
    fills === null || FIXED.includes(name) || taken.has(fills) ? [] : [{ name, fills }]
  );
  const own = new Set(mapped.filter(({ name, fills }) => MAPPING[name] !== fills).map(({ fills }) => fills));
  return [...fixed, ...mapped.filter(({ name, fills }) => MAPPING[name] !== fills || !own.has(fills))];
}

/** Fields without which a read is of no use. */
export function isNeeded({ fills }: Wanted, onlyStatuses: readonly string[] | null): boolean {
  return fills === "source_id" || fills === "email" || fills === "is_active" ||
    (fills === "employment_status" && onlyStatuses !== null);
}

/** Its name in a source; null: the source does not have it. Of a dataset's own fields the name is taken as it is. */
export function nameIn(source: SourceName, name: string): string | null {
  if (source === "report") return name;
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name]! : null;
  if (field === null) return source === "dataset" ? name : null;
  return field[source];
}

/** Says what it costs that a field is not there. */
export function costOf({ name, fills }: Wanted): string {
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name]! : null;
  return field === null || field.costs === KEPT ? `"${fills}" is left as it is` : field.costs;
}
