/**
 * Versions of an organization that writes move: its data version tells plans that people have changed, its reference
 * version that rows have another meaning.
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "./database.ts";
import { organizations } from "./schema.ts";

/** Both versions, moved on: rows have another meaning from now on. */
export const MOVED_REFERENCES = {
  referenceVersion: sql`${organizations.referenceVersion} + 1`,
  dataVersion: sql`${organizations.dataVersion} + 1`,
};

/** The statement that moves both versions, if `condition` holds. */
export function moveReferences(db: Database, organizationId: number, condition: SQL): Statement {
  return db.orm.update(organizations).set(MOVED_REFERENCES).where(and(eq(organizations.id, organizationId), condition));
}
