/**
 * `/r/{signed}`: the page of one run, for whoever was sent the link, and what they decide on it.
 *
 * Reading decides nothing: mail scanners and previews open links, with GET and with HEAD. A decision is a POST, and the
 * first one only asks; the second, from the form of that question, does it. No token against forged requests is needed:
 * nothing is known of the visitor but the address itself, there is no cookie and no session that a foreign page could
 * make use of, and a foreign page that knows the address could as well open it.
 */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { approveRun, cancelRun } from "../../runs/approve.ts";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { type LinkTerms, mintLink } from "../../notify/links.ts";
import { whenInWords } from "../../notify/words.ts";
import { reportStem } from "../../report/file.ts";
import { readHeavy } from "../../store/people/heavy-reads.ts";
import { listIssues } from "../../store/runs/issues.ts";
import { findOrganization } from "../../store/organizations.ts";
import { PEOPLE_FILTERS, type PeopleFilter, streamPeople } from "../../store/runs/run-people.ts";
import { findHeldSuccessor, findRun, isAtRest, type StoredRun } from "../../store/runs/runs.ts";
import { byLink } from "../kit/authorize.ts";
import { askerOf } from "../kit/caller.ts";
import { incoming } from "../kit/body.ts";
import { CSV, describe, download, LOCATION, PAGE } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { enter } from "../kit/in-flight.ts";
import { LINK_REFUSED, type OpenedLink, openOrRefuse, PAGE_BUSY, refuseAsPage } from "../api/links.ts";
import { attachment } from "../kit/disposition.ts";
import { answerPage, PRIVATE } from "./frame.ts";
import { peopleCsv } from "./people-csv.ts";
import { type Decision, type RunPage, runTitle, viewConfirmation, viewRunPage } from "./run-view.ts";
import { html } from "hono/html";
import { issueWithoutRow } from "../../model/wording.ts";
import { REPORT, REPORT_JSON, reportOf, requireReported } from "../api/run-results.ts";
import { readBody } from "../kit/validate.ts";
import { untilAtRest } from "../kit/waiting.ts";

const PEOPLE_A_PAGE = 25;
const ISSUES_SHOWN = 20;
const MAX_QUERY_CHARACTERS = 100;
const MAX_FORM_BYTES = 4 * 1024;
/** How long a decision waits for the plan that is made afresh, so that it can be shown at once. */
const FRESH_PLAN_MS = 5_000;

const PEOPLE = download({ "text/csv": CSV }, "Who is changed, and how");
const TO_PAGE = {
  description: "Back to the run's page",
  headers: { Location: LOCATION },
};
const FORM = z.strictObject({
  plan_hash: z.string().optional().meta({ description: "Hash of the plan that was shown", examples: ["5f1c0e9b"] }),
  confirmed: z.literal("yes").optional().meta({ description: "Without it, the answer asks for confirmation" }),
});

