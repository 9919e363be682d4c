/** The page of one connection: loads what it shows, and puts its parts in their order. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { RunView } from "../../model/run.ts";
import { whenInWords } from "../../notify/words.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import type { Html, PageStatus } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { viewActions, viewNextSteps } from "./connection-actions-view.ts";
import { viewFacts, viewLying, viewRules, viewSettings } from "./connection-facts.ts";
import { connectionInApi, connectionPath, connectorOf, listConnectors, type Shown } from "./connection-shown.ts";
import { stateOfFeed } from "./feeds.ts";
import { statusOf, tryChange, viewRefused } from "./forms.ts";
import { answerConsole, may, pathIn } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { viewRuns } from "./lists.ts";
import { loadPgpKeys, viewPgpKeys } from "./pgp-view.ts";
import { loadLogin, viewLogin } from "./sftp-view.ts";

const RUNS_SHOWN = 5;

export const showConnection = route(PAGE, (c) => answerConnection(c));

/** Answers with the page of the connection that the path names. `notice`: what has just happened, above all else. */
export async function answerConnection(
  c: Context<Env>,
  { notice = html``, status = 200 }: { readonly notice?: Html; readonly status?: PageStatus } = {},
): Promise<Response> {
  const shown = await loadShown(c);
  return await answerConsole(c, {
    title: shown.connection.name,
    section: "/connections",
    main: html`${notice}${viewConnection(c, shown)}`,
  }, status);
}

export async function loadShown(c: Context<Env>): Promise<Shown> {
  const api = c.get("api")!;
  const connection = await api.read<ConnectionView>(connectionInApi(c));
  const [connectors, runs, login] = await Promise.all([
    listConnectors(c),
    may(c, "runs:read") ? api.read<Listed<RunView>>(`/v1/runs?limit=${RUNS_SHOWN}&connection=${connection.id}`) : null,
    loadLogin(c, connection),
  ]);
  const connector = connectorOf(connection, connectors);
  const pgpKeys = connector?.takes_drops === true ? await loadPgpKeys(c) : null;
  return { connection, connector, runs, login, pgpKeys, path: connectionPath(c, connection.slug) };
}

/** Shows what the API refused above the connection's page. What is not there has no such page. */
export async function onItsPage(c: Context<Env>, work: () => Promise<Response>): Promise<Response> {
  const tried = await tryChange(work);
  if ("done" in tried) return tried.done;
  const notice = viewRefused(tried.refused, "This was not done");
  return await answerConnection(c, { notice, status: statusOf(tried.refused) });
}

function viewConnection(c: Context<Env>, shown: Shown): Html {
  const { connection, connector, runs, login, pgpKeys, path } = shown;
  const { tone, title, text } = stateOfFeed(connection);
  const { timezone } = c.get("organization");
  return html`
    <section class="card state ${tone}">
      <span class="tag">${title}</span>
      <h1>${connection.name}</h1>
      <p class="soft">${connector?.title ?? connection.connector}</p>
      ${text === "" ? "" : html`<p>${text}</p>`}
      ${connection.warnings.map((warning) => html`<p class="small">${warning}.</p>`)}
      ${viewActions(c, shown)}
    </section>
    ${viewNextSteps(c, shown)}
    ${viewFacts(c, connection)}
    ${viewLying(connection, timezone)}
    ${login === null ? "" : viewLogin(c, connection, login)}
    ${runs === null ? "" : viewLastRuns(c, runs, connection)}
    ${viewSettings(c, connection, connector, path)}
    ${viewRules(c, connection, path)}
    ${pgpKeys === null ? "" : viewPgpKeys(c, connection, pgpKeys)}
    <p class="small soft">Made on ${whenInWords(Date.parse(connection.created_at), timezone)}, changed on ${whenInWords(
      Date.parse(connection.updated_at),
      timezone,
    )}</p>
  `;
}

function viewLastRuns(c: Context<Env>, { data, next_cursor }: Listed<RunView>, { slug }: ConnectionView): Html {
  const path = pathIn(c, "/runs");
  return html`
    <section class="card" aria-labelledby="runs-title">
      <h2 id="runs-title">Last runs</h2>
      ${data.length === 0 ? html`<p>Nothing has come yet.</p>` : viewRuns(data, path, c.get("organization").timezone)}
      ${next_cursor === null ? "" : html`<p class="small"><a href="${path}?connection=${slug}">All its runs</a></p>`}
    </section>
  `;
}
