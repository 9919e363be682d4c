/**
 * A run's input beside older held runs of its connection: it is the same file as theirs, so that it may take their place,
 * or it waits until somebody has decided about them.
 */
import type { Coverage } from "../model/run.ts";
import { type Drop, findDrop } from "../store/runs/drops.ts";
import { listHeldBefore } from "../store/runs/run-steps.ts";
import { findRun, type Run } from "../store/runs/runs.ts";
import type { Reading } from "./read-drop.ts";
import type { Stage } from "./stage.ts";
import { areVersions } from "./versions.ts";

interface Input {
  readonly drop: Drop;
  readonly reading: Reading;
  readonly coverage: Coverage;
}

export interface Behind {
  /** The held run that has to be decided first. */
  readonly held: Run;
  /** The input is another part of what the held run brings, which is planned again with it. */
  readonly joins: boolean;
}

/** Null: it waits behind none. `older`: the held runs. */
export async function findBehind(stage: Stage, input: Input, older: readonly Run[]): Promise<Behind | null> {
  for (const held of older) {
    if (await isSameFile(stage, held, input)) continue;
    return { held, joins: await isPartOf(stage, held, input) };
  }
  return null;
}

/** Held runs that this one meets; a plan for review meets none. */
export async function listMet({ hub, run }: Stage, coverage: Coverage): Promise<readonly Run[]> {
  return run.mode === "plan" ? [] : await listHeldBefore(hub.db, run, coverage);
}

/**
 * Whether a whole input may take the place of the held run: it is of the same entity, and has the same name or is a version
 * of the same file. What is fetched from the connection's source is the same file each time, and so is a held run without
 * an input: it is made anew from what the hub holds.
 */
async function isSameFile(stage: Stage, held: Run, { drop, reading, coverage }: Input): Promise<boolean> {
  const { hub, run } = stage;
  if (coverage !== "full" || held.entity !== reading.columns.entity) return false;
  if (held.dropId === null || (held.trigger !== "drop" && run.trigger !== "drop")) return true;
  const older = await findDrop(hub.db, run.organizationId, held.dropId);
  // An edit by hand and what a source says are not versions of one file.
  return older !== null && older.byHand === drop.byHand &&
    (older.name === drop.name || await areVersions(stage, older, drop));
}

/** Whether the held plan counts people as missing who may be in this input. */
async function isPartOf(stage: Stage, held: Run, { drop, reading, coverage }: Input): Promise<boolean> {
  const { run, policy } = stage;
  const isPart = policy.missing === "deactivate" && coverage === "full" && reading.columns.entity === "users" &&
    run.trigger === "drop" && held.trigger === "drop" && held.coverage === "full" && held.entity === "users";
  if (!isPart) return false;
  const parts = held.parts ?? [];
  if (parts.includes(run.id)) return false;
  for (const part of parts) {
    const known = await dropOf(stage, part);
    if (known !== null && await areVersions(stage, known, drop)) return false;
  }
  return true;
}

async function dropOf({ hub, run }: Stage, runId: number): Promise<Drop | null> {
  const found = await findRun(hub.db, run.organizationId, runId);
  return found?.run.dropId == null ? null : await findDrop(hub.db, run.organizationId, found.run.dropId);
}
