/** What was sent to a webhook endpoint: each delivery with its attempts, retried, and events sent once more. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../../model/errors.ts";
import { count, whenInWords } from "../../../notify/words.ts";
import { endOfDay, startOfDay, toInstant } from "../../../std/time.ts";
import type { DeliveryRead, DeliveryView } from "../../api/deliveries.ts";
import type { EndpointView } from "../../api/webhook-endpoint-view.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Listed } from "../api.ts";
import { type Typed, UNTYPED, viewInput } from "../fields.ts";
import { onceField, statusOf, type Tried, tryChange, viewRefused } from "../forms.ts";
import { formFields, may } from "../frame.ts";
import { PAGE, readOwnForm } from "../guards.ts";
import { queryOf, viewPaging } from "../lists.ts";
import { eventInWords } from "./event-words.ts";
import { answerSettings, settingsPath } from "./frame.ts";
import { apiPath, loadEndpoint } from "./webhook.ts";
import { WEBHOOKS } from "./webhooks.ts";

const STATES = {
  pending: { tone: "calm", title: "On its way" },
  succeeded: { tone: "good", title: "Arrived" },
  failed: { tone: "bad", title: "Failed" },
} as const;

const CHIPS = [["", "All"], ...Object.entries(STATES).map(([status, { title }]) => [status, title])];

export const showDeliveries = route(PAGE, (c) => answerDeliveries(c, UNTYPED));

async function answerDeliveries(c: Context<Env>, typed: Typed): Promise<Response> {
  const { status, cursor } = c.req.query();
  const [endpoint, deliveries] = await Promise.all([
    loadEndpoint(c),
    c.get("api")!.read<Listed<DeliveryView>>(apiPath(c, `/deliveries?${queryOf({ status, cursor })}`)),
  ]);
  const path = settingsPath(c, `${WEBHOOKS}/${endpoint.id}/deliveries`);
  const address = status ? `${path}?${queryOf({ status })}` : path;
  const main = html`
    <h1>What was sent</h1>
    <p><a href="${settingsPath(c, `${WEBHOOKS}/${endpoint.id}`)}">${endpoint.url}</a></p>
    ${viewRefused(typed.refused)}
    <ul class="chips">${CHIPS.map(([value, title]) =>
      html`<li><a href="${value === "" ? path : `${path}?status=${value}`}"${
        value === (status ?? "")
          ? html`
            aria-current="true"
          `
          : ""
      }>${title}</a></li>`
    )}</ul>
    <section class="card">
      ${deliveries.data.length === 0
        ? html`<p>Nothing.</p>`
        : html`<ul class="bare rowlist">${deliveries.data.map((each) => viewListed(c, each))}</ul>`}
      ${viewPaging(address, deliveries.next_cursor, cursor === undefined)}
    </section>
    ${may(c, "webhooks:write") && endpoint.status === "enabled" ? viewReplay(c, endpoint, typed) : ""}
  `;
  return await answerSettings(c, { title: "What was sent", page: WEBHOOKS, main }, statusOf(typed.refused));
}

function viewListed(c: Context<Env>, { id, type, status, attempt_count, created_at }: DeliveryView): Html {
  const { tone, title } = STATES[status];
  return html`
    <li>
      <div class="who"><h3><a href="${settingsPath(c, `${WEBHOOKS}/deliveries/${id}`)}">${eventInWords(type)}</a></h3>
          <span class="soft">${type}</span><span class="tag ${tone}">${title}</span></div>
      <p class="small soft">${whenInWords(Date.parse(created_at), c.get("organization").timezone)},
          ${count(attempt_count, "attempt")}</p>
    </li>
  `;
}

function viewReplay(c: Context<Env>, { id }: EndpointView, typed: Typed): Html {
  return html`<form class="card form" method="post" action="${settingsPath(c, `${WEBHOOKS}/${id}/replay`)}">
    <h2>Send events once more</h2>
    <p class="soft">All that it is sent of these days, at most 10,000 events. Its receiver knows them again by their id.</p>
    ${formFields(c)}${onceField(typed.form?.get("once"))}
    ${viewInput({ name: "since", label: "From", type: "date", isRequired: true }, typed)}
    ${
    viewInput({
      name: "until",
      label: "To, that day too",
      type: "date",
      hint: "Empty: until now.",
    }, typed)
  }
    <div class="decide"><button>Send them once more</button></div></form>`;
}

export const replayEvents = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  const tried = await replay(c, form);
  if ("refused" in tried) return await answerDeliveries(c, { form, ...tried });
  return c.redirect(settingsPath(c, `${WEBHOOKS}/${c.req.param("id")}/deliveries`), 303);
});

/** Days are the organization's; the API takes moments. */
function replay(c: Context<Env>, form: URLSearchParams): Promise<Tried<unknown>> {
  const { timezone } = c.get("organization");
  const at = (name: string, edge: typeof startOfDay) => {
    const moment = edge(timezone, form.get(name) ?? "");
    if (moment !== null) return toInstant(moment);
    const errors = [{ pointer: `/${name}`, detail: "should be a day, like 2026-03-01" }];
    throw new Fault("invalid_request", "The days cannot be used", { errors });
  };
  return tryChange(async () => {
    const body = { since: at("since", startOfDay), ...(form.get("until") ? { until: at("until", endOfDay) } : {}) };
    return await c.get("api")!.send(apiPath(c, "/replay"), { method: "POST", body, once: form.get("once") });
  });
}

