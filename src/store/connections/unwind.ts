/**
 * Clocks of connections that are to be set anew, and of those that no schedule sets: for a hint's sake a connection without
 * one fetches too, and tries again when that fails.
 */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { Database, Statement } from "../database.ts";
import { connectionClocks } from "./schema-sources.ts";

/** The basis of a moment that no schedule has made. */
export const HINTED = "hinted";

/**
 * The statement after which the connection's moments are worked out anew: what it failed over may be gone. Without a
 * schedule, what waits for its next try has it `now`.
 */
export function unwind(db: Database, { id }: { readonly id: number }, now: number, condition: SQL): Statement {
  const isHinted = sql`basis = ${HINTED}`;
  return db.orm.update(connectionClocks).set({
    basis: sql`case when ${isHinted} then basis else '' end`,
    nextAt: sql`case when ${isHinted} and is_retry = 1 then ${now} else next_at end`,
  }).where(and(eq(connectionClocks.connectionId, id), condition));
}

/** The statement after which nothing of a connection without a schedule waits for a next try. */
export function endRetry(db: Database, { id }: { readonly id: number }): Statement {
  return db.orm.update(connectionClocks).set({ nextAt: null, isRetry: false }).where(
    and(
      eq(connectionClocks.connectionId, id),
      eq(connectionClocks.basis, HINTED),
      eq(connectionClocks.isRetry, true),
    ),
  );
}
