/**
 * Whether a row is still as it was read, for statements that must do nothing once another process has written it. The
 * table, the row as it was read and the columns to compare (its key, and what changes with each write) come in; a condition
 * goes out.
 */
import { and, eq, getTableColumns, isNull, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";

/** For a statement about the row itself. */
export function isAsRead<T extends SQLiteTable, Name extends keyof T["$inferSelect"] & string>(
  table: T,
  row: Pick<T["$inferSelect"], Name>,
  columns: readonly Name[],
): SQL {
  const all = getTableColumns(table) as Record<string, SQLiteColumn>;
  return and(...columns.map((name) => row[name] === null ? isNull(all[name]!) : eq(all[name]!, row[name])))!;
}

/** For a statement about another table. It is false as well once the row is deleted. */
export function unchanged<T extends SQLiteTable, Name extends keyof T["$inferSelect"] & string>(
  table: T,
  row: Pick<T["$inferSelect"], Name>,
  columns: readonly Name[],
): SQL {
  return sql`exists (select 1 from ${table} where ${isAsRead(table, row, columns)})`;
}
