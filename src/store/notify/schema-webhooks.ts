/** Webhook endpoints, what is to be delivered to them, and every attempt at it. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const webhookEndpoints = sqliteTable("webhook_endpoints", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  url: text().notNull(),
  description: text(),
  /** Null: every type, those to come too. */
  eventTypes: text("event_types", { mode: "json" }).$type<string[]>(),
  status: text().$type<"enabled" | "disabled">().notNull().default("enabled"),
  /** What its maker's token allowed then: it is sent no more than that, and its links allow no more. */
  scopes: text({ mode: "json" }).$type<readonly string[]>().notNull().default(sql`'[]'`),
  /** Who made it or took it over, as `actorOf` says it (audit.ts); null: not known. */
  maker: text(),
  /**
   * `gone`: it answered 410; `failing`: for days nothing else; `asked`: by the API; `revoked`: its maker's token was.
   * Null while it is enabled.
   */
  disabledReason: text("disabled_reason").$type<"gone" | "failing" | "asked" | "revoked">(),
  disabledAt: integer("disabled_at"),
  /** Sealed for `webhook-endpoint:` and the id. */
  secret: text().notNull(),
  secretUpdatedAt: integer("secret_updated_at").notNull(),
  /** Sealed like the other; it signs too until `previousUntil`. */
  previousSecret: text("previous_secret"),
  previousUntil: integer("previous_until"),
  /** Events up to this id have become deliveries, or are none of its. */
  seenEvent: integer("seen_event").notNull(),
  /** Since when nothing but failures came of it; null: the last attempt succeeded, or there was none. */
  failingSince: integer("failing_since"),
  lastFailedAt: integer("last_failed_at"),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [
  index("webhook_endpoints_organization").on(t.organizationId, t.id),
  index("webhook_endpoints_maker").on(t.maker),
]);

/** One for each event and endpoint; sent again, it is the same one. */
export const deliveries = sqliteTable("deliveries", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  endpointId: integer("endpoint_id").notNull(),
  /** Of a test there is no event, only its number. */
  eventId: integer("event_id").notNull(),
  type: text().notNull(),
  /** When what it tells happened. */
  eventAt: integer("event_at").notNull(),
  status: text().$type<"pending" | "succeeded" | "failed">().notNull().default("pending"),
  /** Attempts since it was last asked for, which the schedule counts. */
  step: integer().notNull().default(0),
  /** All attempts. */
  attempts: integer().notNull().default(0),
  /** When it is tried next. While it is being sent: when somebody else may take it over. */
  dueAt: integer("due_at").notNull(),
  /** Who is sending it now. */
  sender: text(),
  createdAt: integer("created_at").notNull(),
  finishedAt: integer("finished_at"),
}, (t) => [
  uniqueIndex("deliveries_event").on(t.endpointId, t.eventId),
  index("deliveries_endpoint").on(t.endpointId, t.id),
  index("deliveries_due").on(t.endpointId, t.dueAt).where(sql`status = 'pending'`),
  index("deliveries_sender").on(t.sender).where(sql`sender is not null`),
  index("deliveries_organization").on(t.organizationId),
  index("deliveries_created").on(t.createdAt),
]);

export const deliveryAttempts = sqliteTable("delivery_attempts", {
  deliveryId: integer("delivery_id").notNull(),
  /** From 1 on. */
  number: integer().notNull(),
  organizationId: integer("organization_id").notNull(),
  at: integer().notNull(),
  latencyMs: integer("latency_ms").notNull(),
  /** Null: there was no answer. */
  statusCode: integer("status_code"),
  /** Null: it succeeded. */
  error: text(),
  /** The beginning of the answer's body. It may repeat what it was sent. */
  answer: text(),
}, (t) => [
  primaryKey({ columns: [t.deliveryId, t.number] }),
  index("delivery_attempts_organization").on(t.organizationId),
  index("delivery_attempts_at").on(t.at),
]);
