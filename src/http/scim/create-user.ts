/**
 * POST of a user. A provider that creates somebody again whom it has deactivated or deleted gets the old resource back;
 * somebody active is refused with 409.
 */
import type { Context } from "hono";
import { ScimError } from "../../scim/error.ts";
import { foldUserName } from "../../scim/fold.ts";
import { readResource } from "../../scim/read-resource.ts";
import { MANAGER, recordOf } from "../../scim/user-record.ts";
import type { Resource } from "../../scim/value.ts";
import { isUniqueViolation } from "../../store/conflict.ts";
import {
  deleteUnlinked,
  type Earlier,
  findEarlier,
  insertScimUser,
  loadPeople,
  type ScimUser,
  updateScimUser,
  userOfKey,
} from "../../store/scim/users.ts";
import type { Env } from "../kit/env.ts";
import type { Scim } from "./context.ts";
import { managerFields } from "./manager.ts";
import { viewPerson } from "./view-user.ts";
import { writeRecord } from "./write-record.ts";

/** The new resource. */
export async function createUser(c: Context<Env>, scim: Scim, body: unknown): Promise<Resource> {
  const { db, now } = c.get("hub");
  const given = readResource(scim.users, body);
  const identity = identityOf(given.resource);
  const same = await findSame(c, scim, identity);
  const manager = given.named.has(MANAGER) ? await managerFields(c, scim, given.resource) : {};
  const row: ScimUser = same?.row ?? {
    connectionId: scim.connection.id,
    sourceKey: crypto.randomUUID(),
    organizationId: scim.connection.organizationId,
    ...identity,
    removedAt: null,
    createdAt: now(),
    updatedAt: now(),
  };
  // It reserves the name, so that of two requests at once only one makes the person.
  if (same === null) await withoutOther(identity.userName, () => insertScimUser(db, row));
  const record = { is_active: true, ...recordOf(given, scim.customFields, () => false), ...manager };
  try {
    await writeRecord(c, scim, { sourceKey: row.sourceKey, userId: same?.user?.id ?? null }, record);
  } catch (error) {
    if (error instanceof ScimError && error.kind === "forbidden" && record.is_active === false) {
      await deleteUnlinked(db, row);
      throw new ScimError("forbidden", "A new user has to be active: nobody is made who has left already");
    }
    // What waits for a decision keeps its row, so that it is known when it is sent again.
    if (!(error instanceof ScimError && error.status >= 429)) await deleteUnlinked(db, row);
    throw error;
  }
  const at = now(), createdAt = same?.user == null ? at : row.createdAt;
  const changed = { ...row, ...identity, removedAt: null, createdAt, updatedAt: at };
  await withoutOther(identity.userName, () => updateScimUser(db, changed));
  const userId = await userOfKey(db, scim.within, row.sourceKey);
  const [person] = userId === null ? [] : await loadPeople(db, scim.within, [userId], { withGroups: true });
  if (person === undefined) throw new ScimError("uniqueness", `"${identity.userName}" is another user's record`);
  return viewPerson(scim, person);
}

/** What the resource has of its own. */
export function identityOf(resource: Resource): Pick<ScimUser, "userName" | "folded" | "externalId" | "displayName"> {
  const userName = String(resource.userName).trim();
  return {
    userName,
    folded: foldUserName(userName),
    externalId: (resource.externalId as string | undefined) ?? null,
    displayName: (resource.displayName as string | undefined) ?? null,
  };
}

/** The earlier resource of the same person; null: it is somebody new. Fails when the name belongs to somebody else. */
async function findSame(
  c: Context<Env>,
  { within }: Scim,
  { userName, folded, externalId }: ReturnType<typeof identityOf>,
): Promise<Earlier | null> {
  const earlier = await findEarlier(c.get("hub").db, within, { folded, externalId });
  const same = earlier.find(({ row }) => externalId !== null && row.externalId === externalId) ??
    earlier.find(({ row }) => row.folded === folded && (externalId === null || row.externalId === null)) ?? null;
  const other = earlier.find((each) => each !== same && each.row.folded === folded && each.row.removedAt === null);
  const isAtWork = same !== null && same.row.removedAt === null && same.user?.status === "active";
  if (other !== undefined || isAtWork) throw taken(userName);
  return same;
}

export async function withoutOther(userName: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (isUniqueViolation(error)) throw taken(userName, error);
    throw error;
  }
}

export function taken(userName: string, cause?: unknown): ScimError {
  return new ScimError("uniqueness", `The connection has a user with the userName "${userName}" already`, { cause });
}
