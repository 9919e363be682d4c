/**
 * From events to deliveries: one for each enabled endpoint that wants the type. Each endpoint stores the last event that
 * it has seen, which moves in the batch that writes its deliveries. So no event is lost or delivered twice if a process
 * dies or several do this at once.
 */
import { type SQL, sql } from "drizzle-orm";
import type { By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import { type Database, type Statement, writeNamed } from "../database.ts";
import type { Endpoint } from "./endpoints.ts";

/** Events in one batch; each has as many deliveries as endpoints want it. */
const AT_ONCE = 200;

/** Makes deliveries of events that endpoints have not seen. True: there may be more. */
export async function fanOut(db: Database, now: number): Promise<boolean> {
  const [row] = await db.rows<[number | null, number]>(sql`
    select max(id), count(*) from (select id from events
      where id > (select min(seen_event) from webhook_endpoints where status = 'enabled') order by id limit ${AT_ONCE})`);
  const [upTo, count] = row!;
  if (upTo === null) return false;
  const fresh = sql`from webhook_endpoints p join events e on e.organization_id = p.organization_id
    and e.id > p.seen_event and e.id <= ${upTo} where p.status = 'enabled' and ${wants()}`;
  await db.write([
    takeNumbers(db, fresh),
    db.run(sql`${insertDeliveries(fresh, now)} on conflict (endpoint_id, event_id) do nothing`),
    db.run(sql`update webhook_endpoints set seen_event = ${upTo}
      where status = 'enabled' and seen_event < ${upTo}`),
  ]);
  return count === AT_ONCE;
}

/** Events of one replay. */
export const MAX_REPLAYED = 10_000;

/** Delivers the events of a time range again, if the endpoint wants their type. Gives how many; null: too many. */
export async function replay(
  db: Database,
  endpoint: Endpoint,
  time: { since: number; until: number },
  now: number,
  by: By,
): Promise<number | null> {
  const { id, organizationId } = endpoint;
  const chosen = sql`from webhook_endpoints p join events e on e.organization_id = p.organization_id
    where p.id = ${id} and p.organization_id = ${organizationId} and p.status = 'enabled' and ${wants()}
      and e.created_at >= ${time.since} and e.created_at < ${time.until} and e.id <= p.seen_event`;
  const [row] = await db.rows<[number]>(sql`select count(*) ${chosen}`);
  if (row![0] > MAX_REPLAYED) return null;
  const { replayed } = await writeNamed(db, {
    numbers: takeNumbers(db, chosen),
    replayed: db.all(
      sql`${
        insertDeliveries(chosen, now)
      } on conflict (endpoint_id, event_id) do update set status = 'pending', step = 0, due_at = ${now}, finished_at = null
        where sender is null
      returning id`,
    ),
    audit: recordAudit(
      db,
      by,
      { organizationId, action: "webhook_endpoint.replayed", subjects: [encodeId("whe", id)] },
      now,
      sql`1`,
    ),
  });
  return replayed.length;
}

function wants(): SQL {
  return sql`(p.event_types is null or e.type in (select value from json_each(p.event_types)))`;
}

/** Makes a delivery of each selected event `e` for its endpoint `p`, after takeNumbers for the same selection. */
function insertDeliveries(selection: SQL, now: number): SQL {
  return sql`insert into deliveries
      (id, organization_id, endpoint_id, event_id, type, event_at, status, step, attempts, due_at, created_at)
    select ${NUMBER}, p.organization_id, p.id, e.id, e.type, e.created_at, 'pending', 0, 0, ${now}, ${now} ${selection}
    order by e.id, p.id`;
}

/** The id of each row of a selection, after takeNumbers for the same selection. */
const NUMBER: SQL = sql`(select next from sequences where name = 'delivery') - count(*) over ()
  + row_number() over (order by e.id, p.id) - 1`;

function takeNumbers(db: Database, selection: SQL): Statement {
  return db.run(sql`insert into sequences (name, next) select 'delivery', 1 + count(*) ${selection}
    on conflict (name) do update set next = next + excluded.next - 1`);
}
