/** Templates with the organization's own fields: the columns, what they may hold, and files to fill in. */
import { html } from "hono/html";
import type { TemplateColumns } from "../api/templates.ts";
import { route } from "../kit/describe.ts";
import { basePath } from "../pages/base-path.ts";
import { DEPARTMENTS, titleOf, viewTemplate, viewTemplates } from "../pages/template-view.ts";
import { answerConsole, pathIn, requireScope } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { queryOf } from "./lists.ts";

export const listTemplates = route(PAGE, async (c) => {
  requireScope(c, "drops:write");
  const main = viewTemplates(pathIn(c, "/templates"));
  return await answerConsole(c, { title: "Templates", section: "/import", main });
});

/** The template's part of the API's path, and its query. */
function apiPath(name: string, ending: string): string {
  return name === DEPARTMENTS
    ? `/v1/templates/departments.${ending}`
    : `/v1/templates/users.${ending}?${queryOf({ preset: name })}`;
}

export const showTemplate = route(PAGE, async (c) => {
  const name = c.req.param("name") ?? "", title = titleOf(name);
  const { columns } = await c.get("api")!.read<TemplateColumns>(apiPath(name, "json"));
  const main = html`
    ${viewTemplate(pathIn(c, "/templates"), name, columns)}
        <p
      class="small soft">Who cannot sign in sees the same at <a href="${basePath(c)}/templates/${name}">${c.get("hub")
        .publicUrl}/templates/${name}</a>, without your own fields.</p>
  `;
  return await answerConsole(c, { title, section: "/import", main });
});

/** The file, as the API gives it. */
export const getTemplateFile = route(PAGE, async (c) => {
  const { preset } = c.req.query();
  return await c.get("api")!.ask(`/v1/templates/${c.req.param("file")}?${queryOf({ preset })}`);
});
