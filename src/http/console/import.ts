/** Importing files: chosen here, planned, and looked at on the page of its run before anything is applied. */
import type { Context } from "hono";
import { html } from "hono/html";
import type { RunView } from "../../model/run.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { ConnectorView } from "../api/connectors.ts";
import { route } from "../kit/describe.ts";
import type { Api, Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { answerConsole, pathIn } from "./frame.ts";
import { PAGE } from "./guards.ts";
import { queryOf, RECORDS } from "./lists.ts";

/** How long the upload waits for its plan, so that the next page shows it. */
const PLAN_WAIT_S = 20;

export const showImport = route(PAGE, async (c) => {
  const connections = await listTakers(c.get("api")!);
  return await answerConsole(c, {
    title: "Import a file",
    section: "/import",
    main: html`
      <h1>Import a file</h1>
      ${connections.map((connection) => viewUpload(c, connection))}
      ${connections.length === 0 ? html`<p>No connection takes files here. An admin can add one.</p>` : ""}
    `,
  });
});

/** The form for a file of this connection. */
export function viewUpload(c: Context<Env>, { slug, name }: ConnectionView): Html {
  return html`
    <section class="card">
      <h2>${name}</h2>
      <form class="fields" method="post" enctype="multipart/form-data"
        action="${pathIn(c, `/import/${slug}`)}?form=${c.get("visitor")!.formToken}">
        <label for="file-${slug}">Tables of people, one file or several: .csv, .tsv, .xlsx or .json</label>
        <input type="file" id="file-${slug}" name="file" multiple required>
        <p
          class="small soft">Nothing is changed yet: you see first what each would change, and decide then. Files may be packed
          as .gz or .zip.</p>
        <div class="decide"><button class="go">Show what would change</button></div>
      </form>
      <p class="small"><a href="${pathIn(c, "/import/template.csv")}">An empty table as CSV</a> ·
        <a href="${pathIn(c, "/import/template.xlsx")}">as a workbook, with explanations</a> ·
        <a href="${pathIn(c, "/templates")}">What each column may hold</a></p>
    </section>
  `;
}

interface PlannedFile {
  readonly body: ReadableStream<Uint8Array>;
  readonly type: string;
  /** More parameters of the drop. */
  readonly query: Readonly<Record<string, string | undefined>>;
  /** By which a form that is sent twice is recognized. */
  readonly once?: string | null;
}

/** Sends a file whose plan is looked at before anything is done. Gives its run, which has yet to be planned. */
export async function sendFile(
  c: Context<Env>,
  connection: string,
  { body, type, query, once }: PlannedFile,
): Promise<RunView> {
  const { run } = await c.get("api")!.read<{ run: RunView }>(
    `/v1/connections/${encodeURIComponent(connection)}/drops?${queryOf({ ...query, mode: "plan" })}`,
    {
      method: "POST",
      headers: { "content-type": type, ...(once ? { "idempotency-key": once } : {}) },
      body,
      duplex: "half",
    } as RequestInit,
  );
  return run;
}

/** The run once it is planned, or as it is after a while. */
export async function waitForPlan(c: Context<Env>, { id }: RunView): Promise<RunView> {
  return await c.get("api")!.read<RunView>(`/v1/runs/${id}`, { headers: { prefer: `wait=${PLAN_WAIT_S}` } });
}

export async function planFile(c: Context<Env>, connection: string, file: PlannedFile): Promise<RunView> {
  return await waitForPlan(c, await sendFile(c, connection, file));
}

export const getTemplate = route(PAGE, async (c) => {
  const file = c.req.param("file") === "template.xlsx" ? "users.xlsx" : "users.csv";
  return await c.get("api")!.ask(`/v1/templates/${file}`);
});

/** Connections that take files, by their connectors. */
export async function listTakers(api: Api): Promise<ConnectionView[]> {
  const [connections, connectors] = await Promise.all([
    api.read<Listed<ConnectionView>>("/v1/connections?limit=200"),
    api.read<Listed<ConnectorView>>("/v1/connectors"),
  ]);
  const taking = new Set(connectors.data.filter(({ takes_drops }) => takes_drops).map(({ name }) => name));
  return connections.data.filter(({ connector }) => taking.has(connector) && !RECORDS.has(connector));
}
