/**
 * Whether a row is still as it was read: for statements that are to do nothing once somebody else has written it. In
 * come the table, the row as read and the columns that tell (its key and what changes with each write); out comes a
 * condition.
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

/** For a statement about anything else. False as well once the row is deleted. */
export function unchanged<T extends SQLiteTable, Name extends keyof T["$inferSelect"] & string>(
  table: T,
  row: Pick<T["$inferSelect"], Name>,
  columns: readonly Name[],
): SQL {
  return sql`exists (select 1 from ${table} where ${isAsRead(table, row, columns)})`;
}
