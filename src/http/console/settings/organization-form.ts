/** The form of an organization's settings: as the API has them, and back. */
import type { Context } from "hono";
import { html } from "hono/html";
import { COUNTRIES } from "../../../model/countries.ts";
import { fieldInWords } from "../../../notify/words.ts";
import { type OrganizationView, REQUIRABLE } from "../../api/organizations.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import { type Option, type Typed, viewChoices, viewInput, viewSelect } from "../fields.ts";
import { numberOrNull, textOrNull } from "../forms.ts";
import { may } from "../frame.ts";

/** What the form sends, as the API takes it. How long people are kept is left out of forms that do not have it. */
export function changesOf(form: URLSearchParams): Record<string, unknown> {
  const retention = {
    leavers_months: numberOrNull(form, "leavers_months"),
    history_months: numberOrNull(form, "history_months"),
    max_at_once: numberOrNull(form, "max_at_once"),
  };
  return {
    name: form.get("name") ?? "",
    timezone: form.get("timezone") ?? "",
    technical_contact: textOrNull(form, "technical_contact"),
    reply_to: textOrNull(form, "reply_to"),
    phone_country: textOrNull(form, "phone_country"),
    required_fields: form.getAll("required_fields"),
    ...(form.has("leavers_months") ? { retention } : {}),
  };
}

/** The organization as the form would send it. */
export function formOf(organization: OrganizationView): URLSearchParams {
  const { name, timezone, technical_contact, reply_to, phone_country, required_fields, retention } = organization;
  const { leavers_months, history_months, max_at_once } = retention;
  const texts = { name, timezone, technical_contact, reply_to, phone_country };
  const numbers = { leavers_months, history_months, max_at_once };
  return new URLSearchParams([
    ...Object.entries({ ...texts, ...numbers }).map(([key, value]) => [key, String(value ?? "")]),
    ...required_fields.map((field) => ["required_fields", field]),
  ]);
}

export function viewOrganizationFields(c: Context<Env>, typed: Typed): Html {
  return html`
    ${viewInput({ name: "name", label: "Name", isRequired: true, most: 254 }, typed)}
    ${viewSelect({
      name: "timezone",
      label: "Time zone",
      options: zones(typed.form?.get("timezone") ?? ""),
      hint: "In which days begin and end: when people leave, and when files are due.",
    }, typed)}
    ${viewInput({
      name: "technical_contact",
      label: "Who gets mails",
      type: "email",
      hint:
        "Mails go there when a run waits, rows could not be used, or a feed does not work. A connection may have an " +
        "address of its own.",
    }, typed)}
    ${viewInput({
      name: "reply_to",
      label: "Answers to mails go to",
      type: "email",
      hint: "May be empty.",
    }, typed)}
    ${viewSelect({
      name: "phone_country",
      label: "Country of phone numbers",
      options: countries(),
      hint: "In which numbers without + or 00 are meant.",
    }, typed)}
    ${viewChoices({
      name: "required_fields",
      label: "Nobody new is added without",
      options: REQUIRABLE.map((field) => ({ value: field, title: fieldInWords(field) })),
    }, typed)}
    ${may(c, "users:erase") ? viewRetention(typed) : ""}
  `;
}

function viewRetention(typed: Typed): Html {
  const months = (name: string, label: string, hint: string) =>
    viewInput({ name, label, type: "number", hint, pointer: `/retention/${name}` }, typed);
  return html`
    <h2>How long people are kept</h2>
    ${months("leavers_months", "Months until somebody who left is erased for good", "From 3 on. Empty: never.")}
    ${months("history_months", "Months until changes and reports are deleted", "From 3 on. Empty: never.")}
    ${months(
      "max_at_once",
      "How many may be erased in a day without approval",
      "Empty: as many as a run may deactivate.",
    )}
  `;
}

/** `current` may be another name of a zone than the one in the list. */
function zones(current: string): Option[] {
  const names = new Set(["UTC", ...Intl.supportedValuesOf("timeZone"), ...(current === "" ? [] : [current])]);
  return [...names].map((name) => ({ value: name, title: name.replaceAll("_", " ") }));
}

function countries(): Option[] {
  const names = new Intl.DisplayNames("en", { type: "region" });
  const all = [...COUNTRIES].map((code) => ({ value: code, title: names.of(code) ?? code }));
  return [{ value: "", title: "not set" }, ...all.sort((a, b) => a.title.localeCompare(b.title, "en"))];
}
