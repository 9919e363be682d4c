/** The inputs that wait behind a run, and what is known of them: each is opened once, not by every run before it. */
import { Fault } from "../model/errors.ts";
import type { Entity } from "../model/record.ts";
import type { Database } from "../store/database.ts";
import { type Drop, findDrop } from "../store/runs/drops.ts";
import { listWaiting, type OtherRun } from "../store/runs/queue.ts";
import { fixedKey, openDropOf } from "./input.ts";
import type { Reading } from "./read-drop.ts";
import type { Stage } from "./stage.ts";

/** What the columns of an input show. */
export interface Sight {
  readonly entity: Entity;
  /** A failure report that was sent again: it holds only some of the people. */
  readonly isReport: boolean;
  readonly hasEmployeeId: boolean;
}

export interface WaitingInput extends OtherRun {
  readonly drop: Drop;
}

/** In this process's memory. */
const SEEN = new WeakMap<Database, Map<string, Sight | null>>();
const MAX_SEEN = 10_000;

/** The full inputs of this entity that wait to be applied, oldest first; without those that cannot be read. */
export async function listWaitingFull(stage: Stage, entity: Entity): Promise<WaitingInput[]> {
  const { hub, run, policy } = stage;
  const found: WaitingInput[] = [];
  for (const other of await listWaiting(hub.db, run)) {
    const drop = other.dropId === null ? null : await findDrop(hub.db, run.organizationId, other.dropId);
    if (drop === null || (drop.coverage ?? policy.coverage) !== "full") continue;
    const sight = await lookAt(stage, drop);
    if (sight !== null && sight.entity === entity && !sight.isReport) found.push({ ...other, drop });
  }
  return found;
}

/** Null: the drop cannot be read, which its own run will report. */
export async function lookAt(stage: Stage, drop: Drop): Promise<Sight | null> {
  const seen = SEEN.get(stage.hub.db) ?? new Map<string, Sight | null>();
  SEEN.set(stage.hub.db, seen);
  const name = memoryName(stage, drop);
  const known = seen.get(name);
  if (known !== undefined) return known;
  const columns = (await openIfReadable(stage, drop))?.columns ?? null;
  const sight = columns === null ? null : {
    entity: columns.entity,
    isReport: columns.isReport,
    hasEmployeeId: columns.fields.includes("employee_id"),
  };
  if (seen.size >= MAX_SEEN) seen.clear();
  seen.set(name, sight);
  return sight;
}

/** Changes with everything that decides how the drop is read. */
export function memoryName(stage: Stage, drop: Drop): string {
  return [drop.id, stage.connection.settingsVersion, stage.organization.referenceVersion, fixedKey(stage)].join();
}

/** Null: the drop cannot be read. */
export async function openIfReadable(stage: Stage, drop: Drop): Promise<Reading | null> {
  try {
    return await openDropOf(stage, drop, null);
  } catch (error) {
    if (error instanceof Fault) return null;
    throw error;
  }
}
