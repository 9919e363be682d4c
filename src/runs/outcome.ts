/** What a run that was applied has come to: its status, its counts, what its connection remembers, and the runs that follow. */
import { rememberCheckpoint } from "../store/connections/clocks.ts";
import type { Statement } from "../store/database.ts";
import { clearHoldNext, holdNextRun, listClosable, rememberApplied } from "../store/runs/run-steps.ts";
import { queueRun } from "../store/runs/runs.ts";
import { reserve } from "../store/sequences.ts";
import { countDone } from "./count-done.ts";
import type { Ending, Follower } from "./end.ts";
import type { Stage } from "./stage.ts";

/** `stopped`: as applyPages gave it. */
export async function outcomeOf(stage: Stage, stopped: "cancelled" | null): Promise<Ending> {
  const { hub, run } = stage;
  const { counts, superseded } = await countDone(hub.db, run);
  if (stopped !== null) return { status: stopped, counts };
  return {
    // A source that could not be read to its end is applied in part, whatever became of the rows.
    status: counts.failed > 0 || run.error != null ? "partial" : "succeeded",
    counts,
    remember: memoriesOf(stage),
    followers: await followersOf(stage, superseded),
  };
}

/** What the connection learns of the run. */
function memoriesOf({ hub: { db }, run }: Stage): Statement[] {
  if (run.trigger === "revert") return [holdNextRun(db, run.connectionId)];
  return [
    ...rememberApplied(db, run),
    rememberCheckpoint(db, run),
    ...(run.dropId === null ? [] : [clearHoldNext(db, run.connectionId)]),
  ];
}

/** The same input again, where people changed meanwhile; and departments that are to close, once they are empty. */
async function followersOf(stage: Stage, superseded: boolean): Promise<Follower[]> {
  const { hub: { db }, run } = stage;
  const closable = run.entity === "users" ? await listClosable(db, run.organizationId) : [];
  const followers: Follower[] = [];
  if (run.mode === "auto" && run.dropId !== null && superseded) {
    followers.push(follower(stage, await reserve(db, "run"), run.entity, run.dropId));
  }
  if (closable.length > 0) followers.push(follower(stage, await reserve(db, "run"), "departments", null));
  return followers;
}

/** Not async: a statement that is awaited is run at once. */
function follower({ hub, run }: Stage, id: number, entity: "users" | "departments", dropId: number | null): Follower {
  const { organizationId, connectionId, requestId } = run;
  const next = { id, organizationId, connectionId, dropId, entity, requestId } as const;
  const queued = { ...next, trigger: "retry", mode: "auto", coverage: "diff" } as const;
  return { id, statement: queueRun(hub.db, queued, hub.now(), { beyondLimit: true }) };
}
