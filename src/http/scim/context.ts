/** Who asks, and about which connection: a connection with the connector `scim`, by a token of its own. */
import type { Context, MiddlewareHandler } from "hono";
import { Fault } from "../../model/errors.ts";
import { allows } from "../../model/scope.ts";
import type { CustomField } from "../../model/record.ts";
import { type Connection, findConnection } from "../../store/connections/connections.ts";
import { loadCustomFields } from "../../store/people/custom-fields.ts";
import type { Within } from "../../store/scim/people.ts";
import { ScimError } from "../../scim/error.ts";
import type { ResourceType } from "../../scim/schema.ts";
import { userType } from "../../scim/user-schema.ts";
import type { Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";

/** Finds the connection that the path names. To be used after `authenticate`. */
export const openConnection: MiddlewareHandler<Env> = async (c, next) => {
  const { scopes, connectionId } = c.get("token");
  if (!allows(scopes, "scim")) throw new Fault("forbidden", 'The token lacks the scope "scim"');
  const name = pathParameter(c, "connection");
  const connection = await findConnection(c.get("hub").db, c.get("organization").id, name);
  const isItsOwn = connectionId == null || connectionId === connection?.id;
  if (connection === null || connection.connector !== "scim" || !isItsOwn) {
    throw new ScimError("notFound", `The token is for no SCIM connection "${name.slice(0, 100)}"`);
  }
  c.set("connection", connection);
  await next();
};

export interface Scim {
  readonly connection: Connection;
  readonly within: Within;
  /** The address of the connection's resources. */
  readonly base: string;
  readonly customFields: readonly CustomField[];
  readonly users: ResourceType;
}

export async function contextOf(c: Context<Env>): Promise<Scim> {
  const connection = c.get("connection")!;
  const customFields = await loadCustomFields(c.get("hub").db, connection.organizationId);
  return {
    connection,
    within: { organizationId: connection.organizationId, connectionId: connection.id },
    base: baseOf(c, connection.slug),
    customFields,
    users: userType(customFields),
  };
}

export function baseOf(c: Context<Env>, slug: string): string {
  return `${c.get("hub").publicUrl}/scim/v2/${slug}`;
}
