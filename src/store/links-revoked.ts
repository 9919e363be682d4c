/** Which signed links were taken back: those of a run, or all of an organization, up to an instant. */
import { and, eq, inArray, lt, max, sql } from "drizzle-orm";
import type { Database, Statement } from "./database.ts";
import { linkRevocations } from "./schema-links.ts";

/** Takes back every link made up to `now` of the run; of all runs when `runId` is null. Later ones open again. */
export function revokeLinks(db: Database, organizationId: number, runId: number | null, now: number): Statement {
  return db.orm.insert(linkRevocations).values({ organizationId, runId: runId ?? 0, before: now }).onConflictDoUpdate({
    target: [linkRevocations.organizationId, linkRevocations.runId],
    set: { before: sql`max(${linkRevocations.before}, ${now})` },
  });
}

/** Whether a link of the run that was made at `mintedAt` has been taken back. */
export async function isRevoked(
  db: Database,
  organizationId: number,
  runId: number,
  mintedAt: number,
): Promise<boolean> {
  const [row] = await db.orm.select({ before: max(linkRevocations.before) }).from(linkRevocations)
    .where(and(eq(linkRevocations.organizationId, organizationId), inArray(linkRevocations.runId, [0, runId])));
  return row?.before != null && mintedAt <= row.before;
}

/** Forgets revocations whose links have all expired anyhow: those of before `until`. */
export function forgetRevocations(db: Database, until: number): Statement {
  return db.orm.delete(linkRevocations).where(lt(linkRevocations.before, until));
}
