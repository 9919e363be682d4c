/** Makes the events of a run that ends or is held. */
import type { Hub } from "../hub.ts";
import {
  MAX_ISSUES,
  MAX_PEOPLE,
  type NewEvent,
  type Novelty,
  type Origin,
  runCompleted,
  runFailures,
  runHeld,
  usersChanged,
} from "../model/event.ts";
import { encodeId } from "../model/id.ts";
import type { RunView } from "../model/run.ts";
import { listAffected, listApplied, rangeApplied } from "../store/runs/changed-people.ts";
import { listPersonsIssues } from "../store/runs/persons-issues.ts";
import { findRun, type Run, viewRun } from "../store/runs/runs.ts";

export function originOf({ id, organizationId, connectionId }: Run): Origin {
  return { organizationId, runId: id, connectionId };
}

/** `users.changed` if people were changed, and `run.failures` if there are issues or the run failed. */
export async function eventsOfInput(
  { db }: Hub,
  run: Run,
  view: RunView,
  novelty: Novelty | null,
): Promise<NewEvent[]> {
  const from = originOf(run);
  const events: NewEvent[] = [];
  const changed = await rangeApplied(db, run);
  if (changed !== null) events.push(usersChanged(from, changed, await listApplied(db, run)));
  if (novelty !== null && (run.status === "failed" || novelty.new + novelty.repeated > 0)) {
    events.push(runFailures(from, view, novelty, await listPersonsIssues(db, run, MAX_ISSUES)));
  }
  return events;
}

export function eventOfEnd(run: Run, view: RunView): NewEvent {
  return runCompleted(originOf(run), view);
}

/** The event of a run that ends before it has begun, or is superseded. None if the run has been deleted. */
export async function eventOfUntouched(
  { db }: Pick<Hub, "db">,
  run: Run,
  ended: Partial<Run> & Pick<Run, "status">,
): Promise<NewEvent[]> {
  const stored = await findRun(db, run.organizationId, run.id);
  return stored === null ? [] : [eventOfEnd(run, viewRun({ ...stored, run: { ...run, ...ended } }))];
}

export async function heldEvent({ db }: Hub, run: Run, view: RunView): Promise<NewEvent> {
  const people = await listAffected(db, run, run.heldBy, MAX_PEOPLE);
  return runHeld(originOf(run), view, people.map((id) => encodeId("usr", id)));
}
