/** Mails of the last 30 days: whether each was sent, and a test of whether somebody gets them. */
import type { Context } from "hono";
import { html } from "hono/html";
import { count, whenInWords } from "../../../notify/words.ts";
import type { ConnectionView } from "../../api/connection-view.ts";
import type { MailView } from "../../api/mails.ts";
import { route } from "../../kit/describe.ts";
import type { Env } from "../../kit/env.ts";
import type { Html } from "../../pages/frame.ts";
import type { Listed } from "../api.ts";
import { contactOf } from "../feeds.ts";
import { type Typed, UNTYPED, viewSelect } from "../fields.ts";
import { onceField, statusOf, tryChange, viewRefused } from "../forms.ts";
import { formFields, may } from "../frame.ts";
import { PAGE, readOwnForm } from "../guards.ts";
import { queryOf, viewPaging } from "../lists.ts";
import { eventInWords } from "./event-words.ts";
import { answerSettings, settingsPath } from "./frame.ts";

const MAILS = "/mails";

export const showMails = route(PAGE, (c) => answerMails(c, UNTYPED));

export const sendTestMail = route(PAGE, async (c) => {
  const form = await readOwnForm(c), body = { connection_id: form.get("connection_id") || null };
  const sending = { method: "POST", body, once: form.get("once") } as const;
  const tried = await tryChange(() => c.get("api")!.send<MailView>("/v1/mails/test", sending));
  if ("refused" in tried) return await answerMails(c, { form, ...tried });
  return c.redirect(settingsPath(c, MAILS), 303);
});

async function answerMails(c: Context<Env>, typed: Typed): Promise<Response> {
  const cursor = c.req.query("cursor"), api = c.get("api")!, path = settingsPath(c, MAILS);
  const [mails, connections] = await Promise.all([
    api.read<Listed<MailView>>(`/v1/mails?${queryOf({ cursor })}`),
    may(c, "connections:read") ? api.read<Listed<ConnectionView>>("/v1/connections?limit=200") : { data: [] },
  ]);
  const names = new Map(connections.data.map(({ id, name }) => [id, name]));
  const main = html`
    <h1>Mails</h1>
    ${viewRefused(typed.refused, "No mail was sent")}
    ${may(c, "connections:write") ? viewTest(c, connections.data, typed) : ""}
    <section class="card" aria-labelledby="mails-title">
      <h2 id="mails-title">Mails of the last 30 days</h2>
      ${mails.data.length === 0
        ? html`<p>None.</p>`
        : html`<ul class="bare rowlist">${mails.data.map((mail) => viewMail(c, mail, names))}</ul>`}
      ${viewPaging(path, mails.next_cursor, cursor === undefined)}
    </section>
  `;
  return await answerSettings(c, { title: "Mails", page: MAILS, main }, statusOf(typed.refused));
}

/** Contacts of their own have connections; the others have the organization's. */
function viewTest(c: Context<Env>, connections: readonly ConnectionView[], typed: Typed): Html {
  const organization = c.get("organization");
  const own = connections.flatMap((connection) => {
    const contact = contactOf(connection, organization);
    return contact === null || contact.isOrganizations
      ? []
      : [{ value: connection.id, title: `${connection.name}: ${contact.address}` }];
  });
  const ours = { value: "", title: `The organization: ${organization.technicalContact || "nobody yet"}` };
  return html`
    <form class="card form" method="post" action="${settingsPath(c, MAILS)}">
      <h2>Do mails arrive?</h2>
      ${formFields(c)}${onceField(typed.form?.get("once"))}
      ${viewSelect(
        { name: "connection_id", label: "Send a test mail to the contact of", options: [ours, ...own] },
        typed,
      )}
      <div class="decide"><button class="go">Send it</button></div>
    </form>
  `;
}

const STATES = {
  queued: { tone: "calm", title: "On its way" },
  sent: { tone: "good", title: "Sent" },
  failed: { tone: "bad", title: "Failed" },
  dropped: { tone: "plain", title: "Not needed" },
} as const;

const OTHERS: Readonly<Record<string, string>> = {
  "contact.test": "A test",
  "file.not_used": "A file was not used",
  "member.invited": "An invitation",
};

function viewMail(c: Context<Env>, mail: MailView, names: ReadonlyMap<string, string>): Html {
  const { type, again, connection_id, status, attempts, last_error, created_at, sent_at } = mail;
  const { tone, title } = STATES[status],
    when = (at: string) => whenInWords(Date.parse(at), c.get("organization").timezone);
  const about = connection_id === null ? "" : names.get(connection_id) ?? "a deleted connection";
  return html`<li>
    <div class="who"><h3>${OTHERS[type] ?? eventInWords(type)}${
    again ? ", once more" : ""
  }</h3><span class="soft">${about}</span><span class="tag ${tone}">${title}</span></div>
    ${last_error === null || status === "sent" ? "" : html`<p>${last_error}</p>`}
    <p class="small soft">Made ${when(created_at)}${sent_at === null ? "" : `, sent ${when(sent_at)}`}${
    attempts > 1 ? `, after ${count(attempts, "attempt")}` : ""
  }</p>
  </li>`;
}
