/**
 * Decides which run is next: one of the organization that was served least and, within it, of the connection that was
 * served least. Runs of one connection stay in their order, and a run that has begun goes before others of its
 * organization.
 */
import { createTurns, type Turns } from "../std/turns.ts";

interface Owned {
  readonly organizationId: number;
  readonly connectionId: number;
}

export interface RunTurns {
  /** `runnable`: at most one run for each connection, as listRunnable returns them. */
  order<T extends Owned & { readonly isBegun: boolean }>(runnable: readonly T[]): T[];
  /** The turns of organizations alone. */
  readonly organizations: Turns;
  /** Notes that a run of this owner was carried for `ms`. */
  took(owner: Owned, ms: number): void;
  /** Nothing waits any more: what was carried so far no longer counts. */
  forget(): void;
}

const LONGEST_MS = 60_000;

export function createRunTurns(): RunTurns {
  const organizations = createTurns();
  const connections = new Map<number, Turns>();
  return {
    organizations,
    order<T extends Owned & { readonly isBegun: boolean }>(runnable: readonly T[]) {
      const byOrganization = new Map<number, T[]>();
      for (const each of runnable) {
        const own = byOrganization.get(each.organizationId);
        if (own === undefined) byOrganization.set(each.organizationId, [each]);
        else own.push(each);
      }
      return organizations.order([...byOrganization], ([id]) => id).flatMap(([id, own]) => {
        const inTurn = connections.get(id)?.order(own, ({ connectionId }) => connectionId) ?? own;
        return [...inTurn.filter(({ isBegun }) => isBegun), ...inTurn.filter(({ isBegun }) => !isBegun)];
      });
    },
    took({ organizationId, connectionId }, ms) {
      // Even a turn that the clock does not show counts a little, and one in which it jumps not for hours.
      const amount = Math.min(LONGEST_MS, Math.max(1, ms));
      organizations.took(organizationId, amount);
      if (!connections.has(organizationId)) connections.set(organizationId, createTurns());
      connections.get(organizationId)!.took(connectionId, amount);
    },
    forget() {
      organizations.forget();
      connections.clear();
    },
  };
}
