/** People: a list that is searched, and all that is known of one. */
import { html } from "hono/html";
import { fieldInWords, whenInWords } from "../../notify/words.ts";
import type { ChangeView } from "../../model/change.ts";
import type { UserFields } from "../api/user-fields.ts";
import type { UserView } from "../api/user-view.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import { route } from "../kit/describe.ts";
import type { Html } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { viewChanges } from "./changes.ts";
import { viewOptions } from "./fields.ts";
import { answerConsole, pathIn } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { queryOf, viewPaging } from "./lists.ts";

const PEOPLE_A_PAGE = 50;
const CHANGES_SHOWN = 25;
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
          <label for="q">Name, email, employee ID, department or title</label>
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

export const showPerson = route(PAGE, async (c) => {
  const api = c.get("api")!, id = encodeURIComponent(c.req.param("id")), timezone = c.get("organization").timezone;
  const [person, provenance, history, connections] = await Promise.all([
    api.read<UserView>(`/v1/users/${id}`),
    api.read<UserFields>(`/v1/users/${id}/fields`),
    api.read<Listed<ChangeView>>(`/v1/users/${id}/history?limit=${CHANGES_SHOWN}`),
    api.read<Listed<ConnectionView>>("/v1/connections?limit=200").catch(() => ({ data: [] })),
  ]);
  const names = new Map(connections.data.map((each) => [each.id, each.name]));
  return await answerConsole(c, {
    title: nameOf(person),
    section: "/people",
    main: html`
      <section class="card state ${person.status === "active" ? "good" : "plain"}">
        <span class="tag">${person.status === "active" ? "Active" : "Inactive"}</span>
        <h1>${nameOf(person)}</h1>
        <p class="soft">${[person.title, person.department?.name].filter(Boolean).join(", ")}</p>
      </section>
      ${viewFields(provenance, names, pathIn(c), timezone)}
      <section class="card" aria-labelledby="history-title">
        <h2 id="history-title">What has changed</h2>
        ${viewChanges(history.data, pathIn(c, "/runs"), timezone)}
        ${history.next_cursor === null ? "" : html`<p class="small soft">There are older changes.</p>`}
      </section>
    `,
  });
});

/** `Ana Example`, or the first key that there is. */
function nameOf({ first_name, preferred_name, last_name, email, employee_id, id }: UserView): string {
  return [preferred_name ?? first_name, last_name].filter(Boolean).join(" ") || (email ?? employee_id ?? id);
}

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

/** Each value with where it came from. */
function viewFields(
  { fields }: UserFields,
  names: ReadonlyMap<string, string>,
  path: string,
  timezone: string,
): Html {
  const nameOfConnection = (id: string) => names.get(id) ?? "a deleted connection";
  return html`
    <section class="card" aria-labelledby="fields-title">
      <h2 id="fields-title">What is known, and from where</h2>
      <dl class="facts origins">${fields.map(({ field, value, since, source, others }) =>
        html`
          <dt>${fieldInWords(field)}</dt>
          <dd><strong>${inWords(value)}</strong>
            <span class="small soft">${viewSource(source, nameOfConnection, path)}${since === null
              ? ""
              : ` ${whenInWords(Date.parse(since), timezone)}`}</span>
            ${others.map((other) =>
              html`<span class="small soft">${nameOfConnection(other.connection_id)} says “${other.value}”</span>`
            )}
          </dd>
        `
      )}</dl>
    </section>
  `;
}

function viewSource(
  { connection_id, run, file, line, by }: UserFields["fields"][number]["source"],
  nameOfConnection: (id: string) => string,
  path: string,
): Html {
  if (by !== null) return html`by hand,`;
  if (connection_id === null) return html`from before the history that is kept`;
  const where = [nameOfConnection(connection_id), file].filter((part) => part !== null).join(", ");
  const place = line === null ? where : `${where}, line ${line}`;
  return run === null ? html`from ${place}` : html`from <a href="${path}/runs/${run}">${place}</a>,`;
}

function inWords(value: unknown): string {
  if (value === null || value === undefined || value === "") return "empty";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
