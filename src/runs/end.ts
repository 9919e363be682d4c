/**
 * The end of a run, in one batch: its status, its events and mail, the health of its connection, and what follows it.
 */
import { wholeInput } from "../reconcile/draft.ts";
import type { Hub } from "../hub.ts";
import { CODES, type IssueCode } from "../model/codes.ts";
import { kindOf } from "../model/connection-health.ts";
import type { Fault, FaultCode } from "../model/errors.ts";
import type { Counts, RunStatus } from "../model/run.ts";
import { countNovelty } from "../notify/novelty.ts";
import { mailStatements } from "../notify/queue-mails.ts";
import { eventOfEnd, eventsOfInput, heldEvent } from "../notify/run-events.ts";
import type { Statement } from "../store/database.ts";
import { eventStatements, runIs } from "../store/notify/events.ts";
import { clearPlan, createPlanStore } from "../store/runs/plans.ts";
import { releaseLease, renewLease } from "../store/runs/queue.ts";
import { updateRun } from "../store/runs/run-steps.ts";
import { findRun, type Run, type StoredRun, viewRun } from "../store/runs/runs.ts";
import { countDone } from "./count-done.ts";
import { healthAfter } from "./health.ts";
import { countDetails, logRun } from "./log.ts";
import type { Leased } from "./stage.ts";

export interface Ending {
  readonly status: RunStatus;
  readonly error?: Run["error"];
  readonly counts?: Counts;
  /** What the connection keeps of the run. */
  readonly remember?: readonly Statement[];
  readonly followers?: readonly Follower[];
}

/** A run that is queued with the end of another. */
export interface Follower {
  readonly id: number;
  readonly statement: Statement;
}

/** Runs that end so have read their input, or have failed over it. */
const FINISHED: ReadonlySet<RunStatus> = new Set(["succeeded", "partial", "failed"]);

export async function endRun(hub: Hub, { run, lease }: Leased, ending: Ending): Promise<void> {
  const { remember = [], followers = [], ...values } = ending;
  const finishedAt = hub.now();
  const ended = { ...values, progress: null, finishedAt };
  await hub.db.write([
    updateRun(hub.db, run.id, ended),
    ...await endStatements(hub, { ...run, ...ended }),
    ...remember,
    ...followers.map(({ statement }) => statement),
    releaseLease(hub.db, lease),
  ]);
  logRun(hub, run, "run.ended", {
    status: ending.status,
    code: ending.error?.code ?? null,
    ms: finishedAt - run.createdAt,
    ...countDetails(ending.counts ?? null),
  });
  for (const { id } of followers) logRun(hub, { ...run, id }, "run.queued", { trigger: "retry", mode: "auto" });
  if (followers.length > 0) hub.wake();
}

/**
 * What is written after the statement that ends the run: `run` is as it is afterwards. What is read here is still so when
 * the batch is written, as the organization's lease keeps others from ending runs of it meanwhile.
 */
export async function endStatements(hub: Hub, run: Run): Promise<Statement[]> {
  const novelty = FINISHED.has(run.status) ? await countNovelty(hub.db, run) : null;
  const view = await viewOf(hub, run);
  const health = await healthAfter(hub, run, view);
  const events = [...await eventsOfInput(hub, run, view, novelty), ...health.events, eventOfEnd(run, view)];
  return [
    ...eventStatements(hub.db, events, hub.now(), runIs(run.status)),
    ...health.statements,
    ...await mailStatements(hub, run, novelty),
  ];
}

/** The same for a run that is held. */
export async function heldStatements(hub: Hub, run: Run): Promise<Statement[]> {
  const event = await heldEvent(hub, run, await viewOf(hub, run));
  return [
    ...eventStatements(hub.db, [event], hub.now(), runIs(run.status)),
    ...await mailStatements(hub, run, null),
  ];
}

async function viewOf({ db }: Hub, run: Run) {
  const stored = await findRun(db, run.organizationId, run.id);
  return viewRun(asStored(stored!, run));
}

/** The run in memory does not know when it was begun. */
function asStored(stored: StoredRun, run: Run): StoredRun {
  return { ...stored, run: { ...run, startedAt: stored.run.startedAt } };
}

/** A fault ends the run, and the report says why. Nothing of it is applied, unless applying had begun. */
export async function failRun(hub: Hub, leased: Leased, fault: Fault): Promise<void> {
  const { db } = hub;
  // It may have come to apply since it was leased.
  const run = (await findRun(db, leased.run.organizationId, leased.run.id))?.run ?? leased.run;
  const error = { code: fault.code, message: fault.message, line: fault.line };
  if (run.status === "applying") {
    const { counts } = await countDone(db, run);
    return await endRun(hub, { ...leased, run }, { status: "failed", error, counts });
  }
  const renew = () => renewLease(db, leased.lease);
  if (fault.code === "rows_rejected") await clearPlan(db, run.id, renew, { keepIssues: true });
  else {
    const store = await createPlanStore(db, run.organizationId, run.id, renew);
    store.report(wholeInput([issueOf(fault)], { line: fault.line }));
    await store.finish();
  }
  await endRun(hub, { ...leased, run }, { status: "failed", error });
}

function issueOf({ code, message }: Fault) {
  // A source that is fetched is not sent again by anybody.
  const suggestion = kindOf(code) === "input"
    ? "Correct the input as the message says, and send it again"
    : CODES[code as IssueCode]?.todo ?? "Try again later";
  return {
    severity: "error",
    code: code as IssueCode & FaultCode,
    field: null,
    value: null,
    message,
    suggestion,
  } as const;
}
