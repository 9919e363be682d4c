/** Lists of groups: a filter becomes one condition in SQL. */
import type { Context } from "hono";
import { ScimError } from "../../scim/error.ts";
import { parseFilter, placeNamed } from "../../scim/filter.ts";
import { GROUP_TYPE } from "../../scim/group-schema.ts";
import { readProjection } from "../../scim/project.ts";
import { groupConditionOf, groupOrderOf } from "../../store/scim/group-filter.ts";
import { countGroups, findGroup, listGroupIds } from "../../store/scim/groups.ts";
import type { Asked } from "../../store/scim/order.ts";
import type { Env } from "../kit/env.ts";
import type { Scim } from "./context.ts";
import { listResponse } from "./list.ts";
import type { ListQuery } from "./query.ts";
import { viewGroups } from "./view-group.ts";

export async function listGroups(c: Context<Env>, scim: Scim, query: ListQuery) {
  const { db } = c.get("hub"), { within } = scim;
  const asked: Asked = {
    condition: query.filter === null ? null : groupConditionOf(parseFilter(GROUP_TYPE, query.filter)),
    sort: sortOf(query),
  };
  const projection = readProjection(GROUP_TYPE, query.attributes, query.excluded);
  return await listResponse(query, {
    name: `groups-${within.connectionId}`,
    count: () => countGroups(db, within, asked),
    ids: (place) => listGroupIds(db, within, asked, place),
    isThere: async (id) => await findGroup(db, within, id) !== null,
    view: (ids) => viewGroups(c, scim, ids, projection),
  });
}

function sortOf({ sortBy, isDescending }: ListQuery): Asked["sort"] {
  if (sortBy === null) return null;
  const by = groupOrderOf(placeNamed(GROUP_TYPE, sortBy, "invalidPath"));
  if (by === null) throw new ScimError("invalidPath", `Groups cannot be sorted by "${sortBy.slice(0, 100)}"`);
  return { by, isDescending };
}
