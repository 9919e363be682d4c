/** Checks a plan against the guards, and returns those that hold it. Only reads. */
import { goneFields, type Held, holdingGuards, NO_FIGURES, vanishedColumns } from "../reconcile/guard.ts";
import { countsSince } from "../store/runs/queue.ts";
import type { Plan } from "./plan.ts";
import type { Guarded } from "./plans/plan.ts";
import { HOUR_MS } from "../std/time.ts";
import type { Stage } from "./stage.ts";

export async function guard(stage: Stage, plan: Plan): Promise<readonly Held[]> {
  const { guarded } = plan;
  switch (guarded.kind) {
    case "people":
      return await guardPeople(stage, plan, guarded);
    case "departments": {
      const { failed, rowsRead } = guarded;
      return holdingGuards({ ...NO_FIGURES, errors: failed, rowsRead }, 0, stage.guards);
    }
    case "leavers": {
      const { deactivated } = guarded;
      const base = deactivated === 0 ? 0 : await guarded.activeLinked();
      return holdingGuards({ ...NO_FIGURES, deactivate: deactivated }, base, stage.guards);
    }
    case "none":
      return [];
  }
}

type People = Extract<Guarded, { kind: "people" }>;

async function guardPeople(stage: Stage, { coverage }: Plan, people: People): Promise<Held[]> {
  const { connection, guards, policy } = stage;
  const { plan } = people;
  // Counting all linked people is slow. No guard that passes with the lower bound would hold with the exact number.
  const base = async () => Math.max(plan.activeAtLeast, await people.activeLinked() + plan.newActive);
  const figures = await figuresOf(stage, plan);
  let held = holdingGuards(figures, plan.activeAtLeast, guards);
  if (held.some(({ guard }) => guard !== "errors")) held = holdingGuards(figures, await base(), guards);
  const isWhole = coverage === "full" && plan.complete;
  if (isWhole && policy.empty_cells === "clear") {
    held.push(...vanishedColumns(plan.filled, connection.baseline.users ?? null, guards));
  }
  // If a status was renamed at the source, everybody with it looks like somebody who is not imported.
  const isRenamed = people.warnings.some(({ code }) => code === "status_not_in_source");
  if (isRenamed && plan.deactivate > 0 && guards.deactivate.enabled && held.every((h) => h.guard !== "deactivate")) {
    held.push({ guard: "deactivate", count: plan.deactivate, limit: 0, base: await base() });
  }
  if (isWhole && isFetched(stage) && wasReadAlike(stage)) {
    held.push(...goneFields(plan.filled, connection.baseline.users!, guards));
  }
  return held;
}

async function figuresOf(stage: Stage, plan: People["plan"]) {
  const { hub, connection, now } = stage;
  const { counts } = plan;
  const figures = {
    deactivate: plan.deactivate,
    reactivate: counts.reactivated,
    identity: plan.identity,
    update: counts.updated,
    create: connection.fullInputs > 0 ? counts.created : null,
    errors: counts.failed,
    missing: isFetched(stage) ? plan.newlyMissing : null,
    rowsRead: counts.read,
  };
  if (!isFedByRecord(stage)) return figures;
  // Each run is small there, so an accident shows only in the last hour's sum.
  const recent = await countsSince(hub.db, connection.id, now - HOUR_MS);
  return {
    ...figures,
    deactivate: figures.deactivate + recent.deactivate!,
    reactivate: figures.reactivate + recent.reactivate!,
    update: figures.update + recent.update!,
    create: figures.create === null ? null : figures.create + recent.create!,
    errors: figures.errors + recent.errors!,
    rowsRead: figures.rowsRead + recent.read!,
  };
}

function isFedByRecord({ hub, connection }: Stage): boolean {
  return hub.registry.get(connection.connector)?.coverage === "diff" && connection.preset === null;
}

function isFetched({ hub, connection }: Stage): boolean {
  return hub.registry.get(connection.connector)?.takesDrops === false;
}

/** Whether the last complete full read asked for the same fields, so that a field without values has disappeared. */
function wasReadAlike({ connection }: Stage): boolean {
  return connection.baseline.users !== undefined &&
    connection.lastApplied.users?.settingsVersion === connection.settingsVersion;
}
