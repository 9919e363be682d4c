/**
 * Claims to an email, employee id or key that another user holds. The taker gets it if the holder gives it up in the same
 * plan; the two are then written together, unless it is the key: links can be written in any order. Pure.
 */
import { addTo } from "../std/add-to.ts";

/** `taker` (a candidate) wants what `holder` (a user) has. */
export interface Claim {
  readonly taker: number;
  readonly holder: number;
  /** The claimed field. */
  readonly field: "email" | "employee_id" | "key";
  readonly value: string;
}

export interface Resolution {
  /** Claims that cannot be met: the holder keeps the value. */
  readonly refused: readonly Claim[];
  /** Candidates that must be written in one batch, each group together. */
  readonly groups: readonly (readonly number[])[];
}

/**
 * `releaserOf`: the candidate whose change makes the holder give the value up, if there is one. When the end of a chain
 * of takers is refused, the whole chain is. A swap is met: each gives what the other takes.
 */
export function resolveClaims(
  claims: readonly Claim[],
  releaserOf: (claim: Claim) => number | null,
  hasFailed: (candidate: number) => boolean,
): Resolution {
  const open = claims.filter((claim) => !hasFailed(claim.taker));
  const { refused, losers } = refuseClaims(open, releaserOf, hasFailed);
  const met = open.filter((claim) => !losers.has(claim.taker));
  const writtenWith = (claim: Claim) => claim.field === "key" ? claim.taker : releaserOf(claim)!;
  return { refused, groups: groupsOf(met.map((claim) => [claim.taker, writtenWith(claim)])) };
}

/** Refuses claims to a value that is not given up, and claims that depend on those. */
function refuseClaims(
  claims: readonly Claim[],
  releaserOf: (claim: Claim) => number | null,
  hasFailed: (candidate: number) => boolean,
): { refused: Claim[]; losers: Set<number> } {
  const refused: Claim[] = [];
  const losers = new Set<number>();
  const queue: number[] = [];
  const waiting = new Map<number, Claim[]>();
  const refuse = (claim: Claim) => {
    refused.push(claim);
    if (losers.has(claim.taker)) return;
    losers.add(claim.taker);
    queue.push(claim.taker);
  };
  for (const claim of claims) {
    const releaser = releaserOf(claim);
    if (releaser === null || hasFailed(releaser)) refuse(claim);
    else addTo(waiting, releaser, claim);
  }
  for (let taker = queue.pop(); taker !== undefined; taker = queue.pop()) {
    for (const claim of waiting.get(taker) ?? []) if (!losers.has(claim.taker)) refuse(claim);
  }
  return { refused, losers };
}

/** Groups candidates that depend on each other, directly or through others, in order of their first members. */
function groupsOf(pairs: readonly (readonly [number, number])[]): number[][] {
  const parent = new Map<number, number>();
  const rootOf = (candidate: number): number => {
    let root = candidate;
    while (parent.has(root) && parent.get(root) !== root) root = parent.get(root)!;
    parent.set(candidate, root);
    return root;
  };
  for (const [taker, releaser] of pairs) {
    const a = rootOf(taker), b = rootOf(releaser);
    parent.set(a, b);
    if (!parent.has(b)) parent.set(b, b);
  }
  const groups = new Map<number, number[]>();
  for (const candidate of [...parent.keys()].sort((a, b) => a - b)) addTo(groups, rootOf(candidate), candidate);
  return [...groups.values()];
}
