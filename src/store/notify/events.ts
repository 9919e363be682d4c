/** Events as stored: written in the batch that causes them, found, listed, deleted. */
import { lt, type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../database.ts";
import type { EventType, NewEvent } from "../../model/event.ts";
import { finderIn, isOrAny, listLatest } from "../reads.ts";
import { events } from "./schema-events.ts";

export type Event = typeof events.$inferSelect;

/** Events in one parameter: less than a megabyte. */
const MAX_TOGETHER = 50;

/**
 * The statements that write the events, in their order, for the batch that causes them. Only events for which `condition`
 * holds are written; it may use the event's `runId` and `data` in `e.value`.
 *
 * Ids are taken within the batch, so that they are in the order of the writes: a reader of one event has seen all before
 * it.
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
 * For `eventStatements`: the event's run has this status now, and there is no event of its end yet. A second end of the
 * same run, or one that comes too late, causes no event.
 */
export function runIs(status: string): SQL {
  return sql`exists (select 1 from runs r where r.id = e.value ->> '$.runId' and r.status = ${status})
    and not exists (select 1 from events known where known.run_id = e.value ->> '$.runId' and known.type = 'run.completed')`;
}

export const findEvent = finderIn(events);

/** As listLatest. */
export function listEvents(
  db: Database,
  organizationId: number,
  filter: { type: EventType | null },
  page: { before: number | null; limit: number },
): Promise<Event[]> {
  return listLatest(db, events, organizationId, isOrAny(events.type, filter.type), page);
}

/** The statement that deletes events from before `until`. */
export function forgetEvents(db: Database, until: number): Statement {
  return db.orm.delete(events).where(lt(events.createdAt, until));
}
