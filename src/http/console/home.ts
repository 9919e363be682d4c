/** The first page: what needs somebody, and how each feed is. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { RunView } from "../../model/run.ts";
import { allows } from "../../model/scope.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { RunDayView } from "../api/run-days.ts";
import { route } from "../kit/describe.ts";
import type { Api, Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { viewFeeds } from "./feeds.ts";
import { answerConsole, pathIn } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { listTakers, viewUpload } from "./import.ts";
import { queryOf, viewPaging, viewRuns } from "./lists.ts";
import { viewRunChart } from "./run-chart.ts";

const FEEDS_A_PAGE = 20;
const WAITING_SHOWN = 10;

export const showHome = route(PAGE, async (c) => {
  const api = c.get("api")!, timezone = c.get("organization").timezone;
  const cursor = c.req.query("cursor");
  const [connections, days] = await Promise.all([
    api.read<Listed<ConnectionView>>(`/v1/connections?${queryOf({ limit: String(FEEDS_A_PAGE), cursor })}`),
    cursor === undefined ? api.read<{ data: RunDayView[] }>("/v1/run-days") : { data: [] },
  ]);
  const top = cursor !== undefined
    ? ""
    : connections.data.every(({ last_run }) => last_run == null) && canImport(c)
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
        ${viewFeeds(connections.data, pathIn(c), c.get("organization"))}
        ${viewPaging(pathIn(c), connections.next_cursor, cursor === undefined)}
      </section>
      ${viewRunChart(days.data)}
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
