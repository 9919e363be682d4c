/**
 * Sums that only grow, for /metrics: a process's own counters would be wrong with several processes, and lost with a
 * restart. A trigger counts runs when they end, however that happens.
 */
import { primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const tallies = sqliteTable("tallies", {
  /** The metric's name. */
  name: text().notNull(),
  /** The value of its one label, from a fixed set; empty: it has none. */
  label: text().notNull(),
  value: real().notNull().default(0),
}, (t) => [primaryKey({ columns: [t.name, t.label] })]);
