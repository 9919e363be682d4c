/** Which entries of a page no longer fit, because the hub has changed since they were planned. */
import { sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { afterChange, ofChange } from "./entry-places.ts";
import { eachEntry, type PageContext } from "./page-entries.ts";
import { listPages, type OpenPage } from "./plans.ts";

/** An entry that was not applied: its place in the page, and what it would have changed. */
export interface SupersededEntry {
  readonly index: number;
  readonly action: string;
  readonly line: number | null;
  readonly userId: number;
  readonly key: string | null;
}

type Row = [index: number, action: string, line: number | null, userId: number, key: string | null];

/** Entries whose user has changed since, or whose email, employee_id or key another person has taken. */
export async function listSuperseded(
  db: Database,
  { organizationId, connectionId }: PageContext,
  page: OpenPage,
): Promise<SupersededEntry[]> {
  const user = ofChange("v", "userId"), key = ofChange("v", "key");
  const isNew = sql`${ofChange("v", "version")} = 0`;
  const entries = sql`with r(k, v) as materialized (select key, value from ${eachEntry(page)})`;
  const columns = sql`k, ${ofChange("v", "action")}, ${ofChange("v", "line")}, ${user}, ${key}`;
  const rows = await db.rows<Row>(sql`${entries}, mine(id) as materialized (select ${user} from r)
    select ${columns} from r
    where (not (${isNew}) and not exists (select 1 from users u
        where u.id = ${user} and u.version = ${ofChange("v", "version")}))
      or (${afterChange("v", "status")} = 'active' and exists (select 1 from users u
        where u.organization_id = ${organizationId} and u.email = ${afterChange("v", "email")}
          and u.status = 'active' and u.id not in (select id from mine)))
      or exists (select 1 from users u where u.organization_id = ${organizationId}
        and u.employee_id = ${afterChange("v", "employee_id")} and u.id not in (select id from mine))
      or (${isNew} and exists (select 1 from links l join users u on u.id = l.user_id
        where l.connection_id = ${connectionId} and l.source_key = ${key} and u.status = 'active'))`);
  if (rows.length === 0) return [];
  // Entries of a page with parked users exchange emails and ids, so they are applied together or not at all.
  const all = page.parked ? await db.rows<Row>(sql`${entries} select ${columns} from r`) : rows;
  return all.map(([index, action, line, userId, key]) => ({ index, action, line, userId, key }));
}

/** Pages that are looked at together. */
const PAGES_AT_ONCE = 100;

/** Whether all changes of the run's plan still fit. Departments are not compared: a plan with some never does. */
export async function stillFits(db: Database, run: PageContext & { readonly id: number }): Promise<boolean> {
  for (let after = -1;;) {
    const pages = await listPages(db, run.id, after, PAGES_AT_ONCE);
    for (const page of pages) {
      if (page.kind === "departments") return false;
      if (page.kind !== "creates" && page.kind !== "updates") continue;
      if ((await listSuperseded(db, run, page)).length > 0) return false;
    }
    if (pages.length < PAGES_AT_ONCE) return true;
    after = pages.at(-1)!.page;
  }
}
