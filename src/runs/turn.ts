/**
 * Decides whether a run is planned now. The same input again is skipped, a newer version of the file supersedes an older
 * one, other files wait behind a held run, and departments go before people.
 */
import type { Coverage } from "../model/run.ts";
import type { KeyField } from "../model/record.ts";
import type { RowChoice } from "../reconcile/row-names.ts";
import type { Fetch } from "../store/connections/fetches.ts";
import { type Drop, findDrop, identityOf } from "../store/runs/drops.ts";
import { takePlaceOfPart } from "../store/runs/parts.ts";
import { listWaiting, releaseLease } from "../store/runs/queue.ts";
import { afreshStatements } from "../store/runs/run-decisions.ts";
import { isAnyAhead } from "../store/runs/run-names.ts";
import { hasMissing, listHeldBefore, updateRun } from "../store/runs/run-steps.ts";
import type { Run } from "../store/runs/runs.ts";
import { type Behind, findBehind, listMet } from "./behind-held.ts";
import { endRun } from "./end.ts";
import { fixedKey, type FoundDrop, type FoundInput, openDropOf } from "./input.ts";
import { findPart, findVersion, type Part } from "./parts.ts";
import { type Reading, READING_VERSION } from "./read-drop.ts";
import type { Stage } from "./stage.ts";
import { listWaitingFull, lookAt, type WaitingInput } from "./waiting.ts";

/** An input whose columns are known. */
export interface OpenInput {
  readonly kind: "drop";
  readonly drop: Drop;
  readonly fetched: Fetch | null;
  readonly reading: Reading;
  readonly coverage: Coverage;
  /** Null: the columns decide. */
  readonly key: KeyField | null;
  /** Absent: all rows are planned. */
  readonly choice?: RowChoice;
  /** Null: it is a full input by itself, or none. */
  readonly part: Part | null;
}

export interface NoInput {
  readonly kind: "none";
  /** Users whom the plan is not about, though their day has come. */
  readonly leftOut?: ReadonlySet<number>;
}

export type Turn =
  | { readonly kind: "go"; readonly input: NoInput | OpenInput }
  | NoTurn;

type NoTurn =
  /** The input equals the last applied one byte for byte, and nothing has changed since. */
  | { readonly kind: "skipped" }
  /** A newer version of the file is waiting. */
  | { readonly kind: "superseded"; readonly by: number }
  /** Another run brings departments, which have to exist first. */
  | { readonly kind: "after"; readonly runId: number }
  | ({ readonly kind: "behind"; readonly coverage: Coverage } & Behind);

export async function takeTurn(stage: Stage, found: FoundInput): Promise<Turn> {
  if (found.kind === "none") return { kind: "go", input: found };
  if (await isDuplicate(stage, found)) return { kind: "skipped" };
  const input = await openInput(stage, found);
  if (stage.run.upgrade !== null) return { kind: "go", input };
  const waiting = await listCompany(stage, input);
  const newer = stage.policy.pick === "all" ? null : await findVersion(stage, input, newerThan(stage.run, waiting));
  if (newer !== null) return { kind: "superseded", by: newer.id };
  const older = await listMet(stage, input.coverage);
  const behind = await findBehind(stage, input, older);
  if (behind !== null) return { kind: "behind", coverage: input.coverage, ...behind };
  if (input.reading.columns.entity !== "users") return { kind: "go", input };
  const departments = older.length > 0 ? null : await findWaitingDepartments(stage);
  if (departments !== null) return { kind: "after", runId: departments };
  return { kind: "go", input: { ...input, part: await notePart(stage, await findPart(stage, waiting, older)) } };
}

/** Stores which runs follow, before the input can turn out not to be usable. */
async function notePart({ hub, run, renew }: Stage, part: Part | null): Promise<Part | null> {
  const values = part === null ? { partOf: null, parts: null } : { partOf: part.first, parts: [...part.following] };
  if (part !== null || run.parts !== null) await hub.db.write([updateRun(hub.db, run.id, values), ...renew()]);
  return part;
}

