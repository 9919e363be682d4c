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
 * `from … where …` with the names s (the resource), l (the link), u (the user) and d (the department). Those of other
 * connections, of other organizations, and those that the provider has deleted are not among them.
 */
export function fromPeople({ organizationId, connectionId }: Within, condition: SQL): SQL {
  return sql`from ${scimUsers} s
    join ${links} l on l.connection_id = s.connection_id and l.source_key = s.source_key
    join ${users} u on u.id = l.user_id and u.organization_id = s.organization_id
    left join departments d on d.id = u.department_id
    where s.connection_id = ${connectionId} and s.organization_id = ${organizationId}
      and u.organization_id = ${organizationId} and s.removed_at is null and u.merged_into is null
      and ${condition}`;
}
