/** Signed links that are revoked before they expire. Links themselves are not stored: their signature proves them. */
import { integer, primaryKey, sqliteTable } from "drizzle-orm/sqlite-core";

/** Links made up to `before` are no longer valid. */
export const linkRevocations = sqliteTable("link_revocations", {
  organizationId: integer("organization_id").notNull(),
  /** 0: links of all runs. */
  runId: integer("run_id").notNull(),
  /** Milliseconds since 1970. */
  before: integer().notNull(),
}, (t) => [primaryKey({ columns: [t.organizationId, t.runId] })]);
