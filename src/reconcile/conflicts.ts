/**
 * An email or employee id wanted by one person and held by another. The taker may have it if the holder gives it up in
 * the same plan; the two are then written together. Pure.
 */

/** `taker` (a candidate) wants what `holder` (a user) has. */
export interface Claim {
  readonly taker: number;
  readonly holder: number;
  /** What is wanted. */
  readonly field: "email" | "employee_id";
  readonly value: string;
}

export interface Resolution {
  /** Claims that cannot be met: the holder keeps it. */
  readonly refused: readonly Claim[];
  /** Candidates that must be written in one batch, each group together. */
  readonly groups: readonly (readonly number[])[];
}

/**
 * `releases(userId, field)`: the candidate whose change makes this user give the value up, or -1. A chain of takers
 * falls like dominoes when its end is refused; a swap holds, as each gives what the other takes.
 */
export function resolveClaims(
  claims: readonly Claim[],
  releases: (claim: Claim) => number,
  isDropped: (candidate: number) => boolean,
): Resolution {
  const refused: Claim[] = [];
  const failed = new Set<number>();
  const waiting = new Map<number, Claim[]>();
  const queue: number[] = [];
  const refuse = (claim: Claim) => {
    refused.push(claim);
    if (!failed.has(claim.taker)) {
      failed.add(claim.taker);
      queue.push(claim.taker);
    }
  };
  for (const claim of claims) {
    if (isDropped(claim.taker)) continue;
    const releaser = releases(claim);
    if (releaser < 0 || isDropped(releaser)) refuse(claim);
    else waiting.set(releaser, [...(waiting.get(releaser) ?? []), claim]);
  }
  for (let taker = queue.pop(); taker !== undefined; taker = queue.pop()) {
    for (const claim of waiting.get(taker) ?? []) {
      if (!failed.has(claim.taker)) refuse(claim);
    }
  }
  const group = new Map<number, number>();
  const rootOf = (candidate: number): number => {
    let root = candidate;
    while (group.has(root) && group.get(root) !== root) root = group.get(root)!;
    group.set(candidate, root);
    return root;
  };
  for (const claim of claims) {
    if (isDropped(claim.taker) || failed.has(claim.taker)) continue;
    const a = rootOf(claim.taker), b = rootOf(releases(claim));
    group.set(a, b);
    if (!group.has(b)) group.set(b, b);
  }
  const groups = new Map<number, number[]>();
  for (const candidate of [...group.keys()].sort((a, b) => a - b)) {
    const root = rootOf(candidate);
    groups.set(root, [...(groups.get(root) ?? []), candidate]);
  }
  return { refused, groups: [...groups.values()] };
}
