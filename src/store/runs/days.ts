/** What runs did lately, by quarters of an hour: of those days can be made in any time zone. */
import { sql } from "drizzle-orm";
import type { Database } from "../database.ts";

export const QUARTER_MS = 15 * 60_000;

/** What the runs of people did that ended within one quarter of an hour. */
export interface RunQuarter {
  /** Its beginning: milliseconds since 1970. */
  readonly at: number;
  readonly runs: number;
  readonly created: number;
  readonly updated: number;
  readonly deactivated: number;
  readonly reactivated: number;
  readonly failed: number;
}

/** Runs that are looked at: as many as can be read in a moment. */
const MOST = 1_000;

/** `from`: the moment from which on all runs are in it. */
export async function listRunQuarters(
  db: Database,
  organizationId: number,
  since: number,
): Promise<{ readonly from: number; readonly quarters: readonly RunQuarter[] }> {
  const latest = sql`(select status, entity, counts, created_at, finished_at from runs
    where organization_id = ${organizationId} order by id desc limit ${MOST})`;
  const [[n, first] = [0, null]] = await db.rows<[number, number | null]>(
    sql`select count(*), min(created_at) from ${latest}`,
  );
  const from = n < MOST ? since : Math.max(since, first ?? since);
  const sum = (name: string) => sql`sum(coalesce(counts ->> ${name}, 0))`;
  const rows = await db.rows<[number, number, number, number, number, number, number]>(sql`
    select finished_at / ${QUARTER_MS}, count(*), ${sum("created")}, ${sum("updated")}, ${sum("deactivated")},
      ${sum("reactivated")}, ${sum("failed")}
    from ${latest} where finished_at >= ${from} and entity = 'users' and status in ('succeeded', 'partial')
    group by 1 order by 1`);
  return {
    from,
    quarters: rows.map(([quarter, runs, created, updated, deactivated, reactivated, failed]) => ({
      at: quarter * QUARTER_MS,
      runs,
      created,
      updated,
      deactivated,
      reactivated,
      failed,
    })),
  };
}
