/** PUT, PATCH and DELETE of a user. */
import type { Context } from "hono";
import { ScimError } from "../../scim/error.ts";
import { applyPatch } from "../../scim/patch.ts";
import { type Given, readResource } from "../../scim/read-resource.ts";
import { type FieldRecord, MANAGER, recordOf, recordOfPatch } from "../../scim/user-record.ts";
import type { Resource } from "../../scim/value.ts";
import { removeScimUser, type ScimPerson, type ScimUser, updateScimUser } from "../../store/scim/users.ts";
import type { Env } from "../kit/env.ts";
import { requireMatch } from "./answer.ts";
import type { Scim } from "./context.ts";
import { identityOf, taken, withoutOther } from "./create-user.ts";
import { managerFields } from "./manager.ts";
import { loadPerson } from "./view-user.ts";
import { writeRecord } from "./write-record.ts";
import { findEarlier } from "../../store/scim/users.ts";

/** The whole resource anew. What it leaves out is cleared where this connection has written it, and else stays. */
export async function replaceUser(c: Context<Env>, scim: Scim, body: unknown): Promise<Resource> {
  const { person, resource } = await loadPerson(c, scim);
  requireMatch(c, resource);
  const given = readResource(scim.users, body);
  const { user } = person.stored;
  const isOwn = (field: string) => {
    const column = field === "department_name" ? "department_id" : field;
    return (user.fieldSources?.[column] ?? user.sourceId) === scim.connection.id;
  };
  const record = recordOf(given, scim.customFields, isOwn);
  const isNamed = given.named.has(MANAGER) || (user.managerId !== null && isOwn("manager_id"));
  const manager = isNamed ? await managerFields(c, scim, given.resource) : {};
  return await write(c, scim, person, given, { ...record, ...manager });
}

export async function patchUser(c: Context<Env>, scim: Scim, body: unknown): Promise<Resource> {
  const { person, resource } = await loadPerson(c, scim);
  requireMatch(c, resource);
  const given = applyPatch(scim.users, resource, body);
  const record = recordOfPatch(given, resource, scim.customFields);
  const manager = given.named.has(MANAGER) ? await managerFields(c, scim, given.resource) : {};
  return await write(c, scim, person, given, { ...record, ...manager });
}

/** Deletes the resource. The person becomes inactive, as far as this connection decides about it, and is not erased. */
export async function deleteUser(c: Context<Env>, scim: Scim): Promise<void> {
  const { person, resource } = await loadPerson(c, scim);
  requireMatch(c, resource);
  const { row, stored: { user } } = person;
  await writeRecord(c, scim, { sourceKey: row.sourceKey, userId: user.id }, { is_active: false });
  const { db, now } = c.get("hub");
  await removeScimUser(db, row, user.id, now());
}

async function write(
  c: Context<Env>,
  scim: Scim,
  { row, stored: { user } }: ScimPerson,
  given: Given,
  record: FieldRecord,
): Promise<Resource> {
  const { db, now } = c.get("hub");
  const identity = identityOf(given.resource);
  await requireFreeName(c, scim, row, identity);
  if (Object.keys(record).length > 0) {
    await writeRecord(c, scim, { sourceKey: row.sourceKey, userId: user.id }, record);
  }
  const changed = { ...row, ...identity };
  if (JSON.stringify(changed) !== JSON.stringify(row)) {
    await withoutOther(identity.userName, () => updateScimUser(db, { ...changed, updatedAt: now() }));
  }
  return (await loadPerson(c, scim)).resource;
}

/** Before anything is written, as the name is stored after the run. */
async function requireFreeName(
  c: Context<Env>,
  { within }: Scim,
  row: ScimUser,
  { userName, folded }: ReturnType<typeof identityOf>,
): Promise<void> {
  if (folded === row.folded) return;
  if (folded === "") throw new ScimError("invalidValue", '"userName" is required');
  const others = await findEarlier(c.get("hub").db, within, { folded, externalId: null });
  if (others.some((each) => each.row.removedAt === null)) throw taken(userName);
}
