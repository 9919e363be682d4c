/** How a connection fares: how many inputs in a row failed as a whole, and why the last one did. */
import { and, eq, inArray } from "drizzle-orm";
import type { Failures } from "../../model/connection-health.ts";
import { FAILURES_FOR_ERROR } from "../../model/mail-rules.ts";
import type { Connection } from "./connections.ts";
import type { Database, Statement } from "../database.ts";
import type { Run } from "../runs/runs.ts";
import { connections } from "./schema.ts";
import { runs } from "../runs/schema.ts";
import { organizations } from "../schema.ts";

export interface ConnectionState {
  readonly connection: Connection;
  /** Of the organization. */
  readonly timezone: string;
  readonly lastError: { readonly code: string; readonly message: string } | null;
}

/** Of the run's connection; null when that is gone. */
export async function loadConnectionState(db: Database, run: Run): Promise<ConnectionState | null> {
  const [row] = await db.orm.select({
    connection: connections,
    timezone: organizations.timezone,
    lastError: runs.error,
  })
    .from(connections)
    .innerJoin(organizations, eq(organizations.id, connections.organizationId))
    .leftJoin(runs, and(eq(runs.id, connections.lastFailedRun), eq(runs.organizationId, connections.organizationId)))
    .where(and(eq(connections.id, run.connectionId), eq(connections.organizationId, run.organizationId)));
  return row ?? null;
}

/** No new version of the connection: nobody has decided anything about it. */
export function saveConnectionState(
  db: Database,
  run: Run,
  failures: Failures,
  lastFailedRun: number | null,
): Statement {
  return db.orm.update(connections)
    .set({ failuresInARow: failures.total, failureKinds: { ...failures.kinds }, lastFailedRun })
    .where(and(eq(connections.id, run.connectionId), eq(connections.organizationId, run.organizationId)));
}

/** What the last failed runs of these connections failed over, by run. */
export async function loadLastErrors(
  db: Database,
  organizationId: number,
  list: readonly Connection[],
): Promise<ReadonlyMap<number, { code: string; message: string }>> {
  const ids = list.flatMap(({ lastFailedRun }) => lastFailedRun === null ? [] : [lastFailedRun]);
  if (ids.length === 0) return new Map();
  const found = new Map<number, { code: string; message: string }>();
  // One query binds at most 100 parameters.
  for (let from = 0; from < ids.length; from += 80) {
    const rows = await db.orm.select({ id: runs.id, error: runs.error }).from(runs)
      .where(and(eq(runs.organizationId, organizationId), inArray(runs.id, ids.slice(from, from + 80))));
    for (const { id, error } of rows) if (error !== null) found.set(id, error);
  }
  return found;
}

/** `error` from the third failure in a row on, of its inputs or of its bridge's looks. */
export function stateOf({ failuresInARow }: Connection, failedVisits = 0): "ok" | "error" {
  return Math.max(failuresInARow, failedVisits) >= FAILURES_FOR_ERROR ? "error" : "ok";
}