export function runPageRoutes(): Hono<Env> {
  const routes = new Hono<Env>();
  routes.onError(refuseAsPage);

  routes.get(
    "/:signed",
    describe("openRunPage", "Show a run's page", {
      200: PAGE,
      ...LINK_REFUSED,
      ...PAGE_BUSY,
    }, {
      description: "What happened in a run and who is affected, for people. Links work for 72 hours and need no " +
        "token; openings are in the audit.",
      pages: true,
    }),
    showRun,
  );

  routes.get(
    "/:signed/people.csv",
    describe("openRunPeople", "Download the people of a run", {
      200: PEOPLE,
      403: PAGE,
      ...LINK_REFUSED,
    }, {
      description: "The list on the run's page as a CSV file, with the same search. The link has to show people.",
      pages: true,
    }),
    async (c) => {
      const opened = await openWithPeople(c);
      if (opened instanceof Response) return opened;
      const { run } = opened.found;
      const search = searchOf(c), asker = askerOf(c, run.organizationId), hub = c.get("hub");
      const people = streamPeople((page) =>
        readHeavy(hub, "listPeople", asker, run.organizationId, run.id, search, page)
      );
      return new Response(peopleCsv(people), {
        headers: {
          "content-type": "text/csv; charset=utf-8",
          "content-disposition": attachment(`${reportStem(opened.found)}.people.csv`),
          ...PRIVATE,
        },
      });
    },
  );

  for (const format of ["csv", "json"] as const) {
    routes.get(
      `/:signed/failures.${format}`,
      describe(format === "csv" ? "openRunFailuresCsv" : "openRunFailuresJson", "Download the run's failure report", {
        200: format === "csv" ? REPORT : REPORT_JSON,
        403: PAGE,
        ...LINK_REFUSED,
        409: PAGE,
      }, { description: "The failed rows with their reasons. The link has to show people.", pages: true }),
      async (c) => {
        const opened = await openWithPeople(c);
        if (opened instanceof Response) return opened;
        return reportOf(c.get("hub").db, requireReported(opened.found), format, PRIVATE);
      },
    );
  }

  for (const decision of ["approve", "cancel"] as const) {
    // Where the question was asked: whoever comes back to it by its address gets the page.
    routes.get(
      `/:signed/${decision}`,
      describe(
        decision === "approve" ? "leaveApproval" : "leaveCancelling",
        "Show the run's page again",
        { 200: PAGE, ...LINK_REFUSED, ...PAGE_BUSY },
        {
          description: "The address of the form, opened again. Decides nothing.",
          pages: true,
        },
      ),
      showRun,
    );

    routes.post(
      `/:signed/${decision}`,
      describe(
        decision === "approve" ? "approveOnPage" : "cancelOnPage",
        decision === "approve" ? "Approve the plan on the run's page" : "Cancel the run on its page",
        {
          200: PAGE,
          303: TO_PAGE,
          ...LINK_REFUSED,
          403: PAGE,
          ...PAGE_BUSY,
          409: PAGE,
          413: PAGE,
          415: PAGE,
        },
        {
          description: "The form of the page. The first request answers with a question, one with `confirmed=yes` " +
            "decides. The link has to allow it.",
          body: { required: true, content: { "application/x-www-form-urlencoded": FORM } },
          pages: true,
        },
      ),
      async (c) => {
        const opened = await openOrRefuse(c, ["page"]);
        if (opened instanceof Response) return opened;
        if (!opened.terms.rights[decision]) {
          throw new Fault("forbidden", `This link shows the run and cannot ${decision} it`);
        }
        const form = await readForm(c);
        const planHash = form.get("plan_hash") ?? "";
        const refusal = refusalOf(opened.found, decision, planHash);
        if (refusal !== null) return await answerRunPage(c, opened, 409, refusal);
        if (form.get("confirmed") !== "yes") return await ask(c, opened, decision, planHash);
        return await decide(c, opened, decision, planHash);
      },
    );
  }

  return routes;
}

/** Of a link that shows people; the pages of others say that they do not. */
async function openWithPeople(c: Context<Env>): Promise<OpenedLink | Response> {
  const opened = await openOrRefuse(c, ["page"]);
  if (opened instanceof Response || opened.terms.rights.people) return opened;
  throw new Fault("forbidden", "This link shows what became of the run, and nobody in it");
}

async function showRun(c: Context<Env>): Promise<Response> {
  const opened = await openOrRefuse(c, ["page"]);
  return opened instanceof Response ? opened : await answerRunPage(c, opened, 200, null);
}

/** What stands against the decision as the run is now; null: nothing. */
function refusalOf({ run }: StoredRun, decision: Decision, planHash: string): RunPage["notice"] {
  if (decision === "cancel") {
    if (!isAtRest(run.status) || run.status === "planned" || run.status === "held") return null;
    return { title: "It can no longer be cancelled", text: "The run has come to its end meanwhile; see below how." };
  }
  if (run.status !== "planned" && run.status !== "held") {
    const text = run.status === "queued" || run.status === "planning"
      ? "The plan is being made anew. Look again in a moment, and decide about the new one."
      : "The run has moved on since you opened the page; see below what has become of it.";
    return { title: "There is nothing to approve", text };
  }
  return run.planHash === planHash ? null : PLAN_CHANGED;
}

const PLAN_CHANGED = {
  title: "The plan has changed",
  text: "It is not the one you were looking at, so nothing was approved. This is the new one: look at it again.",
};

async function ask(
  c: Context<Env>,
  { found }: OpenedLink,
  decision: Decision,
  planHash: string,
): Promise<Response> {
  const organization = await findOrganization(c.get("hub").db, found.run.organizationId);
  return await answerPage(c, {
    title: decision === "approve" ? "Approve?" : "Cancel?",
    organization: organization?.name ?? null,
    main: viewConfirmation({ found, path: pathOf(c), decision, planHash }),
  });
}

