/** Reads that most tables need: a row by its id, and lists in pages. Each names the organization. */
import { and, asc, desc, eq, getTableColumns, gt, lt, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { type Database, prepared } from "./database.ts";
import { matches } from "./unchanged.ts";

type OwnedTable = SQLiteTable & { readonly id: SQLiteColumn; readonly organizationId: SQLiteColumn };
type RowOf<T extends OwnedTable> = T["$inferSelect"];

/** The first row of a query; null: it has none. */
export async function first<T>(rows: PromiseLike<readonly T[]>): Promise<T | null> {
  return (await rows)[0] ?? null;
}

/** The first row with these values. */
export async function findRow<T extends SQLiteTable>(
  db: Database,
  table: T,
  values: Partial<T["$inferSelect"]>,
): Promise<T["$inferSelect"] | null> {
  return await first(db.orm.select().from(table as SQLiteTable).where(matches(table, values)).limit(1));
}

/** Makes a function like findRow whose SQL is built once, for hot paths: building it takes longer than running it. */
export function preparedFinder<T extends SQLiteTable, Name extends keyof T["$inferSelect"] & string>(
  table: T,
  names: readonly Name[],
): (db: Database, values: Pick<T["$inferSelect"], Name>) => Promise<T["$inferSelect"] | null> {
  const columns = getTableColumns(table) as Record<string, SQLiteColumn>;
  const query = prepared((orm) =>
    orm.select().from(table as SQLiteTable)
      .where(and(...names.map((name) => eq(columns[name]!, sql.placeholder(name))))).prepare()
  );
  return (db, values) => first(query(db).all(values));
}

/** Makes a function that finds a row of an organization by its id. */
export function finderIn<T extends OwnedTable>(
  table: T,
): (db: Database, organizationId: number, id: number) => Promise<RowOf<T> | null> {
  return (db, organizationId, id) => findRow(db, table, { id, organizationId } as Partial<RowOf<T>>);
}

/** Makes a function that lists an organization's rows, oldest first: at most `limit` of those after id `after`. */
export function listerIn<T extends OwnedTable>(
  table: T,
): (db: Database, organizationId: number, page: { after: number; limit: number }) => Promise<RowOf<T>[]> {
  return async (db, organizationId, { after, limit }) =>
    await select(db, table, organizationId, gt(table.id, after)).orderBy(asc(table.id)).limit(limit);
}

/** An organization's rows for which `filter` holds, youngest first: at most `limit` of those before id `before`. */
export async function listLatest<T extends OwnedTable>(
  db: Database,
  table: T,
  organizationId: number,
  filter: SQL | undefined,
  { before, limit }: { before: number | null; limit: number },
): Promise<RowOf<T>[]> {
  return await select(db, table, organizationId, and(filter, before === null ? undefined : lt(table.id, before)))
    .orderBy(desc(table.id)).limit(limit);
}

/** A filter by a value; null: any value. */
export function isOrAny<T extends SQLiteColumn>(column: T, value: T["_"]["data"] | null): SQL | undefined {
  return value === null ? undefined : eq(column, value);
}

function select<T extends OwnedTable>(db: Database, table: T, organizationId: number, which: SQL | undefined) {
  const query = db.orm.select().from(table as SQLiteTable).where(and(eq(table.organizationId, organizationId), which));
  return query.$dynamic() as unknown as Query<RowOf<T>>;
}

interface Query<Row> extends PromiseLike<Row[]> {
  orderBy(order: SQL): Query<Row>;
  limit(count: number): Query<Row>;
}
