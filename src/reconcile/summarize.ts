/** The figures of a plan: what its rows come to, and what the guards compare. Pure. */
import type { Filled } from "../model/connection.ts";
import type { Counts } from "../model/run.ts";
import { isMarked, type Kind, kindOf, letterOf, MARK, rowOf, UNCHANGED_LETTER } from "./columns/candidates.ts";
import type { Draft } from "./draft.ts";

export interface UserPlan {
  readonly counts: Readonly<Omit<Counts, "departments_updated">>;
  readonly deactivate: number;
  readonly identity: number;
  /** Rows that would make their user somebody else. */
  readonly conflicts: number;
  /** People who are missing for the first time. */
  readonly newlyMissing: number;
  readonly filled: Filled;
  /** Whether the input is complete, full, and every key could be read: then unseen people are missing. */
  readonly complete: boolean;
  /** A lower bound of the active users linked to the connection. */
  readonly activeAtLeast: number;
  /** Users created by this run, who count for the base. */
  readonly newActive: number;
  /** One letter for each row, for small inputs. */
  readonly outcomes: string | null;
}

const MAX_OUTCOMES = 5_000;

/** `recognized`: filled cells by field, and the active people among rows that were passed over. */
export function summarize(
  draft: Draft,
  recognized: { readonly filled: Readonly<Record<string, number>>; readonly active: number },
  rest: {
    readonly missing: number;
    readonly newly: number;
    readonly complete: boolean;
    /** New departments. */
    readonly departments: number;
  },
): UserPlan {
  const { rows } = draft;
  const { kinds, planned, warned, identity, deactivate, active } = count(draft);
  return {
    counts: {
      read: rows,
      ...kinds,
      unchanged: kinds.unchanged + rows - planned,
      warned,
      missing: rest.missing,
      departments_created: rest.departments,
    },
    deactivate,
    identity,
    conflicts: draft.conflicts,
    newlyMissing: rest.newly,
    filled: { rows, filled: recognized.filled },
    complete: rest.complete,
    activeAtLeast: active + recognized.active,
    newActive: kinds.created,
    outcomes: outcomesOf(draft),
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
  let planned = 0, warned = 0, identity = 0, deactivate = 0, active = 0;
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const kind = kindOf(candidates, candidate);
    const advances = kind === "updated" && isMarked(candidates, candidate, MARK.advancesDeactivation);
    if (kind === "deactivated" || advances) deactivate++;
    if (isMarked(candidates, candidate, MARK.absent)) continue;
    planned++;
    kinds[kind]++;
    if (kind !== "failed" && isMarked(candidates, candidate, MARK.warned)) warned++;
    if (kind !== "failed" && isMarked(candidates, candidate, MARK.identity)) identity++;
    const stays = kind === "updated" || kind === "unchanged";
    if (kind === "reactivated" || (stays && isMarked(candidates, candidate, MARK.active))) active++;
  }
  return { kinds, planned, warned, identity, deactivate, active };
}

function outcomesOf({ candidates, rows }: Draft): string | null {
  if (rows > MAX_OUTCOMES) return null;
  const letters = new Array<string>(rows).fill(UNCHANGED_LETTER);
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (!isMarked(candidates, candidate, MARK.absent)) {
      letters[rowOf(candidates, candidate)] = letterOf(candidates, candidate);
    }
  }
  return letters.join("");
}
