/** Changes made by hand: one page each, with a place at the end of the organization's feed. */
import { type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "./database.ts";
import { changePages, pageBodies, pageManagers, sequences } from "./schema.ts";
import { reserve } from "./sequences.ts";

export interface HandChange {
  readonly organizationId: number;
  readonly kind: "updates" | "departments";
  /** As pages of this kind have it (reconcile/page.ts). */
  readonly entry: unknown;
  /** The new manager, where that changes; undefined: it does not. */
  readonly manager?: number | null;
}

/** Statements that record the change if `condition` holds when they run, and the id of its page. */
export async function recordByHand(
  db: Database,
  change: HandChange,
  condition: SQL,
  now: number,
): Promise<{ pageId: number; statements: Statement[] }> {
  const pageId = await reserve(db, "page");
  const firstChange = await reserve(db, "change");
  const managers = change.manager === undefined ? null : JSON.stringify([change.manager]);
  return {
    pageId,
    statements: [
      db.orm.insert(sequences).values({ name: "seq", next: 2 })
        .onConflictDoUpdate({ target: sequences.name, set: { next: sql`${sequences.next} + 1` } }),
      db.orm.run(sql`
        insert into ${changePages} (id, organization_id, run_id, page, kind, first_change, count, seq, applied_at)
        select ${pageId}, ${change.organizationId}, null, 0, ${change.kind}, ${firstChange}, 1,
          (select next - 1 from sequences where name = 'seq'), ${now}
        where ${condition}`) as Statement,
      db.orm.run(sql`insert into ${pageBodies} (page_id, body) select id, ${JSON.stringify([change.entry])}
        from ${changePages} where id = ${pageId}`) as Statement,
      ...(managers === null ? [] : [
        db.orm.run(sql`insert into ${pageManagers} (page_id, managers) select id, ${managers}
          from ${changePages} where id = ${pageId}`) as Statement,
      ]),
    ],
  };
}
