/** What the organization is called, who gets mails, what people need, how long they are kept, and its custom fields. */
import type { Context } from "hono";
import { html } from "hono/html";
import { count, fieldInWords } from "../../../notify/words.ts";
import type { CustomFieldView } from "../../api/custom-fields.ts";
import type { OrganizationView } from "../../api/organizations.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Listed } from "../api.ts";
import { type Typed } from "../fields.ts";
import { statusOf, tryChange, versionField, viewRefused } from "../forms.ts";
import { formFields, may } from "../frame.ts";
import { MAX_LONG_FORM_BYTES, PAGE, readOwnForm } from "../guards.ts";
import { viewCustomFields } from "./custom-field-list.ts";
import { answerSettings, settingsPath } from "./frame.ts";
import { changesOf, formOf, viewOrganizationFields } from "./organization-form.ts";

export const ORGANIZATION = "/organization";

export const showOrganization = route(PAGE, async (c) => {
  const organization = await load(c);
  return await answerOrganization(c, organization, { form: formOf(organization), refused: null });
});

export const changeOrganization = route(PAGE, async (c) => {
  const form = await readOwnForm(c, MAX_LONG_FORM_BYTES);
  const sending = { method: "PATCH", body: changesOf(form), version: form.get("version") } as const;
  const tried = await tryChange(() => c.get("api")!.send("/v1/organization", sending));
  if ("refused" in tried) return await answerOrganization(c, await load(c), { form, ...tried });
  return c.redirect(settingsPath(c, ORGANIZATION), 303);
});

function load(c: Context<Env>): Promise<OrganizationView> {
  return c.get("api")!.read<OrganizationView>("/v1/organization");
}

async function answerOrganization(
  c: Context<Env>,
  organization: OrganizationView,
  typed: Typed,
): Promise<Response> {
  const fields = may(c, "users:read")
    ? (await c.get("api")!.read<Listed<CustomFieldView>>("/v1/custom-fields")).data
    : null;
  const main = html`
    <h1>Organization</h1>
    ${viewRefused(typed.refused)}${viewNoContact(organization)}${viewHeld(organization)}
    ${may(c, "admin")
      ? html`<form class="card form" method="post" action="${settingsPath(c, ORGANIZATION)}">
        ${formFields(c)}${versionField(organization.version)}${viewOrganizationFields(c, typed)}
        <div class="decide"><button class="go">Save</button></div></form>`
      : viewFacts(organization)}
    ${fields === null ? "" : viewCustomFields(c, fields)}
  `;
  return await answerSettings(c, { title: "Organization", page: ORGANIZATION, main }, statusOf(typed.refused));
}

function viewNoContact({ technical_contact }: OrganizationView): Html {
  if (technical_contact !== null) return html``;
  return html`
    <section class="card note held">
      <h2>Nobody gets mails</h2>
      <p>When a run waits for a decision or a feed does not work, no mail is sent, except for connections with an address
        of their own. Enter an address below, and send it a test mail from the page Mails.</p>
    </section>
  `;
}

function viewHeld({ retention: { held } }: OrganizationView): Html {
  if (held === null) return html``;
  return html`
    <section class="card note held">
      <h2>Erasing leavers waits for approval</h2>
      <p>${count(held, "person", "people")} who left would be erased at once, which is more than may be in a day. Nobody
        is erased until somebody approves it with the API.</p>
    </section>
  `;
}

/** For those who may only look. */
function viewFacts(organization: OrganizationView): Html {
  const { name, timezone, technical_contact, reply_to, phone_country, required_fields } = organization;
  return html`
    <section class="card">
      <dl class="facts">
        <dt>Name</dt>
        <dd>${name}</dd>
        <dt>Time zone</dt>
        <dd>${timezone}</dd>
        <dt>Who gets mails</dt>
        <dd>${technical_contact ?? "nobody"}</dd>
        <dt>Answers go to</dt>
        <dd>${reply_to ?? "not set"}</dd>
        <dt>Country of phone numbers</dt>
        <dd>${phone_country ?? "not set"}</dd>
        <dt>Nobody new without</dt>
        <dd>${required_fields.map(fieldInWords).join(", ") || "nothing in particular"}</dd>
      </dl>
    </section>
  `;
}
