/** A search for one person in everything that an organization has stored. It begins with what the user is now, and was until a merge. */
import type { Hub } from "../hub.ts";
import { findMerge } from "../store/people/merges.ts";
import { imageOf } from "../store/people/user-edits.ts";
import type { StoredUser } from "../store/people/users.ts";
import { columnsOf, createTraces, type Traces } from "./traces.ts";

/** `traces` and `connections` grow as more of the person is found. */
export interface PersonSearch {
  readonly hub: Hub;
  readonly organizationId: number;
  readonly userId: number;
  readonly traces: Traces;
  /** Ids of connections whose inputs may hold the person. */
  readonly connections: Set<number>;
  /** Called between the steps of a search: it keeps the organization's lease. */
  readonly renew: () => Promise<void>;
}

export async function beginSearch(
  hub: Hub,
  { user, links }: StoredUser,
  renew: () => Promise<void>,
): Promise<PersonSearch> {
  const traces = createTraces();
  const connections = new Set<number>();
  traces.add(columnsOf(imageOf(user)));
  for (const { connectionId, sourceKey } of links) {
    connections.add(connectionId);
    traces.addKey(connectionId, sourceKey);
  }
  for (const id of [user.sourceId, ...Object.values(user.fieldSources ?? {})]) if (id) connections.add(id);
  const moved = (await findMerge(hub.db, user))?.moved;
  if (moved !== undefined) {
    traces.add(columnsOf(moved.image));
    for (const { connectionId, sourceKey } of [...moved.links, ...moved.unlinked]) {
      connections.add(connectionId);
      traces.addKey(connectionId, sourceKey);
    }
  }
  return { hub, organizationId: user.organizationId, userId: user.id, traces, connections, renew };
}
