/**
 * Several full inputs that wait together and hold different people are parts of one full input. Each is planned, guarded
 * and applied by itself, oldest first; only who is in none of them is missing.
 */
import type { Filled } from "../model/connection.ts";
import type { PartFigures } from "../model/run.ts";
import type { KeptColumn } from "../reconcile/summarize.ts";
import { listEndedParts } from "../store/runs/parts.ts";
import type { Run } from "../store/runs/runs.ts";
import type { Stage } from "./stage.ts";
import { areVersions } from "./versions.ts";
import type { WaitingInput } from "./waiting.ts";

export interface Part {
  /** The run of the first part, by which all of them are known. */
  readonly first: number;
  /** The part before this one; null: this is the first. */
  readonly after: number | null;
  /** What was counted of the parts before. */
  readonly before: readonly PartFigures[];
  /** The runs of the parts that follow, as far as they wait now. */
  readonly following: readonly number[];
  /** A part before this one was not applied, or not read to its end: then nobody is missing. */
  readonly isBroken: boolean;
  /** Whether a person has to say first that the parts are one full input. */
  readonly asks: boolean;
}

/** `waiting`: other full inputs of people that wait. `older`: held runs whose place this one takes. Null: it is one by itself. */
export async function findPart(
  stage: Stage,
  waiting: readonly WaitingInput[],
  older: readonly Run[],
): Promise<Part | null> {
  const { run, policy } = stage;
  const others = policy.pick === "all" ? waiting : await withoutOldVersions(stage, waiting);
  const following = others.map(({ id }) => id);
  const asks = policy.pick === "latest" && policy.missing === "deactivate";
  const first = [run, ...older].map(({ id, partOf }) => partOf === id ? null : partOf).find((of) => of !== null) ??
    null;
  if (first === null) {
    if (others.length === 0) return null;
    return { first: run.id, after: null, before: [], following, isBroken: false, asks };
  }
  const ended = await listEndedParts(stage.hub.db, run, first);
  const before = ended.flatMap(({ figures }) => figures?.part ?? []);
  return {
    first,
    after: ended.at(-1)?.id ?? null,
    before,
    following,
    isBroken: before.length < ended.length || ended.length === 0 ||
      ended.some(({ status, figures }) => !WAS_APPLIED.has(status) || figures?.part?.complete !== true),
    asks: asks && others.some(({ partOf }) => partOf !== first),
  };
}

const WAS_APPLIED: ReadonlySet<string> = new Set(["succeeded", "partial"]);

async function withoutOldVersions(stage: Stage, waiting: readonly WaitingInput[]): Promise<WaitingInput[]> {
  const kept: WaitingInput[] = [];
  for (const [i, each] of waiting.entries()) {
    if (await findVersion(stage, each, waiting.slice(i + 1)) === null) kept.push(each);
  }
  return kept;
}

/** The newest of the inputs that is a version of the same file; null: none is. */
export async function findVersion(
  stage: Stage,
  { drop }: Pick<WaitingInput, "drop">,
  newer: readonly WaitingInput[],
): Promise<WaitingInput | null> {
  for (const each of newer.toReversed()) if (await areVersions(stage, drop, each.drop)) return each;
  return null;
}

/** Whether who is missing is known with this input: no other part follows. */
export function isLastPart(part: Part | null): boolean {
  return part === null || part.following.length === 0;
}

/** Cells of this part and of those before it. */
export function filledOfAll(part: Part | null, filled: Filled): Filled {
  return (part?.before ?? []).reduce((sum, { filled: other }) => ({
    rows: sum.rows + other.rows,
    filled: addCounts(sum.filled, other.filled),
    headers: { ...other.headers, ...sum.headers },
  }), filled);
}

function addCounts(one: Filled["filled"], other: Filled["filled"]): Filled["filled"] {
  const fields = new Set([...Object.keys(one), ...Object.keys(other)]);
  return Object.fromEntries([...fields].map((field) => [field, (one[field] ?? 0) + (other[field] ?? 0)]));
}

/** What became of the columns' values in this part and in those before it. */
export function keptOfAll(part: Part | null, kept: readonly KeptColumn[]): KeptColumn[] {
  const sums = new Map<string, KeptColumn>();
  for (const { field, people, before, after } of [kept, ...(part?.before ?? []).map((other) => other.kept)].flat()) {
    const sum = sums.get(field) ?? { field, people: 0, before: 0, after: 0 };
    sums.set(field, { field, people: sum.people + people, before: sum.before + before, after: sum.after + after });
  }
  return [...sums.values()];
}
