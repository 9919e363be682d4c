/** POST, PUT, PATCH and DELETE of a group. Groups are stored as they are, with their members; nobody is made by them. */
import type { Context } from "hono";
import { decodeId } from "../../model/id.ts";
import { ScimError } from "../../scim/error.ts";
import { GROUP_TYPE } from "../../scim/group-schema.ts";
import { applyPatch } from "../../scim/patch.ts";
import { type Given, readResource } from "../../scim/read-resource.ts";
import { elementsOf, type Node, type Resource, type Value } from "../../scim/value.ts";
import { isUniqueViolation } from "../../store/conflict.ts";
import {
  createGroup,
  deleteGroup,
  type Group,
  type GroupInput,
  listSeen,
  loadMembers,
  updateGroup,
} from "../../store/scim/groups.ts";
import { byOf } from "../kit/authorize.ts";
import type { Env } from "../kit/env.ts";
import { requireMatch } from "./answer.ts";
import type { Scim } from "./context.ts";
import { setDepartments } from "./department-groups.ts";
import { loadGroup, viewGroup } from "./view-group.ts";

export async function makeGroup(c: Context<Env>, scim: Scim, body: unknown): Promise<Group> {
  const { db, now } = c.get("hub");
  const { resource } = readResource(GROUP_TYPE, body);
  const input = inputOf(resource), members = await membersOf(c, scim, resource, new Set());
  await setDepartments(c, scim, { before: null, after: input.name, kept: [], added: members, removed: [] });
  return await withoutOther(input, () => createGroup(db, scim.within, input, members, now(), byOf(c)));
}

/** The whole group anew. A group that names no members keeps them; an empty list of members empties it. */
export async function replaceGroup(c: Context<Env>, scim: Scim, body: unknown): Promise<void> {
  await untilWritten(async () => {
    const group = await loadGroup(c, scim);
    return await change(c, scim, group, readResource(GROUP_TYPE, body), await idsOf(c, group));
  });
}

export async function patchGroup(c: Context<Env>, scim: Scim, body: unknown): Promise<void> {
  await untilWritten(() => patchOnce(c, scim, body));
}

async function patchOnce(c: Context<Env>, scim: Scim, body: unknown): Promise<boolean> {
  const { db } = c.get("hub");
  const group = await loadGroup(c, scim);
  const members = (await loadMembers(db, group.organizationId, [group.id])).get(group.id) ?? [];
  const before = viewGroup(scim, group, members);
  // What is shown of members and cannot be written would keep a member from being the same one.
  const plain = {
    ...before,
    members: elementsOf(before.members as Value).map((each) => ({ value: (each as Node).value! })),
  };
  const given = applyPatch(GROUP_TYPE, plain.members.length === 0 ? without(before) : plain as Resource, body);
  return await change(c, scim, group, given, new Set(members.map(({ id }) => id)));
}

function without({ members: _, ...rest }: Resource): Resource {
  return rest;
}

export async function removeGroup(c: Context<Env>, scim: Scim): Promise<void> {
  const { db, now } = c.get("hub");
  await untilWritten(async () => {
    const group = await loadGroup(c, scim);
    requireMatch(c, viewGroup(scim, group, null));
    const members = [...await idsOf(c, group)];
    await setDepartments(c, scim, { before: group.name, after: null, kept: [], added: [], removed: members });
    return await deleteGroup(db, group, now(), byOf(c));
  });
}

/** Providers send the members of one group at once, one a request, and some send nothing a second time. */
const MOST_TRIES = 50;

/** Tries again, from what is there then, as long as other requests have changed the group meanwhile. */
async function untilWritten(write: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries++) if (await write()) return;
  throw new ScimError("unavailable", "Others keep changing the group: send the request again", { retryAfterS: 1 });
}

/** False when the group is no longer as it was read. */
async function change(
  c: Context<Env>,
  scim: Scim,
  group: Group,
  { resource, named }: Given,
  before: ReadonlySet<number>,
): Promise<boolean> {
  requireMatch(c, viewGroup(scim, group, null));
  const { db, now } = c.get("hub");
  const after = named.has("members") ? new Set(await membersOf(c, scim, resource, before)) : before;
  const own = inputOf(resource);
  const input = named.has("externalId") ? own : { ...own, externalId: group.externalId };
  const added = [...after].filter((id) => !before.has(id)), removed = [...before].filter((id) => !after.has(id));
  const isSame = input.name === group.name && input.externalId === group.externalId;
  if (isSame && added.length + removed.length === 0) return true;
  const kept = [...after].filter((id) => before.has(id));
  await setDepartments(c, scim, { before: group.name, after: input.name, kept, added, removed });
  return await withoutOther(input, () => updateGroup(db, group, input, { added, removed }, now(), byOf(c)));
}

async function idsOf(c: Context<Env>, group: Group): Promise<ReadonlySet<number>> {
  const members = await loadMembers(c.get("hub").db, group.organizationId, [group.id]);
  return new Set((members.get(group.id) ?? []).map(({ id }) => id));
}

function inputOf(resource: Resource): GroupInput {
  return {
    name: String(resource.displayName).trim(),
    externalId: (resource.externalId as string | undefined) ?? null,
  };
}

/** Ids of the members. Each is a user of the connection, or was a member before. */
async function membersOf(
  c: Context<Env>,
  { within }: Scim,
  resource: Resource,
  before: ReadonlySet<number>,
): Promise<number[]> {
  const named = elementsOf(resource.members as Value | undefined).map((each) => String((each as Node).value));
  const ids = named.map((name) => decodeId("usr", name) ?? 0);
  const seen = await listSeen(c.get("hub").db, within, ids.filter((id) => !before.has(id)));
  const unknown = ids.findIndex((id) => !seen.has(id) && !before.has(id));
  if (unknown < 0) return [...new Set(ids)];
  throw new ScimError("invalidValue", `The member "${named[unknown]!.slice(0, 100)}" is no user of this connection`);
}

async function withoutOther<T>({ name }: GroupInput, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new ScimError("uniqueness", `The connection has a group with the displayName "${name}" already`, {
      cause: error,
    });
  }
}
