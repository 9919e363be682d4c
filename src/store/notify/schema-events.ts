/** The outbox of events, for receivers outside of the hub. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { EventType } from "../../model/event.ts";

/** Written in the batch that causes it, with ids in the order of those batches. */
export const events = sqliteTable("events", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  type: text().$type<EventType>().notNull(),
  /** The run and connection that caused it; null: none did. */
  runId: integer("run_id"),
  connectionId: integer("connection_id"),
  /** As it is sent, except for its links: they are made when it is sent, and are null here. */
  data: text({ mode: "json" }).$type<Record<string, unknown>>().notNull(),
  createdAt: integer("created_at").notNull(),
}, (t) => [
  index("events_organization").on(t.organizationId, t.id),
  index("events_type").on(t.organizationId, t.type, t.id),
  index("events_run").on(t.runId),
  index("events_created").on(t.createdAt),
]);
