/**
 * Conditions on a row by its values, above all that it is still as it was read: for statements that must do nothing once
 * another process has written the row.
 */
import { and, eq, getTableColumns, isNull, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";

/** The row has these values; null is only equal to null. */
export function matches<T extends SQLiteTable>(table: T, values: Partial<T["$inferSelect"]>): SQL {
  const columns = getTableColumns(table) as Record<string, SQLiteColumn>;
  return and(
    ...Object.entries(values).map(([name, value]) =>
      value === null ? isNull(columns[name]!) : eq(columns[name]!, value)
    ),
  )!;
}

/** There is a row with these values: for a statement about another table. */
export function isStored<T extends SQLiteTable>(table: T, values: Partial<T["$inferSelect"]>): SQL {
  return sql`exists (select 1 from ${table} where ${matches(table, values)})`;
}

/** For a statement about the row itself. `columns`: its key, and what changes with each write. */
export function isAsRead<T extends SQLiteTable, Name extends keyof T["$inferSelect"] & string>(
  table: T,
  row: Pick<T["$inferSelect"], Name>,
  columns: readonly Name[],
): SQL {
  const values = Object.fromEntries(columns.map((name) => [name, row[name]]));
  return matches(table, values as unknown as Partial<T["$inferSelect"]>);
}

/** For a statement about another table. It is false as well once the row is deleted. */
export function unchanged<T extends SQLiteTable, Name extends keyof T["$inferSelect"] & string>(
  table: T,
  row: Pick<T["$inferSelect"], Name>,
  columns: readonly Name[],
): SQL {
  return sql`exists (select 1 from ${table} where ${isAsRead(table, row, columns)})`;
}
