/** Templates: files with this organization's columns, to be filled in with a spreadsheet, and what each column may hold. */
import { Hono } from "hono";
import { z } from "zod";
import {
  departmentsTemplate,
  type Template,
  templateCsv,
  templateWorkbook,
  usersTemplate,
} from "../../report/template.ts";
import { XLSX } from "../../report/workbook.ts";
import { loadCustomFields } from "../../store/people/custom-fields.ts";
import { requires } from "../kit/authorize.ts";
import { describe, route, SPREADSHEETS } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { query } from "../kit/validate.ts";
import { PRESET } from "../kit/values.ts";

const PRESET_ONLY = z.strictObject({
  preset: PRESET.default("custom").meta({ description: "The system whose column names to use" }),
});
const INPUT = PRESET_ONLY.extend({
  examples: z.enum(["true", "false"]).default("true").meta({
    description: "`false`: the header row alone",
  }),
});

type Format = keyof typeof SPREADSHEETS;

const KIND: Readonly<Record<Format, string>> = {
  csv: "A CSV file with",
  xlsx: "A workbook whose second sheet explains each field,",
};
const EXAMPLES = "An import refuses its example rows.";

const users = (operationId: string, format: Format) =>
  route(
    describe(operationId, "Download a template for users", { 200: SPREADSHEETS[format] }, {
      description: `${KIND[format]} the preset's columns, this organization's custom fields and two example rows. ` +
        EXAMPLES,
    }),
    requires("drops:write"),
    query(INPUT),
    async (c) => {
      const custom = await loadCustomFields(c.get("hub").db, c.get("organization").id);
      const { preset, examples } = c.req.valid("query");
      return templateFile(usersTemplate(preset, custom, examples === "true"), format);
    },
  );

const departments = (operationId: string, format: Format) =>
  route(
    describe(operationId, "Download a template for departments", { 200: SPREADSHEETS[format] }, {
      description: `${KIND[format]} the columns of departments and two example rows. ${EXAMPLES}`,
    }),
    requires("drops:write"),
    query(INPUT),
    (c) => templateFile(departmentsTemplate(c.req.valid("query").examples === "true"), format),
  );

const COLUMNS = z.strictObject({
  columns: z.array(z.strictObject({
    header: z.string().meta({ examples: ["email"] }),
    holds: z.string().meta({ description: "What it may hold" }),
    empty_cell: z.string().meta({ description: "What an empty cell does" }),
    examples: z.string().meta({ description: "Separated by semicolons" }),
    rows: z.array(z.string()).readonly().meta({ description: "Its cells in the two example rows" }),
  })),
}).meta({ id: "TemplateColumns" });

export type TemplateColumns = z.infer<typeof COLUMNS>;

export function viewColumns({ columns }: Template): TemplateColumns {
  return {
    columns: columns.map(({ header, examples, explanation }) => ({
      header,
      holds: explanation.holds,
      empty_cell: explanation.empty,
      examples: explanation.examples,
      rows: examples,
    })),
  };
}

const explainUsers = route(
  describe("explainUsersTemplate", "Explain a template for users", { 200: COLUMNS }, {
    description: "For each column of the template: what it may hold, what an empty cell does, and examples.",
  }),
  requires("drops:write"),
  query(PRESET_ONLY),
  async (c) => {
    const custom = await loadCustomFields(c.get("hub").db, c.get("organization").id);
    return c.json(viewColumns(usersTemplate(c.req.valid("query").preset, custom, true)));
  },
);

const explainDepartments = route(
  describe("explainDepartmentsTemplate", "Explain a template for departments", { 200: COLUMNS }, {
    description: "For each column of departments: what it may hold, what an empty cell does, and examples.",
  }),
  requires("drops:write"),
  (c) => c.json(viewColumns(departmentsTemplate(true))),
);

export const templateRoutes: Hono<Env> = new Hono<Env>()
  .get("/users.csv", ...users("getUsersTemplate", "csv"))
  .get("/users.xlsx", ...users("getUsersWorkbookTemplate", "xlsx"))
  .get("/users.json", ...explainUsers)
  .get("/departments.json", ...explainDepartments)
  .get("/departments.csv", ...departments("getDepartmentsTemplate", "csv"))
  .get("/departments.xlsx", ...departments("getDepartmentsWorkbookTemplate", "xlsx"));

export function templateFile(template: Template, format: Format): Response {
  return new Response(format === "csv" ? templateCsv(template) : templateWorkbook(template), {
    headers: {
      "content-type": format === "csv" ? "text/csv; charset=utf-8" : XLSX,
      "content-disposition": `attachment; filename="${template.entity}.${format}"`,
    },
  });
}
