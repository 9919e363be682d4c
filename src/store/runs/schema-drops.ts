/** The tables of drops and their bytes. */
import { sql } from "drizzle-orm";
import { blob, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const drops = sqliteTable("drops", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  name: text().notNull(),
  contentType: text("content_type").notNull(),
  /** What the sender asked for; null: derived from the input and the policy. */
  entity: text().$type<"users" | "departments">(),
  coverage: text().$type<"full" | "diff">(),
  mode: text().$type<"auto" | "plan">().notNull().default("auto"),
  /** Whether somebody handed it in by hand: then it counts as their edit (reconcile/elsewhere.ts). */
  byHand: integer("by_hand", { mode: "boolean" }).notNull().default(false),
  bytes: integer().notNull().default(0),
  /** Hex; null until sealed. */
  sha256: text(),
  /** How many rows the sender announced; null: none announced. */
  rows: integer(),
  /** The actor that sent it (actorOf); null: not known. */
  sentBy: text("handed_in_by"),
  sealedAt: integer("sealed_at"),
  /** When unsealed parts, or sealed content, are deleted. */
  expiresAt: integer("expires_at").notNull(),
  createdAt: integer("created_at").notNull(),
}, (t) => [
  index("drops_connection").on(t.connectionId),
  index("drops_expires").on(t.expiresAt),
  index("drops_unsealed").on(t.organizationId).where(sql`sha256 is null`),
]);

/** A drop's parts in order, each in gzip chunks of at most 1 MiB. */
export const dropChunks = sqliteTable("drop_chunks", {
  dropId: integer("drop_id").notNull(),
  part: integer().notNull(),
  chunk: integer().notNull(),
  /** Bytes before gzip. */
  bytes: integer().notNull(),
  body: blob({ mode: "buffer" }).notNull(),
}, (t) => [primaryKey({ columns: [t.dropId, t.part, t.chunk] })]);
