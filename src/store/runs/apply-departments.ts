/** Applies a page of changes of departments. */
import { type SQL, sql } from "drizzle-orm";
import { eachEntry, type PageContext } from "./page-entries.ts";
import type { OpenPage } from "./plans.ts";

export function departmentStatements(context: PageContext, page: OpenPage): SQL[] {
  const each = eachEntry(page);
  const image = sql`value ->> '$.after.name', value ->> '$.after.folded', value ->> '$.after.parent_id',
    value ->> '$.after.external_id', value ->> '$.after.active', value ->> '$.after.closing'`;
  return [
    // A name or key may move from one department to another within the page.
    sql`update departments set folded = char(1) || id, external_id = null where organization_id = ${context.organizationId}
      and id in (select value ->> '$.departmentId' from ${each} where value ->> '$.version' > 0)`,
    sql`insert into departments (id, organization_id, last_change, version, created_at, updated_at,
        name, folded, parent_id, external_id, active, closing)
      select value ->> '$.departmentId', ${context.organizationId}, ${page.id}, 1, ${context.now}, ${context.now}, ${image}
      from ${each} where value ->> '$.version' = 0`,
    sql`with s as materialized (select value ->> '$.departmentId' as id, value ->> '$.after.name' as name,
        value ->> '$.after.folded' as folded, value ->> '$.after.parent_id' as parent_id,
        value ->> '$.after.external_id' as external_id, value ->> '$.after.active' as active,
        value ->> '$.after.closing' as closing from ${each} where value ->> '$.version' > 0)
      update departments set version = version + 1, updated_at = ${context.now}, last_change = ${page.id},
        name = s.name, folded = s.folded, parent_id = s.parent_id, external_id = s.external_id, active = s.active,
        closing = s.closing from s
      where departments.id = s.id and departments.organization_id = ${context.organizationId}`,
    // Rows that name a renamed or closed department now have another meaning.
    sql`update organizations set reference_version = reference_version + 1 where id = ${context.organizationId}
      and exists (select 1 from ${each} where value ->> '$.version' > 0)`,
  ];
}
