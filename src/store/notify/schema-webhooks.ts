/** Webhook endpoints, their deliveries, and every attempt to deliver. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const webhookEndpoints = sqliteTable("webhook_endpoints", {
  id: integer().primaryKey(),
  /** Or ALL_ORGANIZATIONS (endpoints.ts). */
  organizationId: integer("organization_id").notNull(),
  url: text().notNull(),
  description: text(),
  /** Null: every type, including future ones. */
  eventTypes: text("event_types", { mode: "json" }).$type<string[]>(),
  /** Whether `run.failures` has the values and names of its issues. */
  includeValues: integer("include_values", { mode: "boolean" }).notNull().default(false),
  status: text().$type<"enabled" | "disabled">().notNull().default("enabled"),
  /** What its creator's token allowed then: neither its events nor its links give access to more. */
  scopes: text({ mode: "json" }).$type<readonly string[]>().notNull().default(sql`'[]'`),
  /** The actor that created it or took it over (actorOf); null: not known. */
  maker: text(),
  /**
   * `gone`: it answered 410; `failing`: for days it only failed; `asked`: by the API; `revoked`: its creator's token was
   * revoked. Null while it is enabled.
   */
  disabledReason: text("disabled_reason").$type<"gone" | "failing" | "asked" | "revoked">(),
  disabledAt: integer("disabled_at"),
  /** Sealed for `webhook-endpoint:` and the id. */
  secret: text().notNull(),
  secretUpdatedAt: integer("secret_updated_at").notNull(),
  /** Sealed like `secret`; it signs too until `previousUntil`. */
  previousSecret: text("previous_secret"),
  previousUntil: integer("previous_until"),
  /** Events up to this id are delivered, or not meant for it. */
  seenEvent: integer("seen_event").notNull(),
  /** Since when every attempt has failed; null: the last attempt succeeded, or there was none. */
  failingSince: integer("failing_since"),
  lastFailedAt: integer("last_failed_at"),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [
  index("webhook_endpoints_organization").on(t.organizationId, t.id),
  index("webhook_endpoints_maker").on(t.maker),
]);

/** One for each event and endpoint; a retry or replay is the same delivery. */
export const deliveries = sqliteTable("deliveries", {
  id: integer().primaryKey(),
  /** The event's; of a test, the endpoint's. */
  organizationId: integer("organization_id").notNull(),
  endpointId: integer("endpoint_id").notNull(),
  /** A test has only an id, and no event. */
  eventId: integer("event_id").notNull(),
  type: text().notNull(),
  /** When the event happened. */
  eventAt: integer("event_at").notNull(),
  status: text().$type<"pending" | "succeeded" | "failed">().notNull().default("pending"),
  /** Attempts since it was last requested, by which its next time is computed. */
  step: integer().notNull().default(0),
  /** All attempts. */
  attempts: integer().notNull().default(0),
  /** When it is tried next. */
  dueAt: integer("due_at").notNull(),
  /** The process that is sending it, which holds it for as long as its lease in `senders`. */
  sender: text(),
  /** How often it was claimed: an outcome counts only for the last claim. */
  epoch: integer().notNull().default(0),
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
  /** From 1. */
  number: integer().notNull(),
  organizationId: integer("organization_id").notNull(),
  at: integer().notNull(),
  latencyMs: integer("latency_ms").notNull(),
  /** Null: there was no answer. */
  statusCode: integer("status_code"),
  /** Null: it succeeded. */
  error: text(),
  /** The beginning of the answer's body, which may repeat what was sent. */
  answer: text(),
}, (t) => [
  primaryKey({ columns: [t.deliveryId, t.number] }),
  index("delivery_attempts_organization").on(t.organizationId),
  index("delivery_attempts_at").on(t.at),
]);
