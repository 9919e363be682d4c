/** What can be done with a connection, as buttons, and what a new one needs first. No I/O. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import type { Shown } from "./connection-shown.ts";
import { named } from "./feeds.ts";
import { formFields, may, pathIn } from "./frame.ts";
import { RECORDS } from "./lists.ts";

/** A form that is one button. */
function viewButton(c: Context<Env>, action: string, label: string, more: Html = html``, kind = ""): Html {
  return html`<form method="post" action="${action}">${
    formFields(c)
  }${more}<button class="${kind}">${label}</button></form>`;
}

export function viewActions(c: Context<Env>, shown: Shown): Html {
  const { connection, connector, path } = shown;
  const isFetched = connector !== null && !connector.takes_drops, isPaused = connection.paused_at !== null;
  const actions = [
    ...(isFetched && may(c, "runs:write")
      ? [viewSync(c, shown, "auto", "Sync now", "go"), viewSync(c, shown, "plan", "See what a sync would change")]
      : []),
    ...(takesFiles(shown) && may(c, "drops:write", "runs:read")
      ? [html`<a class="button" href="${pathIn(c, "/import")}">Import a file</a>`]
      : []),
    ...(canBeChecked(shown) && may(c, "connections:write") ? [viewButton(c, `${path}/check`, "Check it")] : []),
    ...(may(c, "connections:write")
      ? [viewButton(c, `${path}/${isPaused ? "resume" : "pause"}`, isPaused ? "Resume" : "Pause")]
      : []),
  ];
  return actions.length === 0 ? html`` : html`<div class="after decide">${actions}</div>`;
}

function viewSync(c: Context<Env>, { path }: Shown, mode: "auto" | "plan", label: string, kind = ""): Html {
  return viewButton(c, `${path}/sync`, label, html`<input type="hidden" name="mode" value="${mode}">`, kind);
}

/** Whether people send files to it: records are sent by programs. */
function takesFiles({ connector }: Shown): boolean {
  return connector?.takes_drops === true && !RECORDS.has(connector.name);
}

/** Whether there is something to look at: a source that the connector can try, or a bridge. */
export function canBeChecked({ connection, connector }: Shown): boolean {
  return connector?.checks === true || connection.sftp !== null;
}

/** Until a source has been read for the first time: what to do, in order. */
export function viewNextSteps(c: Context<Env>, shown: Shown): Html {
  const { connection, connector, runs, login, path } = shown;
  if (runs === null || runs.data.length > 0 || connector === null || !may(c, "connections:write")) return html``;
  if (connector.takes_drops && connection.sftp === null) return html``;
  const needs = connection.secrets_required, isRemote = connection.settings.mode === "remote";
  const secrets = needs.filter((name) => name !== "authorization");
  const steps = [
    ...(secrets.length > 0
      ? [html`<a href="${path}/settings">Give it what it needs</a>: ${secrets.map(named).join(", ")}.`]
      : []),
    ...(needs.includes("authorization") ? [html`${viewButton(c, `${path}/authorize`, "Log in at the source")}`] : []),
    ...(canBeChecked(shown) ? [html`${viewButton(c, `${path}/check`, "Check it")}`] : []),
    ...(connector.takes_drops
      ? [
        isRemote
          ? html`Once its host key is confirmed, files are taken from there.`
          : login?.username == null
          ? html`Make a <a href="#log-in-title">log-in</a> below, and send its sheet to those who send the files.`
          : html`Send <a href="${path}/sheet">the log-in's sheet</a> to those who send the files.`,
      ]
      : [html`${viewSync(c, shown, "plan", "See what the first sync would change")}`]),
    ...(connector.takes_drops ? [] : [
      html`${
        connection.schedule === null
          ? html`<a href="${path}/settings#schedule">Choose when it runs by itself</a>. Until then it runs only when it is asked to.`
          : html`It runs by itself as shown below; <a href="${path}/settings#schedule">change that</a>.`
      }`,
    ]),
  ];
  return html`
    <section class="card" aria-labelledby="steps-title">
      <h2 id="steps-title">Next steps</h2>
      <ol class="steps">${steps.map((step) => html`<li>${step}</li>`)}</ol>
      ${connector.takes_drops
        ? html`<p class="small"><a href="${pathIn(c, "/import/template.csv")}">An empty table as CSV</a> ·
        <a href="${pathIn(c, "/import/template.xlsx")}">as a workbook, with explanations</a></p>`
        : ""}
    </section>
  `;
}
