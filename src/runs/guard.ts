/** Asks the guards about a plan: which of them hold it. Only reads. */
import { connectorFor } from "../hub.ts";
import {
  type Bases,
  type Earlier,
  figuresOf,
  goneFields,
  type Held,
  holdingGuards,
  NO_BASES,
  NO_FIGURES,
  overAnHour,
  vanishedColumns,
} from "../reconcile/guard.ts";
import type { Entity } from "../model/record.ts";
import type { Coverage } from "../model/run.ts";
import { countsSince } from "../store/runs/queue.ts";
import type { Plan } from "./plan.ts";
import { keptOfAll } from "./parts.ts";
import type { Guarded } from "./plans/plan.ts";
import { HOUR_MS } from "../std/time.ts";
import type { Stage } from "./stage.ts";

export async function guard(stage: Stage, plan: Plan): Promise<readonly Held[]> {
  const { guarded } = plan;
  switch (guarded.kind) {
    case "people":
      return await guardPeople(stage, plan, guarded);
    case "departments":
      return guardDepartments(stage, plan, guarded);
    case "leavers": {
      const { deactivated } = guarded;
      const before = deactivated === 0 ? 0 : await guarded.activeLinked();
      const bases = { ...NO_BASES, people: before, known: before, before };
      return holdingGuards({ ...NO_FIGURES, deactivate: deactivated }, bases, stage.guards);
    }
    case "none":
      return [];
  }
}

function guardDepartments(
  stage: Stage,
  { coverage }: Plan,
  { failed, rows, created, kept, departments }: Extract<Guarded, { kind: "departments" }>,
): Held[] {
  const figures = { ...NO_FIGURES, errors: failed, departments: newsOf(stage).departments ? created : null };
  return [
    ...holdingGuards(figures, { ...NO_BASES, rows, departments }, stage.guards),
    ...(clears(stage, coverage, "departments") ? vanishedColumns({ kept, returning: 0 }, stage.guards) : []),
  ];
}

/** Whether the input empties fields whose cells are empty, and there was one to compare it with. */
function clears({ connection, policy }: Stage, coverage: Coverage, entity: Entity): boolean {
  return coverage === "full" && policy.empty_cells === "clear" && connection.baseline[entity] !== undefined;
}

type People = Extract<Guarded, { kind: "people" }>;

async function guardPeople(stage: Stage, { coverage, part }: Plan, people: People): Promise<Held[]> {
  const { connection, guards } = stage;
  const { plan } = people;
  const held = await guardCounts(stage, people);
  // What is cleared is cleared, even if the input's end is in doubt.
  if (clears(stage, coverage, "users")) {
    held.push(...vanishedColumns({ ...plan, kept: keptOfAll(part, plan.kept) }, guards));
  }
  // If a status was renamed at the source, everybody with it looks like somebody who is not imported.
  const isRenamed = people.warnings.some(({ code }) => code === "status_not_in_source");
  if (isRenamed && plan.deactivate > 0 && guards.deactivate.enabled && held.every((h) => h.guard !== "deactivate")) {
    const { people: base } = basesOf(stage, people, await people.activeLinked(), 0);
    held.push({ guard: "deactivate", count: plan.deactivate, limit: 0, base });
  }
  if (coverage === "full" && plan.complete && isFetched(stage) && wasReadAlike(stage)) {
    held.push(...goneFields(plan.filled, connection.baseline.users!, guards));
  }
  return held;
}

const NOTHING: Earlier = { deactivate: 0, reactivate: 0, identity: 0, left: 0 };

/** The guards that compare a number with a limit. */
async function guardCounts(stage: Stage, people: People): Promise<Held[]> {
  const { hub, connection, guards } = stage;
  const { plan } = people;
  const byRecord = isFedByRecord(stage);
  const earlier = byRecord ? await countsSince(hub.db, connection.id, stage.now - HOUR_MS) : NOTHING;
  const planned = figuresOf(plan, { news: newsOf(stage), isFetched: isFetched(stage) });
  const figures = byRecord ? overAnHour(planned, earlier, plan.counts.read) : planned;
  const { left, ...before } = earlier;
  const more = { returning: plan.counts.reactivated, earlier: before };
  const holding = (linked: number | null) => holdingGuards(figures, basesOf(stage, people, linked, left), guards, more);
  // Counting all linked people is slow. No guard that passes with the lower bounds would hold with the exact numbers.
  const held = holding(null);
  return held.every(({ guard }) => guard === "errors") ? held : holding(await people.activeLinked());
}

/** `linked`: how many active users the connection has links to; null: the plan's lower bounds count. */
function basesOf({ connection }: Stage, { plan, departments }: People, linked: number | null, left: number): Bases {
  const before = (linked ?? plan.linkedAtLeast) + left;
  const known = before + plan.newlyLinked;
  return {
    before,
    known,
    people: known + plan.newActive,
    rows: plan.counts.read,
    departments,
    isSettled: connection.fullInputs >= SETTLED || plan.absent > before / 2,
  };
}

/** After so many complete full inputs, most of a connection's people are known. */
const SETTLED = 3;

/** What the connection has applied a complete full input of; a file of people names its departments, too. */
function newsOf({ connection: { fullInputs, baseline } }: Stage): { people: boolean; departments: boolean } {
  return { people: fullInputs > 0, departments: fullInputs > 0 || baseline.departments !== undefined };
}

/** Whether records come one by one, as they change. */
export function isFedByRecord({ hub, connection }: Pick<Stage, "hub" | "connection">): boolean {
  return connectorFor(hub.registry, connection)?.coverage.users === "diff" && connection.preset === null;
}

function isFetched({ hub, connection }: Stage): boolean {
  return connectorFor(hub.registry, connection)?.input === "fetch";
}

/** Whether the last complete full read asked for the same fields, so that a field without values has disappeared. */
function wasReadAlike({ connection }: Stage): boolean {
  return connection.baseline.users !== undefined &&
    connection.lastApplied.users?.settingsVersion === connection.settingsVersion;
}
