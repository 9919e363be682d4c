/** The smaller endpoints: one employee, who changed, the directory, tables, and what the account is made of. */
import type { ServerResponse } from "node:http";
import { type Asked, refuse, sendAsAsked, sendJson } from "./answer.ts";
import { type Access, type Company, type Employee, standing } from "./company.ts";
import { fieldNamed, fieldsOf, reportValue } from "./fields.ts";

/** `GET /v1/employees/{id}`: 0 is whoever the key belongs to. */
export function answerEmployee(response: ServerResponse, asked: Asked, company: Company, access: Access, id: string) {
  const wanted = id === "0" ? access.employeeId : Number(id);
  const names = (asked.query.get("fields") ?? "").split(",").filter((name) => name !== "");
  if (names.length > 400) return refuse(response, 400, "Too many fields");
  const employee = company.employees.get(wanted);
  if (id === "0" && employee === undefined) {
    return sendAsAsked(response, asked, "employee", { id: String(access.employeeId) });
  }
  if (employee === undefined) return refuse(response, 404, "Employee not found, Employee not found");
  if (!access.sees(employee)) return refuse(response, 403, "Insufficient Permissions to view this employee");
  const future = asked.query.get("onlyCurrent") === "false";
  const row: Record<string, unknown> = { id: String(employee.id) };
  for (const name of names) {
    const field = fieldNamed(company, name);
    if (field === null || access.hidden.has(field.alias) || access.hides(field.alias, employee)) continue;
    row[name] = reportValue(field, field.read(employee, company, future));
  }
  sendAsAsked(response, asked, "employee", row);
}

/** `GET /v1/employees/changed`. */
export function answerChanged(response: ServerResponse, asked: Asked, company: Company, access: Access): void {
  const since = Date.parse(asked.query.get("since") ?? "");
  const type = asked.query.get("type") ?? "all";
  if (Number.isNaN(since) || !["all", "inserted", "updated", "deleted"].includes(type)) {
    return refuse(response, 400, "Invalid since or type");
  }
  const employees: Record<string, { id: string; action: string; lastChanged: string }> = {};
  const note = (id: number, action: string, at: string) => {
    if (Date.parse(at) >= since && (type === "all" || action.toLowerCase() === type)) {
      employees[String(id)] = { id: String(id), action, lastChanged: at };
    }
  };
  for (const employee of company.employees.values()) {
    if (access.sees(employee)) note(employee.id, "Updated", changedAt(employee, company));
  }
  for (const [id, at] of company.deleted) note(id, "Deleted", at);
  const latest = Object.values(employees).map((each) => each.lastChanged).sort().at(-1) ??
    new Date(since).toISOString();
  const none = Object.keys(employees).length === 0;
  sendAsAsked(response, asked, "result", {
    latest,
    employees: none && company.switches.changedEmpty === "array" ? [] : employees,
  });
}

/** When the record changed last; a change that took effect by its own date counts, or does not. */
function changedAt(employee: Employee, company: Company): string {
  if (!company.switches.effectiveBumps) return employee.lastChanged;
  const effective = [...employee.jobs, ...employee.employment].map(({ date }) => date)
    .filter((date) => date <= company.today).sort().at(-1);
  const at = effective === undefined ? "" : `${effective}T00:00:00+00:00`;
  return at > employee.lastChanged ? at : employee.lastChanged;
}

/** `GET /v1/employees/{id|all}/tables/{table}`, unsorted. */
export function answerTable(
  response: ServerResponse,
  asked: Asked,
  company: Company,
  access: Access,
  id: string,
  table: string,
): void {
  const people = id === "all"
    ? [...company.employees.values()].filter(access.sees)
    : [company.employees.get(Number(id))].filter((each): each is Employee => each !== undefined && access.sees(each));
  if (people.length === 0 && id !== "all") return refuse(response, 404, "Employee not found");
  const boss = (reportsTo: number | null) => {
    const found = reportsTo === null ? undefined : company.employees.get(reportsTo);
    return found === undefined ? null : `${found.firstName} ${found.lastName}`;
  };
  const rows = table === "jobInfo"
    ? people.flatMap((each) =>
      each.jobs.map(({ reportsTo, ...job }, i) => ({
        id: String(each.id * 10 + i),
        employeeId: String(each.id),
        ...job,
        reportsTo: boss(reportsTo),
      }))
    )
    : table === "employmentStatus"
    ? people.flatMap((each) =>
      each.employment.map(({ date, status }, i) => ({
        id: String(each.id * 10 + i),
        employeeId: String(each.id),
        date,
        employmentStatus: status,
        comment: "",
      }))
    )
    : null;
  if (rows === null) return refuse(response, 404, "Table not found");
  sendAsAsked(response, asked, "table", rows.reverse());
}

