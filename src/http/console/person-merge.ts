/** Merging two records of one person: which other one, what would move and what would be lost, and then the merge. */
import type { Context } from "hono";
import { html } from "hono/html";
import { count, fieldInWords } from "../../notify/words.ts";
import type { MergeView } from "../api/user-merge.ts";
import type { UserView } from "../api/user-view.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";
import type { Html } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { type Typed, UNTYPED, viewChoice, viewChoices } from "./fields.ts";
import { statusOf, tryChange, versionField, viewRefused } from "./forms.ts";
import { answerConsole, formFields, pathIn, requireScope } from "./frame.ts";
import { PAGE, readOwnForm } from "./guards.ts";
import { queryOf } from "./lists.ts";
import { mergeInApi, MERGES } from "./person-merged.ts";
import { inWords, loadConnectionNames, nameOf } from "./person-words.ts";

const FOUND_SHOWN = 20;

export const askToMerge = route(PAGE, async (c) => {
  for (const scope of MERGES) requireScope(c, scope);
  const into = c.req.query("into");
  return into === undefined ? await answerSearch(c) : await answerPlan(c, into, UNTYPED);
});

export const mergePerson = route(PAGE, async (c) => {
  const form = await readOwnForm(c), into = form.get("into") ?? "";
  if (form.get("mode") !== "apply") return await answerPlan(c, into, { form, refused: null });
  const body = { ...wishOf(into, form), mode: "apply", same_person: form.get("same_person") === "yes" };
  const sending = { method: "POST", body, version: form.get("version") } as const;
  const tried = await tryChange(() => c.get("api")!.send<MergeView>(mergeInApi(c), sending));
  if ("refused" in tried) return await answerPlan(c, into, { form, ...tried });
  return c.redirect(pathIn(c, `/people/${tried.done.user_id}`), 303);
});

function wishOf(into: string, form: URLSearchParams | null) {
  return { into, unlink: form?.getAll("unlink") ?? [] };
}

function load(c: Context<Env>, id: string): Promise<UserView> {
  return c.get("api")!.read<UserView>(`/v1/users/${encodeURIComponent(id)}`);
}

/** Which other record: people who are found by a name, an address or an id. */
async function answerSearch(c: Context<Env>): Promise<Response> {
  const person = await load(c, pathParameter(c, "id")), q = c.req.query("q")?.trim() ?? person.last_name ?? "";
  const found = q === ""
    ? []
    : (await c.get("api")!.read<Listed<UserView>>(`/v1/users?${queryOf({ q, limit: String(FOUND_SHOWN) })}`)).data;
  const others = found.filter(({ id }) => id !== person.id), path = pathIn(c, `/people/${person.id}`);
  const main = html`
    <p><a href="${path}">${nameOf(person)}</a></p>
    <h1>Which record is the same person?</h1>
    <section class="card">
      <form class="search" method="get" action="${path}/merge" role="search">
        <label for="q">Name, email, employee ID or username</label>
        <input type="search" id="q" name="q" value="${q}" autocomplete="off" maxlength="200">
        <button>Search</button>
      </form>
      ${others.length === 0 ? html`<p>Nobody else is found by that.</p>` : html`
        <h2 class="hidden">Who was found</h2>
        <ul class="bare rowlist">${others.map((other) => viewOther(other, path))}</ul>
      `}
    </section>
  `;
  return await answerConsole(c, { title: "Merge", section: "/people", main });
}

function viewOther(other: UserView, path: string): Html {
  return html`
    <li>
      <div class="who"><h3>${nameOf(other)}</h3><span class="soft">${factsOf(other)}</span>${other.status === "active"
        ? ""
        : html`<span class="tag plain">Inactive</span>`}</div>
      <div class="after"><a class="button" href="${path}/merge?into=${other.id}">See what would move
          <span class="hidden">to ${nameOf(other)}</span></a></div>
    </li>
  `;
}

function factsOf({ email, employee_id, title, department }: UserView): string {
  return [email, employee_id, title, department?.name].filter(Boolean).join(" · ");
}

