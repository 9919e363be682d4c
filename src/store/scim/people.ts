/** In SQL: the people whom a connection's provider sees, each with its resource. */
import { type SQL, sql } from "drizzle-orm";
import { links, users } from "../people/schema.ts";
import { scimUsers } from "./schema.ts";

/** Which connection's people. */
export interface Within {
  readonly organizationId: number;
  readonly connectionId: number;
}

/**
 * Where a search begins: at the connection's resources, or, where a condition names few people of the organization, at
 * those. SQLite knows of no numbers here and would begin at the resources each time.
 */
export type Start = "resources" | "users";

/**
 * `from … where …` with the names s (the resource), l (the link), u (the user) and d (the department). Those of other
 * connections, of other organizations, and those that the provider has deleted are not among them.
 */
export function fromPeople(
  { organizationId, connectionId }: Within,
  condition: SQL,
  start: Start = "resources",
): SQL {
  const joined = start === "resources"
    ? sql`${scimUsers} s join ${links} l on l.connection_id = s.connection_id and l.source_key = s.source_key
      join ${users} u on u.id = l.user_id`
    : sql`${users} u cross join ${links} l on l.user_id = u.id
      cross join ${scimUsers} s on s.connection_id = +l.connection_id and s.source_key = l.source_key`;
  return sql`from ${joined}
    left join departments d on d.id = u.department_id
    where s.connection_id = ${connectionId} and s.organization_id = ${organizationId}
      and u.organization_id = ${organizationId} and s.removed_at is null and u.merged_into is null
      and ${condition}`;
}
