/**
 * The fields of an employee, by the name that each endpoint has for them. One table, as the real thing has one record and
 * three vocabularies: `status` here is `employmentStatus` there, and means something else in between.
 */
import { type Company, type Employee, standing } from "./company.ts";

type Kind = "text" | "date" | "id" | "state" | "pay" | "bool";

export interface Field {
  /** Name in reports and of a single employee. */
  readonly alias: string;
  /** Numeric id in `meta/fields`. */
  readonly id: number | string;
  readonly label: string;
  readonly type: string;
  readonly kind: Kind;
  /** Name in the list of employees; null: it has none. */
  readonly list: string | null;
  /** Name in the dataset `employee`; null: it has none. */
  readonly dataset: string | null;
  /** Null: nothing is entered. `future`: with what is entered for later. */
  readonly read: (employee: Employee, company: Company, future: boolean) => string | null;
}

const job = (name: "jobTitle" | "department" | "division" | "location"): Field["read"] => (employee, company, future) =>
  standing(employee, company.today, future).job?.[name] ?? null;

function chief(employee: Employee, company: Company, future: boolean): Employee | null {
  const id = standing(employee, company.today, future).job?.reportsTo ?? null;
  return id === null ? null : company.employees.get(id) ?? null;
}

function row(
  alias: string,
  id: number | string,
  label: string,
  type: string,
  list: string | null,
  dataset: string | null,
  read: Field["read"],
  kind: Kind = type === "date" ? "date" : "text",
): Field {
  return { alias, id, label, type, kind, list, dataset, read };
}

export const FIELDS: readonly Field[] = [
  row("id", -1, "EEID", "int", "employeeId", "eeid", (e) => String(e.id), "id"),
  row(
    "employeeNumber",
    636,
    "Employee #",
    "employee_number",
    "employeeNumber",
    "employeeNumber",
    (e) => e.employeeNumber,
  ),
  row("firstName", 1, "First Name", "text", "firstName", "firstName", (e) => e.firstName),
  row("lastName", 2, "Last Name", "text", "lastName", "lastName", (e) => e.lastName),
  row("preferredName", 1358, "Preferred Name", "text", "preferredName", "preferredName", (e) => e.preferredName),
  row("workEmail", 15, "Work Email", "email", "workEmail", "email", (e) => e.workEmail),
  row("homeEmail", 1357, "Home Email", "email", "homeEmail", "homeEmail", (e) => e.homeEmail),
  row("bestEmail", -2, "Best Email", "email", "bestEmail", null, (e) => e.workEmail ?? e.homeEmail),
  row("workPhone", 13, "Work Phone", "phone", "workPhone", "workPhone", (e) => e.workPhone),
  row("mobilePhone", 12, "Mobile Phone", "phone", "mobilePhone", "mobilePhone", (e) => e.mobilePhone),
  row("city", 8, "City", "text", "city", "city", (e) => e.city),
  row("state", 9, "State", "state", "state", null, (e) => e.state, "state"),
  row("country", 3991, "Country", "country", "country", "country", (e) => e.country),
  row("jobTitle", 17, "Job Title", "list", "jobTitleName", "jobInformationJobTitle", job("jobTitle")),
  row("department", 4, "Department", "list", "departmentName", "jobInformationDepartment", job("department")),
  row("division", 1355, "Division", "list", "divisionName", "jobInformationDivision", job("division")),
  row("location", 18, "Location", "list", "locationName", "jobInformationLocation", job("location")),
  row("hireDate", 3, "Hire Date", "date", "hireDate", "hireDate", (e) => e.hireDate),
  row(
    "originalHireDate",
    4333,
    "Original Hire Date",
    "date",
    "originalHireDate",
    "originalHireDate",
    (e) => e.originalHireDate,
  ),
  row(
    "terminationDate",
    -38,
    "Termination Date",
    "date",
    "terminationDate",
    "terminationDate",
    (e) => e.terminationDate,
  ),
  row("status", 387, "Status", "status", "status", "status", (e, c, future) => standing(e, c.today, future).status),
  row("employmentHistoryStatus", 16, "Employment Status", "list", "employmentStatusName", "employmentStatus", (
    e,
    c,
    future,
  ) => standing(e, c.today, future).employmentStatus),
  row("employeeStatusDate", 1936, "Employment Status: Date", "date", "employmentStatusEffectiveDate", null, (
    e,
    c,
    future,
  ) => standing(e, c.today, future).employmentDate),
  row("supervisor", 91, "Reporting to", "employee", "reportsToName", "jobInformationReportsTo", (e, c, future) => {
    const boss = chief(e, c, future);
    return boss === null ? null : `${boss.lastName}, ${boss.firstName}`;
  }),
  // The number that HR gives, not the one that everything hangs on.
  row(
    "supervisorId",
    -91,
    "Supervisor Employee #",
    "text",
    null,
    "supervisorId",
    (e, c, future) => chief(e, c, future)?.employeeNumber ?? null,
  ),
  row("supervisorEId", -92, "Supervisor EID", "int", "reportsToId", "supervisorEid", (e, c, future) => {
    const id = standing(e, c.today, future).job?.reportsTo ?? null;
    return id === null ? null : String(id);
  }, "id"),
  row(
    "supervisorEmail",
    -93,
    "Supervisor Email",
    "email",
    null,
    "supervisorEmail",
    (e, c, future) => chief(e, c, future)?.workEmail ?? null,
  ),
  row("payRate", 19, "Pay rate", "currency", null, null, () => null, "pay"),
  row("lastChanged", -40, "Last changed", "timestamp", null, "lastChanged", (e) => e.lastChanged),
  row("isPhotoUploaded", -50, "Photo uploaded", "bool", null, null, () => "yes", "bool"),
];

/** The account's fields, its own ones last. */
export function fieldsOf(company: Company): Field[] {
  return [
    ...FIELDS,
    ...[...company.customFields].map(([alias, { id, name }]) =>
      row(alias, id, name, "text", null, alias, (e) => e.custom[alias] ?? null)
    ),
  ];
}

/** Other names that reports know. */
const ALSO: Readonly<Record<string, string>> = { employeeId: "id", eeid: "id", nickname: "preferredName" };

export function fieldNamed(company: Company, name: string): Field | null {
  const alias = ALSO[name] ?? name;
  return fieldsOf(company).find((field) => field.alias === alias || String(field.id) === name) ?? null;
}

/** As reports have it: text or null, and of empty things each its own kind of nothing. */
export function reportValue(field: Field, value: string | null): string | boolean | null {
  if (field.kind === "bool") return value === "yes";
  if (value !== null) return value;
  return field.kind === "date" ? "0000-00-00" : field.kind === "state" ? "" : field.kind === "pay" ? " USD" : null;
}
