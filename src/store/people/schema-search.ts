/**
 * The progress of the index of people's words. The index itself is the virtual table `user_words`, which only its
 * migration can create: FTS5 over `words`, with the user's id as rowid.
 */
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";

/** The last place of the organization's feed whose people's words are in the index; no row: none is. */
export const searchCursors = sqliteTable("search_cursors", {
  organizationId: integer("organization_id").primaryKey(),
  seq: integer().notNull(),
});

/** A deleted organization whose words are still to be removed: those of users after `after` and up to `until`. */
export const searchRemovals = sqliteTable("search_removals", {
  organizationId: integer("organization_id").primaryKey(),
  after: integer().notNull(),
  until: integer().notNull(),
});
