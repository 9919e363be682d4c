/**
 * Gives the rows that a run does not bring to other runs, in the batch that saves the run's plan: those about people of
 * other runs to a run that waits for them, those that a guard stops to the run that this guard holds already or, if there
 * is none, to a new one.
 */
import { HUB } from "../model/audit.ts";
import { encodeId } from "../model/id.ts";
import { rowsBut, type RowsGiven } from "../model/run.ts";
import { recordAudit } from "../store/audit.ts";
import type { Statement } from "../store/database.ts";
import { addToHeld, unlessDecided } from "../store/runs/run-decisions.ts";
import { addNames, nextPlace, placeOf, setNames } from "../store/runs/run-names.ts";
import { queueRun, type Run } from "../store/runs/runs.ts";
import { addTo } from "../std/add-to.ts";
import { reserve } from "../store/sequences.ts";
import type { Division, Share } from "./division.ts";
import { joinedDrop } from "./join.ts";
import type { Stage } from "./stage.ts";

export interface Divided {
  /** What the run keeps of its input. */
  readonly values: Pick<Run, "rows" | "given">;
  /** Fail as a whole when somebody has decided about the held run. */
  readonly fences: readonly Statement[];
  readonly statements: readonly Statement[];
  /** Runs that are queued. */
  readonly queued: readonly number[];
}

/** `total`: of the rows of the input. */
export async function divide(stage: Stage, division: Division, total: number): Promise<Divided> {
  const { hub: { db }, run } = stage;
  const { leftOut, waiting, stopped } = division;
  const given: RowsGiven[] = [...run.given ?? []];
  const fences: Statement[] = [], statements: Statement[] = [], queued: number[] = [];
  if (run.mode === "plan") {
    return { values: valuesOf(leftOut, total, wouldBeGiven(division)), fences, statements, queued };
  }
  if (waiting !== null) {
    const id = await reserve(db, "run");
    statements.push(...newRun(stage, id, waiting, total));
    queued.push(id);
    given.push(...byRunAhead(waiting, id));
  }
  if (stopped?.joined) {
    const { run: held, before } = stopped.joined;
    const drop = await joinedDrop(stage, stopped.joined);
    fences.push(unlessDecided(db, held, before.id));
    statements.push(
      ...drop.statements,
      addToHeld(db, held, drop.id),
      addNames(db, held, await placeOf(db, held) ?? await nextPlace(db), stopped.names),
      recordAudit(db, HUB, {
        organizationId: run.organizationId,
        action: "run.planned_afresh",
        subjects: [encodeId("run", held.id), encodeId("run", run.id)],
      }, stage.hub.now()),
    );
    given.push(...givenTo(held.id, stopped));
  } else if (stopped !== null) {
    const id = await reserve(db, "run");
    statements.push(...newRun(stage, id, stopped, total));
    queued.push(id);
    given.push(...givenTo(id, stopped));
  }
  return {
    values: valuesOf(leftOut, total, given),
    fences,
    statements,
    queued,
  };
}

function valuesOf(leftOut: ReadonlySet<number>, total: number, given: readonly RowsGiven[]): Divided["values"] {
  return { rows: rowsBut(leftOut, total), given: given.length === 0 ? null : [...given] };
}

/** What a plan for review says of the rows that it leaves out: approving it queues them. */
function wouldBeGiven({ waiting, stopped }: Division): RowsGiven[] {
  const behind = waiting === null ? [] : byRunAhead(waiting, null);
  if (stopped === null) return behind;
  return [...behind, { run: null, waitsFor: stopped.joined?.run.id ?? null, rows: sorted(stopped.places) }];
}

function newRun({ hub, run }: Stage, id: number, { places, names }: Share, total: number): Statement[] {
  const { organizationId, connectionId, dropId, trigger, mode, entity, coverage, requestId } = run;
  const others = new Set(Array.from({ length: total }, (_, n) => n).filter((n) => !places.has(n)));
  const rows = rowsBut(others, total);
  const next = { id, organizationId, connectionId, dropId, trigger, mode, entity, coverage, requestId, rows };
  return [queueRun(hub.db, next, hub.now(), { beyondLimit: true }), ...setNames(hub.db, next, id, names)];
}

/** Rows that follow others into a share wait for the same run as the first of them. */
function byRunAhead({ places, behind }: Share, run: number | null): RowsGiven[] {
  const first = [...behind.values()][0] ?? run;
  const groups = new Map<number | null, number[]>();
  for (const n of sorted(places)) addTo(groups, behind.get(n) ?? first, n);
  return [...groups].map(([waitsFor, rows]) => ({ run, waitsFor, rows }));
}

function givenTo(run: number, { places }: Share): RowsGiven[] {
  return [{ run, waitsFor: run, rows: sorted(places) }];
}

function sorted(places: ReadonlySet<number>): number[] {
  return [...places].sort((a, b) => a - b);
}