/** What the merge would do. Nothing is changed. */
async function answerPlan(c: Context<Env>, into: string, typed: Typed): Promise<Response> {
  const body = { ...wishOf(into, typed.form), mode: "plan" };
  const [person, other, plan, nameOfConnection] = await Promise.all([
    load(c, pathParameter(c, "id")),
    load(c, into),
    c.get("api")!.send<MergeView>(mergeInApi(c), { method: "POST", body }),
    loadConnectionNames(c),
  ]);
  const path = pathIn(c, `/people/${person.id}`), others = pathIn(c, `/people/${other.id}`);
  const main = html`
    <h1>Merge two records?</h1>
    ${viewRefused(typed.refused, "Nothing was merged")}
    <section class="card">
      <h2 class="hidden">The two records</h2>
      <dl class="versus">
        <div>
          <dt>Goes: its address leads to the other one</dt>
          <dd><strong>${nameOf(person)}</strong><br>${factsOf(person)}</dd>
        </div>
        <div>
          <dt>Stays, and keeps its values</dt>
          <dd><strong>${nameOf(other)}</strong><br>${factsOf(other)}</dd>
        </div>
      </dl>
    </section>
    <section class="card">
      <h2>What moves</h2>
      ${viewMoves(plan, nameOfConnection)}
      ${viewLost(plan, person, other)}
      <p class="small soft">It can be taken back for 30 days.</p>
    </section>
    <form class="card form" method="post" action="${path}/merge">
      ${formFields(c)}${versionField(person.version)}<input type="hidden" name="into" value="${other.id}">
      ${viewObstacles(person, other, plan, nameOfConnection, typed)}
      <div class="decide"><button class="go" name="mode" value="apply">Merge</button>
        <button name="mode" value="plan">Look again</button>
        <a class="button" href="${others}/merge?into=${person.id}">The other way round</a>
        <a class="button" href="${path}">Back</a></div>
    </form>
  `;
  return await answerConsole(c, { title: "Merge?", section: "/people", main }, statusOf(typed.refused));
}

function viewMoves({ links, unlinked, reports, filled }: MergeView, nameOfConnection: (id: string) => string): Html {
  const link = ({ connection_id, source_key }: MergeView["links"][number]) =>
    `${nameOfConnection(connection_id)}${source_key === null ? "" : ` (${source_key})`}`;
  return html`<ul>
    <li>The history</li>
    ${links.map((each) => html`<li>Its row of ${link(each)}</li>`)}
    ${reports.length === 0 ? "" : html`<li>${count(reports.length, "person", "people")} whom it manages</li>`}
    ${filled.length === 0 ? "" : html`<li>Values that the other lacks: ${filled.map(fieldInWords).join(", ")}</li>`}
    ${
    unlinked.map((each) => html`<li>Given up: its row of ${link(each)}. If that comes again, it is somebody new</li>`)
  }
  </ul>`;
}

function viewLost({ lost }: MergeView, person: UserView, other: UserView): Html {
  if (lost.length === 0) return html`<p>No value is lost.</p>`;
  return html`
    <h3>What is lost</h3>
    <dl class="fields">${lost.map((each) =>
      html`
        <div>
          <dt>${fieldInWords(each.field)}</dt>
          <dd><del>${valueOf(each.field, each.lost, person)}</del> <span class="hidden">is lost, what stays is</span>
            <ins>${valueOf(each.field, each.kept, other)}</ins></dd>
        </div>
      `
    )}</dl>
  `;
}

/** Departments and managers have names on the page. */
function valueOf(field: string, value: unknown, { department, manager }: UserView): string {
  const named = field === "department_name" ? department?.name : field === "manager" ? manager?.email : undefined;
  return named ?? inWords(value);
}

/** What is in the way, with what can be decided about it here. */
function viewObstacles(
  { sources }: UserView,
  other: UserView,
  { obstacles, contradicts }: MergeView,
  nameOfConnection: (id: string) => string,
  typed: Typed,
): Html {
  const twins = sources.filter((one) => other.sources.some(({ connection_id }) => connection_id === one.connection_id));
  const isOfTwins = (text: string) => twins.some(({ connection_id }) => text.includes(`"${connection_id}"`));
  const options = twins.map(({ connection_id, source_key }) => ({
    value: connection_id,
    title: `${nameOfConnection(connection_id)}: give up ${source_key}`,
  }));
  return html`
    ${obstacles.filter((text) => !isOfTwins(text)).map((text) => html`<p class="wrong">${text}.</p>`)}
    ${twins.length === 0 ? "" : viewChoices({
      name: "unlink",
      label: "Both have a row there",
      hint: "Correct the source, so that one row is left. If the row that is given up comes again, it is somebody new.",
      options,
    }, { form: typed.form, refused: null })}
    ${contradicts.length === 0 ? "" : html`
      <p class="wrong">They look like two people, by ${contradicts.map(fieldInWords).join(", ")}.</p>
      ${viewChoice({ name: "same_person", value: "yes", label: "They are the same person all the same" }, [], {
        form: typed.form,
        refused: null,
      })}
    `}
  `;
}
