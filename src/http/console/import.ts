/** Importing a file: chosen, planned, and looked at on its run's page before it is applied. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import type { RunView } from "../../model/run.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { ConnectorView } from "../api/connectors.ts";
import { route } from "../kit/describe.ts";
import type { Api, Env } from "../kit/env.ts";
import type { Html } from "../pages/frame.ts";
import type { Listed } from "./api.ts";
import { answerConsole, pathIn } from "./frame.ts";
import { PAGE, requireOwnForm } from "./guards.ts";
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
        <label for="file-${slug}">A table of people: .csv, .tsv, .xlsx or .json</label>
        <input type="file" id="file-${slug}" name="file" required>
        <p class="small soft">Nothing is changed yet: you see first what would change, and decide then.</p>
        <div class="decide"><button class="go">Show what would change</button></div>
      </form>
      <p class="small"><a href="${pathIn(c, "/import/template.csv")}">An empty table as CSV</a> ·
        <a href="${pathIn(c, "/import/template.xlsx")}">as a workbook, with explanations</a> ·
        <a href="${pathIn(c, "/templates")}">What each column may hold</a></p>
    </section>
  `;
}

/** The token of the form is in its address, as the file itself goes on as it comes. */
export const takeFile = route(PAGE, async (c) => {
  requireOwnForm(c, c.req.query("form") ?? null);
  const type = c.req.header("content-type") ?? "", body = c.req.raw.body;
  if (!/^multipart\/form-data\b/i.test(type) || body === null) {
    throw new Fault("unsupported_media_type", "A file is sent with the form of the page");
  }
  const run = await planFile(c, c.req.param("connection"), {
    body,
    type,
    query: {},
    length: c.req.header("content-length"),
  });
  return c.redirect(pathIn(c, `/runs/${run.id}`), 303);
});

interface PlannedFile {
  readonly body: ReadableStream<Uint8Array>;
  readonly type: string;
  /** More parameters of the drop. */
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly length?: string | undefined;
  /** By which a form that is sent twice is recognized. */
  readonly once?: string | null;
}

/** Sends a file whose plan is looked at before anything is done, and waits a while for the plan. */
export async function planFile(
  c: Context<Env>,
  connection: string,
  { body, type, query, length, once }: PlannedFile,
): Promise<RunView> {
  const { run } = await c.get("api")!.read<{ run: RunView }>(
    `/v1/connections/${encodeURIComponent(connection)}/drops?${queryOf({ ...query, mode: "plan" })}`,
    {
      method: "POST",
      headers: { "content-type": type, prefer: `wait=${PLAN_WAIT_S}`, ...headersOf(length, once) },
      body,
      duplex: "half",
    } as RequestInit,
  );
  return run;
}

export const getTemplate = route(PAGE, async (c) => {
  const file = c.req.param("file") === "template.xlsx" ? "users.xlsx" : "users.csv";
  return await c.get("api")!.ask(`/v1/templates/${file}`);
});

function headersOf(length: string | undefined, once: string | null | undefined): Record<string, string> {
  return { ...(length ? { "content-length": length } : {}), ...(once ? { "idempotency-key": once } : {}) };
}

/** Connections that take files, by their connectors. */
export async function listTakers(api: Api): Promise<ConnectionView[]> {
  const [connections, connectors] = await Promise.all([
    api.read<Listed<ConnectionView>>("/v1/connections?limit=200"),
    api.read<Listed<ConnectorView>>("/v1/connectors"),
  ]);
  const taking = new Set(connectors.data.filter(({ takes_drops }) => takes_drops).map(({ name }) => name));
  return connections.data.filter(({ connector }) => taking.has(connector) && connector !== RECORDS);
}
