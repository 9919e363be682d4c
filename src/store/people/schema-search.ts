/**
 * How far the index of people's words has come. The index itself is the virtual table `user_words`, which only its
 * migration can make: FTS5 over `words`, with the user's id as rowid.
 */
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";

/** The last place of the organization's feed whose people's words are in the index; no row: none is. */
export const searchCursors = sqliteTable("search_cursors", {
  organizationId: integer("organization_id").primaryKey(),
  seq: integer().notNull(),
});

/** An organization that is gone, whose words are still to be taken out: of users after `after` and up to `until`. */
export const searchRemovals = sqliteTable("search_removals", {
  organizationId: integer("organization_id").primaryKey(),
  after: integer().notNull(),
  until: integer().notNull(),
});
