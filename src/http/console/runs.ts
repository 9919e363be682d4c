/** All runs, and the page of each: the same page as behind the link in a mail. */
import type { Context } from "hono";
import { html } from "hono/html";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { type LinkRights, rightsWith } from "../../model/link.ts";
import { allows } from "../../model/scope.ts";
import { RUN_STATUSES, type RunStatus, type RunView } from "../../model/run.ts";
import { statusInWords } from "../../notify/words.ts";
import { loadRun } from "../api/runs.ts";
import { byOf } from "../kit/authorize.ts";
import { route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { answerIdentityAt } from "../pages/run-page-identity.ts";
import { answerRunPage } from "../pages/run-page-answer.ts";
import { decideAt } from "../pages/run-page-decisions.ts";
import type { Decision } from "../pages/run-page-model.ts";
import { peopleOf } from "../pages/run-people.ts";
import type { Visit } from "../pages/visit.ts";
import type { Listed } from "./api.ts";
import { viewOptions } from "./fields.ts";
import { answerConsole, formFields, pathIn } from "./frame.ts";
import { PAGE, readOwnForm } from "./guards.ts";
import { queryOf, viewPaging, viewRuns } from "./lists.ts";
import { mayCorrect } from "./rows.ts";

const RUNS_A_PAGE = 25;
const STATES = [{ value: "", title: "all" }, ...RUN_STATUSES.map((value) => ({ value, title: nameOf(value) }))];

export const showRuns = route(PAGE, async (c) => {
  const { status, connection, cursor } = c.req.query();
  const asked = { status, connection };
  const runs = await c.get("api")!.read<Listed<RunView>>(
    `/v1/runs?${queryOf({ ...asked, cursor, limit: String(RUNS_A_PAGE) })}`,
  );
  const path = pathIn(c, "/runs"), query = queryOf(asked);
  return await answerConsole(c, {
    title: "Runs",
    section: "/runs",
    main: html`
      <h1>Runs</h1>
      <section class="card">
        <form class="search" method="get" action="${path}" role="search">
          <label for="status">State</label>
          <select id="status" name="status">
            ${viewOptions(STATES, status ?? "")}
          </select>
          <button>Show</button>
        </form>
        <h2 class="hidden">The runs</h2>
        ${runs.data.length === 0 ? html`<p>No runs.</p>` : viewRuns(runs.data, path, c.get("organization").timezone)}
        ${viewPaging(query === "" ? path : `${path}?${query}`, runs.next_cursor, cursor === undefined)}
      </section>
    `,
  });
});

function nameOf(status: RunStatus): string {
  return statusInWords({ status, approvedAt: null, cancelRequested: false, heldBy: [] }).title;
}

export const showRun = route(PAGE, async (c) => answerRunPage(c, await visitSignedIn(c), 200, null));

/** The address of a decision's form, opened again after signing in: the page itself. */
export const backToRun = route(PAGE, (c) => c.redirect(pathIn(c, `/runs/${c.req.param("id")}`), 303));

export function decideOnRun(decision: Decision) {
  return route(PAGE, async (c) => {
    const form = await readOwnForm(c);
    return await decideAt(c, await visitSignedIn(c), decision, form);
  });
}

export const answerOnRun = route(PAGE, async (c) => {
  const form = await readOwnForm(c);
  return await answerIdentityAt(c, await visitSignedIn(c), form);
});

export const getRunPeople = route(PAGE, async (c) => {
  const { found, rights } = await visitSignedIn(c);
  if (!rights.people) throw new Fault("forbidden", "You may see the run without its people");
  return peopleOf(c, found);
});

/** Files of a run, as the API gives them. */
export const getRunFile = route(PAGE, async (c) => {
  const id = encodeURIComponent(c.req.param("id"));
  return await c.get("api")!.ask(`/v1/runs/${id}/${c.req.param("file")}`);
});

/** Of a run of one's own file: the people in it, and no decision. */
const RIGHTS_OF_SENDER: LinkRights = { people: true, approve: false, cancel: false };

/** The run's page for who is signed in, with all that their scopes allow. */
async function visitSignedIn(c: Context<Env>): Promise<Visit> {
  const { bearer } = c.get("visitor")!;
  const rights = rightsWith(bearer.scopes) ?? (allows(bearer.scopes, "runs:own") ? RIGHTS_OF_SENDER : null);
  if (rights === null) throw new Fault("forbidden", "You may not see runs");
  const found = await loadRun(c);
  return {
    found,
    rights,
    seesEverybody: allows(bearer.scopes, "users:read"),
    path: pathIn(c, `/runs/${encodeId("run", found.run.id)}`),
    fields: formFields(c),
    by: byOf(c),
    columns: pathIn(c, `/runs/${encodeId("run", found.run.id)}/columns`),
    rows: mayCorrect(c, found) ? pathIn(c, `/runs/${encodeId("run", found.run.id)}/rows`) : null,
    waiter: bearer.key,
    timezone: c.get("organization").timezone,
    addressOf: (runId) => Promise.resolve(pathIn(c, `/runs/${encodeId("run", runId)}`)),
    answer: (page, status) => answerConsole(c, { ...page, section: "/runs" }, status),
  };
}
