/** The figures of a plan: what its rows come to, and what the guards compare. Pure. */
import type { Filled } from "../model/connection.ts";
import type { Counts } from "../model/run.ts";
import {
  isMarked,
  type Kind,
  kindOf,
  letterOf,
  MARK,
  type Mark,
  rowOf,
  UNCHANGED_LETTER,
} from "./columns/candidates.ts";
import type { Recognition } from "./columns/recognize.ts";
import type { Draft } from "./draft.ts";

export interface UserPlan {
  readonly counts: Readonly<Omit<Counts, "departments_updated">>;
  readonly deactivate: number;
  readonly identity: number;
  /** Rows that would make their user somebody else. */
  readonly conflicts: number;
  /** People who are changed in more than fields that were empty. */
  readonly overwritten: number;
  /** People who are missing for the first time. */
  readonly newlyMissing: number;
  /** Active people who are linked and not in this full input, whether or not it is complete. */
  readonly absent: number;
  /** Leavers who are made active again, where no leaving date is left in their column. */
  readonly returning: number;
  readonly kept: readonly KeptColumn[];
  readonly filled: Filled;
  /** Whether the input is complete, full, and every key could be read: then unseen people are missing. */
  readonly complete: boolean;
  /** A lower bound of the users linked to the connection before this plan who are active before it. */
  readonly linkedAtLeast: number;
  /** Users who are active before this plan, and whom it links to the connection. */
  readonly newlyLinked: number;
  /** Users created by this run, who count for the base. */
  readonly newActive: number;
  /** One letter for each row, for small inputs. */
  readonly outcomes: string | null;
  /** The rows, by their place, with a change that the guard counts; empty unless the plan is made of chosen rows. */
  readonly counted: Readonly<Record<Hourly, readonly number[]>>;
}

/** A column's cells, of people who were in the last input and are in this one: how many had a value, and have one now. */
export interface KeptColumn {
  readonly field: string;
  /** Or departments, in an input of those. */
  readonly people: number;
  readonly before: number;
  readonly after: number;
}

/** Guards that count what is done within an hour, where records come one by one. */
export const HOURLY = ["deactivate", "reactivate", "identity"] as const;
export type Hourly = (typeof HOURLY)[number];

const MAX_OUTCOMES = 5_000;
/** Letter of a row that another run brings. */
const LEFT_OUT = "w";

export function summarize(
  draft: Draft,
  recognized: ReturnType<Recognition["countFilled"]>,
  rest: {
    readonly missing: number;
    readonly newly: number;
    readonly absent: number;
    readonly kept: readonly KeptColumn[];
    readonly complete: boolean;
    /** New departments. */
    readonly departments: number;
  },
): UserPlan {
  const leftOut = draft.context.choice?.leftOut;
  const rows = draft.rows - (leftOut?.size ?? 0);
  const { kinds, planned, ...counted } = count(draft);
  const { filled, active, leaversDated } = recognized;
  const datesLeft = draft.dated + leaversDated;
  return {
    counts: {
      read: rows,
      ...kinds,
      unchanged: kinds.unchanged + rows - planned,
      warned: counted.warned,
      missing: rest.missing,
      departments_created: rest.departments,
    },
    deactivate: counted.deactivate,
    identity: counted.identity,
    overwritten: counted.overwritten,
    conflicts: draft.conflicts,
    newlyMissing: rest.newly,
    absent: rest.absent,
    returning: datesLeft === 0 ? counted.dateGone : 0,
    kept: rest.kept,
    filled: { rows, filled },
    complete: rest.complete,
    linkedAtLeast: counted.linked + active,
    newlyLinked: counted.newlyLinked,
    newActive: kinds.created,
    outcomes: outcomesOf(draft),
    counted: countedRows(draft),
  };
}

function count({ candidates }: Draft) {
  const kinds: Record<Kind, number> = {
    created: 0,
    updated: 0,
    unchanged: 0,
    deactivated: 0,
    reactivated: 0,
    skipped: 0,
    failed: 0,
  };
  const counted = {
    planned: 0,
    warned: 0,
    identity: 0,
    overwritten: 0,
    deactivate: 0,
    linked: 0,
    newlyLinked: 0,
    dateGone: 0,
  };
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const kind = kindOf(candidates, candidate);
    const has = (mark: Mark) => isMarked(candidates, candidate, mark);
    if (kind === "deactivated" || (kind === "updated" && has(MARK.advancesDeactivation))) counted.deactivate++;
    if (has(MARK.absent)) continue;
    counted.planned++;
    kinds[kind]++;
    if (kind === "failed") continue;
    if (has(MARK.warned)) counted.warned++;
    if (has(MARK.identity)) counted.identity++;
    if (kind === "updated" && has(MARK.overwrites)) counted.overwritten++;
    // Not those who return: a guard's base does not grow with what it guards.
    const wasActive = kind === "deactivated" || ((kind === "updated" || kind === "unchanged") && has(MARK.active));
    if (has(MARK.wasLinked)) counted.linked++;
    else if (wasActive) counted.newlyLinked++;
    if (has(MARK.dateGone)) counted.dateGone++;
  }
  return { kinds, ...counted };
}

function outcomesOf({ candidates, rows, context }: Draft): string | null {
  if (rows > MAX_OUTCOMES) return null;
  const letters = new Array<string>(rows).fill(UNCHANGED_LETTER);
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (!isMarked(candidates, candidate, MARK.absent)) {
      letters[rowOf(candidates, candidate)] = letterOf(candidates, candidate);
    }
  }
  for (const n of context.choice?.leftOut ?? []) letters[n] = LEFT_OUT;
  return letters.join("");
}

/** As `count` counts them. */
function countedRows({ candidates, context }: Draft): Record<Hourly, number[]> {
  const rows: Record<Hourly, number[]> = { deactivate: [], reactivate: [], identity: [] };
  if (context.choice === undefined) return rows;
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const kind = kindOf(candidates, candidate), n = rowOf(candidates, candidate);
    const has = (mark: Mark) => isMarked(candidates, candidate, mark);
    if (kind === "failed" || has(MARK.absent)) continue;
    if (kind === "deactivated" || (kind === "updated" && has(MARK.advancesDeactivation))) rows.deactivate.push(n);
    if (kind === "reactivated") rows.reactivate.push(n);
    if (has(MARK.identity)) rows.identity.push(n);
  }
  return rows;
}
