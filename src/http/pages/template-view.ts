/** Templates as pages show them: for each system whose files are known, the columns and what they may hold. No I/O. */
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { PRESETS } from "../../model/preset.ts";
import type { TemplateColumns } from "../api/templates.ts";
import type { Html } from "./frame.ts";

/** The page of departments, which have the same columns in all systems. */
export const DEPARTMENTS = "departments";

const TITLES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(PRESETS).map(([name, { title }]): [string, string] => [
    name,
    name === "custom" ? "People, for any system" : `People, for ${title}`,
  ]),
  [DEPARTMENTS, "Departments"],
]);

/** Fails with `not_found` where there is no such template. */
export function titleOf(name: string): string {
  const title = TITLES.get(name);
  if (title === undefined) throw new Fault("not_found", `There is no template "${name}"`);
  return title;
}

/** `path`: of the list of templates. */
export function viewTemplates(path: string): Html {
  return html`
    <h1>Templates</h1>
    <p class="soft">Tables to fill in, and what each of their columns may hold.</p>
    <section class="card">
      <h2 class="hidden">The templates</h2>
      <ul class="bare rowlist">${[...TITLES].map(([name, title]) =>
        html`
          <li>
            <h3><a href="${path}/${name}">${title}</a></h3>
          </li>
        `
      )}</ul>
    </section>
  `;
}

export function viewTemplate(path: string, name: string, columns: TemplateColumns["columns"]): Html {
  const file = (ending: string) =>
    `${path}/${name === DEPARTMENTS ? `departments.${ending}` : `users.${ending}?preset=${encodeURIComponent(name)}`}`;
  return html`
    <h1>${titleOf(name)}</h1>
    <p><a href="${file("xlsx")}">As a workbook</a> · <a href="${file("csv")}">as CSV</a> ·
      <a href="${path}">All templates</a></p>
    ${viewExamples(columns)}
    <section class="card" aria-labelledby="columns-title">
      <h2 id="columns-title">What each column may hold</h2>
      <ul class="bare rowlist">${columns.map(viewColumn)}</ul>
    </section>
  `;
}

/** The example rows, as a spreadsheet shows them. Keyboards scroll what has the focus. */
function viewExamples(columns: TemplateColumns["columns"]): Html {
  return html`
    <section class="card" aria-labelledby="examples-title">
      <h2 id="examples-title">Example rows</h2>
      <div class="wide" tabindex="0" role="region" aria-label="The rows as a table">
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
