/**
 * Signed links: those that were asked for by API, and which are revoked before they expire. What is sent with a message is
 * not stored, and no address ever is: its signature proves it.
 */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { LinkRole } from "../../model/link.ts";

/** Links to a run's page that were made by API. */
export const runLinks = sqliteTable("run_links", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  runId: integer("run_id").notNull(),
  role: text().$type<LinkRole>().notNull(),
  /** What its maker was allowed then: the link allows no more. */
  scopes: text({ mode: "json" }).$type<readonly string[]>().notNull(),
  /** The stored token, or the member, that it ends with; both null: its maker is neither. */
  tokenId: integer("token_id"),
  memberId: integer("member_id"),
  expiresAt: integer("expires_at").notNull(),
  createdAt: integer("created_at").notNull(),
}, (t) => [index("run_links_run").on(t.organizationId, t.runId, t.id), index("run_links_expires").on(t.expiresAt)]);

/** Links made up to `before` are no longer valid. */
export const linkRevocations = sqliteTable("link_revocations", {
  organizationId: integer("organization_id").notNull(),
  /** 0: links of all runs. */
  runId: integer("run_id").notNull(),
  /** Milliseconds since 1970. */
  before: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.organizationId, t.runId] })]);
