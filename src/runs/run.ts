/**
 * A run, from its place in the queue to its end: fetch → plan → guard → apply → report.
 *
 * Whoever carries a run holds its organization's lease. Killed at any point, the run is found in the status it had and
 * goes on: planning starts anew, applying goes on with the first page that is not applied.
 */
import { Fault, type FaultCode } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { CODES, type IssueCode } from "../model/codes.ts";
import { logRun, saidCounts } from "./log.ts";
import { applyRun, countDone } from "./apply.ts";
import { announce, endedUntouched } from "../notify/announce.ts";
import { kindOf } from "../model/connection-health.ts";
import { planDrop } from "./plan.ts";
import { planWithoutDrop } from "./plan-without-drop.ts";
import { GivenBack, openStage, type RunOptions, type Stage } from "./stage.ts";
import { createRunTurns, type RunTurns } from "./turns.ts";
import type { Statement } from "../store/database.ts";
import { eventStatements, runIs } from "../store/notify/events.ts";
import { isFull } from "../store/trouble.ts";
import { findFetch } from "../store/connections/fetches.ts";
import { clearPlan, createPlanStore, hashPlan } from "../store/runs/plans.ts";
import {
  claimRun,
  type Lease,
  listRunnable,
  releaseLease,
  renewLease,
  type Runnable,
  supersedeHeld,
} from "../store/runs/queue.ts";
import { dataVersionOf, isCancelRequested, listHeld, updateRun } from "../store/runs/run-steps.ts";
import { findRun, type Run } from "../store/runs/runs.ts";
import type { HeldBy } from "../model/run.ts";
import { causesOf, codeOf } from "../std/causes.ts";

const MAX_ATTEMPTS = 10;

/** A run that was taken up, with the lease that is held for it. */
export interface Taken {
  readonly run: Run;
  readonly lease: Lease;
}

/**
 * Carries the next run that can go on, or only `options.runId`, to its end. Gives its id; null when there is none. Of
 * several organizations the one is next that `turns` says; without them, the one whose run is the oldest.
 */
export async function runNext(
  hub: Hub,
  options: RunOptions,
  turns: RunTurns = createRunTurns(),
): Promise<number | null> {
  const isGone = options.isGone ?? (() => false);
  for (const runnable of turns.order(await listRunnable(hub.db, hub.now(), options.runId ?? null, isGone))) {
    const taken = await takeRun(hub, runnable, options);
    if (taken === null) continue;
    const startedAt = hub.now();
    try {
      await carry(hub, taken, options);
    } finally {
      turns.took(runnable, hub.now() - startedAt);
    }
    return runnable.id;
  }
  turns.forget();
  return null;
}

/** Null: somebody else was faster. */
export async function takeRun(hub: Hub, runnable: Runnable, options: RunOptions): Promise<Taken | null> {
  const { id: runId, organizationId } = runnable;
  const lease: Lease = { organizationId, runId, owner: options.owner, now: hub.now };
  const run = await claimRun(hub.db, lease, options.isGone ?? (() => false));
  return run === null ? null : { run, lease };
}

