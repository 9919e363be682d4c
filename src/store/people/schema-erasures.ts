/** Erasures of people: what was erased, and what is still to be erased. Only ids and counts, never a value. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** How much was erased, in all requests for the same person. */
export interface ErasedCounts {
  /** Entries of the history and of plans. */
  changes: number;
  /** Rows of failure reports. */
  report_rows: number;
  drops: number;
  /** Uploads that were not sealed. */
  uploads: number;
}

/** One for each erased user, even if it was requested several times. */
export const erasures = sqliteTable("erasures", {
  userId: integer("user_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  /** The first request, and the last. */
  erasedAt: integer("erased_at").notNull(),
  askedAt: integer("asked_at").notNull(),
  counts: text({ mode: "json" }).$type<ErasedCounts>().notNull(),
  /** Ids of connections whose inputs may have held the person. */
  connections: text({ mode: "json" }).$type<number[]>().notNull(),
  /** When deleted rows were cleaned out of the database's file; null: not yet, or not known. */
  cleanedAt: integer("cleaned_at"),
}, (t) => [
  index("erasures_organization").on(t.organizationId),
  index("erasures_open").on(t.userId).where(sql`cleaned_at is null`),
]);

/** A connection's files on a bridge's disk that may hold an erased person, until that bridge has deleted them. */
export const treeErasures = sqliteTable("tree_erasures", {
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  bridgeId: integer("bridge_id").notNull(),
  organizationId: integer("organization_id").notNull(),
  askedAt: integer("asked_at").notNull(),
  confirmedAt: integer("confirmed_at"),
  /** Complete files that waited to be taken: they are future inputs, and are not deleted. */
  waiting: integer().notNull().default(0),
}, (t) => [
  primaryKey({ columns: [t.userId, t.connectionId, t.bridgeId] }),
  index("tree_erasures_open").on(t.bridgeId).where(sql`confirmed_at is null`),
  index("tree_erasures_organization").on(t.organizationId),
]);
