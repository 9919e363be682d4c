/** People whose manager was named by an earlier input, and is found only with this plan. */
import { hasFailed, kindOf, managerNamed, userOf } from "../columns/candidates.ts";
import { isSet, type NewManagers } from "../columns/new-managers.ts";
import { linkOfUser } from "../columns/known.ts";
import type { Draft } from "../draft.ts";
import { claimantOf } from "./resolve.ts";

/** They get the manager although their row did not change, so they are not counted among the rows. */
export interface LateManager {
  readonly userId: number;
  readonly connectionId: number;
  readonly manager: number;
}

export async function findLateManagers(draft: Draft, after: NewManagers): Promise<LateManager[]> {
  const { candidates, context } = draft;
  const late: LateManager[] = [];
  if (!context.lookups.hasUsers || !someoneAppears(draft)) return late;
  let inInput: ReadonlySet<number> | null = null;
  for await (const page of context.lookups.pendingManagers()) {
    for (const { userId, connectionId, field, value } of page) {
      // A key is valid in its own connection only.
      if (field === "manager_key" && connectionId !== context.connectionId) continue;
      const claimant = claimantOf(draft, field, value);
      if (claimant === null) continue;
      const manager = userOf(candidates, claimant);
      inInput ??= usersWithManager(draft, after);
      // When two connections wait for a person's manager, the older one counts: pages are in that order.
      if (!inInput.has(userId) && manager !== userId && late.at(-1)?.userId !== userId) {
        late.push({ userId, connectionId, manager });
      }
    }
  }
  return late;
}

/** Whether this plan may have a user for a reference that found none before. */
function someoneAppears({ candidates, disturbed }: Draft): boolean {
  if (disturbed.size > 0) return true;
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (kindOf(candidates, candidate) === "created") return true;
  }
  return false;
}

/** Users whose own row in this input names a manager, or takes it away: that counts first, unless it is refused. */
function usersWithManager({ candidates }: Draft, after: NewManagers): Set<number> {
  const users = new Set<number>();
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (hasFailed(candidates, candidate)) continue;
    if (isSet(after, candidate) || managerNamed(candidates, candidate) !== undefined) {
      users.add(userOf(candidates, candidate));
    }
  }
  return users;
}

/** Recalls rows that were passed over if they name their manager by a value that moves to another user. */
export async function recallReports({ context, disturbed, touched }: Draft): Promise<void> {
  const { known } = context;
  if (known.size === 0 || disturbed.size === 0) return;
  const tree = await context.lookups.tree();
  for (let i = 0; i < tree.ids.length; i++) {
    if (!disturbed.has(tree.managers[i]!)) continue;
    const ordinal = linkOfUser(known, tree.ids[i]!);
    if (ordinal !== null) touched.add(ordinal);
  }
}
