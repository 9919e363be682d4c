/** Ends a run in one batch: its status, events and mail, the health of its connection, and the runs that follow it. */
import { wholeInput } from "../reconcile/draft.ts";
import type { Hub } from "../hub.ts";
import { adviceAtSource } from "../model/advice.ts";
import { sourceOf } from "../report/source.ts";
import { CODES, type IssueCode } from "../model/codes.ts";
import { kindOf } from "../model/connection-health.ts";
import type { Fault, FaultCode } from "../model/errors.ts";
import { isAutomated } from "../model/mail-rules.ts";
import type { Counts, RunStatus } from "../model/run.ts";
import { countNovelty } from "../notify/novelty.ts";
import { mailStatements } from "../notify/queue-mails.ts";
import { eventOfEnd, eventsOfInput, heldEvent } from "../notify/run-events.ts";
import type { Statement } from "../store/database.ts";
import { connectorWithoutContact } from "../store/notify/mail-states.ts";
import { eventStatements, runIs } from "../store/notify/events.ts";
import { clearPlan, createPlanStore } from "../store/runs/plans.ts";
import { joinFollowing } from "../store/runs/parts.ts";
import { releaseLease, renewLease } from "../store/runs/queue.ts";
import { rememberColumns, updateRun } from "../store/runs/run-steps.ts";
import { findRun, type Run, type StoredRun, viewRun } from "../store/runs/runs.ts";
import { countDone, countNothingDone } from "./count-done.ts";
import { healthAfter } from "./health.ts";
import { countDetails, logRun } from "./log.ts";
import type { Leased } from "./stage.ts";

export interface Ending {
  readonly status: RunStatus;
  readonly error?: Run["error"];
  readonly counts?: Counts;
  /** What is stored with the connection about the run. */
  readonly remember?: readonly Statement[];
  readonly followers?: readonly Follower[];
}

/** A run that is queued when another one ends. */
export interface Follower {
  readonly id: number;
  readonly statements: readonly Statement[];
}

/** A run that ends so has read its input, or has failed because of it. */
const FINISHED: ReadonlySet<RunStatus> = new Set(["succeeded", "partial", "failed"]);

export async function endRun(hub: Hub, { run, lease }: Leased, ending: Ending): Promise<void> {
  const { remember = [], followers = [], ...values } = ending;
  const finishedAt = hub.now();
  const ended = { ...values, progress: null, finishedAt };
  await hub.db.write([
    updateRun(hub.db, run.id, ended),
    ...await endStatements(hub, { ...run, ...ended }),
    ...remember,
    ...followers.flatMap(({ statements }) => statements),
    releaseLease(hub.db, lease),
  ]);
  logRun(hub, run, "run.ended", {
    status: ending.status,
    code: ending.error?.code ?? null,
    ms: finishedAt - run.createdAt,
    ...countDetails(ending.counts ?? null),
  });
  if (ending.status === "failed" || ending.status === "partial") await warnIfNobodyIsMailed(hub, run);
  for (const { id } of followers) logRun(hub, { ...run, id }, "run.queued", { trigger: "retry", mode: "auto" });
  if (followers.length > 0) hub.wake();
}

/** Logs that a run was left without a reader: nobody waits for it, and there is no technical contact. */
async function warnIfNobodyIsMailed(hub: Hub, run: Run): Promise<void> {
  const { trigger, mode } = run;
  if (!isAutomated({ trigger, mode, connector: await connectorWithoutContact(hub.db, run) })) return;
  const fix = "Set technical_contact of the connection or of its organization";
  logRun(hub, run, "run.nobody_mailed", { fix });
}

/**
 * Statements that follow the one that ends the run; `run` has its final state. They rely on what is read here, which
 * cannot change before the batch is written: only the holder of the organization's lease ends its runs.
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

/** As endStatements, for a run that is held. */
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

/** The run in memory may not have the time of its start. */
function asStored(stored: StoredRun, run: Run): StoredRun {
  return { ...stored, run: { ...run, startedAt: stored.run.startedAt } };
}

/** Ends the run with the fault and reports it. Nothing is applied, unless applying had begun. */
export async function failRun(hub: Hub, leased: Leased, fault: Fault): Promise<void> {
  const { db } = hub;
  // Its status may have become `applying` since it was leased.
  const found = await findRun(db, leased.run.organizationId, leased.run.id);
  const run = found?.run ?? leased.run;
  const error = { code: fault.code, message: fault.message, line: fault.line };
  if (run.status === "applying") {
    const { counts } = await countDone(db, run);
    const remember = await rememberColumns(db, run);
    return await endRun(hub, { ...leased, run }, { status: "failed", error, counts, remember });
  }
  const renew = () => renewLease(db, leased.lease);
  if (fault.code === "rows_rejected") await clearPlan(db, run.id, renew, { keepIssues: true });
  else {
    const store = await createPlanStore(db, run.organizationId, run.id, renew);
    store.report(wholeInput([issueOf(fault, found === null ? null : sourceOf(hub, found))], { line: fault.line }));
    await store.finish();
  }
  const counts = run.counts === null ? {} : { counts: countNothingDone(run.counts) };
  await endRun(hub, { ...leased, run }, { status: "failed", error, ...counts, remember: [joinFollowing(db, run)] });
}

/** `source`: the name of the source, if it was fetched; it is corrected there, and fetched again. */
function issueOf({ code, message }: Fault, source: string | null) {
  const todo = kindOf(code) === "input"
    ? "Correct the input as the message says, and send it again"
    : CODES[code as IssueCode]?.todo ?? "Try again later";
  const suggestion = source === null ? todo : adviceAtSource(todo, source);
  return {
    severity: "error",
    code: code as IssueCode & FaultCode,
    field: null,
    value: null,
    message,
    suggestion,
  } as const;
}
