/** Connections as lists show them: whether each works, what came last, when the next is due, who is mailed. No I/O. */
import { html } from "hono/html";
import { count, whenInWords } from "../../notify/words.ts";
import type { Organization } from "../../store/organizations.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { Html } from "../pages/frame.ts";
import { resultInWords, runName } from "./lists.ts";

export interface FeedState {
  readonly tone: "good" | "held" | "bad" | "plain";
  readonly title: string;
  /** Empty: the title has it all. */
  readonly text: string;
}

/** Red when nothing comes any more, amber when somebody should look, green otherwise. */
export function stateOfFeed(connection: ConnectionView): FeedState {
  const { state, last_error, paused_at, overdue_since, failures_in_a_row, secrets_required, sftp } = connection;
  const latest = connection.last_run ?? null;
  if (state === "error") {
    return { tone: "bad", title: "Does not work", text: last_error?.message ?? sftp?.trouble?.message ?? "" };
  }
  if (paused_at !== null) return { tone: "plain", title: "Paused", text: "Nothing is taken until it is resumed." };
  if (secrets_required.length > 0) {
    return { tone: "held", title: "Not set up", text: `It still needs: ${secrets_required.map(named).join(", ")}.` };
  }
  if (sftp?.trouble != null) return { tone: "held", title: "Trouble", text: `${sftp.trouble.message}.` };
  if (overdue_since !== null) return { tone: "held", title: "Late", text: "Its input should have come by now." };
  if (failures_in_a_row > 0) return { tone: "held", title: "Failed last time", text: last_error?.message ?? "" };
  if (latest?.status === "held") return { tone: "held", title: "Waits", text: "Its last run waits for a decision." };
  if (latest?.status === "partial") {
    return { tone: "held", title: "Rows left out", text: "Some rows have to be corrected." };
  }
  if (sftp != null && sftp.lying.length > 0) {
    return { tone: "held", title: "Files lie there", text: `${count(sftp.lying.length, "file")} cannot be taken.` };
  }
  return latest === null ? { tone: "plain", title: "New", text: "" } : { tone: "good", title: "Works", text: "" };
}

/** `api_key` as `API key`. */
export function named(name: string): string {
  const text = name.replaceAll("_", " ").replace(/\b(api|id|url|uri|sftp|ssh)\b/gi, (word) => word.toUpperCase());
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Who is mailed about the connection, and whether it is the organization's contact; null: nobody. */
export function contactOf(
  { technical_contact }: ConnectionView,
  { technicalContact }: Organization,
): { readonly address: string; readonly isOrganizations: boolean } | null {
  const address = technical_contact || technicalContact;
  return address ? { address, isOrganizations: !technical_contact } : null;
}

/** `path`: of the organization's pages. */
export function viewFeeds(list: readonly ConnectionView[], path: string, organization: Organization): Html {
  return html`<ul class="bare rowlist">${list.map((each) => viewFeed(each, path, organization))}</ul>`;
}

function viewFeed(connection: ConnectionView, path: string, organization: Organization): Html {
  const { name, slug, connector, next_fetch_at, warnings } = connection;
  const { tone, title, text } = stateOfFeed(connection);
  const { timezone } = organization, contact = contactOf(connection, organization);
  return html`<li>
    <div class="who"><h3><a href="${path}/connections/${slug}">${name}</a></h3><span class="soft">${connector}</span><span
      class="tag ${tone}">${title}</span></div>
    ${text === "" ? "" : html`<p>${text}</p>`}
    ${viewLastRun(connection, path, timezone)}
    ${
    next_fetch_at === null
      ? ""
      : html`<p class="small soft">Next: ${whenInWords(Date.parse(next_fetch_at), timezone)}</p>`
  }
    ${contact === null ? "" : html`<p class="small soft">Mails go to ${contact.address}</p>`}
    ${warnings.map((warning) => html`<p class="small soft">${warning}.</p>`)}
  </li>`;
}

/** Nothing for those who may not see runs. */
function viewLastRun({ last_run }: ConnectionView, path: string, timezone: string): Html {
  if (last_run === undefined) return html``;
  if (last_run === null) return html`<p class="small soft">Nothing has come yet.</p>`;
  return html`<p class="small soft">Last: <a href="${path}/runs/${last_run.id}">${runName(last_run)}</a>, ${
    whenInWords(Date.parse(last_run.created_at), timezone)
  }. ${resultInWords(last_run)}</p>`;
}
