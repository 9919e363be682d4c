/** Changes by hand: each is one page at the end of the organization's feed, and a change of a person is also an event. */
import { type SQL, sql } from "drizzle-orm";
import { usersChanged } from "../../model/event.ts";
import type { Entry } from "../../reconcile/columns/entry.ts";
import { viewHandChange } from "../runs/changes.ts";
import type { Database, Statement } from "../database.ts";
import { eventStatements } from "../notify/events.ts";
import { changePages, pageBodies, pageManagers } from "../runs/schema-plans.ts";
import { sequences } from "../schema.ts";
import { reserve } from "../sequences.ts";

export interface HandChange {
  readonly organizationId: number;
  readonly kind: "updates" | "departments";
  /** An entry of a page of this kind (reconcile/columns/entry.ts). */
  readonly entry: unknown;
  /** The new manager; undefined: it does not change. */
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
  const events = change.kind === "departments"
    ? []
    : await eventOf(db, change, { id: pageId, firstChange, managers }, now);
  return {
    pageId,
    statements: [
      db.orm.insert(sequences).values({ name: "seq", next: 2 })
        .onConflictDoUpdate({ target: sequences.name, set: { next: sql`${sequences.next} + 1` } }),
      db.run(sql`
        insert into ${changePages} (id, organization_id, run_id, page, kind, first_change, count, seq, applied_at)
        select ${pageId}, ${change.organizationId}, null, 0, ${change.kind}, ${firstChange}, 1,
          (select next - 1 from sequences where name = 'seq'), ${now}
        where ${condition}`),
      db.run(sql`insert into ${pageBodies} (page_id, body) select id, ${JSON.stringify([change.entry])}
        from ${changePages} where id = ${pageId}`),
      ...(managers === null ? [] : [
        db.run(sql`insert into ${pageManagers} (page_id, managers) select id, ${managers}
          from ${changePages} where id = ${pageId}`),
      ]),
      ...events,
    ],
  };
}

/** The statements of the event, with the place in the feed that the change gets in the same batch. */
async function eventOf(
  db: Database,
  { organizationId, entry }: HandChange,
  page: { id: number; firstChange: number; managers: string | null },
  now: number,
): Promise<Statement[]> {
  const view = await viewHandChange(db, { ...page, organizationId }, entry as Entry, now);
  const from = { organizationId, runId: null, connectionId: null };
  // The largest number takes the place of the real one, so that the event is not too long afterwards.
  const longest = Number.MAX_SAFE_INTEGER;
  const event = usersChanged(from, { count: 1, firstSeq: longest, lastSeq: longest }, [{ ...view, seq: longest }]);
  const seq = sql`(select seq from ${changePages} where id = ${page.id})`;
  return [
    ...eventStatements(db, [event], now, sql`exists (select 1 from ${changePages} where id = ${page.id})`),
    db.run(sql`update events set data = json_set(data, '$.first_seq', ${seq}, '$.last_seq', ${seq},
        '$.changes[0].seq', ${seq})
      where id = (select next - 1 from sequences where name = 'event') and organization_id = ${organizationId}
        and exists (select 1 from ${changePages} where id = ${page.id})`),
  ];
}
