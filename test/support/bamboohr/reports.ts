/** `POST /v1/reports/custom`: everything at once; what the key may not read, and what nobody knows, is left out without a word. */
import type { ServerResponse } from "node:http";
import { type Asked, refuse } from "./answer.ts";
import type { Access, Company, Employee } from "./company.ts";
import { type Field, fieldNamed, reportValue } from "./fields.ts";

const FORMATS = ["json", "xml", "csv", "xls", "pdf"];
const TYPES: Readonly<Record<string, string>> = {
  "application/json": "json",
  "text/xml": "xml",
  "text/csv": "csv",
  "application/pdf": "pdf",
  "application/vnd.ms-excel": "xls",
};

export async function answerReport(
  response: ServerResponse,
  asked: Asked,
  company: Company,
  access: Access,
): Promise<void> {
  const said = asked.query.get("format")?.toLowerCase();
  const format = said ?? TYPES[asked.headers.accept ?? ""];
  if (format === undefined || !FORMATS.includes(format)) return refuse(response, 404, "Report format not found");
  if (asked.headers["content-type"] !== "application/json") return refuse(response, 400, "Malformed XML");
  let wanted: { title?: string; fields?: string[]; filters?: { employeeIds?: number[]; lastChanged?: LastChanged } };
  try {
    wanted = JSON.parse(asked.body);
  } catch {
    return refuse(response, 400, "Malformed JSON");
  }
  const names = wanted.fields ?? [];
  if (names.length > 400) return failed(response, 400, "Too many fields: 400 at most");
  const future = asked.query.get("onlyCurrent") === "false";
  const ids = wanted.filters?.employeeIds;
  const changed = wanted.filters?.lastChanged;
  const people = [...company.employees.values()].filter((each) =>
    access.sees(each) && (ids === undefined || ids.includes(each.id)) && isChanged(each, changed)
  );
  const columns = names.flatMap((name) => {
    const field = fieldNamed(company, name);
    if (field === null || access.hidden.has(field.alias)) return [];
    // Asked for by its number it comes back with a tail.
    return [{ field, name: /^-?\d+$/.test(name) ? `${name}.0` : name }];
  });
  // Without fields, one employee: what that is for nobody knows.
  const rows = names.length === 0 ? people.slice(0, 1) : people;
  if (format !== "json") return refuse(response, 200, "");
  await write(response, wanted.title ?? "", columns, rows, company, access, future);
}

interface LastChanged {
  value: string;
  includeNull?: "yes" | "no";
}

function isChanged(employee: Employee, filter: LastChanged | undefined): boolean {
  return filter === undefined || Date.parse(employee.lastChanged) >= Date.parse(filter.value);
}

function failed(response: ServerResponse, code: number, message: string): void {
  const text = JSON.stringify({ error: { code, message } });
  response.writeHead(code, { "content-type": "application/json", "x-bamboohr-error-message": message }).end(text);
}

/** Resolves when more can be written, or nothing ever will be. */
function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

/** A piece at a time: a report of everybody need not fit in memory here, and so must not need to there. */
async function write(
  response: ServerResponse,
  title: string,
  columns: readonly { field: Field; name: string }[],
  rows: readonly Employee[],
  company: Company,
  access: Access,
  future: boolean,
): Promise<void> {
  response.writeHead(200, { "content-type": "application/json; charset=utf-8" });
  const fields = columns.map(({ field, name }) => ({ id: name, type: field.type, name: field.label }));
  let text = `{"title":${JSON.stringify(title)},"fields":${JSON.stringify(fields)},"employees":[`;
  for (const [i, employee] of rows.entries()) {
    const row: Record<string, unknown> = { id: String(employee.id) };
    for (const { field, name } of columns) {
      if (access.hides(field.alias, employee)) row[name] = null;
      else row[name] = reportValue(field, field.read(employee, company, future));
    }
    text += `${i === 0 ? "" : ","}${JSON.stringify(row)}`;
    if (text.length < 65_536) continue;
    if (!response.write(text)) await roomIn(response);
    if (response.destroyed) return;
    text = "";
  }
  response.end(`${text}]}`);
}