/** Ends the run, or returns it to the queue. */
export async function passTurn(stage: Stage, turn: NoTurn): Promise<null> {
  const { hub, run, lease } = stage;
  if (turn.kind === "skipped") {
    const message = "The input equals the last applied one byte for byte, and nothing has changed since";
    await endRun(hub, stage, { status: "skipped", error: { code: "duplicate_input", message } });
  } else if (turn.kind === "superseded") {
    await endRun(hub, stage, { status: "superseded", remember: takePlaceOfPart(hub.db, run, turn.by) });
  } else {
    const others = turn.kind === "after"
      ? [updateRun(hub.db, turn.runId, { entity: "departments" })]
      : turn.joins
      ? afreshStatements(hub.db, turn.held, hub.now())
      : [];
    const waits = turn.kind === "behind" ? { waitsFor: turn.held.id, coverage: turn.coverage } : {};
    await hub.db.write([
      ...others,
      updateRun(hub.db, run.id, { status: "queued", attempts: 0, pause: null, progress: null, ...waits }),
      releaseLease(hub.db, lease),
    ]);
  }
  return null;
}

/** Opens the input as the stage's connection reads it. */
export async function openInput(
  stage: Stage,
  { drop, fetched }: Pick<FoundDrop, "drop" | "fetched">,
): Promise<OpenInput> {
  const { run, policy } = stage;
  const reading = await openDropOf(stage, drop, fetched);
  const coverage = reading.columns.isReport
    ? "diff"
    : drop.coverage ?? (run.trigger === "drop" ? policy.coverage : run.coverage);
  return { kind: "drop", drop, fetched, reading, coverage, key: fixedKey(stage), part: null };
}

/**
 * False while people are missing: their grace is counted in inputs, so the same input again counts, too. False after issues,
 * which are reported again, and behind a held run, which may change what the same input says once more. And where other
 * inputs wait or were there before: it may be a part of a full one, which is whole only with it.
 */
async function isDuplicate({ run, connection, organization, hub }: Stage, { drop }: FoundDrop): Promise<boolean> {
  if (run.mode !== "auto" || run.trigger !== "drop" || run.partOf !== null) return false;
  const same = Object.values(connection.lastApplied).some((last) =>
    last !== undefined && last.hadIssues === 0 && last.readingVersion === READING_VERSION &&
    last.sha256 === identityOf(drop) && last.settingsVersion === connection.settingsVersion &&
    last.referenceVersion === organization.referenceVersion && last.dataVersion === organization.dataVersion
  );
  if (!same || run.rows !== null || await hasMissing(hub.db, connection.id)) return false;
  if ((await listHeldBefore(hub.db, run, "full")).length > 0 || await isAnyAhead(hub.db, run, null)) return false;
  return (await listWaiting(hub.db, run)).every(({ coverage }) => coverage !== "full");
}

/** The full inputs of the same entity that wait with this one, if it is a full one that was sent to be applied. */
async function listCompany(stage: Stage, { drop, coverage, reading }: OpenInput): Promise<readonly WaitingInput[]> {
  const { run } = stage;
  if (coverage !== "full" || run.trigger !== "drop" || run.mode !== "auto") return [];
  // An edit by hand and what a source says are neither versions nor parts of one file.
  return (await listWaitingFull(stage, reading.columns.entity)).filter((other) => other.drop.byHand === drop.byHand);
}

function newerThan(run: Run, waiting: readonly WaitingInput[]): WaitingInput[] {
  return waiting.filter(({ id }) => id > run.id);
}

/** A waiting run of departments, which goes before this one of people. Null: there is none. */
async function findWaitingDepartments(stage: Stage): Promise<number | null> {
  const { hub, run } = stage;
  if (run.trigger !== "drop" || run.mode !== "auto") return null;
  for (const { id, dropId } of await listWaiting(hub.db, run)) {
    const drop = dropId === null || id < run.id ? null : await findDrop(hub.db, run.organizationId, dropId);
    if (drop !== null && (await lookAt(stage, drop))?.entity === "departments") return id;
  }
  return null;
}
