/** Templates: CSV files and workbooks with the header row for this organization, to be filled in with a spreadsheet. */
import { streamOf } from "../../std/streams.ts";
import { Hono } from "hono";
import { z } from "zod";
import type { Entity } from "../../model/record.ts";
import { loadCustomFields } from "../../store/people/custom-fields.ts";
import { requires } from "../kit/authorize.ts";
import { writeWorkbook } from "../../report/workbook.ts";
import { XLSX } from "../../report/workbook.ts";
import { BYTES, CSV, describe, download, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { query } from "../kit/validate.ts";
import { PRESET } from "../kit/values.ts";

type Preset = z.infer<typeof PRESET>;

/** Header rows as the presets' vendors spell them, without custom fields. */
const USERS: Record<Preset, string> = {
  custom: "employee_id,email,first_name,last_name,preferred_name,username,title,department_name,manager_id," +
    "manager_email,location,phone,mobile_phone,hire_date,deactivation_date,employment_status,is_active,on_leave," +
    "timezone,language",
  betterworks: "employee_id,email,first_name,last_name,preferred_name,title,department_name,manager_id,manager_email," +
    "location,phone_number,hire_date,deactivation_date,is_active,on_leave",
  connecteam: "First name,Last name,Mobile phone,Email,Title,Archive",
  "ops-com": "unique_id,user_name,first_name,last_name,email,phone_cell,employ_no,employee_phone",
};

const INPUT = z.strictObject({
  preset: PRESET.default("custom").meta({ description: "The system whose column names to use" }),
});

const CSV_FILE = download({ "text/csv": CSV }, "With this organization's custom fields");
const WORKBOOK = download({ [XLSX]: BYTES }, "With this organization's custom fields");

type Format = "csv" | "xlsx";

const usersTemplate = (operationId: string, format: Format) =>
  route(
    describe(operationId, "Download a template for users", { 200: format === "csv" ? CSV_FILE : WORKBOOK }, {
      description:
        `A ${format === "csv" ? "CSV file" : "workbook"} with the header row alone: the preset's columns and ` +
        "this organization's custom fields.",
    }),
    requires("drops:write"),
    query(INPUT),
    async (c) => {
      const custom = await loadCustomFields(c.get("hub").db, c.get("organization").id);
      const columns = USERS[c.req.valid("query").preset].split(",");
      return file("users", format, [...columns, ...custom.map((field) => field.key)]);
    },
  );

const departmentsTemplate = (operationId: string, format: Format) =>
  route(
    describe(operationId, "Download a template for departments", { 200: format === "csv" ? CSV_FILE : WORKBOOK }, {
      description:
        `A ${format === "csv" ? "CSV file" : "workbook"} with the header row alone. It is the same for every ` +
        "preset.",
    }),
    requires("drops:write"),
    query(INPUT),
    () => file("departments", format, ["name", "parent", "department_id", "is_active", "deactivation_date"]),
  );

export const templateRoutes: Hono<Env> = new Hono<Env>()
  .get("/users.csv", ...usersTemplate("getUsersTemplate", "csv"))
  .get("/users.xlsx", ...usersTemplate("getUsersWorkbookTemplate", "xlsx"))
  .get("/departments.csv", ...departmentsTemplate("getDepartmentsTemplate", "csv"))
  .get("/departments.xlsx", ...departmentsTemplate("getDepartmentsWorkbookTemplate", "xlsx"));

function file(entity: Entity, format: Format, headers: readonly string[]): Response {
  const headersOf = (type: string) => ({
    "content-type": type,
    "content-disposition": `attachment; filename="${entity}.${format}"`,
  });
  // Spreadsheets recognize UTF-8 by the byte order mark. Field names need no quotes.
  if (format === "csv") {
    return new Response(`\ufeff${headers.join(",")}\r\n`, { headers: headersOf("text/csv; charset=utf-8") });
  }
  const name = entity === "users" ? "People" : "Departments";
  const widths = headers.map(({ length }) => Math.max(12, length + 2));
  return new Response(streamOf(writeWorkbook([{ name, widths, rows: [headers] }])), { headers: headersOf(XLSX) });
}
