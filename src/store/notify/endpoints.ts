/** Webhook endpoints as stored: created, found, changed, disabled and enabled, deleted with their deliveries. */
import { and, asc, eq, type SQL, sql } from "drizzle-orm";
import { actorOf, type AuditAction, type By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { DEFAULT_ORGANIZATION, recordAudit } from "../audit.ts";
import { type Database, insertIf, type Statement, writeNamed } from "../database.ts";
import { events } from "./schema-events.ts";
import { deliveries, deliveryAttempts, webhookEndpoints } from "./schema-webhooks.ts";
import { finderIn, listerIn } from "../reads.ts";
import { isAsRead, unchanged } from "../unchanged.ts";
import { deleteRows, updateVersioned } from "../writes.ts";

export type Endpoint = typeof webhookEndpoints.$inferSelect;

export interface EndpointInput {
  readonly url: string;
  readonly description: string | null;
  readonly eventTypes: string[] | null;
  readonly includeValues?: boolean;
}

/** For one organization, and for all of them together. */
export const MAX_ENDPOINTS = 100;

/** `organizationId` of an endpoint that the operator made for the events of all organizations. None has this id. */
export const ALL_ORGANIZATIONS = 0;

/** The organization in whose audit it is written what was done to an endpoint. */
export function auditedIn({ organizationId }: Pick<Endpoint, "organizationId">): number | SQL {
  return organizationId === ALL_ORGANIZATIONS ? DEFAULT_ORGANIZATION : organizationId;
}

/** `seenEvent` of an endpoint that begins now: only later events are delivered to it. */
const LAST_EVENT: SQL<number> = sql`coalesce((select max(id) from ${events}), 0)`;

/** `organizationId`: or ALL_ORGANIZATIONS. Null when there are MAX_ENDPOINTS. `id` is reserved and `secret` sealed by the caller. */
export async function createEndpoint(
  db: Database,
  organizationId: number,
  row: EndpointInput & {
    readonly id: number;
    readonly secret: string;
    /** What its creator's token allows; absent: only ids are sent. */
    readonly scopes?: readonly string[];
  },
  now: number,
  by: By,
): Promise<Endpoint | null> {
  const { id } = row;
  const hasRoom = sql`(select count(*) from ${webhookEndpoints} where organization_id = ${organizationId})
    < ${MAX_ENDPOINTS}`;
  const made = { maker: actorOf(by), secretUpdatedAt: now, seenEvent: LAST_EVENT, createdAt: now, updatedAt: now };
  const { found } = await writeNamed(db, {
    webhookEndpoints: db.run(insertIf(webhookEndpoints, { ...row, organizationId, ...made }, hasRoom)),
    audit: record(db, by, "webhook_endpoint.created", { id, organizationId }, now),
    found: db.orm.select().from(webhookEndpoints).where(eq(webhookEndpoints.id, id)),
  });
  return found[0] ?? null;
}

/** The organization's own; with ALL_ORGANIZATIONS, those that are for all. */
export const findEndpoint = finderIn(webhookEndpoints);
export const listEndpoints = listerIn(webhookEndpoints);

/** An endpoint that is sent events of the organization: its own, or one for all. */
export async function findReceiver(db: Database, organizationId: number, id: number): Promise<Endpoint | null> {
  return await findEndpoint(db, organizationId, id) ?? await findEndpoint(db, ALL_ORGANIZATIONS, id);
}

/** Null when `current` is no longer what is stored. */
export async function updateEndpoint(
  db: Database,
  current: Endpoint,
  changes: Partial<EndpointInput>,
  now: number,
  by: By,
): Promise<Endpoint | null> {
  return await change(db, current, changes, now, by, "webhook_endpoint.changed");
}

/** As updateEndpoint. Events from while it was disabled are not sent, but can be replayed. */
export async function enableEndpoint(
  db: Database,
  current: Endpoint,
  changes: Partial<EndpointInput>,
  now: number,
  by: By,
): Promise<Endpoint | null> {
  const enabled = {
    ...changes,
    status: "enabled",
    disabledReason: null,
    disabledAt: null,
    failingSince: null,
    lastFailedAt: null,
    seenEvent: LAST_EVENT,
  } as const;
  return await change(db, current, enabled, now, by, "webhook_endpoint.changed");
}

/** As updateEndpoint. Its pending deliveries fail. */
export async function disableEndpoint(
  db: Database,
  current: Endpoint,
  { reason, changes = {}, also = [] }: {
    readonly reason: NonNullable<Endpoint["disabledReason"]>;
    readonly changes?: Partial<EndpointInput>;
    /** Other statements of the same batch, with the condition isStill. */
    readonly also?: readonly Statement[];
  },
  now: number,
  by: By,
): Promise<Endpoint | null> {
  const disabled = { ...changes, status: "disabled", disabledReason: reason, disabledAt: now } as const;
  const giveUp = db.orm.update(deliveries).set({ status: "failed", finishedAt: now, sender: null }).where(and(
    eq(deliveries.endpointId, current.id),
    eq(deliveries.status, "pending"),
    isStill(current),
  ));
  return await change(db, current, disabled, now, by, "webhook_endpoint.changed", [giveUp, ...also]);
}

/** The condition for statements that go with disableEndpoint: the endpoint is as it was read. */
export function isStill(current: Endpoint): SQL {
  return unchanged(webhookEndpoints, current, ["id", "version"]);
}

/** As updateEndpoint. The former secret signs too, until `previousUntil`. */
export async function rotateSecret(
  db: Database,
  current: Endpoint,
  { secret, previousUntil }: { readonly secret: string; readonly previousUntil: number },
  now: number,
  by: By,
): Promise<Endpoint | null> {
  const changes = { secret, secretUpdatedAt: now, previousSecret: current.secret, previousUntil };
  return await change(db, current, changes, now, by, "secret.rotated");
}

/**
 * As updateEndpoint. From now on it is sent what `by` may read, and is disabled when their token is revoked. An endpoint
 * that was disabled with its former creator's token is enabled again, for later events.
 */
export async function takeOverEndpoint(
  db: Database,
  current: Endpoint,
  scopes: readonly string[],
  now: number,
  by: By,
): Promise<Endpoint | null> {
  const goesOn = { status: "enabled", disabledReason: null, disabledAt: null, seenEvent: LAST_EVENT } as const;
  const set = { scopes, maker: actorOf(by), ...(current.disabledReason === "revoked" ? goesOn : {}) };
  return await change(db, current, set, now, by, "webhook_endpoint.taken_over");
}

/** Endpoints of any organization that belong to this actor (actorOf) and are not disabled with its token yet. */
export async function listEndpointsOf(db: Database, maker: string): Promise<Endpoint[]> {
  return await db.orm.select().from(webhookEndpoints)
    .where(and(eq(webhookEndpoints.maker, maker), sql`disabled_reason is not 'revoked'`)).orderBy(
      asc(webhookEndpoints.id),
    );
}

/** False when `current` is no longer what is stored. */
export async function deleteEndpoint(db: Database, current: Endpoint, now: number, by: By): Promise<boolean> {
  const own = eq(deliveries.endpointId, current.id);
  const attempts = sql`${deliveryAttempts.deliveryId} in (select id from deliveries where ${own})`;
  return await deleteRows(db, webhookEndpoints, isAsRead(webhookEndpoints, current, ["id", "version"]), {
    before: [
      db.orm.delete(deliveryAttempts).where(and(attempts, isStill(current))),
      db.orm.delete(deliveries).where(and(own, isStill(current))),
    ],
    after: [record(db, by, "webhook_endpoint.deleted", current, now)],
  });
}

async function change(
  db: Database,
  current: Endpoint,
  set: Record<string, unknown>,
  now: number,
  by: By,
  action: AuditAction,
  before: readonly Statement[] = [],
): Promise<Endpoint | null> {
  return await updateVersioned(db, webhookEndpoints, current, { ...set, updatedAt: now }, {
    before,
    after: [record(db, by, action, current, now)],
  });
}

function record(
  db: Database,
  by: By,
  action: AuditAction,
  { id, organizationId }: Pick<Endpoint, "id" | "organizationId">,
  now: number,
): Statement {
  const note = { organizationId: auditedIn({ organizationId }), action, subjects: [encodeId("whe", id)] };
  return recordAudit(db, by, note, now);
}

/** Endpoints that have only failed for long enough to be disabled. */
export async function listFailing(db: Database, limits: { since: number; spanMs: number }): Promise<Endpoint[]> {
  return await db.orm.select().from(webhookEndpoints).where(sql`status = 'enabled' and failing_since <= ${limits.since}
    and last_failed_at - failing_since >= ${limits.spanMs}`).limit(100);
}
