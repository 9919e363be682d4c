/** Groups that identity providers keep by SCIM: list, read. */
import { Hono } from "hono";
import { z } from "zod";
import { encodeId } from "../../model/id.ts";
import { toInstant } from "../../std/time.ts";
import { findGroupOf, type ListedGroup, listGroupMembers, listGroups } from "../../store/scim/group-lists.ts";
import { requires } from "../kit/authorize.ts";
import { describe, json, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { byId, loader } from "../kit/load.ts";
import { answerList, PAGED } from "../kit/paging.ts";
import { idOf, INSTANT, listOf } from "../kit/shapes.ts";

const GROUP = z.strictObject({
  id: idOf("grp"),
  connection_id: idOf("con"),
  name: z.string().meta({ examples: ["Ops"] }),
  external_id: z.string().nullable().meta({ description: "The identity provider's own id", examples: ["00g1"] }),
  member_count: z.int(),
  version: z.int(),
  created_at: INSTANT,
  updated_at: INSTANT,
}).meta({ id: "Group" });

const MAX_MEMBERS = 10_000;
const WITH_MEMBERS = GROUP.extend({
  members: z.array(z.strictObject({ id: idOf("usr"), name: z.string().nullable() })).meta({
    description: `At most ${MAX_MEMBERS} of them`,
    examples: [[{ id: "usr_2", name: "Ana Example" }]],
  }),
}).meta({ id: "GroupWithMembers" });

function viewGroup({ group, memberCount }: ListedGroup): z.infer<typeof GROUP> {
  return {
    id: encodeId("grp", group.id),
    connection_id: encodeId("con", group.connectionId),
    name: group.name,
    external_id: group.externalId,
    member_count: memberCount,
    version: group.version,
    created_at: toInstant(group.createdAt),
    updated_at: toInstant(group.updatedAt),
  };
}

const loadGroup = loader("group", byId("grp", findGroupOf));

const list = route(
  describe("listGroups", "List groups", { 200: listOf(GROUP) }, {
    description: "Groups that identity providers keep by SCIM, the oldest first.",
  }),
  requires("users:read"),
  PAGED,
  (c) => answerList(c, "groups", listGroups, ({ group }) => group.id, viewGroup),
);

const get = route(
  describe("getGroup", "Get a group", { 200: json(WITH_MEMBERS) }, {
    description: "With its members. It is changed by its identity provider alone.",
  }),
  requires("users:read"),
  async (c) => {
    const listed = await loadGroup(c);
    const members = await listGroupMembers(c.get("hub").db, listed.group, MAX_MEMBERS);
    const view: z.infer<typeof WITH_MEMBERS> = {
      ...viewGroup(listed),
      members: members.map(({ id, name }) => ({ id: encodeId("usr", id), name })),
    };
    return c.json(view);
  },
);

export const groupRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list)
  .get("/:id", ...get);
