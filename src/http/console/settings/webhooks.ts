/** Webhook endpoints of the organization: how each is, and new ones. */
import type { Context } from "hono";
import { html } from "hono/html";
import { whenInWords } from "../../../notify/words.ts";
import type { EndpointView, NewEndpointView } from "../../api/webhook-endpoint-view.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Listed } from "../api.ts";
import type { Typed } from "../fields.ts";
import { onceField, statusOf, tryChange, viewRefused, viewSecret } from "../forms.ts";
import { formFields, may, requireScope } from "../frame.ts";
import { PAGE, readOwnForm } from "../guards.ts";
import { queryOf, viewPaging } from "../lists.ts";
import { eventInWords } from "./event-words.ts";
import { answerSettings, settingsPath } from "./frame.ts";
import { endpointOf, viewEndpointFields } from "./webhook-form.ts";

export const WEBHOOKS = "/webhooks";

export const showWebhooks = route(PAGE, async (c) => {
  const cursor = c.req.query("cursor"), path = settingsPath(c, WEBHOOKS);
  const endpoints = await c.get("api")!.read<Listed<EndpointView>>(`/v1/webhook-endpoints?${queryOf({ cursor })}`);
  return await answerSettings(c, {
    title: "Webhooks",
    page: WEBHOOKS,
    main: html`
      <h1>Webhooks</h1>
      <p class="soft">Muster tells other systems what happened, at once.</p>
      ${may(c, "webhooks:write") ? html`<p><a class="button" href="${path}/new">Add an endpoint</a></p>` : ""}
      <section class="card">
        ${endpoints.data.length === 0 ? html`<p>No other system hears of it yet.</p>` : html`
          <h2 class="hidden">The endpoints</h2>
          <ul class="bare rowlist">${endpoints.data.map((each) => viewListed(c, each))}</ul>
        `}
        ${viewPaging(path, endpoints.next_cursor, cursor === undefined)}
      </section>
    `,
  });
});

function viewListed(c: Context<Env>, endpoint: EndpointView): Html {
  const { id, url, description, event_types } = endpoint;
  const state = stateOf(endpoint, c.get("organization").timezone);
  return html`<li>
    <div class="who"><h3><a href="${settingsPath(c, `${WEBHOOKS}/${id}`)}">${url}</a></h3>
      <span class="tag ${state.tone}">${state.title}</span></div>
    ${description === null ? "" : html`<p>${description}</p>`}
    ${state.text === "" ? "" : html`<p class="small">${state.text}</p>`}
    <p class="small soft">${
    event_types === null ? "Every event" : event_types.map((type) => eventInWords(type)).join("; ")
  }</p>
  </li>`;
}

const OFF = {
  asked: "Somebody switched it off.",
  gone: "It answered that it is gone for good (410). Correct the receiver and switch it on again.",
  failing: "Every delivery failed for five days. Correct the receiver and switch it on again.",
  revoked: "The token that made it was revoked. An admin can take it over.",
} as const;

/** How an endpoint is, in words. */
export function stateOf(
  { status, disabled_reason, disabled_at, failing_since }: EndpointView,
  timezone: string,
): { readonly tone: string; readonly title: string; readonly text: string } {
  const when = (at: string) => whenInWords(Date.parse(at), timezone);
  if (status === "disabled") {
    const since = disabled_at === null ? "" : ` Off since ${when(disabled_at)}.`;
    const tone = disabled_reason === "asked" ? "plain" : "bad";
    return { tone, title: "Off", text: `${OFF[disabled_reason ?? "asked"]}${since}` };
  }
  if (failing_since === null) return { tone: "good", title: "On", text: "" };
  const text = `Deliveries fail since ${when(failing_since)}. It is switched off when all of five days have failed.`;
  return { tone: "held", title: "Failing", text };
}

export const askForEndpoint = route(PAGE, (c) => {
  requireScope(c, "webhooks:write");
  return answerForm(c, { form: new URLSearchParams({ every: "yes" }), refused: null });
});

export const makeEndpoint = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  const tried = await tryChange(() =>
    c.get("api")!.send<NewEndpointView>("/v1/webhook-endpoints", {
      method: "POST",
      body: endpointOf(form),
      once: form.get("once"),
    })
  );
  return "refused" in tried
    ? await answerForm(c, { form, ...tried })
    : await answerSecret(c, tried.done!, "The new endpoint");
});

function answerForm(c: Context<Env>, typed: Typed): Promise<Response> {
  const path = settingsPath(c, WEBHOOKS);
  const main = html`
    <h1>Add an endpoint</h1>
    ${viewRefused(typed.refused)}
    <form class="card form" method="post" action="${path}">
      ${formFields(c)}${onceField(typed.form?.get("once"))}${viewEndpointFields(c, typed)}
      <div class="decide"><button class="go">Add it</button><a class="button" href="${path}">Back</a></div>
    </form>
  `;
  return answerSettings(c, { title: "Add an endpoint", page: WEBHOOKS, main }, statusOf(typed.refused));
}

/** The page that has the endpoint's secret. */
export function answerSecret(c: Context<Env>, { id, url, secret }: NewEndpointView, title: string): Promise<Response> {
  const main = html`
    <h1>${title}</h1>
    ${viewSecret(secret, "secret")}
    <section class="card">
      <p>${url}</p>
      <p>Its receiver checks with the secret that what arrives is from Muster.</p>
      <p><a href="${settingsPath(c, `${WEBHOOKS}/${id}`)}">To the endpoint, to test it</a></p>
    </section>
  `;
  return answerSettings(c, { title, page: WEBHOOKS, main });
}
