/** The form of a webhook endpoint: where it is, and what it is sent. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { EndpointView } from "../../api/webhook-endpoint-view.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import { type Refused, viewText, viewTick, viewTicks } from "../forms.ts";
import { may } from "../frame.ts";
import { EVENT_TICKS } from "./event-words.ts";

/** What the form sends, as the API takes it. */
export function endpointOf(form: URLSearchParams): Record<string, unknown> {
  const description = (form.get("description") ?? "").trim();
  return {
    url: form.get("url") ?? "",
    description: description === "" ? null : description,
    event_types: form.get("every") === "yes" ? null : form.getAll("event_types"),
    include_values: form.get("include_values") === "yes",
  };
}

/** The endpoint as the form would send it. */
export function formOf({ url, description, event_types, include_values }: EndpointView): URLSearchParams {
  return new URLSearchParams([
    ["url", url],
    ["description", description ?? ""],
    ...(event_types === null ? [["every", "yes"]] : event_types.map((type) => ["event_types", type])),
    ...(include_values ? [["include_values", "yes"]] : []),
  ]);
}

export function viewEndpointFields(c: Context<Env>, form: URLSearchParams, refused: Refused): Html {
  const withValues = form.get("include_values") === "yes";
  return html`
    ${viewText({
      name: "url",
      label: "Address",
      type: "url",
      value: form.get("url") ?? "",
      required: true,
      most: 2048,
      hint: "Where events are sent, such as https://hooks.example.com/muster.",
    }, refused)}
    ${viewText({
      name: "description",
      label: "What it is for",
      value: form.get("description") ?? "",
      most: 1000,
      hint: "May be empty.",
    }, refused)}
    <fieldset class="ticks">
      <legend>All events</legend>
      ${viewTick("every", {
        value: "yes",
        title: "Everything, kinds that come later too",
        hint: "whatever is ticked below",
      }, form.get("every") === "yes")}
    </fieldset>
    ${viewTicks({
      name: "event_types",
      legend: "Or only when",
      ticks: EVENT_TICKS,
      chosen: new Set(form.getAll("event_types")),
    }, refused)}
    ${withValues || may(c, "users:read")
      ? html`<fieldset class="ticks"><legend>Of rows that could not be used</legend>
          ${
        viewTick("include_values", {
          value: "yes",
          title: "Send people’s values and names too",
          hint: "without it, the line, the field and the reason",
        }, withValues)
      }</fieldset>`
      : ""}
  `;
}
