/** All organizations, with what needs somebody in each, and new ones. The way of an operator to each of them. */
import type { Context } from "hono";
import { html } from "hono/html";
import { count } from "../../../notify/words.ts";
import type { ListedOrganization } from "../../api/organizations.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Listed } from "../api.ts";
import { type Typed, UNTYPED, viewInput } from "../fields.ts";
import { statusOf, tryChange, viewRefused } from "../forms.ts";
import { formFields, requireScope } from "../frame.ts";
import { PAGE, readOwnForm } from "../guards.ts";
import { queryOf, viewPaging } from "../lists.ts";
import { answerOperator, operatorPath } from "./frame.ts";

const ORGANIZATIONS_A_PAGE = 100;

export const showOrganizations = route(PAGE, (c) => answerOrganizations(c, UNTYPED));

export const makeOrganization = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  const body = {
    name: form.get("name") ?? "",
    slug: form.get("slug") ?? "",
    ...(form.get("timezone") ? { timezone: form.get("timezone") } : {}),
  };
  const tried = await tryChange(() => c.get("api")!.send("/v1/organizations", { method: "POST", body }));
  if ("refused" in tried) return await answerOrganizations(c, { form, ...tried });
  return c.redirect(operatorPath(c, `/o/${body.slug}`), 303);
});

async function answerOrganizations(c: Context<Env>, typed: Typed): Promise<Response> {
  requireScope(c, "operator");
  const cursor = c.req.query("cursor"), path = operatorPath(c, "/o");
  const { data, next_cursor } = await c.get("api")!.read<Listed<ListedOrganization>>(
    `/v1/organizations?${queryOf({ limit: String(ORGANIZATIONS_A_PAGE), cursor })}`,
  );
  const main = html`
    <h1>Organizations</h1>
    ${viewRefused(typed.refused)}
    <section class="card">
      <h2 class="hidden">All of them</h2><ul class="bare rowlist">${data.map((organization) =>
        viewListed(organization, path)
      )}</ul>
      ${viewPaging(path, next_cursor, cursor === undefined)}
    </section>
    ${viewNew(c, typed)}
  `;
  return await answerOperator(c, { title: "Organizations", section: "/o", main }, statusOf(typed.refused));
}

function viewListed({ slug, name, figures }: ListedOrganization, path: string): Html {
  const { tone, title } = stateOf(figures);
  const waiting = inWords(figures);
  return html`<li>
    <div class="who"><h3><a href="${path}/${slug}">${name}</a></h3><span class="soft">${slug}</span>
      <span class="tag ${tone}">${title}</span></div>
    ${waiting === "" ? "" : html`<p>${waiting}.</p>`}
    <p class="small soft">${count(figures.connections, "connection")}</p>
  </li>`;
}

type Figures = ListedOrganization["figures"];

/** Red when a feed does not work, amber when something waits for somebody. */
function stateOf(figures: Figures): { readonly tone: string; readonly title: string } {
  const { failing_connections, overdue_connections, held_runs, lying_files } = figures;
  if (failing_connections > 0) return { tone: "bad", title: "Does not work" };
  if (overdue_connections + held_runs + lying_files > 0) return { tone: "held", title: "Needs somebody" };
  return { tone: "good", title: "In order" };
}

function inWords({ failing_connections, overdue_connections, held_runs, lying_files }: Figures): string {
  return [
    ...(failing_connections === 0
      ? []
      : [`${count(failing_connections, "feed")} ${failing_connections === 1 ? "does" : "do"} not work`]),
    ...(overdue_connections === 0
      ? []
      : [`${count(overdue_connections, "feed")} ${overdue_connections === 1 ? "is" : "are"} late`]),
    ...(held_runs === 0 ? [] : [`${count(held_runs, "run")} ${held_runs === 1 ? "needs" : "need"} approval`]),
    ...(lying_files === 0 ? [] : [`${count(lying_files, "file")} ${lying_files === 1 ? "is" : "are"} not used`]),
  ].join(", ");
}

function viewNew(c: Context<Env>, typed: Typed): Html {
  return html`<form class="card form" method="post" action="${operatorPath(c, "/o")}">
    <h2>Add an organization</h2>
    ${formFields(c)}
    ${viewInput({ name: "name", label: "Name", isRequired: true, most: 254 }, typed)}
    ${
    viewInput({
      name: "slug",
      label: "Name in addresses",
      isRequired: true,
      most: 63,
      hint: "Lower-case letters, digits and hyphens, such as acme. It cannot be changed later.",
    }, typed)
  }
    ${
    viewInput({
      name: "timezone",
      label: "Time zone",
      hint: "Such as Europe/Berlin. Empty: UTC.",
    }, typed)
  }
    <div class="decide"><button class="go">Add it</button></div></form>`;
}
