/** Templates: for each system whose files are known, the columns, what they may hold, and files to fill in. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { PRESETS } from "../../model/preset.ts";
import type { TemplateColumns } from "../api/templates.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import { answerConsole, pathIn, requireScope } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { queryOf } from "./lists.ts";

/** The page of departments, which have the same columns in all systems. */
const DEPARTMENTS = "departments";

const TITLES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(PRESETS).map(([name, { title }]): [string, string] => [
    name,
    name === "custom" ? "People, for any system" : `People, for ${title}`,
  ]),
  [DEPARTMENTS, "Departments"],
]);

export const listTemplates = route(PAGE, async (c) => {
  requireScope(c, "drops:write");
  return await answerConsole(c, {
    title: "Templates",
    section: "/import",
    main: html`
      <h1>Templates</h1>
      <p class="soft">Tables to fill in, and what each of their columns may hold.</p>
      <section class="card">
        <h2 class="hidden">The templates</h2>
        <ul class="bare rowlist">${[...TITLES].map(([name, title]) =>
          html`
            <li>
              <h3><a href="${pathIn(c, `/templates/${name}`)}">${title}</a></h3>
            </li>
          `
        )}</ul>
      </section>
    `,
  });
});

/** The template's part of the API's path, and its query. */
function apiPath(name: string, ending: string): string {
  return name === DEPARTMENTS
    ? `/v1/templates/departments.${ending}`
    : `/v1/templates/users.${ending}?${queryOf({ preset: name })}`;
}

export const showTemplate = route(PAGE, async (c) => {
  const name = c.req.param("name") ?? "", title = TITLES.get(name);
  if (title === undefined) throw new Fault("not_found", `There is no template "${name}"`);
  const { columns } = await c.get("api")!.read<TemplateColumns>(apiPath(name, "json"));
  return await answerConsole(c, {
    title,
    section: "/import",
    main: html`
      <h1>${title}</h1>
      <p><a href="${fileOf(c, name, "xlsx")}">As a workbook</a> · <a href="${fileOf(c, name, "csv")}">as CSV</a> ·
        <a href="${pathIn(c, "/templates")}">All templates</a></p>
      ${viewExamples(columns)}
      <section class="card" aria-labelledby="columns-title">
        <h2 id="columns-title">What each column may hold</h2>
        <ul class="bare rowlist">${columns.map(viewColumn)}</ul>
      </section>
    `,
  });
});

function fileOf(c: Context<Env>, name: string, ending: string): string {
  const file = name === DEPARTMENTS ? `departments.${ending}` : `users.${ending}?${queryOf({ preset: name })}`;
  return pathIn(c, `/templates/${file}`);
}

/** The example rows, as a spreadsheet shows them. Keyboards scroll what has the focus. */
function viewExamples(columns: TemplateColumns["columns"]): Html {
  return html`
    <section class="card" aria-labelledby="examples-title">
      <h2 id="examples-title">Example rows</h2>
      <div class="wide" tabindex="0" role="region" aria-labelledby="examples-title">
        <table>
          <thead>
            <tr>${columns.map(({ header }) => html`<th scope="col">${header}</th>`)}</tr>
          </thead>
          <tbody>${[0, 1].map((row) =>
            html`<tr>${columns.map(({ rows }) => html`<td>${rows[row] ?? ""}</td>`)}</tr>`
          )}</tbody>
        </table>
      </div>
      <p class="small soft">An import refuses these rows: replace them by your own.</p>
    </section>
  `;
}

function viewColumn({ header, holds, empty_cell, examples }: TemplateColumns["columns"][number]): Html {
  return html`
    <li>
      <h3>${header}</h3>
      <p>${holds}</p>
      <dl class="facts">
        <dt>An empty cell</dt>
        <dd>${empty_cell}</dd>
        <dt>Examples</dt>
        <dd>${examples}</dd>
      </dl>
    </li>
  `;
}

/** The file, as the API gives it. */
export const getTemplateFile = route(PAGE, async (c) => {
  const { preset } = c.req.query();
  return await c.get("api")!.ask(`/v1/templates/${c.req.param("file")}?${queryOf({ preset })}`);
});