function deliveryPath(c: Context<Env>): string {
  return `/v1/deliveries/${encodeURIComponent(c.req.param("id") ?? "")}`;
}

export const showDelivery = route(PAGE, async (c) => {
  const delivery = await c.get("api")!.read<DeliveryRead>(deliveryPath(c));
  const { id, endpoint_id, event_id, type, status, created_at, next_attempt_at, attempts } = delivery;
  const { timezone } = c.get("organization"), { tone, title } = STATES[status];
  const when = (at: string) => whenInWords(Date.parse(at), timezone);
  const main = html`
    <section class="card state ${tone}">
      <span class="tag">${title}</span>
      <h1>${eventInWords(type)}</h1>
      <p class="soft">${type}, ${event_id}, ${when(created_at)}</p>
      ${next_attempt_at === null ? "" : html`<p>Next attempt: ${when(next_attempt_at)}</p>`}
      ${may(c, "webhooks:write")
        ? html`
          <form class="decide after" method="post"
            action="${settingsPath(c, `${WEBHOOKS}/deliveries/${id}/retry`)}">${formFields(
              c,
            )}<button>Send it again</button></form>
        `
        : ""}
    </section>
    <section class="card" aria-labelledby="attempts-title">
      <h2 id="attempts-title">Attempts</h2>
      ${attempts.length === 0
        ? html`<p>None yet.</p>`
        : html`<ul class="bare rowlist">${attempts.map((each) => viewAttempt(each, when(each.at)))}</ul>`}
    </section>
    <p><a href="${settingsPath(c, `${WEBHOOKS}/${endpoint_id}/deliveries`)}">All that was sent to this endpoint</a></p>
  `;
  return await answerSettings(c, { title: eventInWords(type), page: WEBHOOKS, main });
});

function viewAttempt(
  { number, latency_ms, status, error, answer }: DeliveryRead["attempts"][number],
  at: string,
): Html {
  return html`<li>
    <div class="who"><h3>${number}. ${at}</h3><span class="tag ${error === null ? "good" : "bad"}">${
    status === null ? "No answer" : `Answered ${status}`
  }</span></div>
    ${error === null ? "" : html`<p>${error}</p>`}
    <p class="small soft">After ${latency_ms.toLocaleString("en")} ms</p>
    ${answer ? html`<pre class="answer">${answer}</pre>` : ""}
  </li>`;
}

export const retryDelivery = route(PAGE, async (c) => {
  await readOwnForm(c);
  await c.get("api")!.send(`${deliveryPath(c)}/retry`, { method: "POST", body: {} });
  return c.redirect(settingsPath(c, `${WEBHOOKS}/deliveries/${c.req.param("id")}`), 303);
});
