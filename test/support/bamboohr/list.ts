/** `GET /v1/employees`: pages by cursor, filters, what was restricted by name, and cursors that go bad under a reader. */
import { Buffer } from "node:buffer";
import type { ServerResponse } from "node:http";
import { type Asked, sendJson } from "./answer.ts";
import { type Access, type Company, type Employee, isPreHire } from "./company.ts";
import { type Field, FIELDS } from "./fields.ts";

const ALWAYS = ["employeeId", "firstName", "lastName", "preferredName", "jobTitleName", "status"];
const SORTABLE = new Set(ALWAYS);
const REFUSED_FILTERS = new Set(["bestEmail", "ein", "ssn", "sin", "nin", "payRate", "teams", "userId"]);
/** What the description of April 2026 does not have. */
const NEW_IN_JUNE = new Set([
  "employeeNumber",
  "originalHireDate",
  "terminationDate",
  "city",
  "state",
  "country",
  "employmentStatusEffectiveDate",
]);
const NAMES = [
  ...FIELDS.flatMap((field) => field.list === null ? [] : [{ name: field.list, field }]),
  { name: "employeeName", field: FIELDS.find(({ alias }) => alias === "supervisor")! },
];

export function answerList(response: ServerResponse, asked: Asked, company: Company, access: Access): void {
  const { query } = asked;
  const { switches } = company;
  const limit = Number(query.get("page[limit]") ?? 250);
  if (!Number.isInteger(limit) || limit < 1 || limit > 2500) {
    return failed(response, 400, "BadRequest", "page[limit] must be between 1 and 2500");
  }
  const filters = new Map<string, string[]>();
  for (const [key, value] of query) {
    const name = /^filter\[(\w+)\](?:\[\])?$/.exec(key)?.[1];
    if (name !== undefined) filters.set(name, [...(filters.get(name) ?? []), ...value.split(",")]);
  }
  for (const [name, values] of filters) {
    if (name !== "ids" && (REFUSED_FILTERS.has(name) || named(name) === null)) {
      return failed(response, 422, "BadRequest", `Cannot filter by ${name}`);
    }
    if (name === "status" && !values.every((value) => value === "active" || value === "inactive")) {
      return failed(response, 400, "BadRequest", "status must be active or inactive");
    }
  }
  const sort = (query.get("sort") ?? "").split(",").filter((each) => each !== "");
  if (sort.some((each) => !SORTABLE.has(each.replace(/^-/, "")))) {
    return failed(response, 400, "BadRequest", "Cannot sort by that");
  }

  const touched = [...filters.keys(), ...sort.map((each) => each.replace(/^-/, ""))].flatMap((name) =>
    name === "ids" ? [] : [named(name)!]
  );
  const people = [...company.employees.values()].filter((employee) =>
    access.sees(employee) && (switches.listPreHires || !isPreHire(employee, company.today)) &&
    isWanted(employee, filters, company) &&
    // Whoever asks by a field that they may not read shall not learn it from who is in the answer.
    !touched.some((field) => isRestricted(field, employee, access))
  );
  order(people, sort, company);

  const after = query.get("page[after]"), before = query.get("page[before]");
  if (after !== null && before !== null) return failed(response, 400, "BadRequest", "page[after] or page[before]");
  let from = 0;
  if (after !== null || before !== null) {
    const boundary = readCursor(after ?? before!, after !== null ? "nextEmployee" : "prevEmployee");
    const at = boundary === null ? -1 : people.findIndex(({ id }) => id === boundary);
    if (at < 0) return failed(response, 400, "BadPage", "The page cursor is not valid");
    from = after !== null ? at : Math.max(0, at - limit);
  }
  const rows = people.slice(from, from + limit);
  const next = people[from + limit], previous = from > 0 ? people[from] : undefined;
  const nextCursor = next === undefined ? null : cursor({ nextEmployee: next.id });
  const prevCursor = previous === undefined ? null : cursor({ prevEmployee: previous.id });
  const names = wantedNames(query, switches.listEdition);
  const link = (name: string, value: string) => {
    const url = new URL(`https://${company.subdomain}.bamboohr.com/api/v1/employees`);
    for (const [key, each] of query) if (!key.startsWith("page[")) url.searchParams.append(key, each);
    url.searchParams.set("page[limit]", String(limit));
    if (value !== "") url.searchParams.set(name, value);
    return { href: url.href };
  };
  sendJson(response, {
    data: rows.map((employee) => rowOf(employee, names, company, access)),
    meta: { total: people.length, page: { limit, nextCursor, prevCursor } },
    _links: {
      self: link("page[after]", after ?? ""),
      ...(nextCursor === null ? {} : { next: link("page[after]", nextCursor) }),
      ...(prevCursor === null ? {} : { prev: link("page[before]", prevCursor) }),
    },
  });
}

