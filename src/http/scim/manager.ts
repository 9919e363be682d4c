/** The manager of a record: the resource that a provider names, as the key of that person in the connection. */
import type { Context } from "hono";
import { decodeId } from "../../model/id.ts";
import { ScimError } from "../../scim/error.ts";
import { type FieldRecord, managerIdOf } from "../../scim/user-record.ts";
import type { Resource } from "../../scim/value.ts";
import { keysOfPeople } from "../../store/scim/users.ts";
import type { Env } from "../kit/env.ts";
import type { Scim } from "./context.ts";

/**
 * Okta can be set up to send the manager's address or employee number instead of the id; those are resolved like in any
 * other input, also when the manager comes later.
 */
export async function managerFields(c: Context<Env>, { within }: Scim, resource: Resource): Promise<FieldRecord> {
  const named = managerIdOf(resource);
  if (named === null) return { manager_key: null };
  const id = decodeId("usr", named);
  if (id === null) return named.includes("@") ? { manager_email: named } : { manager_id: named };
  const key = (await keysOfPeople(c.get("hub").db, within, [id])).get(id);
  if (key !== undefined) return { manager_key: key };
  throw new ScimError("invalidValue", `The manager "${named}" is no user of this connection`);
}
