/** The table of master keys: their ids alone, never the keys. */
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const masterKeys = sqliteTable("master_keys", {
  /** Always 1: a database has one current key. */
  id: integer().primaryKey(),
  /** Id of the key that new secrets are sealed with (secrets.ts). */
  keyId: text("key_id").notNull(),
  since: integer().notNull(),
});
