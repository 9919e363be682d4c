/** The organization's custom fields, as a list. */
import type { Context } from "hono";
import { html } from "hono/html";
import { CUSTOM_FIELD_TYPES } from "../../../model/record.ts";
import type { CustomFieldView } from "../../api/custom-fields.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import { may } from "../frame.ts";
import { settingsPath } from "./frame.ts";

export const FIELDS = "/organization/fields";

export const TYPE_WORDS: Readonly<Record<(typeof CUSTOM_FIELD_TYPES)[number], string>> = {
  text: "Text",
  number: "A number",
  date: "A date",
  boolean: "Yes or no",
  select: "One of some options",
  multi_select: "Several of some options",
  email: "An email address",
  phone: "A phone number",
  url: "A web address",
};

export function viewCustomFields(c: Context<Env>, fields: readonly CustomFieldView[]): Html {
  const path = settingsPath(c, FIELDS), mayWrite = may(c, "users:write");
  return html`<section class="card" aria-labelledby="fields-title">
    <h2 id="fields-title">Custom fields</h2>
    <p class="soft">Files may have a column for each of them.</p>
    ${
    fields.length === 0
      ? html`<p>None yet.</p>`
      : html`<ul class="bare rowlist">${
        fields.map((field) => viewListed(field, mayWrite ? `${path}/edit?key=${encodeURIComponent(field.key)}` : null))
      }</ul>`
  }
    ${mayWrite ? html`<div class="after"><a class="button" href="${path}/new">Add a field</a></div>` : ""}
  </section>`;
}

/** `path`: of the page that changes it; null: the visitor may not. */
function viewListed({ key, label, type, required, options, max_length }: CustomFieldView, path: string | null): Html {
  const facts = [
    TYPE_WORDS[type],
    ...(options.length === 0 ? [] : [options.join(", ")]),
    ...(required ? ["everybody needs a value"] : []),
    ...(max_length === null ? [] : [`at most ${max_length} characters`]),
  ];
  return html`
    <li>
      <div class="who"><h3>${path === null ? label : html`<a href="${path}">${label}</a>`}</h3>
          ${key === label ? "" : html`<span class="soft">${key}</span>`}</div>
      <p class="small soft">${facts.join("; ")}.</p>
    </li>
  `;
}
