/**
 * Sums that only grow, for the figures of /metrics: what one process counted would be wrong with several, and gone after a
 * restart. Those of runs are counted by a trigger whenever a run comes to its end, whoever ends it.
 */
import { primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const tallies = sqliteTable("tallies", {
  /** The metric's name. */
  name: text().notNull(),
  /** The value of its one label, out of a fixed set; empty where it has none. */
  label: text().notNull(),
  value: real().notNull().default(0),
}, (t) => [primaryKey({ columns: [t.name, t.label] })]);
