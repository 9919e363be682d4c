/** Which held run has superseded another. */
import { and, desc, eq, gt } from "drizzle-orm";
import type { Database } from "../database.ts";
import type { Run } from "./runs.ts";
import { runs } from "./schema.ts";

/** The latest held run after this one, of the same connection and entity; null: there is none. */
export async function findHeldSuccessor(db: Database, run: Run): Promise<number | null> {
  const [row] = await db.orm.select({ id: runs.id }).from(runs).where(and(
    eq(runs.organizationId, run.organizationId),
    eq(runs.connectionId, run.connectionId),
    eq(runs.entity, run.entity),
    eq(runs.status, "held"),
    gt(runs.id, run.id),
  )).orderBy(desc(runs.id)).limit(1);
  return row?.id ?? null;
}