/** Carries a run that was taken up to its end, or to where it rests. */
export async function carry(hub: Hub, { run, lease }: Taken, options: RunOptions): Promise<void> {
  const { db } = hub;
  const release = () => db.write([releaseLease(db, lease)]);
  try {
    if (run.cancelRequested && run.status !== "applying") return await end(hub, run, lease, { status: "cancelled" });
    if (run.attempts >= MAX_ATTEMPTS) {
      throw new Fault("run_failed", `The run did not come to an end in ${MAX_ATTEMPTS} attempts`);
    }
    await db.write([
      updateRun(db, run.id, {
        attempts: run.attempts + 1,
        startedAt: run.startedAt ?? hub.now(),
        ...(run.status === "applying"
          ? { applyingAt: run.applyingAt ?? hub.now() }
          : { status: "planning", planningAt: hub.now(), plannedAt: null }),
      }),
      ...renewLease(db, lease),
    ]);
    const stage = await openStage(hub, run, lease, options);
    const planned = run.status === "applying" ? run : await plan(stage, lease);
    if (planned !== null) await applyRun({ ...stage, run: planned });
  } catch (error) {
    if (options.signal.reason instanceof GivenBack) {
      return void await db.write([updateRun(db, run.id, { attempts: run.attempts }), releaseLease(db, lease)]);
    }
    if (options.signal.aborted) return void await release();
    if (error instanceof Fault) return await fail(hub, run, lease, error);
    // The database's messages can hold people's data; its codes cannot.
    logRun(hub, run, "run.interrupted", { attempt: run.attempts + 1, error: nameOf(error) });
    if (isFull(error)) {
      // It is not the run's fault, so it is none of its attempts; whoever carries it waits before the next one.
      await db.write([updateRun(db, run.id, { attempts: run.attempts }), releaseLease(db, lease)]);
      throw new Fault("storage_full", "The hub's disk is full: make room on it, and the run goes on where it is", {
        cause: error,
      });
    }
    await release();
    if (run.attempts + 1 >= MAX_ATTEMPTS) {
      await fail(
        hub,
        run,
        lease,
        new Fault("run_failed", "The run failed again and again; the log names the error", { cause: error }),
      );
    } else if (options.rethrow === true) throw error;
  } finally {
    await options.staging?.clear();
  }
}

/** Plans and asks the guards. Gives the run when it is to be applied now; null when it is at rest. */
async function plan(stage: Stage, lease: Lease): Promise<Run | null> {
  const { hub, run, connection } = stage;
  const { db } = hub;
  const startedAt = hub.now();
  const planVersion = await dataVersionOf(db, run.organizationId);
  const hasInput = run.dropId !== null || await findFetch(db, run) !== null;
  const outcome = hasInput ? await planDrop(stage) : await planWithoutDrop(stage);
  if ("skipped" in outcome) {
    const error = {
      code: outcome.skipped,
      message: "The input is, byte for byte, the one that was applied last, and nothing has changed since",
    };
    await end(hub, run, lease, { status: "skipped", error });
    return null;
  }
  if ("superseded" in outcome) {
    await end(hub, run, lease, { status: "superseded" });
    return null;
  }
  if ("givesWayTo" in outcome) {
    await db.write([
      updateRun(db, outcome.givesWayTo, { entity: "departments" }),
      updateRun(db, run.id, { status: "queued", attempts: 0, progress: null }),
      releaseLease(db, lease),
    ]);
    return null;
  }
  const { entity, coverage, complete, counts, figures, input, outcomes } = outcome;
  const values: Partial<Run> = {
    entity,
    coverage,
    complete,
    counts,
    figures,
    input,
    outcomes,
    // What was read of a source is used, and why it was not all of it stays with the run.
    error: outcome.error ?? null,
    planVersion,
    progress: null,
    planHash: await hashPlan(db, run.id),
  };
  if (counts.read > 0 && counts.failed === counts.read) {
    await db.write([updateRun(db, run.id, values)]);
    throw new Fault("rows_rejected", `None of the ${counts.read} rows could be used; the failure report says why`);
  }
  const held: HeldBy[] = [...outcome.held];
  if (connection.holdNext && run.trigger !== "revert") held.push({ guard: "revert", count: 1, limit: 0, base: 1 });
  const older = run.mode === "plan"
    ? []
    : (await listHeld(db, run)).filter(({ id, entity: other }) => id < run.id && other === entity);
  const supersedes = complete && coverage === "full";
  if (older.length > 0 && coverage === "diff") {
    // It was queued as a full input and has turned out to be a diff: those wait their turn, to be planned again then.
    await db.write([
      updateRun(db, run.id, { status: "queued", coverage, attempts: 0, progress: null }),
      releaseLease(db, lease),
    ]);
    return null;
  }
  // An input that is not complete cannot take the place of a held one, so it waits with it.
  if (older.length > 0 && !supersedes && held.length === 0) held.push(...older.at(-1)!.heldBy);
  const status = await isCancelRequested(db, run.id)
    ? "cancelled"
    : run.mode === "plan"
    ? "planned"
    : held.length > 0
    ? "held"
    : "applying";
  const next: Partial<Run> = {
    ...values,
    status,
    heldBy: status === "held" || status === "planned" ? held : [],
    finishedAt: status === "cancelled" ? hub.now() : null,
    plannedAt: hub.now(),
    ...(status === "applying" ? { applyingAt: hub.now() } : {}),
  };
  const overtaken = older.length > 0 && supersedes ? await supersede(hub, older, { ...run, entity }) : [];
  await db.write([
    updateRun(db, run.id, next),
    ...(status === "held" || status === "cancelled" ? await announce(hub, { ...run, ...next }) : []),
    ...overtaken,
    ...(status === "applying" ? stage.renew() : [releaseLease(db, lease)]),
  ]);
  logRun(hub, run, "run.planned", { ms: hub.now() - startedAt, ...saidCounts(counts) });
  if (older.length > 0 && supersedes) {
    for (const each of older) logRun(hub, each, "run.ended", { status: "superseded" });
  }
  if (status === "held") logRun(hub, run, "run.held", { guards: held.map(({ guard }) => guard).join() });
  if (status === "cancelled") logRun(hub, run, "run.ended", { status });
  return status === "applying" ? { ...run, ...next } : null;
}

