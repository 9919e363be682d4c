/** Changes by hand: each is one page at the end of the organization's feed, and a change of a person is also an event. */
import { type SQL, sql } from "drizzle-orm";
import { usersChanged } from "../../model/event.ts";
import { type Entry, MANAGER } from "../../reconcile/columns/entry.ts";
import { viewHandChanges } from "../runs/changes.ts";
import type { Database, Statement } from "../database.ts";
import { eventStatements } from "../notify/events.ts";
import { changePages, pageBodies, pageManagers } from "../runs/schema-plans.ts";
import { sequences } from "../schema.ts";
import { reserve } from "../sequences.ts";

export interface HandChange {
  readonly organizationId: number;
  readonly kind: "updates" | "departments" | "groups";
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
  const { pageIds: [pageId], statements } = await recordAllByHand(db, [change], condition, now);
  return { pageId: pageId!, statements };
}

/** Changes that have a page together: far less than the 2 MB of a value. */
const TOGETHER = 200;

/** The same for several changes of one organization and kind, each of another thing; with the page of each. */
export async function recordAllByHand(
  db: Database,
  changes: readonly HandChange[],
  condition: SQL,
  now: number,
): Promise<{ pageIds: number[]; statements: Statement[] }> {
  const pageIds: number[] = [], statements: Statement[] = [];
  for (let from = 0; from < changes.length; from += TOGETHER) {
    const some = changes.slice(from, from + TOGETHER);
    const id = await reserve(db, "page");
    pageIds.push(...some.map(() => id));
    statements.push(...await pageOf(db, id, some, condition, now));
  }
  return { pageIds, statements };
}

async function pageOf(
  db: Database,
  id: number,
  changes: readonly HandChange[],
  condition: SQL,
  now: number,
): Promise<Statement[]> {
  const { organizationId, kind } = changes[0]!, count = changes.length;
  const firstChange = await reserve(db, "change", count);
  const managers = changes.some(({ manager }) => manager !== undefined)
    ? JSON.stringify(changes.map(({ manager }) => manager === undefined ? MANAGER.stays : manager))
    : null;
  const events = kind !== "updates" ? [] : await eventOf(db, changes, { id, firstChange, managers }, now);
  return [
    db.orm.insert(sequences).values({ name: "seq", next: 1 + count })
      .onConflictDoUpdate({ target: sequences.name, set: { next: sql`${sequences.next} + ${count}` } }),
    db.run(sql`
      insert into ${changePages} (id, organization_id, run_id, page, kind, first_change, count, seq, applied_at)
      select ${id}, ${organizationId}, null, 0, ${kind}, ${firstChange}, ${count},
        (select next - ${count} from sequences where name = 'seq'), ${now}
      where ${condition}`),
    db.run(sql`insert into ${pageBodies} (page_id, body) select id, ${JSON.stringify(changes.map(({ entry }) => entry))}
      from ${changePages} where id = ${id}`),
    ...(managers === null ? [] : [
      db.run(sql`insert into ${pageManagers} (page_id, managers) select id, ${managers}
        from ${changePages} where id = ${id}`),
    ]),
    ...events,
  ];
}

/** The statements of the event, with the places in the feed that the changes get in the same batch. */
async function eventOf(
  db: Database,
  changes: readonly HandChange[],
  page: { id: number; firstChange: number; managers: string | null },
  now: number,
): Promise<Statement[]> {
  const { organizationId } = changes[0]!, count = changes.length;
  const entries = changes.map(({ entry }) => entry as Entry);
  const views = await viewHandChanges(db, { ...page, organizationId }, entries, now);
  const from = { organizationId, runId: null, connectionId: null };
  // The largest number takes the place of the real ones, so that the event is not too long afterwards.
  const longest = Number.MAX_SAFE_INTEGER;
  const range = { count, firstSeq: longest, lastSeq: longest };
  const event = usersChanged(from, range, views.map((view) => ({ ...view, seq: longest })));
  const seq = sql`(select seq from ${changePages} where id = ${page.id})`;
  return [
    ...eventStatements(db, [event], now, sql`exists (select 1 from ${changePages} where id = ${page.id})`),
    // The outer json(…) is needed because not every SQLite recognizes the result of a subquery as JSON.
    db.run(sql`update events set data = json_set(data, '$.first_seq', ${seq}, '$.last_seq', ${seq} + ${count - 1},
        '$.changes', json((select json_group_array(json_set(c.value, '$.seq', ${seq} + c.key))
          from json_each(data, '$.changes') c)))
      where id = (select next - 1 from sequences where name = 'event') and organization_id = ${organizationId}
        and exists (select 1 from ${changePages} where id = ${page.id})`),
  ];
}
