/**
 * Versions that writes move. A row's own version refuses a second write by a caller who read the row before the first
 * one. An organization's data and reference versions tell plans that they are no longer current.
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { type Database, type Statement, writeNamed } from "./database.ts";
import { organizations } from "./schema.ts";
import { isAsRead } from "./unchanged.ts";

type VersionedTable = SQLiteTable & { readonly id: SQLiteColumn; readonly version: SQLiteColumn };

/**
 * Writes `set` with the row's next version, and the other statements around it in the same batch. Null: `current` is no
 * longer what is stored, and the row stays as it is.
 */
export async function updateVersioned<T extends VersionedTable>(
  db: Database,
  table: T,
  current: { readonly id: number; readonly version: number },
  set: Record<string, unknown>,
  { before = [], after = [] }: { readonly before?: readonly Statement[]; readonly after?: readonly Statement[] },
): Promise<T["$inferSelect"] | null> {
  const { changed } = await writeNamed(db, {
    before,
    changed: db.orm.update(table as SQLiteTable).set({ ...set, version: current.version + 1 })
      .where(isAsRead(table as VersionedTable, current, ["id", "version"])).returning(),
    after,
  });
  return changed[0] ?? null;
}

/** Both versions of an organization, moved on: rows have another meaning from now on. */
export const MOVED_REFERENCES = {
  referenceVersion: sql`${organizations.referenceVersion} + 1`,
  dataVersion: sql`${organizations.dataVersion} + 1`,
};

/** The statement that moves both versions, if `condition` holds. */
export function moveReferences(db: Database, organizationId: number, condition: SQL): Statement {
  return db.orm.update(organizations).set(MOVED_REFERENCES).where(and(eq(organizations.id, organizationId), condition));
}
