/** The outbox: what happened, for those outside who want to know. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { EventType } from "../../model/event.ts";

/** Written in the batch of what it tells, numbered in the order in which those batches were written. */
export const events = sqliteTable("events", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  type: text().$type<EventType>().notNull(),
  /** What it came of; null where it is of no run, or of no connection. */
  runId: integer("run_id"),
  connectionId: integer("connection_id"),
  /** As it is sent, but for its links, which are null: they are made when it is. */
  data: text({ mode: "json" }).$type<Record<string, unknown>>().notNull(),
  createdAt: integer("created_at").notNull(),
}, (t) => [
  index("events_organization").on(t.organizationId, t.id),
  index("events_type").on(t.organizationId, t.type, t.id),
  index("events_run").on(t.runId),
  index("events_created").on(t.createdAt),
]);
