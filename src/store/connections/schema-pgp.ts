/** OpenPGP keys of connections: the hub's own pairs, and customers' public keys. */
import { integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const pgpKeys = sqliteTable("pgp_keys", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  /** `hub`: drops are encrypted with it. `customer`: drops are signed with it, and reports encrypted. */
  owner: text().$type<"hub" | "customer">().notNull(),
  /** Hexadecimal, upper case. */
  fingerprint: text().notNull(),
  /** Ids of the key and its subkeys. */
  keyIds: text("key_ids", { mode: "json" }).$type<string[]>().notNull(),
  /** Armored. */
  publicKey: text("public_key").notNull(),
  /** Armored, and sealed for `pgp-key:` and the id. Null: a customer's key, or a retired one. */
  privateKey: text("private_key"),
  retiredAt: integer("retired_at"),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
}, (t) => [uniqueIndex("pgp_keys_connection").on(t.connectionId, t.fingerprint)]);
