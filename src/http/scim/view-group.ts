/** Groups as resources. */
import type { Context } from "hono";
import { decodeId, encodeId } from "../../model/id.ts";
import { ScimError } from "../../scim/error.ts";
import { GROUP, GROUP_TYPE } from "../../scim/group-schema.ts";
import { isShown, project, type Projection } from "../../scim/project.ts";
import type { Resource } from "../../scim/value.ts";
import { findGroup, type Group, loadGroups, loadMembers, type Member } from "../../store/scim/groups.ts";
import type { Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";
import type { Scim } from "./context.ts";

/** `members`: null where the answer does not show them. The tag is of the stored version, so it needs none of them. */
export function viewGroup({ base }: Scim, group: Group, members: readonly Member[] | null): Resource {
  const id = encodeId("grp", group.id);
  const shown = (members ?? []).map((member) => ({
    value: encodeId("usr", member.id),
    $ref: `${base}/Users/${encodeId("usr", member.id)}`,
    ...(member.name === null ? {} : { display: member.name }),
  }));
  return {
    schemas: [GROUP],
    id,
    ...(group.externalId === null ? {} : { externalId: group.externalId }),
    displayName: group.name,
    ...(shown.length === 0 ? {} : { members: shown }),
    meta: {
      resourceType: "Group",
      created: new Date(group.createdAt).toISOString(),
      lastModified: new Date(group.updatedAt).toISOString(),
      location: `${base}/Groups/${id}`,
      version: `W/"${group.version}"`,
    },
  } as Resource;
}

/** The group that the path names. */
export async function loadGroup(c: Context<Env>, { within }: Scim): Promise<Group> {
  const name = pathParameter(c, "id"), id = decodeId("grp", name);
  const group = id === null ? null : await findGroup(c.get("hub").db, within, id);
  if (group === null) throw new ScimError("notFound", `There is no group "${name.slice(0, 100)}"`);
  return group;
}

/** The groups with these ids as an answer shows them. Members are read where they are shown. */
export async function viewGroups(
  c: Context<Env>,
  scim: Scim,
  ids: readonly number[],
  projection: Projection,
): Promise<Resource[]> {
  const { db } = c.get("hub"), { organizationId } = scim.within;
  const members = isShown(projection, "members") ? await loadMembers(db, organizationId, ids) : null;
  const groups = await loadGroups(db, scim.within, ids);
  return groups.map((group) => {
    const own = members === null ? null : members.get(group.id) ?? [];
    return project(GROUP_TYPE, viewGroup(scim, group, own), projection);
  });
}
