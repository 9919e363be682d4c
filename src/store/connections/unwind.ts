/**
 * Clocks that must be computed again, and clocks that no schedule sets: after a webhook's hint, a connection without a
 * schedule fetches too, and retries when that fails.
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../database.ts";
import { matches } from "../unchanged.ts";
import { connectionClocks } from "./schema-sources.ts";

/** The basis of a time that comes from a hint instead of a schedule. */
export const HINTED = "hinted";

/**
 * The statement after which the connection's times are computed again, because the cause of its failures may be gone. A
 * connection without a schedule that waits for a retry has it `now`.
 */
export function recomputeClock(db: Database, { id }: { readonly id: number }, now: number, condition: SQL): Statement {
  const isHinted = sql`basis = ${HINTED}`;
  return db.orm.update(connectionClocks).set({
    basis: sql`case when ${isHinted} then basis else '' end`,
    nextAt: sql`case when ${isHinted} and is_retry = 1 then ${now} else next_at end`,
  }).where(and(eq(connectionClocks.connectionId, id), condition));
}

/** The statement that ends the retries of a connection without a schedule. */
export function endRetry(db: Database, { id }: { readonly id: number }): Statement {
  return db.orm.update(connectionClocks).set({ nextAt: null, isRetry: false })
    .where(matches(connectionClocks, { connectionId: id, basis: HINTED, isRetry: true }));
}
