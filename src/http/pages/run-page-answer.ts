/** Loads what a run's page shows, and answers with it. */
import type { Context } from "hono";
import type { Hub } from "../../hub.ts";
import type { Issue } from "../../model/record.ts";
import { digestIssues, NO_ISSUES, withoutRows } from "../../report/digest.ts";
import { sourceOf } from "../../report/source.ts";
import { readHeavy } from "../../store/people/heavy-reads.ts";
import { PEOPLE_FILTERS, type PeopleFilter } from "../../store/runs/run-people.ts";
import { listRunDecisions } from "../../store/runs/deciders.ts";
import { findHeldBefore, findHeldSuccessor, isAtRest, listFileNames } from "../../store/runs/runs.ts";
import { askerOf } from "../kit/caller.ts";
import type { Env } from "../kit/env.ts";
import { questionsOf } from "./contradictions.ts";
import type { Visit } from "./visit.ts";
import { type RunPage, runTitle } from "./run-page-model.ts";
import { viewRunPage } from "./run-view.ts";

const PEOPLE_A_PAGE = 25;
const ISSUES_SHOWN = 20;
const QUESTIONS_A_PAGE = 10;
const MAX_QUERY_CHARACTERS = 100;

/** Answers with the run's page as its reader may see it. */
export async function answerRunPage(
  c: Context<Env>,
  visit: Visit,
  status: 200 | 409,
  notice: RunPage["notice"],
): Promise<Response> {
  const hub = c.get("hub"), { found, rights, timezone, path, fields } = visit;
  const { run } = found;
  const search = searchOf(c);
  const after = placeOf(c.req.query("after"));
  const planned = run.counts !== null;
  const hasReport = planned || run.status === "failed";
  const asks = hasReport && rights.people && found.connection !== null;
  const isShown = asks ? ({ conflict }: Issue) => conflict === undefined : undefined;
  const issues = hasReport ? await digestIssues(hub.db, run, ISSUES_SHOWN, isShown) : NO_ISSUES;
  const main = viewRunPage({
    found,
    timezone,
    path,
    fields,
    columns: found.drop === null ? null : visit.columns,
    rows: visit.rows,
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
    questions: asks ? await loadQuestions(c, visit) : { asked: [], next: null, after: -1 },
    source: sourceOf(hub, found),
    decided: await listRunDecisions(hub.db, run),
    successor: await addressOfSuccessor(hub, visit),
    behind: await findHeldBefore(hub.db, run),
    cameWith: run.status === "held" && run.parts !== null
      ? await listFileNames(hub.db, run.organizationId, run.parts)
      : [],
    notice,
  });
  return await visit.answer({ title: runTitle(found), main, isLive: !isAtRest(run.status) }, status);
}

/** The rows that somebody has to decide about, from where the request says. */
async function loadQuestions(c: Context<Env>, { found, seesEverybody }: Visit): Promise<RunPage["questions"]> {
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
  return { asked: await questionsOf(hub.db, found, seesEverybody, rows), next, after };
}

/**
 * The address of the held run that has replaced this one; null: there is none. No mail announces a hold twice for the same
 * connection, so a reader of this page may decide about that run.
 */
async function addressOfSuccessor({ db }: Hub, { found: { run }, addressOf }: Visit): Promise<string | null> {
  if (run.status !== "superseded") return null;
  const id = await findHeldSuccessor(db, run);
  return id === null ? null : await addressOf(id);
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
