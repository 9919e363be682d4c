/** People: a list that is searched, and as a file. */
import { html } from "hono/html";
import type { UserView } from "../api/user-view.ts";
import { route } from "../kit/describe.ts";
import type { Html } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { viewOptions } from "./fields.ts";
import { answerConsole, pathIn } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { queryOf, viewPaging } from "./lists.ts";
import { nameOf } from "./person-words.ts";

const PEOPLE_A_PAGE = 50;
const STATUSES = [["", "everybody"], ["active", "active"], ["inactive", "inactive"]].map(([value, title]) => ({
  value: value!,
  title: title!,
}));

export const showPeople = route(PAGE, async (c) => {
  const { q, status, department, cursor } = c.req.query();
  const asked = { q: q?.trim(), status, department };
  const people = await c.get("api")!.read<Listed<UserView>>(
    `/v1/users?${queryOf({ ...asked, cursor, limit: String(PEOPLE_A_PAGE) })}`,
  );
  const path = pathIn(c, "/people"), query = queryOf(asked);
  const address = query === "" ? path : `${path}?${query}`;
  return await answerConsole(c, {
    title: "People",
    section: "/people",
    main: html`
      <h1>People</h1>
      <section class="card">
        <form class="search" method="get" action="${path}" role="search">
          <label for="q">Name, email, employee ID or username</label>
          <input type="search" id="q" name="q" value="${q ?? ""}" autocomplete="off" maxlength="200">
          <label for="status" class="hidden">Status</label>
          <select id="status" name="status">${viewOptions(STATUSES, status ?? "")}</select>
          <button>Search</button>
        </form>
        ${people.data.length === 0
          ? html`<p>${
            people.next_cursor === null ? "No matches." : "No matches so far; there are more people to search."
          }</p>`
          : html`
            <h2 class="hidden">Who was found</h2>
            <ul class="bare rowlist">${people.data.map((person) => viewListed(person, path))}</ul>
          `}
        ${viewPaging(address, people.next_cursor, cursor === undefined)}
        ${q === undefined || people.data.length > 0
          ? ""
          : html`<p><a href="${pathIn(c, "/explain")}?${queryOf({ q })}">What became of “${q}”?</a></p>`}
        <p class="small"><a href="${path}/people.csv${query === "" ? "" : `?${query}`}">${query === ""
          ? "All of them"
          : "All matches"} as CSV</a> · <a href="${path}/people.xlsx${query === ""
          ? ""
          : `?${query}`}">as a workbook</a></p>
      </section>
    `,
  });
});

/** Files of the people that fit the filters, as the API gives them. */
export const getPeopleFile = route(PAGE, async (c) => {
  const file = c.req.param("file") === "people.xlsx" ? "users.xlsx" : "users.csv";
  const { q, status, department } = c.req.query();
  return await c.get("api")!.ask(`/v1/${file}?${queryOf({ q, status, department })}`);
});

function viewListed(person: UserView, path: string): Html {
  const known = [person.email, person.employee_id, person.title, person.department?.name].filter(Boolean);
  return html`
    <li>
      <div class="who"><h3><a href="${path}/${person.id}">${nameOf(person)}</a></h3>
          <span class="soft">${known.join(" · ")}</span>
          ${person.status === "active" ? "" : html`<span class="tag plain">Inactive</span>`}</div>
    </li>
  `;
}
