/** Fetches that run earlier than scheduled, because the source's webhook sent a hint. */
import { and, sql } from "drizzle-orm";
import type { By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import type { Connection } from "./connections.ts";
import { type Database, writeNamed } from "../database.ts";
import { findRow } from "../reads.ts";
import { matches } from "../unchanged.ts";
import { connectionClocks, fetches } from "./schema-sources.ts";
import { connections } from "./schema.ts";
import { HINTED } from "./unwind.ts";

/** By id alone: a source does not know the organization, and only the connection's own source can sign a hint for it. */
export async function findHinted(db: Database, id: number): Promise<Connection | null> {
  return await findRow(db, connections, { id });
}

/**
 * Schedules the connection's next fetch at `soon`, or `apartMs` after its last fetch if that is later. False: it fetches
 * by then anyway, is paused, or waits for a retry after a failure, which a hint does not bring forward.
 */
export async function bringForward(
  db: Database,
  { id, organizationId, schedule }: Connection,
  { soon, apartMs, now }: { soon: number; apartMs: number; now: number },
  by: By,
): Promise<boolean> {
  const last = sql`(select max(created_at) from ${fetches} where connection_id = ${id})`;
  const at = sql<number>`max(${soon}, coalesce(${last}, 0) + ${apartMs})`;
  const isHeeded = sql`exists (select 1 from ${connections} where id = ${id} and paused_at is null)`;
  // A connection without a schedule may have no clock yet; only hints move it.
  const unscheduled = sql`insert into ${connectionClocks} (connection_id, organization_id, basis, next_at)
    select ${id}, ${organizationId}, ${HINTED}, ${at} where ${isHeeded}
    on conflict (connection_id) do update set basis = excluded.basis, next_at = excluded.next_at, is_retry = 0
      where basis <> ${HINTED} or next_at is null or (is_retry = 0 and next_at > excluded.next_at)
    returning connection_id`;
  const { moved } = await writeNamed(db, {
    moved: schedule === null ? db.all(unscheduled) : db.orm.update(connectionClocks).set({ nextAt: at }).where(and(
      matches(connectionClocks, { connectionId: id, organizationId, isRetry: false }),
      sql`next_at > ${at}`,
      isHeeded,
    )).returning({ id: connectionClocks.connectionId }),
    audit: recordAudit(db, by, { action: "connection.hinted", subjects: [encodeId("con", id)], organizationId }, now),
  });
  return (moved as unknown[]).length > 0;
}