function wantedNames(query: URLSearchParams, edition: string): string[] {
  const said = [...query.getAll("fields[]"), ...(query.get("fields") ?? "").split(",")];
  return [...new Set([...ALWAYS, ...said])].filter((name) =>
    named(name) !== null && (edition === "2026-06" || !NEW_IN_JUNE.has(name))
  );
}

function named(name: string): Field | null {
  return NAMES.find((each) => each.name === name)?.field ?? null;
}

function isRestricted(field: Field, employee: Employee, access: Access): boolean {
  return access.hidden.has(field.alias) || access.hides(field.alias, employee);
}

function rowOf(employee: Employee, names: readonly string[], company: Company, access: Access) {
  const restricted: string[] = [];
  const row: Record<string, unknown> = { photoUrl: null };
  for (const name of names) {
    const field = named(name)!;
    if (field.alias !== "id" && isRestricted(field, employee, access)) {
      restricted.push(name);
      row[name] = null;
    } else row[name] = valueOf(field, name, employee, company);
  }
  row._restrictedFields = restricted;
  return row;
}

function valueOf(field: Field, name: string, employee: Employee, company: Company): string | null {
  const { switches } = company;
  const value = field.read(employee, company, false);
  if (name === "reportsToName") return value === null ? null : value.split(", ").reverse().join(" ");
  if (name === "employeeName") return `${employee.lastName}, ${employee.firstName}`;
  if (value !== null) return value;
  if (field.kind === "date") return switches.listEmptyDate;
  return field.kind === "id" || name === "status" ? null : switches.listEmptyText;
}

/** Text: contained in it, whatever the case; ids, states and dates: equal. */
function isWanted(employee: Employee, filters: ReadonlyMap<string, readonly string[]>, company: Company): boolean {
  if (!filters.has("status") && !filters.has("ids") && company.switches.listScope === "active") {
    if (FIELDS.find(({ alias }) => alias === "status")!.read(employee, company, false) === "Inactive") return false;
  }
  for (const [name, values] of filters) {
    if (name === "ids") {
      if (!values.includes(String(employee.id))) return false;
      continue;
    }
    const field = named(name)!;
    const value = field.read(employee, company, false)?.toLowerCase() ?? "";
    const wanted = values.join(",").toLowerCase();
    const isExact = field.kind !== "text" || name === "status";
    if (isExact ? value !== wanted : !value.includes(wanted)) return false;
  }
  return true;
}

function order(people: Employee[], sort: readonly string[], company: Company): void {
  people.sort((a, b) => {
    for (const each of sort) {
      const field = named(each.replace(/^-/, ""))!;
      const left = field.read(a, company, false), right = field.read(b, company, false);
      if (left === right) continue;
      const less = left === null || (right !== null && left < right) ? -1 : 1;
      return each.startsWith("-") ? -less : less;
    }
    return a.id - b.id;
  });
}

function cursor(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64");
}

function readCursor(text: string, name: "nextEmployee" | "prevEmployee"): number | null {
  try {
    const value = JSON.parse(Buffer.from(text, "base64").toString())[name];
    return typeof value === "number" ? value : null;
  } catch {
    return null;
  }
}

function failed(response: ServerResponse, status: number, code: string, message: string): void {
  sendJson(response, { error: { code, message } }, status);
}
