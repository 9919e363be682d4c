/** Deliveries as stored: claimed by the process that sends them, settled in sets, listed, retried, deleted. */
import { and, asc, desc, eq, lt, type SQL, sql } from "drizzle-orm";
import type { By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import { type Database, setOf, type Statement, writeNamed } from "../database.ts";
import { ALL_ORGANIZATIONS, auditedIn, type Endpoint } from "./endpoints.ts";
import { auditEntries } from "../schema-audit.ts";
import { deliveries, deliveryAttempts, webhookEndpoints } from "./schema-webhooks.ts";
import { first, isOrAny, listLatest } from "../reads.ts";
import { reserve } from "../sequences.ts";
import type { Holder } from "../lease.ts";
import { endLeases, keepSender } from "./senders.ts";

export type Delivery = typeof deliveries.$inferSelect;
export type Attempt = typeof deliveryAttempts.$inferSelect;

/** A delivery to send, and its endpoint. */
export interface Claimed {
  readonly delivery: Delivery;
  readonly endpoint: Endpoint;
}

/** The event type of a test delivery. */
export const TEST_TYPE = "endpoint.test";

/**
 * Claims due deliveries of enabled endpoints: up to `each` for an endpoint, `eachFailing` for one that fails, and `limit`
 * in all; none for endpoints in `busy`. No other process takes them while the sender's lease lasts (senders.ts).
 */
export async function claimDeliveries(
  db: Database,
  now: number,
  { sender, busy, each, eachFailing, limit }: {
    sender: Holder;
    busy: readonly number[];
    each: number;
    eachFailing: number;
    limit: number;
  },
): Promise<Claimed[]> {
  const dueOf = (health: SQL, most: number) =>
    sql`select d.id from webhook_endpoints p join deliveries d on d.id in (
        select id from deliveries where endpoint_id = p.id and status = 'pending' and due_at <= ${now} and sender is null
        order by due_at, id limit ${most})
      where p.status = 'enabled' and ${health} and p.id not in ${setOf(busy)}`;
  const due = sql`${dueOf(sql`p.failing_since is null`, each)}
    union all ${dueOf(sql`p.failing_since is not null`, eachFailing)} limit ${limit}`;
  // A read does not wait for the write gate; a write does.
  if ((await db.rows(sql`${due}`)).length === 0) return [];
  const { taken } = await writeNamed(db, {
    sender: keepSender(db, sender),
    taken: db.orm.update(deliveries).set({ sender: sender.name, epoch: sql`${deliveries.epoch} + 1` })
      .where(sql`${deliveries.id} in (${due})`).returning(),
  });
  const ids = [...new Set(taken.map(({ endpointId }) => endpointId))];
  const endpoints = await db.orm.select().from(webhookEndpoints)
    .where(sql`${webhookEndpoints.id} in ${setOf(ids)}`);
  const byId = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
  return taken.sort((a, b) => a.id - b.id).flatMap((delivery) => {
    const endpoint = byId.get(delivery.endpointId);
    return endpoint === undefined ? [] : [{ delivery, endpoint }];
  });
}

/** Releases what dead senders had claimed: it is due at once. */
export async function releaseOfDead(db: Database, sender: Holder): Promise<void> {
  const claimants = sql`select distinct sender as name from deliveries where sender is not null`;
  await endLeases(db, claimants, sender, (isTheirs) => release(db, isTheirs));
}

/** Releases what the sender has claimed without knowing it, as the answer was lost. It must have nothing else claimed. */
export async function releaseUnknown(db: Database, { name }: Holder): Promise<void> {
  const own = sql`sender = ${name}`;
  if ((await db.rows(sql`select 1 from deliveries where ${own} limit 1`)).length > 0) {
    await db.write([release(db, own)]);
  }
}

/** Releases deliveries that were claimed and not begun. */
export async function releaseClaimed(db: Database, claimed: readonly Claimed[]): Promise<void> {
  if (claimed.length === 0) return;
  const claims = JSON.stringify(claimed.map(({ delivery: { id, epoch } }) => [id, epoch]));
  await db.write([release(db, sql`(id, epoch) in (select value ->> 0, value ->> 1 from json_each(${claims}))`)]);
}

function release(db: Database, which: SQL): Statement {
  return db.orm.update(deliveries).set({ sender: null }).where(sql`${which} and status = 'pending'`);
}

/** The outcome of an attempt. */
export interface Outcome {
  readonly id: number;
  /** Of the claim (Delivery.epoch): of a delivery that was claimed again since, only the attempt is recorded. */
  readonly epoch: number;
  readonly organizationId: number;
  readonly endpointId: number;
  readonly at: number;
  readonly latencyMs: number;
  readonly statusCode: number | null;
  readonly error: string | null;
  readonly answer: string | null;
  readonly status: Delivery["status"];
  /** When it is tried next; null: never. */
  readonly dueAt: number | null;
  /** Whether it counts for the endpoint's health, which a test does not. */
  readonly counts: boolean;
}

/**
 * Writes the outcomes of attempts, in their order. An answer that came while a person was erased is not stored: it may
 * repeat what was sent. When another process has taken the delivery over, or it was given up, only the attempt is
 * recorded.
 */
export async function settleDeliveries(db: Database, outcomes: readonly Outcome[], now: number) {
  if (outcomes.length === 0) return;
  const set = JSON.stringify(outcomes);
  const isOurs = sql`(sender is not null and epoch = o.value ->> '$.epoch')`;
  await db.write([
    db.run(sql`insert into delivery_attempts
        (delivery_id, number, organization_id, at, latency_ms, status_code, error, answer)
      select d.id, d.attempts + 1, d.organization_id, o.value ->> '$.at', o.value ->> '$.latencyMs',
        o.value ->> '$.statusCode', o.value ->> '$.error',
        iif(exists
          (select 1 from ${auditEntries} e where e.organization_id = d.organization_id and e.at >= o.value ->> '$.at'
            and e.action = 'user.erased'), null, o.value ->> '$.answer')
      from json_each(${set}) o join deliveries d on d.id = o.value ->> '$.id'
        and d.organization_id = o.value ->> '$.organizationId' where 1
      on conflict do nothing`),
    db.run(sql`update deliveries set attempts = attempts + 1,
        step = step + ${isOurs},
        status = iif(${isOurs}, o.value ->> '$.status', status),
        due_at = iif(${isOurs}, coalesce(o.value ->> '$.dueAt', due_at), due_at),
        finished_at = iif(${isOurs} and o.value ->> '$.status' <> 'pending', ${now}, finished_at),
        sender = iif(${isOurs}, null, sender)
      from json_each(${set}) o where deliveries.id = o.value ->> '$.id'`),
    ...healthStatements(db, outcomes),
  ]);
}

/** The health of each endpoint after the last of its outcomes. */
function healthStatements(db: Database, outcomes: readonly Outcome[]): Statement[] {
  interface Health {
    id: number;
    /** There was a success, so failures before these outcomes no longer count. */
    wasWell: boolean;
    failingSince: number | null;
    lastFailedAt: number | null;
  }
  const healths = new Map<number, Health>();
  for (const { endpointId: id, at, latencyMs, status, error, counts } of outcomes) {
    if (!counts) continue;
    const before = healths.get(id) ?? { id, wasWell: false, failingSince: null, lastFailedAt: null };
    const end = at + latencyMs;
    healths.set(
      id,
      status === "succeeded" && error === null
        ? { id, wasWell: true, failingSince: null, lastFailedAt: null }
        : { ...before, failingSince: before.failingSince ?? end, lastFailedAt: end },
    );
  }
  if (healths.size === 0) return [];
  return [
    db.run(sql`update webhook_endpoints set
        failing_since = iif(h.value ->> '$.wasWell', h.value ->> '$.failingSince',
          coalesce(failing_since, h.value ->> '$.failingSince')),
        last_failed_at = iif(h.value ->> '$.wasWell', h.value ->> '$.lastFailedAt',
          coalesce(h.value ->> '$.lastFailedAt', last_failed_at))
      from json_each(${JSON.stringify([...healths.values()])}) h
      where webhook_endpoints.id = h.value ->> '$.id'
        and (failing_since is not null or h.value ->> '$.failingSince' is not null)`),
  ];
}

/** A delivery without an event, due at once. Null when the endpoint is not enabled. */
export async function createTest(db: Database, endpoint: Endpoint, now: number, by: By): Promise<Delivery | null> {
  const id = await reserve(db, "delivery");
  const eventId = await reserve(db, "event");
  const { found } = await writeNamed(db, {
    deliveries: db.run(sql`insert into deliveries
        (id, organization_id, endpoint_id, event_id, type, event_at, status, step, attempts, due_at, created_at)
      select ${id}, organization_id, id, ${eventId}, ${TEST_TYPE}, ${now}, 'pending', 0, 0, ${now}, ${now}
      from webhook_endpoints where id = ${endpoint.id} and status = 'enabled'`),
    audit: recordAudit(db, by, {
      organizationId: auditedIn(endpoint),
      action: "webhook_endpoint.tested",
      subjects: [encodeId("whe", endpoint.id), encodeId("dlv", id)],
    }, now),
    found: db.orm.select().from(deliveries).where(eq(deliveries.id, id)),
  });
  return found[0] ?? null;
}

/** Due at once, from the beginning of the schedule. Null when its endpoint is not enabled, or it is being sent now. */
export async function retryDelivery(
  db: Database,
  { delivery, endpoint }: Claimed,
  now: number,
  by: By,
): Promise<Delivery | null> {
  const { id, endpointId } = delivery;
  const { changed } = await writeNamed(db, {
    changed: db.orm.update(deliveries).set({ status: "pending", step: 0, dueAt: now, finishedAt: null }).where(and(
      eq(deliveries.id, id),
      sql`sender is null`,
      sql`exists (select 1 from webhook_endpoints where id = ${endpointId} and status = 'enabled')`,
    )).returning(),
    audit: recordAudit(db, by, {
      organizationId: auditedIn(endpoint),
      action: "delivery.retried",
      subjects: [encodeId("dlv", id), encodeId("whe", endpointId)],
    }, now),
  });
  return changed[0] ?? null;
}

/** A delivery to an endpoint of the organization; with ALL_ORGANIZATIONS, to one that is for all. */
export async function findDelivery(db: Database, organizationId: number, id: number): Promise<Claimed | null> {
  return await first(
    db.orm.select({ delivery: deliveries, endpoint: webhookEndpoints }).from(deliveries)
      .innerJoin(webhookEndpoints, eq(webhookEndpoints.id, deliveries.endpointId))
      .where(and(eq(deliveries.id, id), eq(webhookEndpoints.organizationId, organizationId))),
  );
}

/** As listLatest. */
export async function listDeliveries(
  db: Database,
  endpoint: Endpoint,
  filter: { status: Delivery["status"] | null },
  page: { before: number | null; limit: number },
): Promise<Delivery[]> {
  const { id, organizationId } = endpoint;
  const mine = and(eq(deliveries.endpointId, id), isOrAny(deliveries.status, filter.status));
  if (organizationId !== ALL_ORGANIZATIONS) return await listLatest(db, deliveries, organizationId, mine, page);
  const { before, limit } = page;
  return await db.orm.select().from(deliveries)
    .where(and(mine, before === null ? undefined : lt(deliveries.id, before))).orderBy(desc(deliveries.id)).limit(
      limit,
    );
}

const ATTEMPTS_SHOWN = 100;

/** The last hundred, oldest first. */
export async function listAttempts(db: Database, delivery: Delivery): Promise<Attempt[]> {
  const { id, organizationId } = delivery;
  const last = sql`number > (select coalesce(max(number), 0) - ${ATTEMPTS_SHOWN} from delivery_attempts
    where delivery_id = ${id})`;
  return await db.orm.select().from(deliveryAttempts).where(and(
    eq(deliveryAttempts.deliveryId, id),
    eq(deliveryAttempts.organizationId, organizationId),
    last,
  )).orderBy(asc(deliveryAttempts.number));
}

/** The statements that delete deliveries from before `until` that are not pending, and attempts from before it. */
export function forgetDeliveries(db: Database, until: number): Statement[] {
  const old: SQL = sql`created_at < ${until} and status <> 'pending'`;
  return [
    db.orm.delete(deliveryAttempts).where(
      sql`at < ${until} or delivery_id in (select id from deliveries where ${old})`,
    ),
    db.orm.delete(deliveries).where(old),
  ];
}

/** The statement that deletes the answers of the organization's receivers, which may repeat what was sent. */
export function forgetReplies(db: Database, organizationId: number, condition: SQL = sql`1`): Statement {
  return db.orm.update(deliveryAttempts).set({ answer: null }).where(
    sql`organization_id = ${organizationId} and answer is not null and ${condition}`,
  );
}
