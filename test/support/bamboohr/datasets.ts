/** `POST /v2/datasets/employee/data` and what it is made of: pages by number, a small language of filters, problems as JSON. */
import type { ServerResponse } from "node:http";
import { type Asked, sendJson } from "./answer.ts";
import { type Access, type Company, type Employee, isPreHire } from "./company.ts";
import { type Field, fieldsOf } from "./fields.ts";

interface Wanted {
  fields?: string[];
  filter?: string;
  orderBy?: string;
  page?: number;
  pageSize?: number;
}

export function answerDatasetData(response: ServerResponse, asked: Asked, company: Company, access: Access): void {
  if (!access.datasets) return problem(response, 403, "FORBIDDEN", "No access to this dataset");
  let wanted: Wanted;
  try {
    wanted = JSON.parse(asked.body);
  } catch {
    return problem(response, 400, "INVALID_ARGUMENT", "The body is not JSON");
  }
  const names = wanted.fields ?? [];
  const page = wanted.page ?? 1, pageSize = wanted.pageSize ?? 100;
  if (names.length === 0 || pageSize < 1 || pageSize > 1000 || page < 1) {
    return problem(response, 400, "INVALID_ARGUMENT", "fields, page or pageSize is out of range");
  }
  const fields = names.map((name) => ({ name, field: named(company, name) }));
  for (const { name, field } of fields) {
    if (field === null) return problem(response, 400, "INVALID_ARGUMENT", `Invalid field name: employee_${name}`);
    if (access.hidden.has(field.alias) && company.switches.datasetRestricted === "error") {
      return problem(response, 400, "INVALID_ARGUMENT", `Invalid field name: employee_${name}`);
    }
  }
  let matches: (employee: Employee) => boolean;
  try {
    matches = readFilter(wanted.filter ?? "", company);
  } catch (error) {
    return problem(response, 422, "INVALID_FILTER", (error as Error).message);
  }
  const people = [...company.employees.values()].filter((employee) => access.sees(employee) && matches(employee));
  const order = wanted.orderBy === undefined ? null : /^(\w+)(?: (asc|desc))?$/.exec(wanted.orderBy);
  if (wanted.orderBy !== undefined) {
    if (order === null || !names.includes(order[1]!)) {
      return problem(response, 400, "UE-1001", "orderBy must be one of the fields");
    }
    const field = named(company, order[1]!)!;
    const key = (employee: Employee) => {
      const value = valueOf(field, employee, company, access);
      return typeof value === "number" ? value : String(value ?? "");
    };
    people.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (order[2] === "desc" ? -1 : 1));
  } // No order of its own: another one for every page.
  else people.sort((a, b) => ((a.id * 7919 + page * 104_729) % 1009) - ((b.id * 7919 + page * 104_729) % 1009));

  const rows = people.slice((page - 1) * pageSize, page * pageSize);
  const totalPages = Math.max(1, Math.ceil(people.length / pageSize));
  const link = (to: number) => `https://${company.subdomain}.bamboohr.com/api/v2/datasets/employee/data?page=${to}`;
  const links = {
    ...(page < totalPages ? { next: link(page + 1) } : {}),
    ...(page > 1 ? { prev: link(page - 1) } : {}),
  };
  sendJson(response, {
    data: rows.map((employee) => {
      const restricted = fields.filter(({ field }) => isHidden(field!, employee, access)).map(({ name }) =>
        `employee_${name}`
      );
      return {
        fields: Object.fromEntries(fields.map(({ name, field }) => [name, valueOf(field!, employee, company, access)])),
        ...(restricted.length === 0 ? {} : { _restrictedFields: restricted }),
      };
    }),
    // An empty map of PHP's is a list.
    links: Object.keys(links).length === 0 ? [] : links,
    meta: { page, pageSize, totalPages, totalItems: people.length },
  });
}

