/** Templates of connections: what each sets, and which connections follow it. */
import type { Context } from "hono";
import { html } from "hono/html";
import { whenInWords } from "../../../notify/words.ts";
import type { ConnectionTemplateView, TemplateUseView } from "../../api/connection-templates.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Listed } from "../api.ts";
import { type Typed, UNTYPED, viewArea } from "../fields.ts";
import { statusOf, viewRefused } from "../forms.ts";
import { formFields, requireScope } from "../frame.ts";
import { PAGE } from "../guards.ts";
import { queryOf, viewPaging } from "../lists.ts";
import { answerOperator, operatorPath, OPERATORS_ZONE } from "./frame.ts";

const TEMPLATES = "/operator/templates";

export const showTemplates = route(PAGE, async (c) => {
  requireScope(c, "operator");
  const cursor = c.req.query("cursor"), path = operatorPath(c, TEMPLATES);
  const { data, next_cursor } = await c.get("api")!.read<Listed<ConnectionTemplateView>>(
    `/v1/connection-templates?${queryOf({ cursor })}`,
  );
  const main = html`
    <h1>Connection templates</h1>
    <p class="soft">What connections of many organizations have in common. They are made with the API.</p>
    <section class="card">
      ${data.length === 0 ? html`<p>There is none yet.</p>` : html`
        <h2 class="hidden">The templates</h2>
        <ul class="bare rowlist">${data.map(({ id, name, connector, version }) =>
          html`
            <li>
              <div class="who"><h3><a href="${path}/${id}">${name}</a></h3>
                      <span class="soft">${connector}, version ${version}</span></div>
            </li>
          `
        )}</ul>
      `}
      ${viewPaging(path, next_cursor, cursor === undefined)}
    </section>
  `;
  return await answerOperator(c, { title: "Connection templates", section: TEMPLATES, main });
});

export const showTemplate = route(PAGE, (c) => answerTemplate(c, UNTYPED));

export function apiPath(c: Context<Env>, action = ""): string {
  return `/v1/connection-templates/${encodeURIComponent(c.req.param("id") ?? "")}${action}`;
}

/** The template with the form that names organizations. */
export async function answerTemplate(c: Context<Env>, typed: Typed): Promise<Response> {
  const cursor = c.req.query("cursor"), api = c.get("api")!;
  const [template, uses] = await Promise.all([
    api.read<ConnectionTemplateView>(apiPath(c)),
    api.read<Listed<TemplateUseView>>(apiPath(c, `/connections?${queryOf({ cursor, limit: "200" })}`)),
  ]);
  const path = operatorPath(c, `${TEMPLATES}/${template.id}`);
  const following = uses.data.map(({ organization }) => organization.slug).join("\n");
  const main = html`
    <h1>${template.name}</h1>
    <p class="soft">${template.connector}, version ${template.version}</p>
    ${viewRefused(typed.refused)}
    ${viewSets(template)}
    <form class="card form" method="post" action="${path}/plan">
      <h2>Apply it</h2>
      ${formFields(c)}
      ${viewArea({
        name: "organizations",
        label: "To which organizations",
        value: following,
        hint: "Their names in addresses, such as acme, one in each line; at most 200. You see what would change first.",
      }, typed)}
      <div class="decide"><button class="go">Show what would change</button></div>
    </form>
    <section class="card" aria-labelledby="uses-title">
      <h2 id="uses-title">Connections that follow it</h2>
      ${uses.data.length === 0
        ? html`<p>No connection follows it yet.</p>`
        : html`<ul class="bare rowlist">${uses.data.map((use) => viewUse(c, use, template.version))}</ul>`}
      ${viewPaging(path, uses.next_cursor, cursor === undefined)}
    </section>
  `;
  return await answerOperator(c, { title: template.name, section: TEMPLATES, main }, statusOf(typed.refused));
}

function viewUse(c: Context<Env>, { organization, connection, version, applied_at }: TemplateUseView, newest: number) {
  return html`
    <li>
      <div class="who"><h3><a href="${operatorPath(c, `/o/${organization.slug}`)}">${organization.slug}</a></h3>
          <span class="soft">${connection.slug}</span>${version === newest
            ? ""
            : html`<span class="tag held">Has version ${version}</span>`}</div>
      <p class="small soft">Applied ${whenInWords(Date.parse(applied_at), OPERATORS_ZONE)}</p>
    </li>
  `;
}

/** What it sets; the rest is as the connector and the preset have it. */
function viewSets({ preset, key, settings, mapping, policy, limits, schedule }: ConnectionTemplateView): Html {
  const sets = Object.entries({ preset, key, settings, mapping, policy, limits, schedule }).filter(([, value]) =>
    value !== null && (typeof value !== "object" || Object.keys(value).length > 0)
  );
  return html`
    <section class="card" aria-labelledby="sets-title">
      <h2 id="sets-title">What it sets</h2>
      ${sets.length === 0
        ? html`<p>Only the connector.</p>`
        : html`<dl class="facts">${
          sets.map(([name, value]) =>
            html`
              <dt>${name}</dt>
              <dd><code>${valueInWords(value)}</code></dd>
            `
          )
        }</dl>`}
    </section>
  `;
}

/** Settings are as the API has them, for those who write templates. */
export function valueInWords(value: unknown): string {
  if (value === undefined) return "not set";
  return typeof value === "string" ? value : JSON.stringify(value);
}
