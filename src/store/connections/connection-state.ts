/** A connection's health: how many inputs in a row failed as a whole, and why the last one did. */
import { and, eq, inArray } from "drizzle-orm";
import type { Failures } from "../../model/connection-health.ts";
import { FAILURES_FOR_ERROR } from "../../model/mail-rules.ts";
import type { Connection } from "./connections.ts";
import { type Database, setOf, type Statement } from "../database.ts";
import { first } from "../reads.ts";
import { matches } from "../unchanged.ts";
import type { Run } from "../runs/runs.ts";
import { connections } from "./schema.ts";
import { runs } from "../runs/schema.ts";
import { organizations } from "../schema.ts";

export interface ConnectionState {
  readonly connection: Connection;
  /** The organization's. */
  readonly timezone: string;
  readonly lastError: { readonly code: string; readonly message: string } | null;
  /** What the last failed run read; null: none failed, or it is deleted. */
  readonly lastFailed: Run["entity"] | null;
}

/** The health of the run's connection; null when that is deleted. */
export async function loadConnectionState(db: Database, run: Run): Promise<ConnectionState | null> {
  return await first(
    db.orm.select({
      connection: connections,
      timezone: organizations.timezone,
      lastError: runs.error,
      lastFailed: runs.entity,
    }).from(connections)
      .innerJoin(organizations, eq(organizations.id, connections.organizationId))
      .leftJoin(runs, and(eq(runs.id, connections.lastFailedRun), eq(runs.organizationId, connections.organizationId)))
      .where(matches(connections, { id: run.connectionId, organizationId: run.organizationId })),
  );
}

/** The connection keeps its version: no admin has changed it. */
export function saveConnectionState(
  db: Database,
  run: Run,
  failures: Failures,
  lastFailedRun: number | null,
): Statement {
  return db.orm.update(connections)
    .set({ failuresInARow: failures.total, failureKinds: { ...failures.kinds }, lastFailedRun })
    .where(matches(connections, { id: run.connectionId, organizationId: run.organizationId }));
}

/** The errors of these connections' last failed runs, by run. */
export async function loadLastErrors(
  db: Database,
  organizationId: number,
  list: readonly Connection[],
): Promise<ReadonlyMap<number, { code: string; message: string }>> {
  const ids = list.flatMap(({ lastFailedRun }) => lastFailedRun ?? []);
  if (ids.length === 0) return new Map();
  const rows = await db.orm.select({ id: runs.id, error: runs.error }).from(runs)
    .where(and(eq(runs.organizationId, organizationId), inArray(runs.id, setOf(ids))));
  return new Map(rows.flatMap(({ id, error }) => error === null ? [] : [[id, error] as const]));
}

/** `error` from the third failure in a row, of its inputs or of its bridge's visits. */
export function stateOf({ failuresInARow }: Connection, failedVisits = 0): "ok" | "error" {
  return Math.max(failuresInARow, failedVisits) >= FAILURES_FOR_ERROR ? "error" : "ok";
}
