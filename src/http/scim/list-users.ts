/** Lists of people: a filter becomes one condition in SQL, over the people of the connection. */
import type { Context } from "hono";
import { parseFilter, placeNamed } from "../../scim/filter.ts";
import { readProjection } from "../../scim/project.ts";
import { ScimError } from "../../scim/error.ts";
import type { ResourceType } from "../../scim/schema.ts";
import { conditionOf, orderOf, startOf } from "../../store/scim/user-filter.ts";
import type { Asked } from "../../store/scim/order.ts";
import { countPeople, keysOfPeople, listPeople } from "../../store/scim/users.ts";
import type { Env } from "../kit/env.ts";
import type { Scim } from "./context.ts";
import { listResponse } from "./list.ts";
import type { ListQuery } from "./query.ts";
import { viewPeople } from "./view-user.ts";

export async function listUsers(c: Context<Env>, scim: Scim, query: ListQuery) {
  const { db } = c.get("hub"), { within, users } = scim;
  const filter = query.filter === null ? null : parseFilter(users, query.filter);
  const asked: Asked = {
    condition: filter === null ? null : conditionOf(filter),
    start: filter === null ? "resources" : startOf(filter),
    sort: sortOf(users, query),
  };
  const projection = readProjection(users, query.attributes, query.excluded);
  return await listResponse(query, {
    name: `users-${within.connectionId}`,
    count: () => countPeople(db, within, asked),
    ids: (place) => listPeople(db, within, asked, place),
    isThere: async (id) => (await keysOfPeople(db, within, [id])).size > 0,
    view: (ids) => viewPeople(c, scim, ids, projection),
  });
}

function sortOf(type: ResourceType, { sortBy, isDescending }: ListQuery): Asked["sort"] {
  if (sortBy === null) return null;
  const by = orderOf(placeNamed(type, sortBy, "invalidPath"));
  if (by === null) throw new ScimError("invalidPath", `Users cannot be sorted by "${sortBy.slice(0, 100)}"`);
  return { by, isDescending };
}
