/** Asks the guards about a plan: which of them hold it. Only reads. */
import {
  addFigures,
  figuresOf,
  goneFields,
  type Held,
  holdingGuards,
  NO_FIGURES,
  vanishedColumns,
} from "../reconcile/guard.ts";
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
  const { hub, connection, guards, policy } = stage;
  const { plan } = people;
  // Counting everybody linked is slow; the lower bound holds nothing back that the full number would let pass.
  const base = async () => Math.max(plan.activeAtLeast, await people.activeLinked() + plan.newActive);
  const planned = figuresOf(plan, { isFirst: connection.fullInputs === 0, isFetched: isFetched(stage) });
  // Records that are sent one by one: an accident comes in small pieces there.
  const figures = isFedByRecord(stage)
    ? addFigures(planned, await countsSince(hub.db, connection.id, stage.now - HOUR_MS))
    : planned;
  let held = holdingGuards(figures, plan.activeAtLeast, guards);
  if (held.some(({ guard }) => guard !== "errors")) held = holdingGuards(figures, await base(), guards);
  const isWhole = coverage === "full" && plan.complete;
  if (isWhole && policy.empty_cells === "clear") {
    held.push(...vanishedColumns(plan.filled, connection.baseline.users ?? null, guards));
  }
  // Everybody whose status has another name now looks like somebody who is not to be imported.
  const isRenamed = people.warnings.some(({ code }) => code === "status_not_in_source");
  if (isRenamed && plan.deactivate > 0 && guards.deactivate.enabled && held.every((h) => h.guard !== "deactivate")) {
    held.push({ guard: "deactivate", count: plan.deactivate, limit: 0, base: await base() });
  }
  if (isWhole && isFetched(stage) && wasReadAlike(stage)) {
    held.push(...goneFields(plan.filled, connection.baseline.users!, guards));
  }
  return held;
}

function isFedByRecord({ hub, connection }: Stage): boolean {
  return hub.registry.get(connection.connector)?.coverage === "diff" && connection.preset === null;
}

function isFetched({ hub, connection }: Stage): boolean {
  return hub.registry.get(connection.connector)?.takesDrops === false;
}

/** The last complete full read asked for the same fields: those of which there is nothing now were taken from it. */
function wasReadAlike({ connection }: Stage): boolean {
  return connection.baseline.users !== undefined &&
    connection.lastApplied.users?.settingsVersion === connection.settingsVersion;
}
