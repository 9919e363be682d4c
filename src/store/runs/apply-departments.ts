/** Applies a page of changes of departments. */
import { type SQL, sql } from "drizzle-orm";
import { eachEntry, type PageContext } from "./page-entries.ts";
import type { OpenPage } from "./plans.ts";

/** Columns that an entry sets, and where it has their values. */
const COLUMNS = ["name", "folded", "parent_id", "external_id", "active", "closing"];
const NAMES = sql.raw(COLUMNS.join(", "));
const VALUES = sql.raw(COLUMNS.map((column) => `value ->> '$.after.${column}' as ${column}`).join(", "));
const ASSIGNMENTS = sql.raw(COLUMNS.map((column) => `${column} = s.${column}`).join(", "));

export function departmentStatements({ organizationId, now }: PageContext, page: OpenPage): SQL[] {
  const each = eachEntry(page);
  const id = sql.raw("value ->> '$.departmentId'"), isNew = sql.raw("value ->> '$.version' = 0");
  const isKnown = sql.raw("value ->> '$.version' > 0");
  return [
    // A name or key may move from one department to another within the page.
    sql`update departments set folded = char(1) || id, external_id = null where organization_id = ${organizationId}
      and id in (select ${id} from ${each} where ${isKnown})`,
    sql`insert into departments (id, organization_id, last_change, version, created_at, updated_at, ${NAMES})
      select ${id}, ${organizationId}, ${page.id}, 1, ${now}, ${now}, ${VALUES} from ${each} where ${isNew}`,
    sql`with s as materialized (select ${id} as id, ${VALUES} from ${each} where ${isKnown})
      update departments set version = version + 1, updated_at = ${now}, last_change = ${page.id}, ${ASSIGNMENTS} from s
      where departments.id = s.id and departments.organization_id = ${organizationId}`,
    // Rows that name a renamed or closed department now have another meaning.
    sql`update organizations set reference_version = reference_version + 1 where id = ${organizationId}
      and exists (select 1 from ${each} where ${isKnown})`,
  ];
}
