/** What a check has found, in words, with what is to be decided from it. No I/O. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import { valueInWords } from "./connection-facts.ts";
import type { Shown } from "./connection-shown.ts";
import { named } from "./feeds.ts";
import { UNTYPED, viewChoice, viewChoices } from "./fields.ts";
import { versionField } from "./forms.ts";
import { formFields, may } from "./frame.ts";

/** As the API gives it. */
export interface Checked {
  readonly ok: boolean;
  readonly detail: string;
  readonly found: Readonly<Record<string, unknown>>;
  readonly code: string | null;
}

export function viewChecked(c: Context<Env>, shown: Shown, { ok, detail, found }: Checked): Html {
  const statuses = isTexts(found.statuses) ? found.statuses : [];
  const facts = Object.entries(found).filter(([name, value]) => name !== "statuses" && !isEmptyList(value));
  return html`
    <section class="card note ${ok ? "good" : "held"}" role="status" aria-labelledby="check-title">
      <h2 id="check-title">${ok ? "It can be read" : "It cannot be read yet"}</h2>
      <p>${detail}${/[.!?]$/.test(detail) ? "" : "."}</p>
      ${facts.length === 0 ? "" : html`<dl class="facts">${
        facts.map(([name, value]) =>
          html`
            <dt>${named(name)}</dt>
            <dd>${viewFound(value)}</dd>
          `
        )
      }</dl>`}
    </section>
    ${viewHostKey(c, shown, found.host_key)}
    ${statuses.length === 0 ? "" : viewStatuses(c, shown, statuses)}
  `;
}

/** Whom to import: everybody, or people with some of the statuses that the source has. */
function viewStatuses(c: Context<Env>, { connection, path }: Shown, statuses: readonly string[]): Html {
  if (!may(c, "connections:write")) return html``;
  const chosen = connection.in_force!.policy.only_statuses?.value;
  const only = isTexts(chosen) ? chosen : null;
  // One that the source does not have any more can be taken away.
  const all = [...new Set([...statuses, ...only ?? []])];
  return html`
    <section class="card" aria-labelledby="statuses-title">
      <h2 id="statuses-title">Whom to import</h2>
      <form method="post" action="${path}/statuses" class="form">${formFields(c)}
        ${viewChoice(
          { type: "radio", name: "all", value: "yes", label: "People of all employment statuses" },
          [only === null ? "yes" : "no"],
          UNTYPED,
        )}
        ${viewChoice(
          { type: "radio", name: "all", value: "no", label: "Only people with these" },
          [only === null ? "yes" : "no"],
          UNTYPED,
        )}
        ${viewChoices({
          name: "status",
          label: "Employment statuses",
          options: all.map((status) => ({ value: status, title: status })),
          chosen: only ?? [],
        }, UNTYPED)}
        <p class="small soft">People who have another status later are deactivated.</p>
        <div class="decide"><button>Save</button></div>
      </form>
    </section>
  `;
}

/** A server's key is trusted once somebody has compared it with what its owner says. */
function viewHostKey(c: Context<Env>, { connection, path }: Shown, key: unknown): Html {
  const { settings, version } = connection;
  if (typeof key !== "string" || settings.host_key === key || settings.mode !== "remote") return html``;
  if (!may(c, "connections:write")) return html``;
  return html`
    <section class="card state held" aria-labelledby="key-title">
      <h2 id="key-title">Is this the server's key?</h2>
      <p>The server shows the host key <code>${key}</code>. Compare it with what its owner says, on another way than by
        this connection. Neither user name nor password was sent yet.</p>
      <form method="post" action="${path}/host-key" class="decide">${formFields(c)}
        <input type="hidden" name="host_key" value="${key}">${versionField(version)}
        <button class="go">It is the same: trust it</button></form>
    </section>
  `;
}

/** Objects of a list are lines. */
function viewFound(value: unknown): Html {
  if (!Array.isArray(value) || isTexts(value)) return html`${valueInWords(value)}`;
  return html`<ul class="bare">${value.map((each) => html`<li>${valueInWords(each)}</li>`)}</ul>`;
}

function isEmptyList(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
