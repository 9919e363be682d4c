/**
 * Writes that most tables need. The statements before and after a row's own are in the same batch, and must do nothing if
 * the row is not written. The entry in the audit is the first one after: it records what the statement before it changed.
 */
import { type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { type Database, type Statement, writeNamed } from "./database.ts";
import { isAsRead } from "./unchanged.ts";

interface Around {
  readonly before?: readonly Statement[];
  readonly after?: readonly Statement[];
}

type VersionedTable = SQLiteTable & { readonly id: SQLiteColumn; readonly version: SQLiteColumn };

/** Writes `set` with the row's next version. Null: `current` is no longer what is stored, and the row is not changed. */
export async function updateVersioned<T extends VersionedTable>(
  db: Database,
  table: T,
  current: { readonly id: number; readonly version: number },
  set: Record<string, unknown>,
  { before = [], after = [] }: Around,
): Promise<T["$inferSelect"] | null> {
  const { changed } = await writeNamed(db, {
    before,
    changed: db.orm.update(table as SQLiteTable).set({ ...set, version: current.version + 1 })
      .where(isAsRead(table as VersionedTable, current, ["id", "version"])).returning(),
    after,
  });
  return changed[0] ?? null;
}

/** Deletes the rows for which `which` holds; false: there is none. */
export async function deleteRows(
  db: Database,
  table: SQLiteTable,
  which: SQL,
  { before = [], after = [] }: Around,
): Promise<boolean> {
  const { deleted } = await writeNamed(db, {
    before,
    deleted: db.orm.delete(table).where(which).returning({ one: sql`1` }),
    after,
  });
  return deleted.length > 0;
}
