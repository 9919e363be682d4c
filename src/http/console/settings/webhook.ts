/** One webhook endpoint: its settings, and what can be done with it. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { DeliveryView } from "../../api/deliveries.ts";
import type { EndpointView, NewEndpointView } from "../../api/webhook-endpoint-view.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Typed } from "../fields.ts";
import { onceField, statusOf, tryChange, versionField, viewRefused } from "../forms.ts";
import { formFields, may, requireScope } from "../frame.ts";
import { PAGE, readOwnForm } from "../guards.ts";
import { scopesInWords } from "../scopes.ts";
import { eventInWords } from "./event-words.ts";
import { answerSettings, settingsPath } from "./frame.ts";
import { endpointOf, formOf, viewEndpointFields } from "./webhook-form.ts";
import { answerSecret, stateOf, WEBHOOKS } from "./webhooks.ts";

/** The endpoint in the path, as the API has it. */
export function apiPath(c: Context<Env>, action = ""): string {
  return `/v1/webhook-endpoints/${encodeURIComponent(c.req.param("id") ?? "")}${action}`;
}

export function loadEndpoint(c: Context<Env>): Promise<EndpointView> {
  return c.get("api")!.read<EndpointView>(apiPath(c));
}

export const showWebhook = route(PAGE, async (c) => {
  const endpoint = await loadEndpoint(c);
  return await answerWebhook(c, endpoint, { form: formOf(endpoint), refused: null });
});

export const changeWebhook = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  const body = endpointOf(form), version = form.get("version");
  const tried = await tryChange(() => c.get("api")!.send(apiPath(c), { method: "PATCH", body, version }));
  if ("refused" in tried) return await answerWebhook(c, await loadEndpoint(c), { form, ...tried });
  return c.redirect(settingsPath(c, `${WEBHOOKS}/${c.req.param("id")}`), 303);
});

function answerWebhook(
  c: Context<Env>,
  endpoint: EndpointView,
  typed: Typed,
): Promise<Response> {
  const path = settingsPath(c, `${WEBHOOKS}/${endpoint.id}`), mayWrite = may(c, "webhooks:write");
  const { tone, title, text } = stateOf(endpoint, c.get("organization").timezone);
  const main = html`
    ${viewRefused(typed.refused)}
    <section class="card state ${tone}">
      <span class="tag">${title}</span>
      <h1>${endpoint.url}</h1>
      ${text === "" ? "" : html`<p>${text}</p>`}
      <p class="small soft">It is sent no more than who made it may: ${scopesInWords(endpoint.scopes)}.</p>
      ${mayWrite ? viewActions(c, endpoint, path) : ""}
    </section>
    <p><a class="button" href="${path}/deliveries">What was sent to it</a></p>
    ${mayWrite
      ? html`<form class="card form" method="post" action="${path}">
        <h2>Settings</h2>
        ${formFields(c)}${versionField(endpoint.version)}${viewEndpointFields(c, typed)}
        <div class="decide"><button class="go">Save</button></div></form>`
      : viewSettings(endpoint)}
  `;
  return answerSettings(c, { title: endpoint.url, page: WEBHOOKS, main }, statusOf(typed.refused));
}

/** For those who may only look. */
function viewSettings({ description, event_types, include_values }: EndpointView): Html {
  return html`
    <section class="card">
      <dl class="facts">
        <dt>What it is for</dt>
        <dd>${description ?? "not described"}</dd>
        <dt>It is sent</dt>
        <dd>${event_types === null ? "Every event" : event_types.map(eventInWords).join("; ")}</dd>
        <dt>Values and names</dt>
        <dd>${include_values ? "are sent" : "are left out"}</dd>
      </dl>
    </section>
  `;
}

function viewActions(c: Context<Env>, { status, disabled_reason }: EndpointView, path: string): Html {
  const action = (to: string, button: Html) =>
    html`<form method="post" action="${path}/${to}">${formFields(c)}${button}</form>`;
  const isOn = status === "enabled";
  return html`
    <div class="decide after">
      ${isOn ? action("test", html`<button>Send a test</button>`) : ""}
      ${isOn ? action("off", html`<button>Switch off</button>`) : ""}
      ${!isOn && disabled_reason !== "revoked" ? action("on", html`<button class="go">Switch on</button>`) : ""}
      ${!isOn && disabled_reason === "revoked" && may(c, "admin")
        ? action("take-over", html`<button class="go">Take it over</button>`)
        : ""}
      <a class="button" href="${path}/secret">New secret…</a>
      <a class="button" href="${path}/delete">Delete…</a>
    </div>
  `;
}

export const testWebhook = route(PAGE, async (c) => {
  await readOwnForm(c);
  const { id } = await c.get("api")!.send<DeliveryView>(apiPath(c, "/test"), { method: "POST", body: {} });
  return c.redirect(settingsPath(c, `${WEBHOOKS}/deliveries/${id}`), 303);
});

export const switchWebhook = (status: "enabled" | "disabled") =>
  route(PAGE, async (c) => {
    await readOwnForm(c);
    await c.get("api")!.send(apiPath(c), { method: "PATCH", body: { status } });
    return c.redirect(settingsPath(c, `${WEBHOOKS}/${c.req.param("id")}`), 303);
  });

export const takeOverWebhook = route(PAGE, async (c) => {
  await readOwnForm(c);
  await c.get("api")!.send(apiPath(c, "/take-over"), { method: "POST", body: {} });
  return c.redirect(settingsPath(c, `${WEBHOOKS}/${c.req.param("id")}`), 303);
});

export const askToDelete = route(PAGE, async (c) => {
  requireScope(c, "webhooks:write");
  const { id, url } = await loadEndpoint(c), path = settingsPath(c, `${WEBHOOKS}/${id}`);
  const main = html`
    <section class="card state bad">
      <h1>Delete the endpoint?</h1>
      <p>${url}</p>
      <p>Nothing is sent to it any more, and what was sent to it can no longer be looked up. What it has not been sent
        yet is lost to it.</p>
      <form class="decide" method="post" action="${path}/delete">${formFields(c)}
        <button class="stop">Delete it</button><a class="button" href="${path}">Keep it</a></form>
    </section>
  `;
  return await answerSettings(c, { title: "Delete the endpoint?", page: WEBHOOKS, main });
});

export const deleteWebhook = route(PAGE, async (c) => {
  await readOwnForm(c);
  await c.get("api")!.send(apiPath(c), { method: "DELETE" });
  return c.redirect(settingsPath(c, WEBHOOKS), 303);
});

export const askForSecret = route(PAGE, async (c) => {
  requireScope(c, "webhooks:write");
  const { id, url } = await loadEndpoint(c), path = settingsPath(c, `${WEBHOOKS}/${id}`);
  const main = html`
    <section class="card state held">
      <h1>Make a new secret?</h1>
      <p>${url}</p>
      <p>For 24 hours what is sent is signed with the old and the new one. Give its receiver the new one by then.</p>
      <form class="decide" method="post" action="${path}/secret">${formFields(c)}${onceField()}
        <button class="go">Make a new secret</button><a class="button" href="${path}">Keep the old one</a></form>
    </section>
  `;
  return await answerSettings(c, { title: "Make a new secret?", page: WEBHOOKS, main });
});

export const rotateSecret = route(PAGE, async (c) => {
  const once = (await readOwnForm(c)).get("once");
  const sending = { method: "POST", body: {}, once } as const;
  const made = await c.get("api")!.send<NewEndpointView>(apiPath(c, "/rotate-secret"), sending);
  return await answerSecret(c, made!, "The new secret");
});
