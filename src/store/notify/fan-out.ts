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
import { ALL_ORGANIZATIONS, auditedIn, type Endpoint } from "./endpoints.ts";

/** Events in one batch; each has as many deliveries as endpoints want it. */
const AT_ONCE = 200;

/** Makes deliveries of events that endpoints have not seen. True: there may be more. */
export async function fanOut(db: Database, now: number): Promise<boolean> {
  const [row] = await db.rows<[number | null, number]>(sql`
    select max(id), count(*) from (select id from events
      where id > (select min(seen_event) from webhook_endpoints where status = 'enabled') order by id limit ${AT_ONCE})`);
  const [upTo, count] = row!;
  if (upTo === null) return false;
  const fresh = wanted(sql`e.id > p.seen_event and e.id <= ${upTo}`);
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
  const chosen = wanted(sql`p.id = ${id} and p.organization_id = ${organizationId}
    and e.created_at >= ${time.since} and e.created_at < ${time.until} and e.id <= p.seen_event`);
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
      { organizationId: auditedIn(endpoint), action: "webhook_endpoint.replayed", subjects: [encodeId("whe", id)] },
      now,
      sql`1`,
    ),
  });
  return replayed.length;
}

/**
 * The events `e` that enabled endpoints `p` want, of those for which the condition holds: to an organization's endpoint its
 * own, to one for all organizations those of each.
 */
function wanted(condition: SQL): SQL {
  const columns = sql`select p.id as endpoint_id, e.id as event_id, e.organization_id, e.type, e.created_at`;
  const also = sql`p.status = 'enabled' and ${condition}
    and (p.event_types is null or e.type in (select value from json_each(p.event_types)))`;
  // Two selections, so that each is found by an index of its own.
  return sql`from (
    ${columns} from webhook_endpoints p join events e on e.organization_id = p.organization_id
      where p.organization_id <> ${ALL_ORGANIZATIONS} and ${also}
    union all
    ${columns} from webhook_endpoints p join events e where p.organization_id = ${ALL_ORGANIZATIONS} and ${also}
    ) where 1`;
}

/** Makes a delivery of each selected event for its endpoint, after takeNumbers for the same selection. */
function insertDeliveries(selection: SQL, now: number): SQL {
  return sql`insert into deliveries
      (id, organization_id, endpoint_id, event_id, type, event_at, status, step, attempts, due_at, created_at)
    select ${NUMBER}, organization_id, endpoint_id, event_id, type, created_at, 'pending', 0, 0, ${now}, ${now} ${selection}
    order by event_id, endpoint_id`;
}

/** The id of each row of a selection, after takeNumbers for the same selection. */
const NUMBER: SQL = sql`(select next from sequences where name = 'delivery') - count(*) over ()
  + row_number() over (order by event_id, endpoint_id) - 1`;

function takeNumbers(db: Database, selection: SQL): Statement {
  return db.run(sql`insert into sequences (name, next) select 'delivery', 1 + count(*) ${selection}
    on conflict (name) do update set next = next + excluded.next - 1`);
}
