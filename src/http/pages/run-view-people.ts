/** The people on the run page: the search, the list, and what changes for each of them. */
import { html } from "hono/html";
import { type ChangeView, COUNTED } from "../../model/change.ts";
import { NO_COUNTS } from "../../model/run.ts";
import { count, fieldInWords, reasonInWords } from "../../notify/words.ts";
import type { AffectedPerson, PeopleFilter } from "../../store/runs/run-people.ts";
import type { Html } from "./frame.ts";
import type { RunPage } from "./run-page-model.ts";

/** Whether there is a list to show, even if the search finds nobody. */
export function hasPeople({ people, q, filter, after }: RunPage): boolean {
  return people.people.length > 0 || people.next !== null || q !== "" || filter !== null || after > 0;
}

const FILTERS: readonly (readonly [PeopleFilter | null, string])[] = [
  [null, "Everybody"],
  ["deactivate", "Deactivated"],
  ["reactivate", "Active again"],
  ["create", "New"],
  ["update", "Changed"],
  ["identity", "Email or ID changes"],
];

export function viewPeople(page: RunPage): Html {
  const { people, q, filter, path, after } = page;
  const counts = page.found.run.counts ?? NO_COUNTS;
  const occurs = (kind: PeopleFilter | null) =>
    kind === null || kind === filter || counts[kind === "identity" ? "updated" : COUNTED[kind]] > 0;
  const address = (more: Search, file = "") => addressOf(page, more, file);
  return html`
    <section class="card" id="people" aria-labelledby="people-title">
      <h2 id="people-title">Who is affected</h2>
      <form class="search" method="get" action="${path}#people" role="search">
        <label for="q">Name, email, employee ID or department</label>
        <input type="search" id="q" name="q" value="${q}" autocomplete="off" maxlength="100">
        ${filter === null ? "" : html`<input type="hidden" name="show" value="${filter}">`}
        <button>Search</button>
      </form>
      <ul class="chips" aria-label="Kinds of change">${FILTERS.filter(([kind]) => occurs(kind)).map(([kind, name]) =>
        html`<li><a href="${address({ show: kind })}#people"${
          kind === filter
            ? html`
              aria-current="true"
            `
            : ""
        }>${name}</a></li>`
      )}</ul>
      ${people.people.length === 0
        ? html`<p>${people.next === null ? "No matches." : "No matches so far; there are more people to search."}</p>`
        : html`<ul class="bare people">${people.people.map(viewPerson)}</ul>`}
      <div class="after">
        ${people.next === null
          ? ""
          : html`<a class="button" rel="next" href="${address({ after: people.next })}#people">${
            people.people.length === 0 ? "Search further" : "Show the next"
          }</a>`}
        ${after === 0 ? "" : html`<a class="button" href="${address({})}#people">Back to the first</a>`}
        <a href="${address({}, "/people.csv")}">${q === "" && filter === null
          ? "All of them"
          : "All matches"} as CSV</a>
      </div>
    </section>
  `;
}

type Search = Readonly<Record<string, string | number | null>>;

/** The page, or a file of it, with the present search; `more` are changes of the search. */
function addressOf({ path, q, filter }: RunPage, more: Search, file: string): string {
  const all = { q: q === "" ? null : q, show: filter, ...more };
  const search = new URLSearchParams(
    Object.entries(all).flatMap(([name, value]) => value === null ? [] : [[name, String(value)]]),
  ).toString();
  return `${path}${file}${search === "" ? "" : `?${search}`}`;
}

const TAGS: Record<ChangeView["action"], readonly [ahead: string, done: string, tone: string]> = {
  create: ["New", "Created", "good"],
  update: ["Changes", "Changed", "calm"],
  deactivate: ["Would be deactivated", "Deactivated", "bad"],
  reactivate: ["Active again", "Active again", "held"],
};

const SHOWN_FIELDS = 6;
const ONLY_STATUS: ReadonlySet<string> = new Set(["status"]);
const IN_HEADING: ReadonlySet<string> = new Set([
  "status",
  "name",
  "first_name",
  "last_name",
  "email",
  "employee_id",
]);

function viewPerson({ change, name }: AffectedPerson): Html {
  const { subject, action, status, line } = change;
  const known = [subject.email, subject.employee_id].filter((part) => part !== null && part !== undefined);
  const [ahead, done, tone] = TAGS[action];
  const tag = status === "superseded" ? "Skipped, changed in the meantime" : status === "applied" ? done : ahead;
  const reason = reasonInWords(change.reason);
  // The heading has a new person's name and keys already.
  const shown = action === "create" ? IN_HEADING : ONLY_STATUS;
  const fields = Object.entries(change.fields).filter(([field]) => !shown.has(field));
  const notes = [reason === null ? null : `Because ${reason}`, line === null ? null : `row in line ${line}`]
    .filter((part) => part !== null).join("; ");
  return html`<li>
    <div class="who"><h3>${name ?? known[0] ?? subject.id}</h3>
      <span class="soft">${(name === null ? known.slice(1) : known).join(" · ")}</span>
      <span class="tag ${status === "superseded" ? "plain" : tone}">${tag}</span></div>
    ${notes === "" ? "" : html`<p class="small soft">${notes.charAt(0).toUpperCase() + notes.slice(1)}</p>`}
    ${viewFields(fields.slice(0, SHOWN_FIELDS))}
    ${
    fields.length <= SHOWN_FIELDS
      ? ""
      : html`<details><summary>${count(fields.length - SHOWN_FIELDS, "more field")}</summary>${
        viewFields(fields.slice(SHOWN_FIELDS))
      }</details>`
  }
  </li>`;
}

export function viewFields(fields: readonly [string, { before: unknown; after: unknown }][]): Html {
  if (fields.length === 0) return html``;
  return html`<dl class="fields">${
    fields.map(([field, { before, after }]) =>
      html`
        <div>
          <dt>${fieldInWords(field)}</dt>
          <dd>${before === null ? "" : html`
            <span class="hidden">from</span> <del>${text(before)}</del> <span aria-hidden="true">→</span> <span
              class="hidden">to</span>
          `}<ins>${after === null ? "empty" : text(after)}</ins></dd>
        </div>
      `
    )
  }</dl>`;
}

function text(value: unknown): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(text).join(", ");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
