/** Signed links that are taken back before their time. Links themselves are not stored: their signature is what is known. */
import { integer, primaryKey, sqliteTable } from "drizzle-orm/sqlite-core";

/** Links made up to `before` open nothing any more. */
export const linkRevocations = sqliteTable("link_revocations", {
  organizationId: integer("organization_id").notNull(),
  /** 0: those of all runs. */
  runId: integer("run_id").notNull(),
  /** Milliseconds since 1970. */
  before: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.organizationId, t.runId] })]);
