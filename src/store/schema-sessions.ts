/**
 * Who is signed in to the console: the sessions of browsers, and links that sign in once. Of a session and of a link the
 * hash is stored, never the text. Both belong to a token or to a member, and end with it.
 */
import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** The owner: exactly one of the two. */
const OWNER = sql`(token_id is null) <> (member_id is null)`;

export const sessions = sqliteTable("sessions", {
  id: integer().primaryKey(),
  /** Of the owner. */
  organizationId: integer("organization_id").notNull(),
  tokenId: integer("token_id"),
  memberId: integer("member_id"),
  /** SHA-256 of the text in the browser's cookie, hex. */
  hash: text().notNull().unique(),
  /** The network address that it began from; null: not known. */
  address: text(),
  usedAt: integer("used_at").notNull(),
  expiresAt: integer("expires_at").notNull(),
  createdAt: integer("created_at").notNull(),
}, (t) => [
  index("sessions_organization").on(t.organizationId, t.id),
  index("sessions_token").on(t.organizationId, t.tokenId, t.id),
  index("sessions_member").on(t.organizationId, t.memberId, t.id),
  index("sessions_expires").on(t.expiresAt),
  check("sessions_owner", OWNER),
]);

/** Links that sign in once. */
export const signInLinks = sqliteTable("sign_in_links", {
  /** SHA-256 of the link's text, hex. */
  hash: text().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  tokenId: integer("token_id"),
  memberId: integer("member_id"),
  /** Whether opening it signs in; otherwise its page asks first, as mail scanners open links. */
  isDirect: integer("is_direct", { mode: "boolean" }).notNull(),
  expiresAt: integer("expires_at").notNull(),
}, (t) => [
  index("sign_in_links_token").on(t.organizationId, t.tokenId),
  index("sign_in_links_member").on(t.organizationId, t.memberId),
  index("sign_in_links_expires").on(t.expiresAt),
  check("sign_in_links_owner", OWNER),
]);
