/** Files that were chosen together: each is sent as one of its own, with a run of its own, and refused by itself. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import type { RunView } from "../../model/run.ts";
import { count, isAhead } from "../../notify/words.ts";
import { isAtRest } from "../../store/runs/runs.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { splitForm } from "../kit/multipart.ts";
import type { Html, PageStatus } from "../pages/frame.ts";
import { statusOf, tryChange } from "./forms.ts";
import { answerConsole, pathIn } from "./frame.ts";
import { PAGE, requireOwnForm } from "./guards.ts";
import { sendFile, waitForPlan } from "./import.ts";
import { viewRuns } from "./lists.ts";

/** Of one form. */
const MAX_FILES = 50;

/** A file that was not taken. */
interface NotTaken {
  readonly name: string;
  readonly refused: Fault;
}

/** The token of the form is in its address, as the files themselves go on as they come. */
export const takeFiles = route(PAGE, async (c) => {
  requireOwnForm(c, c.req.query("form") ?? null);
  const type = c.req.header("content-type") ?? "", body = c.req.raw.body;
  if (!/^multipart\/form-data\b/i.test(type) || body === null) {
    throw new Fault("unsupported_media_type", "A file is sent with the form of the page");
  }
  const runs: RunView[] = [], others: NotTaken[] = [];
  for await (const { name, body: file } of splitForm(body, type)) {
    const tried = await tryChange(() => {
      if (name === "") throw new Fault("invalid_request", "No file was chosen");
      if (runs.length + others.length >= MAX_FILES) throw new Fault("invalid_request", TOO_MANY);
      return sendFile(c, c.req.param("connection"), { body: file, type, query: {} });
    });
    if ("done" in tried) runs.push(tried.done);
    else others.push({ name: name || "A file", ...tried });
  }
  const [first, ...more] = runs;
  if (first === undefined && others.length === 1) throw others[0]!.refused;
  if (others.length > 0) return await answerFiles(c, runs, others, statusOf(others[0]!.refused));
  if (more.length === 0 && first !== undefined) await waitForPlan(c, first);
  const query = new URLSearchParams(runs.map(({ id }) => ["run", id]));
  return c.redirect(pathIn(c, more.length === 0 ? `/runs/${first!.id}` : `/import/files?${query}`), 303);
});

const TOO_MANY = `At most ${MAX_FILES} files are sent together; send the others after them`;

/** Runs of files that came together, as they are now. */
export const showFiles = route(PAGE, async (c) => {
  const ids = [...new Set(c.req.queries("run") ?? [])].slice(0, MAX_FILES);
  const runs = await Promise.all(ids.map((id) => c.get("api")!.read<RunView>(`/v1/runs/${encodeURIComponent(id)}`)));
  return await answerFiles(c, runs, []);
});

function answerFiles(
  c: Context<Env>,
  runs: readonly RunView[],
  others: readonly NotTaken[],
  status?: PageStatus,
): Promise<Response> {
  // A page that answers a form cannot be loaded again by itself.
  const isLive = status === undefined && runs.some((run) => !isAtRest(run.status));
  const main = html`
    <h1>${count(runs.length, "file was", "files were")} sent</h1>
    ${others.length === 0 ? "" : viewOthers(others)}
    ${runs.length === 0 ? "" : viewTaken(c, runs, isLive)}
    <p><a class="button" href="${pathIn(c, "/import")}">Send more</a></p>
  `;
  return answerConsole(c, { title: "Files", section: "/import", main, isLive }, status);
}

function viewTaken(c: Context<Env>, runs: readonly RunView[], isLive: boolean): Html {
  const live = isLive
    ? html`
      data-live="All of them have been read. See them" role="status"
    `
    : "";
  const isOpen = runs.some(({ status }) => isAhead(status));
  return html`
    ${isOpen ? html`<p>Nothing is changed yet. Open each, and approve what it would change.</p>` : ""}
    <section class="card" ${live}>
      <h2 class="hidden">The files</h2>
      ${viewRuns(runs, pathIn(c, "/runs"), c.get("organization").timezone)}
    </section>
  `;
}

function viewOthers(others: readonly NotTaken[]): Html {
  return html`
    <section class="card note bad" role="alert">
      <h2>${count(others.length, "file was", "files were")} not taken</h2>
      <ul>${others.map(({ name, refused }) => html`<li><strong>${name}</strong>: ${refused.message}</li>`)}</ul>
    </section>
  `;
}
