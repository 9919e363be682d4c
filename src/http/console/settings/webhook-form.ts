/** The form of a webhook endpoint: where it is, and what it is sent. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { EndpointView } from "../../api/webhook-endpoint-view.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import { type Typed, viewChoice, viewChoices, viewInput } from "../fields.ts";
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

export function viewEndpointFields(c: Context<Env>, typed: Typed): Html {
  const withValues = typed.form?.get("include_values") === "yes";
  return html`
    ${viewInput({
      name: "url",
      label: "Address",
      type: "url",
      isRequired: true,
      most: 2048,
      hint: "Where events are sent, such as https://hooks.example.com/muster.",
    }, typed)}
    ${viewInput({
      name: "description",
      label: "What it is for",
      most: 1000,
      hint: "May be empty.",
    }, typed)}
    <fieldset class="ticks">
      <legend>All events</legend>
      ${viewChoice(
        {
          name: "every",
          value: "yes",
          label: "Everything, kinds that come later too",
          hint: "whatever is ticked below",
        },
        [],
        typed,
      )}
    </fieldset>
    ${viewChoices({
      name: "event_types",
      label: "Or only when",
      options: EVENT_TICKS,
    }, typed)}
    ${withValues || may(c, "users:read")
      ? html`<fieldset class="ticks"><legend>Of rows that could not be used</legend>
          ${
        viewChoice(
          {
            name: "include_values",
            value: "yes",
            label: "Send people’s values and names too",
            hint: "without it, the line, the field and the reason",
          },
          [],
          typed,
        )
      }</fieldset>`
      : ""}
  `;
}