async function decide(
  c: Context<Env>,
  opened: OpenedLink,
  decision: Decision,
  planHash: string,
): Promise<Response> {
  const hub = c.get("hub");
  const { organizationId, id } = opened.found.run;
  const by = byLink(c, "page");
  try {
    if (decision === "approve") await approveRun(hub, organizationId, id, planHash, by);
    else await cancelRun(hub, organizationId, id, by);
  } catch (error) {
    if (!(error instanceof Fault) || (error.code !== "conflict" && error.code !== "plan_changed")) throw error;
    // Somebody was faster, or people have changed since: then the plan is being made anew, and soon there.
    const found = await untilPlanned(c, opened.found) ?? opened.found;
    const refusal = refusalOf(found, decision, planHash) ?? PLAN_CHANGED;
    return await answerRunPage(c, { ...opened, found }, 409, refusal);
  }
  return c.redirect(pathOf(c), 303);
}

/** The run with its fresh plan; as it is now where too many wait with this link, or in the organization. */
async function untilPlanned(c: Context<Env>, { run }: StoredRun): Promise<StoredRun | null> {
  const hub = c.get("hub");
  const { organizationId, id } = run;
  const entered = enter(c, "waits", { key: `link ${encodeId("run", id)}`, organizationId });
  if (!entered.isIn) return await findRun(hub.db, organizationId, id);
  try {
    return await untilAtRest(hub, run, { ms: FRESH_PLAN_MS, signal: c.req.raw.signal });
  } finally {
    entered.leave();
  }
}

async function answerRunPage(
  c: Context<Env>,
  { found, expiresAt, terms }: OpenedLink,
  status: 200 | 409,
  notice: RunPage["notice"],
): Promise<Response> {
  const hub = c.get("hub");
  const { run } = found;
  const organization = await findOrganization(hub.db, run.organizationId);
  const timezone = organization?.timezone ?? "UTC";
  const search = searchOf(c);
  const after = placeOf(c.req.query("after"));
  const planned = run.counts !== null;
  const { rights } = terms;
  const { issues, next } = planned || run.status === "failed"
    ? await listIssues(hub.db, run.organizationId, run.id, { after: 0, limit: ISSUES_SHOWN }, run)
    : { issues: [], next: null };
  return await answerPage(c, {
    title: runTitle(found),
    organization: organization?.name ?? null,
    main: viewRunPage({
      found,
      timezone,
      path: pathOf(c),
      publicUrl: hub.publicUrl,
      rights,
      people: planned && rights.people
        ? await readHeavy(hub, "listPeople", askerOf(c, run.organizationId), run.organizationId, run.id, search, {
          after,
          limit: PEOPLE_A_PAGE,
        })
        : { people: [], next: null },
      ...search,
      after,
      issues: rights.people ? issues : issues.map(issueWithoutRow),
      moreIssues: next !== null,
      successor: await linkToSuccessor(c, found, expiresAt, terms),
      notice,
    }),
    footer: html`<p>This page works for everybody who has its address, until ${whenInWords(expiresAt, timezone)}.
      Hand it on only to people who may decide about this.</p>`,
  }, status);
}

/**
 * When a newer input is held in this one's place, whoever could decide about this one can look at that: it is the same
 * feed, and its hold is not announced again. No longer than this link itself, and no more than it allows.
 */
async function linkToSuccessor(
  c: Context<Env>,
  { run }: StoredRun,
  expiresAt: number,
  terms: LinkTerms,
): Promise<string | null> {
  if (run.status !== "superseded") return null;
  const hub = c.get("hub");
  const id = await findHeldSuccessor(hub.db, run);
  if (id === null) return null;
  return await mintLink(hub, { id, organizationId: run.organizationId }, "page", expiresAt, terms);
}

function searchOf(c: Context<Env>): { q: string; filter: PeopleFilter | null } {
  const show = c.req.query("show");
  return {
    q: (c.req.query("q") ?? "").trim().slice(0, MAX_QUERY_CHARACTERS),
    filter: PEOPLE_FILTERS.find((filter) => filter === show) ?? null,
  };
}

/** A place that the page gave; what is none begins at the first. */
function placeOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

/** Below the hub's public address, where that has a path of its own; the browser may know the host by another name. */
function pathOf(c: Context<Env>): string {
  const base = new URL(c.get("hub").publicUrl).pathname.replace(/\/+$/, "");
  return `${base}/r/${c.req.param("signed")}`;
}

async function readForm(c: Context<Env>): Promise<URLSearchParams> {
  const type = (c.req.header("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new Fault("unsupported_media_type", "This is decided with the form of the page");
  }
  return new URLSearchParams(new TextDecoder().decode(await readBody(c.req.raw.headers, incoming(c), MAX_FORM_BYTES)));
}
