/** How customers log in at the hosted SFTP server: one user for each connection, with a password, keys, or both. */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const sftpLogins = sqliteTable("sftp_logins", {
  connectionId: integer("connection_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  username: text().notNull().unique(),
  /** An scrypt hash as a PHC string (sftp-login.ts); null: there is no password. */
  passwordHash: text("password_hash"),
  passwordSetAt: integer("password_set_at"),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
  /** The last accepted and the last refused login that the audit records, which it does once in a while. */
  usedAt: integer("used_at"),
  refusedAt: integer("refused_at"),
}, (t) => [index("sftp_logins_organization").on(t.organizationId)]);

/** Public keys that are accepted. */
export const sftpKeys = sqliteTable("sftp_keys", {
  connectionId: integer("connection_id").notNull(),
  /** `SHA256:…` */
  fingerprint: text().notNull(),
  organizationId: integer("organization_id").notNull(),
  /** The admin's name for it. */
  name: text().notNull(),
  type: text().notNull(),
  /** `ssh-ed25519 AAAA…` */
  publicKey: text("public_key").notNull(),
  /** `hub`: the hub made the pair, and showed the private half once. */
  madeBy: text("made_by").$type<"hub" | "admin">().notNull(),
  createdAt: integer("created_at").notNull(),
}, (t) => [
  primaryKey({ columns: [t.connectionId, t.fingerprint] }),
  index("sftp_keys_organization").on(t.organizationId),
]);
