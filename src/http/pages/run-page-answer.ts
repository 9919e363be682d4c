/** Loads what a run's page shows, and answers with it. */
import type { Context } from "hono";
import { html } from "hono/html";
import { type LinkTerms, mintLink } from "../../notify/links.ts";
import { whenInWords } from "../../notify/words.ts";
import type { Issue } from "../../model/record.ts";
import { digestIssues, NO_ISSUES, withoutRows } from "../../report/digest.ts";
import { sourceOf } from "../../report/source.ts";
import { findOrganization } from "../../store/organizations.ts";
import { readHeavy } from "../../store/people/heavy-reads.ts";
import { PEOPLE_FILTERS, type PeopleFilter } from "../../store/runs/run-people.ts";
import { listRunDecisions } from "../../store/runs/deciders.ts";
import type { StoredRun } from "../../store/runs/runs.ts";
import { findHeldBefore, findHeldSuccessor, listFileNames } from "../../store/runs/runs.ts";
import type { OpenedLink } from "../api/links.ts";
import { askerOf } from "../kit/caller.ts";
import type { Env } from "../kit/env.ts";
import { answerPage } from "./frame.ts";
import { questionsOf } from "./contradictions.ts";
import { type RunPage, runTitle } from "./run-page-model.ts";
import { viewRunPage } from "./run-view.ts";

const PEOPLE_A_PAGE = 25;
const ISSUES_SHOWN = 20;
const QUESTIONS_A_PAGE = 10;
const MAX_QUERY_CHARACTERS = 100;

/** Answers with the page of the run that the link opens, as the link allows. */
export async function answerRunPage(
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
  const hasReport = planned || run.status === "failed";
  const asks = hasReport && rights.people && found.connection !== null;
  const isShown = asks ? ({ conflict }: Issue) => conflict === undefined : undefined;
  const issues = hasReport ? await digestIssues(hub.db, run, ISSUES_SHOWN, isShown) : NO_ISSUES;
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
      issues: rights.people ? issues : withoutRows(issues),
      questions: asks ? await loadQuestions(c, found, terms) : { asked: [], next: null, after: -1 },
      source: sourceOf(hub, found),
      decided: await listRunDecisions(hub.db, run),
      successor: await linkToSuccessor(c, found, expiresAt, terms),
      behind: await findHeldBefore(hub.db, run),
      cameWith: run.status === "held" && run.parts !== null
        ? await listFileNames(hub.db, run.organizationId, run.parts)
        : [],
      notice,
    }),
    footer: html`<p>Anyone with this address can open the page until ${whenInWords(expiresAt, timezone)}.
      Share it only with people who may decide about this run.</p>`,
  }, status);
}

/** The rows that somebody has to decide about, from where the request says. */
async function loadQuestions(c: Context<Env>, found: StoredRun, terms: LinkTerms): Promise<RunPage["questions"]> {
  const hub = c.get("hub"), { organizationId, id } = found.run, after = placeOfRows(c);
  const place = { after, limit: QUESTIONS_A_PAGE };
  const { rows, next } = await readHeavy(
    hub,
    "listContradictions",
    askerOf(c, organizationId),
    organizationId,
    id,
    place,
  );
  return { asked: await questionsOf(hub.db, found, terms, rows), next, after };
}

/**
 * A link to the held run that has replaced this one; null: there is none. No mail announces a hold twice for the same
 * connection, so a reader of this page may decide about that run. The new link has the same end and the same rights.
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

export function searchOf(c: Context<Env>): { q: string; filter: PeopleFilter | null } {
  const show = c.req.query("show");
  return {
    q: (c.req.query("q") ?? "").trim().slice(0, MAX_QUERY_CHARACTERS),
    filter: PEOPLE_FILTERS.find((filter) => filter === show) ?? null,
  };
}

/** The place in the input behind which the rows to decide about begin; -1: at the first. */
export function placeOfRows(c: Context<Env>): number {
  const rows = c.req.query("rows");
  return rows === undefined ? -1 : placeOf(rows);
}

/** The place in a link of the page; an invalid one means the beginning. */
function placeOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

/** The page's path. It begins with the path of the hub's public address, and leaves out the host, which may differ. */
export function pathOf(c: Context<Env>): string {
  const base = new URL(c.get("hub").publicUrl).pathname.replace(/\/+$/, "");
  return `${base}/r/${c.req.param("signed")}`;
}
