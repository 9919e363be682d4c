/**
 * Decides whether a run is planned now. The same input again is skipped, a newer full input supersedes an older one, and
 * departments go before people.
 */
import type { Coverage } from "../model/run.ts";
import { Fault } from "../model/errors.ts";
import type { Entity, KeyField } from "../model/record.ts";
import type { Fetch } from "../store/connections/fetches.ts";
import type { Database } from "../store/database.ts";
import { type Drop, findDrop, identityOf } from "../store/runs/drops.ts";
import { listWaiting, releaseLease } from "../store/runs/queue.ts";
import { hasMissing, listHeld, updateRun } from "../store/runs/run-steps.ts";
import { endRun } from "./end.ts";
import { fixedKey, type FoundDrop, type FoundInput, openDropOf } from "./input.ts";
import type { Reading } from "./read-drop.ts";
import type { Stage } from "./stage.ts";

/** An input whose columns are known. */
export interface OpenInput {
  readonly kind: "drop";
  readonly drop: Drop;
  readonly fetched: Fetch | null;
  readonly reading: Reading;
  readonly coverage: Coverage;
  /** Null: the columns decide. */
  readonly key: KeyField | null;
}

export type Turn =
  | { readonly kind: "go"; readonly input: { readonly kind: "none" } | OpenInput }
  | NoTurn;

type NoTurn =
  /** The input equals the last applied one byte for byte, and nothing has changed since. */
  | { readonly kind: "skipped" }
  /** A newer full input is waiting. */
  | { readonly kind: "superseded" }
  /** Another run brings departments, which have to exist first. */
  | { readonly kind: "after"; readonly runId: number };

export async function takeTurn(stage: Stage, found: FoundInput): Promise<Turn> {
  if (found.kind === "none") return { kind: "go", input: found };
  if (await isDuplicate(stage, found)) return { kind: "skipped" };
  const input = await open(stage, found);
  if (await isOvertaken(stage, input)) return { kind: "superseded" };
  const departments = input.reading.columns.entity === "users" ? await findWaitingDepartments(stage) : null;
  return departments === null ? { kind: "go", input } : { kind: "after", runId: departments };
}

/** Ends the run, or returns it to the queue. */
export async function passTurn(stage: Stage, turn: NoTurn): Promise<null> {
  const { hub, run, lease } = stage;
  if (turn.kind === "skipped") {
    const message = "The input equals the last applied one byte for byte, and nothing has changed since";
    await endRun(hub, stage, { status: "skipped", error: { code: "duplicate_input", message } });
  } else if (turn.kind === "superseded") await endRun(hub, stage, { status: "superseded" });
  else {
    await hub.db.write([
      updateRun(hub.db, turn.runId, { entity: "departments" }),
      updateRun(hub.db, run.id, { status: "queued", attempts: 0, progress: null }),
      releaseLease(hub.db, lease),
    ]);
  }
  return null;
}

async function open(stage: Stage, { drop, fetched }: FoundDrop): Promise<OpenInput> {
  const { run, policy } = stage;
  const reading = await openDropOf(stage, drop, fetched);
  const coverage = reading.columns.isReport
    ? "diff"
    : drop.coverage ?? (run.trigger === "drop" ? policy.coverage : run.coverage);
  return { kind: "drop", drop, fetched, reading, coverage, key: fixedKey(stage) };
}

/** False while people are missing: their grace is counted in inputs, so the same input again counts, too. */
async function isDuplicate({ run, connection, organization, hub }: Stage, { drop }: FoundDrop): Promise<boolean> {
  if (run.mode !== "auto" || run.trigger !== "drop") return false;
  const same = Object.values(connection.lastApplied).some((last) =>
    last !== undefined && last.sha256 === identityOf(drop) && last.settingsVersion === connection.settingsVersion &&
    last.referenceVersion === organization.referenceVersion && last.dataVersion === organization.dataVersion
  );
  return same && !await hasMissing(hub.db, connection.id);
}

/** Whether a newer full input is waiting, if the policy takes only the latest. */
async function isOvertaken(stage: Stage, { drop: own, coverage, reading }: OpenInput): Promise<boolean> {
  const { hub, run, policy } = stage;
  if (coverage !== "full" || policy.pick !== "latest" || run.trigger !== "drop" || run.mode !== "auto") return false;
  for (const other of await listWaiting(hub.db, run)) {
    const drop = other.dropId === null ? null : await findDrop(hub.db, run.organizationId, other.dropId);
    // An edit by hand and what a source says are not versions of one file.
    if (drop === null || drop.byHand !== own.byHand || (drop.coverage ?? policy.coverage) !== "full") continue;
    const next = (await openIfReadable(stage, drop))?.columns;
    if (next !== undefined && next.entity === reading.columns.entity && !next.isReport) return true;
  }
  return false;
}

/** Null: the drop cannot be read, which its own run will report. */
async function openIfReadable(stage: Stage, drop: Drop): Promise<Reading | null> {
  try {
    return await openDropOf(stage, drop, null);
  } catch (error) {
    if (error instanceof Fault) return null;
    throw error;
  }
}

/** A waiting run of departments, which goes before this one of people. Null: there is none that could go now. */
async function findWaitingDepartments(stage: Stage): Promise<number | null> {
  const { hub, run } = stage;
  if (run.trigger !== "drop" || run.mode !== "auto") return null;
  const waiting = await listWaiting(hub.db, run);
  if (waiting.length === 0) return null;
  // After a held run, a diff has to wait, and a run that gives way to it would wait with it.
  const isHeld = (await listHeld(hub.db, run)).length > 0;
  for (const { id, dropId, coverage } of waiting) {
    if (dropId === null || (isHeld && coverage === "diff")) continue;
    if (await entityOf(stage, dropId) === "departments") return id;
  }
  return null;
}

/** The entities of waiting inputs, in this process's memory: each input is opened once, not by every run before it. */
const SEEN = new WeakMap<Database, Map<string, Entity | null>>();
const MAX_SEEN = 10_000;

/** Null: the drop is gone, or cannot be read. */
async function entityOf(stage: Stage, dropId: number): Promise<Entity | null> {
  const { hub, run, connection, organization } = stage;
  const seen = SEEN.get(hub.db) ?? new Map<string, Entity | null>();
  SEEN.set(hub.db, seen);
  const name = [dropId, connection.settingsVersion, organization.referenceVersion, fixedKey(stage)].join();
  const known = seen.get(name);
  if (known !== undefined) return known;
  const drop = await findDrop(hub.db, run.organizationId, dropId);
  const entity = drop === null ? null : (await openIfReadable(stage, drop))?.columns.entity ?? null;
  if (seen.size >= MAX_SEEN) seen.clear();
  seen.set(name, entity);
  return entity;
}
