/** The tree of departments: who is in each, and what keeps closing ones open. */
import type { Context } from "hono";
import { html } from "hono/html";
import { count } from "../../notify/words.ts";
import type { DepartmentView } from "../api/departments.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { answerConsole, pathIn } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { queryOf, viewPaging } from "./lists.ts";

const DEPARTMENTS_A_PAGE = 200;

export const showDepartments = route(PAGE, async (c) => {
  const cursor = c.req.query("cursor"), limit = String(DEPARTMENTS_A_PAGE);
  const { data, next_cursor } = await c.get("api")!.read<Listed<DepartmentView>>(
    `/v1/departments?${queryOf({ order: "tree", limit, cursor })}`,
  );
  return await answerConsole(c, {
    title: "Departments",
    section: "/departments",
    main: html`
      <h1>Departments</h1>
      <section class="card" aria-label="All departments">
        ${data.length === 0
          ? html`<p>There are no departments. They come with the people who are in them, or with a file of departments.</p>`
          : html`${viewAbove(data[0]!)}${viewTree(c, data)}`}
        ${viewPaging(pathIn(c, "/departments"), next_cursor, cursor === undefined)}
      </section>
    `,
  });
});

/** A page that begins in the midst of a branch says of which. */
function viewAbove({ parent }: DepartmentView): Html {
  return parent === null ? html`` : html`<p class="small soft">In ${parent.name}:</p>`;
}

/** As lists in lists, from the depths of rows that follow each other. */
function viewTree(c: Context<Env>, rows: readonly DepartmentView[]): Html {
  const nested: Html[] = [];
  for (let at = 0; at < rows.length;) {
    // The first row of a page may be deeper than those after it.
    const end = rows.findIndex((row, place) => place > at && depthOf(row) <= depthOf(rows[at]!));
    const below = rows.slice(at + 1, end < 0 ? rows.length : end);
    nested.push(html`<li>${viewDepartment(c, rows[at]!)}${below.length === 0 ? "" : viewTree(c, below)}</li>`);
    at = end < 0 ? rows.length : end;
  }
  return html`<ul class="bare tree">${nested}</ul>`;
}

function depthOf({ depth }: DepartmentView): number {
  return depth ?? 0;
}

function viewDepartment(
  c: Context<Env>,
  { id, name, department_id, active, closing, active_users }: DepartmentView,
): Html {
  const people = `${pathIn(c, "/people")}?${queryOf({ department: id, status: "active" })}`;
  return html`
    <div
      class="who"><strong>${name}</strong>${department_id === null
        ? ""
        : html`<span class="small soft">${department_id}</span>`}<span class="small">${active_users === 0
        ? html`<span class="soft">nobody</span>`
        : html`<a href="${people}">${count(active_users, "person", "people")}</a>`}</span>${viewTag(
          active,
          closing,
        )}</div>${closing
        ? html`<p class="small">${
          active_users === 0
            ? "It closes with the next run."
            : html`It closes once nobody is left in it. <a href="${people}">${
              count(active_users, "person", "people")
            }</a> ${active_users === 1 ? "keeps" : "keep"} it open.`
        }</p>`
        : ""}
  `;
}

function viewTag(active: boolean, closing: boolean): Html {
  if (closing) return html`<span class="tag held">Closing</span>`;
  return active ? html`` : html`<span class="tag plain">Closed</span>`;
}