/** `GET /v1/employees/directory`: active people who are not hidden from it, with what the company shows of them. */
export function answerDirectory(response: ServerResponse, asked: Asked, company: Company, access: Access): void {
  if (company.switches.directory === "off") return refuse(response, 403, "Directory disabled for this account");
  const people = company.switches.directory === "empty"
    ? []
    : [...company.employees.values()].filter((each) =>
      access.sees(each) && each.inDirectory && standing(each, company.today, false).status === "Active"
    );
  if (people.length === 0) return refuse(response, 404, "No employees found");
  sendAsAsked(response, asked, "directory", {
    fields: [
      { id: "displayName", type: "text", name: "Display name" },
      { id: "jobTitle", type: "list", name: "Job Title" },
      { id: "workEmail", type: "email", name: "Work Email" },
      { id: "supervisor", type: "employee", name: "Manager" },
    ],
    employees: people.map((each) => {
      const { job } = standing(each, company.today, false);
      const boss = job?.reportsTo === null || job === null ? undefined : company.employees.get(job.reportsTo);
      return {
        id: String(each.id),
        displayName: `${each.firstName} ${each.lastName}`,
        firstName: each.firstName,
        lastName: each.lastName,
        preferredName: each.preferredName,
        jobTitle: job?.jobTitle ?? null,
        workEmail: each.workEmail,
        supervisor: boss === undefined ? null : `${boss.firstName} ${boss.lastName}`,
        photoUploaded: true,
        canUploadPhoto: 1,
      };
    }),
  });
}

/** `GET /v1/meta/fields`: ids as numbers and as texts, aliases for a few, and some that are past. */
export function answerMetaFields(response: ServerResponse, asked: Asked, company: Company, access: Access): void {
  const fields: unknown[] = fieldsOf(company).filter(({ alias }) => !access.hidden.has(alias)).map((field) => ({
    id: field.id,
    name: field.label,
    type: field.type,
    alias: field.alias,
  }));
  fields.push(
    { id: "4340.4", name: "Allergies", type: "text" },
    { id: 4500, name: "Fax", type: "phone", deprecated: true },
  );
  sendAsAsked(response, asked, "fields", fields);
}

/** `GET /v1/meta/lists`: a list's `id` is not the field's. */
export function answerMetaLists(response: ServerResponse, asked: Asked, company: Company, access: Access): void {
  if (access.hidden.has("employmentHistoryStatus")) return refuse(response, 403, "Insufficient Permissions");
  const departments = [...new Set([...company.employees.values()].map((e) => e.jobs.at(-1)?.department ?? null))];
  sendAsAsked(response, asked, "lists", [
    {
      id: 1,
      fieldId: 4,
      manageable: "yes",
      multiple: "no",
      name: "Department",
      alias: "department",
      options: departments.filter((name) => name !== null).map((name, i) => ({ id: 100 + i, archived: "no", name })),
    },
    {
      id: 3,
      fieldId: 16,
      manageable: "yes",
      multiple: "no",
      name: "Employment Status",
      alias: "employmentHistoryStatus",
      options: company.statuses.map(({ id, name, archived, manageable }) => ({
        id,
        archived: archived ? "yes" : "no",
        createdDate: "2024-01-01T00:00:00+00:00",
        archivedDate: archived ? "2025-01-01T00:00:00+00:00" : null,
        name,
        manageable: manageable ? "yes" : "no",
      })),
    },
  ]);
}

/** `GET /v1/meta/users`, by id of the user, which is none of an employee. */
export function answerMetaUsers(response: ServerResponse, asked: Asked, company: Company, access: Access): void {
  const users: [string, object][] = [...company.employees.values()].filter(access.sees).slice(0, 50).map((
    each,
  ) => [
    String(2000 + each.id),
    {
      id: 2000 + each.id,
      employeeId: each.id,
      firstName: each.firstName,
      lastName: each.lastName,
      email: each.workEmail,
      status: "enabled",
      lastLogin: "2026-02-20T08:00:00+00:00",
    },
  ]);
  users.push(["2", { id: 2, employeeId: 0, firstName: "Support", lastName: "Admin", status: "enabled" }]);
  sendAsAsked(response, asked, "users", Object.fromEntries(users));
}

export function answerCompany(response: ServerResponse, company: Company): void {
  sendJson(response, {
    legalName: "Acme Incorporated",
    displayName: "Acme",
    domain: `${company.subdomain}.bamboohr.com`,
  });
}
