/**
 * Which run is next: that of the organization that was served least, and within it of the connection that was. Of one
 * connection runs stay in their order, and what was begun goes before everything else of its organization.
 */
import { createTurns, type Turns } from "../std/turns.ts";

interface Owned {
  readonly organizationId: number;
  readonly connectionId: number;
}

export interface RunTurns {
  /** At most one for each connection, as listRunnable gives them. */
  order<T extends Owned & { readonly isBegun: boolean }>(runnable: readonly T[]): T[];
  /** Of organizations alone. */
  readonly organizations: Turns;
  /** A run of them was carried for so long. */
  took(owner: Owned, ms: number): void;
  /** Nothing waits, so nobody was kept waiting by what was carried. */
  forget(): void;
}

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
      // A clock that does not move for a moment makes no turn free.
      const amount = Math.max(1, ms);
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
