/** The first page: what needs somebody, and how each feed is. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { RunView } from "../../model/run.ts";
import { allows } from "../../model/scope.ts";
import { whenInWords } from "../../notify/words.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import { route } from "../kit/describe.ts";
import type { Api, Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { answerConsole, pathIn } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { listTakers, viewUpload } from "./import.ts";
import { queryOf, resultInWords, runName, viewPaging, viewRuns } from "./lists.ts";

const FEEDS_A_PAGE = 20;
const WAITING_SHOWN = 10;

/** A connection with its latest run. */
interface Feed {
  readonly connection: ConnectionView;
  readonly latest: RunView | null;
}

export const showHome = route(PAGE, async (c) => {
  const api = c.get("api")!, timezone = c.get("organization").timezone;
  const cursor = c.req.query("cursor");
  const connections = await api.read<Listed<ConnectionView>>(
    `/v1/connections?${queryOf({ limit: String(FEEDS_A_PAGE), cursor })}`,
  );
  const feeds = await Promise.all(connections.data.map((connection) => loadFeed(api, connection)));
  const top = cursor !== undefined
    ? ""
    : feeds.every(({ latest }) => latest === null) && canImport(c)
    ? await viewBeginning(c)
    : viewWaiting(await loadWaiting(api), pathIn(c, "/runs"), timezone);
  return await answerConsole(c, {
    title: "Home",
    section: "",
    main: html`
      <h1>${c.get("organization").name}</h1>
      ${top}
      <section class="card" aria-labelledby="feeds-title">
        <h2 id="feeds-title">Where people come from</h2>
        <ul class="bare rowlist">${feeds.map((feed) => viewFeed(feed, pathIn(c), timezone))}</ul>
        ${viewPaging(pathIn(c), connections.next_cursor, cursor === undefined)}
      </section>
    `,
  });
});

function canImport(c: Context<Env>): boolean {
  return allows(c.get("visitor")!.bearer.scopes, "drops:write");
}

/** Where nothing has come yet, the first page takes the first file. */
async function viewBeginning(c: Context<Env>): Promise<Html> {
  const takers = await listTakers(c.get("api")!);
  return html`
    <p>Nobody is here yet. Begin with a file of people.</p>
    ${takers.map((connection) => viewUpload(c, connection))}
  `;
}

async function loadFeed(api: Api, connection: ConnectionView): Promise<Feed> {
  const { data } = await api.read<Listed<RunView>>(`/v1/runs?limit=1&connection=${connection.id}`);
  return { connection, latest: data[0] ?? null };
}

/** Runs that somebody has to decide about. */
async function loadWaiting(api: Api): Promise<RunView[]> {
  const lists = await Promise.all(
    ["held", "planned"].map((status) => api.read<Listed<RunView>>(`/v1/runs?limit=${WAITING_SHOWN}&status=${status}`)),
  );
  return lists.flatMap(({ data }) => data).slice(0, WAITING_SHOWN);
}

function viewWaiting(waiting: readonly RunView[], path: string, timezone: string): Html {
  if (waiting.length === 0) {
    return html`
      <section class="card state good">
        <h2>Nothing waits for you</h2>
        <p class="soft">No run has to be approved.</p>
      </section>
    `;
  }
  return html`<section class="card state held" aria-labelledby="waiting-title">
    <h2 id="waiting-title">Waits for a decision</h2>
    ${viewRuns(waiting, path, timezone)}
  </section>`;
}

function viewFeed(feed: Feed, path: string, timezone: string): Html {
  const { connection: { name, connector, next_fetch_at, technical_contact, warnings }, latest } = feed;
  const { tone, title, text } = stateOfFeed(feed);
  return html`<li>
    <div class="who"><h3>${name}</h3><span class="soft">${connector}</span><span class="tag ${tone}">${title}</span></div>
    ${text === "" ? "" : html`<p>${text}</p>`}
    <p class="small soft">${
    latest === null
      ? "Nothing has come yet."
      : html`Last: <a href="${path}/runs/${latest.id}">${runName(latest)}</a>, ${
        whenInWords(Date.parse(latest.created_at), timezone)
      }. ${resultInWords(latest)}`
  }</p>
    ${
    next_fetch_at === null
      ? ""
      : html`<p class="small soft">Next: ${whenInWords(Date.parse(next_fetch_at), timezone)}</p>`
  }
    ${technical_contact === null ? "" : html`<p class="small soft">Mails go to ${technical_contact}</p>`}
    ${warnings.map((warning) => html`<p class="small soft">${warning}.</p>`)}
  </li>`;
}

/** Red when nothing comes any more, amber when somebody should look, green otherwise. */
function stateOfFeed({ connection, latest }: Feed): { tone: string; title: string; text: string } {
  const { state, last_error, paused_at, overdue_since, failures_in_a_row } = connection;
  if (state === "error") return { tone: "bad", title: "Does not work", text: last_error?.message ?? "" };
  if (paused_at !== null) return { tone: "plain", title: "Paused", text: "Nothing is taken until it is resumed." };
  if (overdue_since !== null) return { tone: "held", title: "Late", text: "Its input should have come by now." };
  if (failures_in_a_row > 0) return { tone: "held", title: "Failed last time", text: last_error?.message ?? "" };
  if (latest?.status === "held") return { tone: "held", title: "Waits", text: "Its last run waits for a decision." };
  if (latest?.status === "partial") {
    return { tone: "held", title: "Rows left out", text: "Some rows have to be corrected." };
  }
  return latest === null ? { tone: "plain", title: "New", text: "" } : { tone: "good", title: "Works", text: "" };
}
