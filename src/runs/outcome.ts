/** How a run ends that was applied: status, counts, what its connection remembers, and the runs that follow it. */
import { rememberRead } from "../store/connections/clocks.ts";
import type { Statement } from "../store/database.ts";
import { clearHoldNext, holdNextRun, listClosable, rememberApplied, rememberColumns } from "../store/runs/run-steps.ts";
import { passNames } from "../store/runs/run-names.ts";
import { queueRun } from "../store/runs/runs.ts";
import { reserve } from "../store/sequences.ts";
import { countDone } from "./count-done.ts";
import type { Ending, Follower } from "./end.ts";
import type { Stage } from "./stage.ts";

/** `stopped`: the result of applyPages. */
export async function outcomeOf(stage: Stage, stopped: "cancelled" | null): Promise<Ending> {
  const { hub, run } = stage;
  const { counts, superseded } = await countDone(hub.db, run);
  const columns = await rememberColumns(hub.db, run);
  if (stopped !== null) return { status: stopped, counts, remember: columns };
  return {
    // A source that was not read to its end is applied in part, even if no row failed.
    status: counts.failed > 0 || run.error != null ? "partial" : "succeeded",
    counts,
    remember: [...memoriesOf(stage), ...columns],
    followers: await followersOf(stage, superseded),
  };
}

/** What is stored with the connection. */
function memoriesOf({ hub: { db }, run }: Stage): Statement[] {
  if (run.trigger === "revert") return [holdNextRun(db, run.connectionId)];
  return [
    ...rememberApplied(db, run),
    rememberRead(db, run),
    ...(run.dropId === null ? [] : [clearHoldNext(db, run.connectionId)]),
  ];
}

/** The same input again, if people changed in the meantime, and a run that closes departments which are empty now. */
async function followersOf(stage: Stage, superseded: boolean): Promise<Follower[]> {
  const { hub: { db }, run } = stage;
  const closable = run.entity === "users" ? await listClosable(db, run.organizationId) : [];
  const followers: Follower[] = [];
  if (run.mode === "auto" && run.dropId !== null && superseded) {
    const again = follower(stage, await reserve(db, "run"), run.entity, run.dropId);
    followers.push({ ...again, statements: [...again.statements, passNames(db, run, again.id)] });
  }
  if (closable.length > 0) followers.push(follower(stage, await reserve(db, "run"), "departments", null));
  return followers;
}

/** Not async: a statement that is returned from an async function would be executed. */
function follower({ hub, run }: Stage, id: number, entity: "users" | "departments", dropId: number | null): Follower {
  const { organizationId, connectionId, requestId } = run;
  const rows = dropId === null ? null : run.rows;
  const next = { id, organizationId, connectionId, dropId, entity, requestId, rows } as const;
  const queued = { ...next, trigger: "retry", mode: "auto", coverage: "diff" } as const;
  return { id, statements: [queueRun(hub.db, queued, hub.now(), { beyondLimit: true })] };
}
