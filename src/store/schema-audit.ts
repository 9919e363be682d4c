/**
 * The audit's tables: actions, and the chain of hashes over them. Both only grow; triggers refuse everything else, except
 * for a deleted organization (migrations/).
 */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { AuditAction, By } from "../model/audit.ts";

export const auditEntries = sqliteTable("audit_entries", {
  organizationId: integer("organization_id").notNull(),
  /** From 1 without a gap within the organization, in the order of the writes. */
  seq: integer().notNull(),
  at: integer().notNull(),
  actorKind: text("actor_kind").$type<By["kind"]>().notNull(),
  actorId: text("actor_id"),
  actorName: text("actor_name"),
  action: text().$type<AuditAction>().notNull(),
  /** Public ids, the changed thing first: a JSON array. */
  subjects: text({ mode: "json" }).$type<string[]>().notNull(),
  requestId: text("request_id"),
  address: text(),
}, (t) => [
  primaryKey({ columns: [t.organizationId, t.seq] }),
  index("audit_entries_at").on(t.organizationId, t.at),
]);

/** For each entry, the hash of it and of the hash before it (store/audit.ts). */
export const auditSeals = sqliteTable("audit_seals", {
  organizationId: integer("organization_id").notNull(),
  seq: integer().notNull(),
  /** SHA-256, hex. */
  hash: text().notNull(),
}, (t) => [primaryKey({ columns: [t.organizationId, t.seq] })]);
