/** How connections fare, as their bridges say, and checks that admins have asked bridges for. */
import { and, asc, eq, gte, inArray, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { CheckResult } from "../../bridge/contract.ts";
import { type By, HUB } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import type { BridgeCheckState } from "../waits.ts";
import { recordAudit } from "../audit.ts";
import type { Connection } from "../connections/connections.ts";
import { type Database, pairs, type Statement } from "../database.ts";
import { bridgeChecks, bridgeLeases, bridges, bridgeStates } from "./schema-bridge.ts";
import { reserve } from "../sequences.ts";
import { unchanged } from "../unchanged.ts";
import { HOUR_MS } from "../../std/time.ts";

export type BridgeState = typeof bridgeStates.$inferSelect;
export type BridgeCheck = typeof bridgeChecks.$inferSelect;

/** An admin waits for a check; one that nobody answered in this time is asked no more. */
const ASKED_MS = 60_000;
const KEPT_MS = HOUR_MS;

/** Only a trouble that came, went or changed is a line in the audit. `news`: written before the state, in one batch. */
export async function saveBridgeState(
  db: Database,
  state: BridgeState,
  news: readonly Statement[],
  now: number,
  by: By = HUB,
): Promise<void> {
  const { connectionId, organizationId, seenAt, trouble, failures, saidAt, lying } = state;
  const before = sql`exists (select 1 from connections where id = ${connectionId}) and
    coalesce((select trouble ->> 'code' from ${bridgeStates} where connection_id = ${connectionId}), '')
      <> ${trouble?.code ?? ""}`;
  await db.write([
    ...news,
    recordAudit(
      db,
      by,
      { organizationId, action: "bridge.reported", subjects: [encodeId("con", connectionId)] },
      now,
      before,
    ),
    db.orm.insert(bridgeStates).values(state).onConflictDoUpdate({
      target: bridgeStates.connectionId,
      set: { seenAt, trouble, failures, saidAt, lying },
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

/** Holds while nobody has counted another look. */
export function stateStands(state: BridgeState): SQL {
  return unchanged(bridgeStates, state, ["connectionId", "failures"]);
}

export async function loadBridgeStates(
  db: Database,
  organizationId: number,
  connectionIds: readonly number[],
): Promise<ReadonlyMap<number, BridgeState>> {
  const found = new Map<number, BridgeState>();
  for (let from = 0; from < connectionIds.length; from += 80) {
    const rows = await db.orm.select().from(bridgeStates).where(and(
      eq(bridgeStates.organizationId, organizationId),
      inArray(bridgeStates.connectionId, connectionIds.slice(from, from + 80)),
    ));
    for (const row of rows) found.set(row.connectionId, row);
  }
  return found;
}

/** Of the bridge's connections; by connection. */
export async function listHeldStates(db: Database, bridgeId: number): Promise<ReadonlyMap<number, BridgeState>> {
  const rows = await db.orm.select({ state: bridgeStates }).from(bridgeStates)
    .innerJoin(bridgeLeases, eq(bridgeLeases.connectionId, bridgeStates.connectionId))
    .where(eq(bridgeLeases.bridgeId, bridgeId));
  return new Map(rows.map(({ state }) => [state.connectionId, state]));
}

/** Asks the connection's bridge for a check; gives its id. */
export async function askCheck(db: Database, connection: Connection, now: number, by: By): Promise<number> {
  const id = await reserve(db, "check");
  const { organizationId } = connection;
  await db.write([
    db.orm.insert(bridgeChecks).values({ id, organizationId, connectionId: connection.id, askedAt: now }),
    recordAudit(
      db,
      by,
      { organizationId, action: "connection.checked", subjects: [encodeId("con", connection.id)] },
      now,
    ),
  ]);
  return id;
}

export async function findCheck(db: Database, id: number): Promise<BridgeCheck | null> {
  const [row] = await db.orm.select().from(bridgeChecks).where(eq(bridgeChecks.id, id));
  return row ?? null;
}

/** Those of the checks that are there, by id. */
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

/** Checks of the bridge's connections that wait for an answer. */
export async function listAskedChecks(db: Database, bridgeId: number, now: number): Promise<BridgeCheck[]> {
  return await db.orm.select().from(bridgeChecks).where(and(
    isNull(bridgeChecks.result),
    gte(bridgeChecks.askedAt, now - ASKED_MS),
    inArray(
      bridgeChecks.connectionId,
      db.orm.select({ id: bridgeLeases.connectionId }).from(bridgeLeases).where(eq(bridgeLeases.bridgeId, bridgeId)),
    ),
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
  const { organizationId } = check;
  await db.write([
    db.orm.update(bridgeChecks).set({ result }).where(and(eq(bridgeChecks.id, check.id), isNull(bridgeChecks.result))),
    recordAudit(
      db,
      by,
      { organizationId, action: "connection.checked", subjects: [encodeId("con", check.connectionId)] },
      now,
    ),
  ]);
}

export function forgetBridgeStates(db: Database, now: number): Statement[] {
  return [
    db.run(sql`delete from ${bridgeStates} where connection_id not in (select id from connections)`),
    db.run(sql`delete from ${bridgeLeases} where connection_id not in (select id from connections)`),
    db.orm.delete(bridgeChecks).where(lt(bridgeChecks.askedAt, now - KEPT_MS)),
  ];
}
