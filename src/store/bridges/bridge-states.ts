/** The health of connections as their bridges report it, and checks that admins have requested from bridges. */
import { and, asc, eq, gte, inArray, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { CheckResult } from "../../bridge/contract.ts";
import { type By, HUB } from "../../model/audit.ts";
import type { BridgeCheckState } from "../waits.ts";
import { type Connection, recordConnection } from "../connections/connections.ts";
import { leasedTo } from "./bridge-leases.ts";
import { findRow } from "../reads.ts";
import { type Database, pairs, setOf, type Statement } from "../database.ts";
import { bridgeChecks, bridgeLeases, bridges, bridgeStates } from "./schema-bridge.ts";
import { reserve } from "../sequences.ts";
import { unchanged } from "../unchanged.ts";
import { HOUR_MS } from "../../std/time.ts";

export type BridgeState = typeof bridgeStates.$inferSelect;
export type BridgeCheck = typeof bridgeChecks.$inferSelect;

/** A check that was not answered in this time is no longer requested: its admin has stopped waiting. */
const ASKED_MS = 60_000;
const KEPT_MS = HOUR_MS;

/** The audit records only changes of the error. `news`: statements before the state, in the same batch. */
export async function saveBridgeState(
  db: Database,
  state: BridgeState,
  news: readonly Statement[],
  now: number,
  by: By = HUB,
): Promise<void> {
  const { connectionId, organizationId, seenAt, trouble, failures, mailedAt, lying } = state;
  const isNew = sql`exists (select 1 from connections where id = ${connectionId}) and
    coalesce((select trouble ->> 'code' from ${bridgeStates} where connection_id = ${connectionId}), '')
      <> ${trouble?.code ?? ""}`;
  await db.write([
    ...news,
    recordConnection(db, by, "bridge.reported", { id: connectionId, organizationId }, now, isNew),
    db.orm.insert(bridgeStates).values(state).onConflictDoUpdate({
      target: bridgeStates.connectionId,
      set: { seenAt, trouble, failures, mailedAt, lying },
    }),
  ]);
}

export async function findBridgeState(
  db: Database,
  organizationId: number,
  connectionId: number,
): Promise<BridgeState | null> {
  return (await loadBridgeStates(db, organizationId, [connectionId])).get(connectionId) ?? null;
}

/** True in SQL while no other visit has been counted. */
export function isStateAsRead(state: BridgeState): SQL {
  return unchanged(bridgeStates, state, ["connectionId", "failures"]);
}

export async function loadBridgeStates(
  db: Database,
  organizationId: number,
  connectionIds: readonly number[],
): Promise<ReadonlyMap<number, BridgeState>> {
  const rows = await db.orm.select().from(bridgeStates).where(and(
    eq(bridgeStates.organizationId, organizationId),
    inArray(bridgeStates.connectionId, setOf(connectionIds)),
  ));
  return new Map(rows.map((row) => [row.connectionId, row]));
}

/** The health of the bridge's connections, by connection. */
export async function listHeldStates(db: Database, bridgeId: number): Promise<ReadonlyMap<number, BridgeState>> {
  const rows = await db.orm.select({ state: bridgeStates }).from(bridgeStates)
    .innerJoin(bridgeLeases, eq(bridgeLeases.connectionId, bridgeStates.connectionId))
    .where(eq(bridgeLeases.bridgeId, bridgeId));
  return new Map(rows.map(({ state }) => [state.connectionId, state]));
}

/** Requests a check from the connection's bridge; gives its id. */
export async function askCheck(db: Database, connection: Connection, now: number, by: By): Promise<number> {
  const id = await reserve(db, "check");
  const { organizationId } = connection;
  await db.write([
    db.orm.insert(bridgeChecks).values({ id, organizationId, connectionId: connection.id, askedAt: now }),
    recordConnection(db, by, "connection.checked", connection, now),
  ]);
  return id;
}

export async function findCheck(db: Database, id: number): Promise<BridgeCheck | null> {
  return await findRow(db, bridgeChecks, { id });
}

/** Those of the checks that exist, by id. */
export async function findChecks(
  db: Database,
  wanted: readonly { organizationId: number; id: number }[],
): Promise<ReadonlyMap<number, BridgeCheckState>> {
  const { id, organizationId, connectionId, result } = bridgeChecks;
  const rows = await db.orm.select({ id, result, holder: bridges.id }).from(bridgeChecks)
    .leftJoin(bridgeLeases, eq(bridgeLeases.connectionId, connectionId))
    .leftJoin(bridges, eq(bridges.id, bridgeLeases.bridgeId))
    .where(sql`(${organizationId}, ${id}) in ${pairs(wanted)}`);
  return new Map(rows.map((row) => [row.id, { result: row.result, isHeld: row.holder !== null }]));
}

/** Checks of the bridge's connections that are not answered yet. */
export async function listAskedChecks(db: Database, bridgeId: number, now: number): Promise<BridgeCheck[]> {
  return await db.orm.select().from(bridgeChecks).where(and(
    isNull(bridgeChecks.result),
    gte(bridgeChecks.askedAt, now - ASKED_MS),
    inArray(bridgeChecks.connectionId, leasedTo(db, bridgeId)),
  )).orderBy(asc(bridgeChecks.id)).limit(100);
}

/** The first answer counts. */
export async function answerCheck(
  db: Database,
  check: BridgeCheck,
  result: CheckResult,
  now: number,
  by: By = HUB,
): Promise<void> {
  const { id, organizationId, connectionId } = check;
  await db.write([
    db.orm.update(bridgeChecks).set({ result }).where(and(eq(bridgeChecks.id, id), isNull(bridgeChecks.result))),
    recordConnection(db, by, "connection.checked", { id: connectionId, organizationId }, now),
  ]);
}

export function forgetBridgeStates(db: Database, now: number): Statement[] {
  return [
    db.run(sql`delete from ${bridgeStates} where connection_id not in (select id from connections)`),
    db.run(sql`delete from ${bridgeLeases} where connection_id not in (select id from connections)`),
    db.orm.delete(bridgeChecks).where(lt(bridgeChecks.askedAt, now - KEPT_MS)),
  ];
}
