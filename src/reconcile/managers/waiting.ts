/** People whose manager was named by an earlier input, and is found only with this plan. */
import { hasFailed, kindOf, managerNamed, userOf } from "../columns/candidates.ts";
import { isSet, type NewManagers } from "../columns/new-managers.ts";
import { linkOfUser } from "../columns/known.ts";
import { managerWithheld } from "../decide/fields.ts";
import type { Draft } from "../draft.ts";
import { NOWHERE } from "../elsewhere.ts";
import { claimantOf, leaverWith } from "./resolve.ts";

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
    const found: LateManager[] = [];
    for (const { userId, connectionId, field, value } of page) {
      // A key is valid in its own connection only.
      if (field === "manager_key" && connectionId !== context.connectionId) continue;
      const claimant = claimantOf(draft, field, value) ?? leaverWith(draft, field, value);
      if (claimant === null) continue;
      const manager = userOf(candidates, claimant);
      inInput ??= usersWithManager(draft, after);
      if (!inInput.has(userId) && manager !== userId) found.push({ userId, connectionId, manager });
    }
    for (const each of await withoutWithheld(draft, found)) {
      // When two connections wait for a person's manager, the older one counts: pages are in that order.
      if (late.at(-1)?.userId !== each.userId) late.push(each);
    }
  }
  return late;
}

/**
 * Those who may be set: since its row came, another connection or a hand may have set a manager whose word counts more
 * than that of the connection that waits.
 */
async function withoutWithheld({ context }: Draft, found: readonly LateManager[]): Promise<readonly LateManager[]> {
  if (found.length === 0) return found;
  const { lookups, connectionId } = context, ids = [...new Set(found.map(({ userId }) => userId))];
  const users = new Map((await lookups.usersById(ids)).map((user) => [user.id, user]));
  const own = (await lookups.linksOfUsers(ids)).map(({ userId, byHand }) => ({ userId, byHand, connectionId }));
  const links = [...own, ...await lookups.otherLinks(ids)];
  return found.filter((late) => {
    const user = users.get(late.userId), ranks = context.ranks.of(late.connectionId);
    const peer = ranks.peer(late.connectionId);
    if (user === undefined || peer === undefined) return false;
    const byHand = new Set(
      links.filter((link) => link.byHand && link.userId === user.id).map((link) => link.connectionId),
    );
    const writing = {
      connectionId: late.connectionId,
      ranks,
      byHand: byHand.has(late.connectionId),
      policy: { manual_edits: peer.keepsEdits ? "keep" : "overwrite" },
    } as const;
    return managerWithheld(user, { ...NOWHERE, byHand }, writing) === null;
  });
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
