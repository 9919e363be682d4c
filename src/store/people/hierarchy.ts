/** Two hierarchies: users under their managers, departments under their parents. */
import { type SQL, sql } from "drizzle-orm";

export interface Hierarchy {
  readonly table: SQL;
  readonly parent: SQL;
}

export const MANAGERS: Hierarchy = { table: sql.raw("users"), parent: sql.raw("manager_id") };
export const PARENTS: Hierarchy = { table: sql.raw("departments"), parent: sql.raw("parent_id") };

/** A query: `columns` of `id` itself and of everything above it, in this order. A cycle ends it. */
export function ancestors({ table, parent }: Hierarchy, organizationId: number, id: number, columns: SQL): SQL {
  return sql`with recursive up(id, depth) as (
      select ${id}, 0
      union select t.${parent}, up.depth + 1 from up join ${table} t on t.id = up.id
        where t.${parent} is not null and t.organization_id = ${organizationId} and up.depth < 1000
    )
    select ${columns} from up join ${table} t on t.id = up.id
    where t.organization_id = ${organizationId} order by up.depth`;
}

/** True in SQL while `id` is neither `parentId` nor above it, so that it can get this parent without a cycle. */
export function isNotAbove({ table, parent }: Hierarchy, id: number, parentId: number): SQL {
  return sql`not exists (
    with recursive up(id) as (
      select ${parentId} union select t.${parent} from up join ${table} t on t.id = up.id where t.${parent} is not null
    )
    select 1 from up where up.id = ${id})`;
}
