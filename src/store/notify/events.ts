/** Events as stored: written with what they tell, found, listed, forgotten. */
import { and, desc, eq, lt, type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../database.ts";
import type { EventType, NewEvent } from "../../model/event.ts";
import { events } from "./schema-events.ts";

export type Event = typeof events.$inferSelect;

/** Events in one parameter: together under a megabyte. */
const MAX_TOGETHER = 50;

/**
 * The statements that write the events, in their order, for the batch of what they tell. Only those for which
 * `condition` holds when they run; it may name the event's `runId` and `data` in `e.value`.
 *
 * Their numbers are taken within the batch: who has seen one event has seen all before it.
 */
export function eventStatements(
  db: Database,
  news: readonly NewEvent[],
  now: number,
  condition: SQL = sql`1`,
): Statement[] {
  const statements: Statement[] = [];
  for (let from = 0; from < news.length; from += MAX_TOGETHER) {
    const some = news.slice(from, from + MAX_TOGETHER);
    statements.push(
      db.run(sql`insert into sequences (name, next) values ('event', ${1 + some.length})
        on conflict (name) do update set next = next + ${some.length}`),
      db.run(sql`insert into ${events} (id, organization_id, type, run_id, connection_id, data, created_at)
        select (select next from sequences where name = 'event') - ${some.length} + e.key, e.value ->> '$.organizationId',
          e.value ->> '$.type', e.value ->> '$.runId', e.value ->> '$.connectionId', e.value ->> '$.data', ${now}
        from json_each(${JSON.stringify(some)}) e where ${condition}`),
    );
  }
  return statements;
}

/**
 * For `eventStatements`: the event's run has this status now, and its end has not been told. Whoever ends a run a second
 * time, or comes too late to end it, tells nothing.
 */
export function runIs(status: string): SQL {
  return sql`exists (select 1 from runs r where r.id = e.value ->> '$.runId' and r.status = ${status})
    and not exists (select 1 from events known where known.run_id = e.value ->> '$.runId' and known.type = 'run.completed')`;
}

export async function findEvent(db: Database, organizationId: number, id: number): Promise<Event | null> {
  const [row] = await db.orm.select().from(events)
    .where(and(eq(events.organizationId, organizationId), eq(events.id, id)));
  return row ?? null;
}

/** The youngest first; at most `limit` of those before id `before` (null: from the youngest). */
export async function listEvents(
  db: Database,
  organizationId: number,
  filter: { type: EventType | null },
  page: { before: number | null; limit: number },
): Promise<Event[]> {
  return await db.orm.select().from(events).where(and(
    eq(events.organizationId, organizationId),
    filter.type === null ? undefined : eq(events.type, filter.type),
    page.before === null ? undefined : lt(events.id, page.before),
  )).orderBy(desc(events.id)).limit(page.limit);
}

/** Forgets events of before `until`. */
export function forgetEvents(db: Database, until: number): Statement {
  return db.orm.delete(events).where(lt(events.createdAt, until));
}