/** `GET /v1_2/datasets/employee/fields`. */
export function answerDatasetFields(response: ServerResponse, asked: Asked, company: Company, access: Access): void {
  if (!access.datasets) return problem(response, 403, "FORBIDDEN", "No access to this dataset");
  const page = Number(asked.query.get("page") ?? 1), size = Number(asked.query.get("page_size") ?? 500);
  const all = fieldsOf(company).filter(({ dataset, alias }) => dataset !== null && !access.hidden.has(alias));
  sendJson(response, {
    fields: all.slice((page - 1) * size, page * size).map(({ dataset, label }) => ({
      name: dataset,
      label: label.replaceAll("&", "&amp;"),
      parentType: "section",
      parentName: "Personal",
      entityName: "employee",
    })),
    pagination: { total_records: all.length, current_page: page, total_pages: Math.ceil(all.length / size) },
  });
}

function named(company: Company, name: string): Field | null {
  return fieldsOf(company).find(({ dataset }) => dataset === name) ?? null;
}

function isHidden(field: Field, employee: Employee, access: Access): boolean {
  return access.hidden.has(field.alias) || access.hides(field.alias, employee);
}

function valueOf(field: Field, employee: Employee, company: Company, access: Access): string | number | null {
  if (isHidden(field, employee, access)) return null;
  // Before their first day people are Inactive here.
  if (field.alias === "status" && isPreHire(employee, company.today)) return "Inactive";
  const value = field.read(employee, company, false);
  if (field.alias === "supervisor") return value === null ? "" : value.split(", ").reverse().join(" ");
  if (value === null) return field.kind === "date" ? company.switches.datasetEmptyDate : null;
  // Numbers are numbers, also where they are names.
  return field.kind === "id" || (field.alias === "employeeNumber" && /^[1-9]\d{0,8}$/.test(value))
    ? Number(value)
    : value;
}

/** `status in ('Active','Inactive') and hireDate gt '2020-01-01'`: ands or ors, never both. */
function readFilter(text: string, company: Company): (employee: Employee) => boolean {
  if (text.trim() === "") return () => true;
  const ands = text.split(/\s+and\s+/i), ors = text.split(/\s+or\s+/i);
  if (ands.length > 1 && ors.length > 1) throw new Error("and and or cannot be mixed");
  const tests = (ors.length > 1 ? ors : ands).map((part) => {
    const [, name, operator, list, one] =
      /^\s*(\w+)\s+(eq|ne|lt|le|gt|ge|in)\s+(?:\(([^)]*)\)|'([^']*)'|\d+)\s*$/i.exec(
        part,
      ) ?? [];
    const field = name === undefined ? null : named(company, name);
    if (field === null || operator === undefined) throw new Error(`Cannot read "${part}"`);
    const values = list !== undefined ? [...list.matchAll(/'([^']*)'/g)].map((found) => found[1]!) : [one ?? ""];
    return (employee: Employee) => {
      const value = String(valueOf(field, employee, company, NOTHING_HIDDEN) ?? "");
      switch (operator.toLowerCase()) {
        case "eq":
          return value === values[0];
        case "ne":
          return value !== values[0];
        case "lt":
          return value < values[0]!;
        case "le":
          return value <= values[0]!;
        case "gt":
          return value > values[0]!;
        case "ge":
          return value >= values[0]!;
        default:
          return values.includes(value);
      }
    };
  });
  return (employee) => ors.length > 1 ? tests.some((t) => t(employee)) : tests.every((t) => t(employee));
}

const NOTHING_HIDDEN: Access = {
  employeeId: 0,
  sees: () => true,
  hides: () => false,
  hidden: new Set(),
  datasets: true,
};

function problem(response: ServerResponse, status: number, code: string, detail: string): void {
  sendJson(
    response,
    { type: "about:blank", title: code, status, detail, instance: "/api/v2/datasets/employee/data", code, fields: [] },
    status,
    "application/problem+json",
  );
}
