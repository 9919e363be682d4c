/** Applying a template: first what would change in each organization, then the same with what was done. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../../model/errors.ts";
import { count } from "../../../notify/words.ts";
import type { TemplateAppliedView, TemplateResultView } from "../../api/template-apply.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Typed } from "../fields.ts";
import { statusOf, tryChange, versionField, viewRefused } from "../forms.ts";
import { formFields } from "../frame.ts";
import { MAX_LONG_FORM_BYTES, PAGE, readOwnForm } from "../guards.ts";
import { answerOperator, operatorPath } from "./frame.ts";
import { answerTemplate, apiPath, valueInWords } from "./templates.ts";

type Mode = TemplateAppliedView["mode"];

export const planTemplate = route(PAGE, async (c) => await answerPlan(c, await read(c), null));

export const applyTemplate = route(PAGE, async (c) => {
  const form = await read(c);
  const tried = await tryChange(() => send(c, form, "apply"));
  // The template has changed since it was shown, so what would change is shown anew.
  return "refused" in tried ? await answerPlan(c, form, tried.refused) : await answerResults(c, form, tried.done, null);
});

function read(c: Context<Env>): Promise<URLSearchParams> {
  return readOwnForm(c, MAX_LONG_FORM_BYTES);
}

async function answerPlan(c: Context<Env>, form: URLSearchParams, refused: Typed["refused"]): Promise<Response> {
  const tried = await tryChange(() => send(c, form, "plan"));
  if ("refused" in tried) return await answerTemplate(c, { form, ...tried });
  return await answerResults(c, form, tried.done, refused);
}

/** Only an apply is of the version that was looked at. */
async function send(c: Context<Env>, form: URLSearchParams, mode: Mode): Promise<TemplateAppliedView> {
  const names = (form.get("organizations") ?? "").split(/[\s,;]+/).filter((name) => name !== "");
  if (names.length === 0) {
    const errors = [{ pointer: "/organizations", detail: "should name at least one organization" }];
    throw new Fault("invalid_request", "No organization is named", { errors });
  }
  const body = { organizations: [...new Set(names)], mode };
  const version = mode === "apply" ? form.get("version") : null;
  return await c.get("api")!.send<TemplateAppliedView>(apiPath(c, "/apply"), { method: "POST", body, version });
}

const OUTCOMES: Readonly<Record<TemplateResultView["outcome"], { tone: string; plan: string; apply: string }>> = {
  created: { tone: "calm", plan: "Would be added", apply: "Was added" },
  adopted: { tone: "calm", plan: "Would follow it", apply: "Follows it now" },
  updated: { tone: "calm", plan: "Would be changed", apply: "Was changed" },
  unchanged: { tone: "plain", plan: "Stays as it is", apply: "Stays as it is" },
  refused: { tone: "bad", plan: "Cannot be done", apply: "Was not done" },
};

function answerResults(
  c: Context<Env>,
  form: URLSearchParams,
  { template, mode, counts, data }: TemplateAppliedView,
  refused: Typed["refused"],
): Promise<Response> {
  const path = operatorPath(c, `/operator/templates/${template.id}`);
  const changing = counts.created + counts.adopted + counts.updated;
  const title = mode === "plan" ? `What ${template.name} would change` : `${template.name} was applied`;
  const main = html`
    <h1>${title}</h1>
    ${viewRefused(refused)}
    ${mode === "plan" && changing > 0
      ? html`<form class="card form" method="post" action="${path}/apply">
        <p>Nothing is changed yet. ${count(changing, "organization")} would be, ${counts.unchanged} would stay as
          they are${counts.refused === 0 ? "" : html`, and in ${counts.refused} it cannot be done`}.</p>
        ${formFields(c)}${versionField(template.version)}
        <input type="hidden" name="organizations" value="${form.get("organizations") ?? ""}">
        <div class="decide"><button class="go">Apply it to ${count(changing, "organization")}</button>
          <a class="button" href="${path}">Back</a></div></form>`
      : html`<p><a class="button" href="${path}">Back to the template</a></p>`}
    <section class="card">
      <ul class="bare rowlist">${data.map((result) => viewResult(result, mode))}</ul>
    </section>
  `;
  return answerOperator(c, { title, section: "/operator/templates", main }, statusOf(refused));
}

function viewResult(result: TemplateResultView, mode: Mode): Html {
  const { organization, outcome, connection, changes, kept, secrets_cleared, secrets_required, refused } = result;
  return html`<li>
    <div class="who"><h3>${organization?.slug ?? "Not found"}</h3><span class="soft">${connection?.slug ?? ""}</span>
      <span class="tag ${OUTCOMES[outcome].tone}">${OUTCOMES[outcome][mode]}</span></div>
    ${refused === null ? "" : html`<p>${refused.detail}.</p>`}
    ${changes.length === 0 ? "" : html`<dl class="fields">${changes.map(viewChange)}</dl>`}
    ${
    kept.map(({ field, own, template }) =>
      html`<p class="small">${field} stays ${valueInWords(own)}, which is its own; the template has
        ${valueInWords(template)}.</p>`
    )
  }
    ${secrets_cleared ? html`<p class="small">Its secrets are cleared, as it sends them to another address.</p>` : ""}
    ${secrets_required.length === 0 ? "" : html`<p class="small">Still to be set: ${secrets_required.join(", ")}.</p>`}
  </li>`;
}

function viewChange({ field, before, after }: TemplateResultView["changes"][number]): Html {
  return html`
    <div>
      <dt>${field}</dt>
      <dd><del>${valueInWords(before)}</del> <span aria-hidden="true">→</span>
        <span class="hidden">becomes</span> <ins>${valueInWords(after)}</ins></dd>
    </div>
  `;
}
