/**
 * Decisions on a run's page. The first POST only asks; the second, from the form of that question, decides.
 *
 * Behind a link, no token against forged requests is needed. There is no cookie and no session that a foreign page could
 * make use of: all that a visitor needs is the address itself, and a foreign page that knows it could as well open it.
 */
import type { Context } from "hono";
import { z } from "zod";
import { approveRun, cancelRun } from "../../runs/approve.ts";
import { Fault } from "../../model/errors.ts";
import { findRun, isAtRest, type StoredRun } from "../../store/runs/runs.ts";
import { LINK_REFUSED, openOrRefuse, PAGE_BUSY } from "../api/links.ts";
import { incoming, readBody } from "../kit/body.ts";
import { describe, LOCATION, PAGE, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { enter } from "../kit/in-flight.ts";
import { untilAtRest } from "../kit/waiting.ts";
import { type Visit, visitByLink } from "./visit.ts";
import { answerRunPage } from "./run-page-answer.ts";
import { viewConfirmation } from "./run-view-decisions.ts";
import type { Decision, RunPage } from "./run-page-model.ts";

const MAX_FORM_BYTES = 4 * 1024;
/** How long a refused decision waits for the new plan, so that the answer can show it. */
const FRESH_PLAN_MS = 5_000;

/** Answers to the forms of the page. */
export const DECIDED_ON_PAGE = {
  200: PAGE,
  303: { description: "Back to the run's page", headers: { Location: LOCATION } },
  ...LINK_REFUSED,
  403: PAGE,
  ...PAGE_BUSY,
  409: PAGE,
  413: PAGE,
  415: PAGE,
};
const FORM = z.strictObject({
  plan_hash: z.string().optional().meta({ description: "Hash of the plan that was shown", examples: ["5f1c0e9b"] }),
  confirmed: z.literal("yes").optional().meta({ description: "Without it, the answer asks for confirmation" }),
});

const PLAN_CHANGED = {
  title: "The plan has changed",
  text: "It is no longer the one you reviewed, so nothing was approved. Please review the new plan below.",
};

export function decideOnPage(decision: Decision, operationId: string, summary: string) {
  return route(
    describe(operationId, summary, DECIDED_ON_PAGE, {
      description: "The form of the page; `confirmed=yes` decides. The link has to allow it.",
      body: { required: true, content: { "application/x-www-form-urlencoded": FORM } },
      pages: true,
    }),
    async (c) => {
      const opened = await openOrRefuse(c, ["page"]);
      return opened instanceof Response ? opened : await decideAt(c, await visitByLink(c, opened), decision);
    },
  );
}

/** Answers to the form of a decision: it asks, or decides. */
export async function decideAt(
  c: Context<Env>,
  visit: Visit,
  decision: Decision,
  sent?: URLSearchParams,
): Promise<Response> {
  if (!visit.rights[decision]) throw new Fault("forbidden", `You may see this run and cannot ${decision} it`);
  const form = sent ?? await readForm(c);
  const planHash = form.get("plan_hash") ?? "";
  const refusal = refusalOf(visit.found, decision, planHash);
  if (refusal !== null) return await answerRunPage(c, visit, 409, refusal);
  if (form.get("confirmed") !== "yes") return await ask(visit, decision, planHash);
  return await decide(c, visit, decision, planHash);
}

/** Why the run cannot be decided about as it is now; null: it can. */
function refusalOf({ run }: StoredRun, decision: Decision, planHash: string): RunPage["notice"] {
  if (decision === "cancel") {
    if (!isAtRest(run.status) || run.status === "planned" || run.status === "held") return null;
    return { title: "It can no longer be cancelled", text: "The run has ended in the meantime; see its result below." };
  }
  if (run.status !== "planned" && run.status !== "held") {
    const text = run.status === "queued" || run.status === "planning"
      ? "A new plan is being made. Refresh the page in a moment, and decide about that one."
      : "The run has moved on since you opened the page; see its status below.";
    return { title: "There is nothing to approve", text };
  }
  return run.planHash === planHash ? null : PLAN_CHANGED;
}

function ask({ answer, found, path, fields }: Visit, decision: Decision, planHash: string): Promise<Response> {
  return answer({
    title: decision === "approve" ? "Approve?" : "Cancel?",
    main: viewConfirmation({ found, path, fields, decision, planHash }),
  });
}

async function decide(c: Context<Env>, visit: Visit, decision: Decision, planHash: string): Promise<Response> {
  const hub = c.get("hub"), { by } = visit;
  const { organizationId, id } = visit.found.run;
  try {
    if (decision === "approve") await approveRun(hub, organizationId, id, planHash, by);
    else await cancelRun(hub, organizationId, id, by);
  } catch (error) {
    if (!(error instanceof Fault) || (error.code !== "conflict" && error.code !== "plan_changed")) throw error;
    // Another decision came first, or people have changed since. In that case a new plan is being made.
    const found = await untilPlanned(c, visit) ?? visit.found;
    const refusal = refusalOf(found, decision, planHash) ?? PLAN_CHANGED;
    return await answerRunPage(c, { ...visit, found }, 409, refusal);
  }
  return c.redirect(visit.path, 303);
}

/** Waits for the new plan. Does not wait if too many requests of the reader or of the organization wait already. */
async function untilPlanned(c: Context<Env>, { found: { run }, waiter }: Visit): Promise<StoredRun | null> {
  const hub = c.get("hub");
  const { organizationId, id } = run;
  const entered = enter(c, "waits", { key: waiter, organizationId });
  if (!entered.isIn) return await findRun(hub.db, organizationId, id);
  try {
    return await untilAtRest(hub, run, { ms: FRESH_PLAN_MS, signal: c.req.raw.signal });
  } finally {
    entered.leave();
  }
}

export async function readForm(c: Context<Env>, maxBytes = MAX_FORM_BYTES): Promise<URLSearchParams> {
  const type = (c.req.header("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new Fault("unsupported_media_type", "This is decided with the form of the page");
  }
  return new URLSearchParams(new TextDecoder().decode(await readBody(c.req.raw.headers, incoming(c), maxBytes)));
}
