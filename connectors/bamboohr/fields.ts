/**
 * BambooHR's fields in its three vocabularies, and the hub's fields that they fill. Pure.
 *
 * A field is identified by its name in reports, as custom fields have no other name. In reports, `status` means whether
 * a person is active, and `employmentHistoryStatus` is the company's own status; elsewhere the latter is the employment
 * status.
 */

export type SourceName = "employees" | "report" | "dataset";

interface Known {
  /** Its name in the list of employees; null: the list does not have it. */
  readonly employees: string | null;
  /** Its name in the dataset; null: the dataset does not have it. */
  readonly dataset: string | null;
  /** The hub's field that it fills by default; null: none. */
  readonly fills: string | null;
  /** The consequence when the key may not read it. */
  readonly costs: string;
}

function known(employees: string | null, dataset: string | null, fills: string | null, costs: string): Known {
  return { employees, dataset, fills, costs };
}

const KEPT = "it is left as it is";

/** Betterworks' mapping, but the internal id is the key, and the manager's internal id names the manager. */
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
  hireDate: known("hireDate", "hireDate", "hire_date", "people before their first day look like others"),
  terminationDate: known(
    "terminationDate",
    "terminationDate",
    "deactivation_date",
    "leavers are only known on their last day",
  ),
  status: known("status", "status", "is_active", "it is unknown who is active"),
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

/** The default mapping of a connection. */
export const MAPPING: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(FIELDS).flatMap(([name, { fills }]) => fills === null ? [] : [[name, fills]]),
);

/** A field that is read, and the hub's field that it fills. */
export interface Wanted {
  /** Name in reports. */
  readonly name: string;
  readonly fills: string;
}

/** Always read, whatever the mapping: a person's id, and whether they are active. */
const FIXED: readonly string[] = ["id", "status"];

/** The fields to read for a mapping. A field that is mapped from elsewhere replaces the default one. */
export function wantedFields(mapping: Readonly<Record<string, string | null>>): readonly Wanted[] {
  const fixed = FIXED.map((name) => ({ name, fills: MAPPING[name]! }));
  const taken = new Set(fixed.map(({ fills }) => fills));
  const mapped = Object.entries(mapping).flatMap(([name, fills]) =>
    fills === null || FIXED.includes(name) || taken.has(fills) ? [] : [{ name, fills }]
  );
  const own = new Set(mapped.filter(({ name, fills }) => MAPPING[name] !== fills).map(({ fills }) => fills));
  return [...fixed, ...mapped.filter(({ name, fills }) => MAPPING[name] !== fills || !own.has(fills))];
}

/** Whether a reading without the field is useless. */
export function isNeeded({ fills }: Wanted, onlyStatuses: readonly string[] | null): boolean {
  return fills === "source_id" || fills === "email" || fills === "is_active" ||
    (fills === "employment_status" && onlyStatuses !== null);
}

/**
 * The field's name in a source; null: the source does not have it. Unknown names are looked up in a dataset as they
 * are.
 */
export function nameIn(source: SourceName, name: string): string | null {
  if (source === "report") return name;
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name]! : null;
  if (field === null) return source === "dataset" ? name : null;
  return field[source];
}

/** The consequence of a missing field, as a clause. */
export function costOf({ name, fills }: Wanted): string {
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name]! : null;
  return field === null || field.costs === KEPT ? `"${fills}" is left as it is` : field.costs;
}