/** Held runs give their place to a newer one, and are told of as ended. */
async function supersede(hub: Hub, older: readonly Run[], run: Run): Promise<Statement[]> {
  const ended = { status: "superseded", finishedAt: hub.now() } as const;
  const news = await Promise.all(older.map((each) => endedUntouched(hub, each, ended)));
  return [
    supersedeHeld(hub.db, run, hub.now()),
    ...eventStatements(hub.db, news.flat(), hub.now(), runIs("superseded")),
  ];
}

async function end(hub: Hub, run: Run, lease: Lease, values: Partial<Run>): Promise<void> {
  const ended = { ...values, progress: null, finishedAt: hub.now() };
  await hub.db.write([
    updateRun(hub.db, run.id, ended),
    ...await announce(hub, { ...run, ...ended }),
    releaseLease(hub.db, lease),
  ]);
  logRun(hub, run, "run.ended", {
    status: values.status ?? run.status,
    code: values.error?.code ?? null,
    ms: hub.now() - run.createdAt,
    ...saidCounts(values.counts ?? null),
  });
}

/** A fault ends the run, and the report says why. Nothing of it is applied, unless applying had begun. */
async function fail(hub: Hub, started: Run, lease: Lease, fault: Fault): Promise<void> {
  const { db } = hub;
  // It may have come to apply since it was taken up.
  const run = (await findRun(db, started.organizationId, started.id))?.run ?? started;
  const error = { code: fault.code, message: fault.message, line: fault.line };
  if (run.status !== "applying") {
    if (fault.code !== "rows_rejected") {
      const store = await createPlanStore(db, run.organizationId, run.id, () => renewLease(db, lease));
      store.report({
        n: -1,
        line: fault.line,
        key: null,
        origin: null,
        cells: [],
        issues: [{
          severity: "error",
          code: fault.code as IssueCode & FaultCode,
          field: null,
          value: null,
          message: fault.message,
          // A source that is read is sent again by nobody.
          suggestion: kindOf(fault.code) === "input"
            ? "Correct the input as the message says, and send it again"
            : CODES[fault.code as IssueCode]?.todo ?? "Try again later",
        }],
      });
      await store.finish();
    } else await clearPlan(db, run.id, () => renewLease(db, lease), { keepIssues: true });
  }
  const done = run.status === "applying" ? { counts: (await countDone(db, run)).counts } : {};
  await end(hub, run, lease, { status: "failed", error, ...done });
}

function nameOf(error: unknown): string {
  const code = causesOf(error).map(codeOf).find((each) => each !== null);
  if (code !== undefined) return code!;
  return error instanceof Error ? error.name : "unknown";
}
