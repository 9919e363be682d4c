/** Saves a plan with its verdict in one batch: the run, its hash, its events and mail, and the lease. */
import { Fault } from "../model/errors.ts";
import { eventOfUntouched } from "../notify/run-events.ts";
import { eventStatements, runIs } from "../store/notify/events.ts";
import type { Statement } from "../store/database.ts";
import { hashPlan } from "../store/runs/plans.ts";
import { holdFollowing, joinFollowing } from "../store/runs/parts.ts";
import { releaseLease, supersedeHeld } from "../store/runs/queue.ts";
import { updateRun } from "../store/runs/run-steps.ts";
import type { Run } from "../store/runs/runs.ts";
import { hasMoved } from "../store/moved.ts";
import { nextPlace, setNames } from "../store/runs/run-names.ts";
import type { Considered, Division } from "./division.ts";
import type { Verdict } from "./decide.ts";
import { divide, type Divided } from "./divide.ts";
import { endStatements, heldStatements } from "./end.ts";
import { countDetails, logRun } from "./log.ts";
import type { Plan } from "./plan.ts";
import type { Stage } from "./stage.ts";

/** Returns the stage of the approved run; null: the run waits, or has ended. Fails with `rows_rejected`. */
export async function savePlan(stage: Stage, considered: Considered, verdict: Verdict): Promise<Stage | null> {
  const { hub, run } = stage;
  const { plan, division } = considered;
  const values = await valuesOf(stage, considered);
  if (verdict.kind === "rejected") {
    await hub.db.write([...stage.renew(), updateRun(hub.db, run.id, values)]);
    throw new Fault("rows_rejected", `None of the ${plan.counts.read} rows could be used; the failure report says why`);
  }
  if (verdict.kind === "wait") {
    await hub.db.write([
      updateRun(hub.db, run.id, {
        status: "queued",
        coverage: plan.coverage,
        waitsFor: verdict.behind?.id ?? null,
        partOf: continued(run, plan),
        attempts: 0,
        pause: null,
        progress: null,
      }),
      ...await namesOf(stage, division),
      ...await supersede(stage, verdict.supersedes),
      releaseLease(hub.db, stage.lease),
    ]);
    for (const each of verdict.supersedes) logRun(hub, each, "run.ended", { status: "superseded" });
    return null;
  }
  const divided = division === null || verdict.kind === "cancelled" ? null : await divideOf(stage, considered);
  const changes = { ...values, ...divided?.values, ...stateAfter(stage, verdict) };
  const next: Run = { ...run, ...changes };
  const isSaved = await saveUnlessMoved(stage, [
    ...stage.renew(),
    ...divided?.fences ?? [],
    updateRun(hub.db, run.id, changes),
    ...divided?.statements ?? [],
    ...(verdict.kind === "held" ? await namesOf(stage, division) : []),
    // A run that was held before, and is only planned again with what was added, is announced already.
    ...(verdict.kind === "held" && run.heldBy.length === 0 ? await heldStatements(hub, next) : []),
    ...(verdict.kind === "cancelled" ? await endStatements(hub, next) : []),
    ...await supersede(stage, verdict.supersedes),
    joinFollowing(hub.db, run),
    holdFollowing(hub.db, run),
    ...(verdict.kind === "apply" ? [] : [releaseLease(hub.db, stage.lease)]),
  ]);
  if (!isSaved) return null;
  logPlanned(stage, plan, verdict);
  for (const id of divided?.queued ?? []) {
    logRun(hub, { ...run, id }, "run.queued", { trigger: run.trigger, mode: run.mode });
  }
  if (divided !== null && divided.statements.length > 0) hub.wake();
  return verdict.kind === "apply" ? { ...stage, run: next } : null;
}

async function divideOf(stage: Stage, { plan, division }: Considered): Promise<Divided | null> {
  return plan.outcomes === null ? null : await divide(stage, division!, plan.outcomes.length);
}

/** The statements that name whom the run is about, so that others go on. */
async function namesOf({ hub: { db }, run }: Stage, division: Division | null): Promise<Statement[]> {
  if (division === null) return [];
  return setNames(db, run, division.place ?? await nextPlace(db), division.names);
}

/** False: somebody has decided about the held run, and this one is planned again. */
async function saveUnlessMoved({ hub, lease }: Stage, statements: readonly Statement[]): Promise<boolean> {
  try {
    await hub.db.write(statements);
    return true;
  } catch (error) {
    if (!hasMoved(error)) throw error;
    await hub.db.write([releaseLease(hub.db, lease)]);
    hub.wake();
    return false;
  }
}

type Saved = Exclude<Verdict, { kind: "rejected" } | { kind: "wait" }>;

async function valuesOf({ hub, run }: Stage, { plan, division }: Considered): Promise<Partial<Run>> {
  const { entity, coverage, complete, counts, input, outcomes, part } = plan;
  const isDivided = division !== null && division.leftOut.size > 0;
  // The same bytes again are another input as long as a part of them waits.
  const figures = isDivided && plan.figures !== null ? { ...plan.figures, sha256: null } : plan.figures;
  return {
    entity,
    coverage,
    complete,
    counts,
    figures,
    input,
    outcomes,
    // If the source was not read to its end, the reason stays with the run.
    error: plan.error,
    planVersion: plan.dataVersion,
    progress: null,
    partOf: part?.first ?? null,
    parts: part === null ? null : [...part.following],
    // Who approves parts approves that these ones are all of them.
    planHash: await hashPlan(hub.db, run.id, part?.asks === true ? part.following : []),
  };
}

function stateAfter({ hub }: Stage, { kind, heldBy }: Saved): Partial<Run> & Pick<Run, "status"> {
  const now = hub.now();
  return {
    status: kind === "apply" ? "applying" : kind,
    heldBy: [...heldBy],
    finishedAt: kind === "cancelled" ? now : null,
    plannedAt: now,
    ...(kind === "apply" ? { applyingAt: now } : {}),
  };
}

/** The first part of the full input that an earlier plan or a replaced run has begun; null: there is none. */
function continued({ id }: Run, { part }: Plan): number | null {
  return part === null || part.first === id ? null : part.first;
}

/** Ends held runs that the newer one replaces. */
async function supersede({ hub, run }: Stage, older: readonly Run[]): Promise<Statement[]> {
  if (older.length === 0) return [];
  const ended = { status: "superseded", finishedAt: hub.now() } as const;
  const events = await Promise.all(older.map((each) => eventOfUntouched(hub, each, ended)));
  return [
    supersedeHeld(hub.db, run, older.map(({ id }) => id), hub.now()),
    ...eventStatements(hub.db, events.flat(), hub.now(), runIs("superseded")),
  ];
}

function logPlanned({ hub, run, now }: Stage, { counts }: Plan, { kind, heldBy, supersedes }: Saved): void {
  logRun(hub, run, "run.planned", { ms: hub.now() - now, ...countDetails(counts) });
  for (const each of supersedes) logRun(hub, each, "run.ended", { status: "superseded" });
  if (kind === "held") logRun(hub, run, "run.held", { guards: heldBy.map(({ guard }) => guard).join() });
  if (kind === "cancelled") logRun(hub, run, "run.ended", { status: "cancelled" });
}
