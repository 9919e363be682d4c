/**
 * Which bridge takes which connection's files: one at a time.
 *
 * A bridge renews its leases with every request. If it stops, another bridge may soon visit its remote servers. A hosted
 * connection stays with its bridge for longer, because its files are on that bridge's disk; when the bridge is removed,
 * the connection is free at once.
 */
import { and, asc, eq, gt, isNotNull, type SQL, sql } from "drizzle-orm";
import { type By, HUB } from "../../model/audit.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import { type Bridge, loadTokensOf } from "./bridges.ts";
import type { Connection, ConnectionRef } from "../connections/connections.ts";
import { type Database, setOf, type Statement } from "../database.ts";
import { bridgeLeases, bridges } from "./schema-bridge.ts";
import { isFree, leaseEnd, leaseIn, leaseState, stateOf } from "../lease.ts";
import type { LeaseState } from "../lease-watch.ts";
import { first } from "../reads.ts";
import { connectionSecrets } from "../connections/schema-sources.ts";
import { connections } from "../connections/schema.ts";
import { organizations } from "../schema.ts";
import { MINUTE_MS } from "../../std/time.ts";

/** After this long without a renewal, another bridge may visit the remote server. Bridges ask every few seconds. */
export const BRIDGE_LEASE_MS = 45_000;
/** A hosted connection is free this much later. */
const HOSTED_GRACE_MS = 10 * MINUTE_MS;
/** Connections that a bridge takes with one request. */
const MAX_TAKEN = 1000;

const LEASE = leaseIn({ owner: "bridge_id", until: "until", epoch: "epoch", beat: "beat" }, BRIDGE_LEASE_MS);
/** A bridge that was removed holds nothing. */
const STATE = {
  owner: "(select cast(id as text) from bridges where id = l.bridge_id)",
  until: "l.until",
  epoch: "l.epoch",
  beat: "l.beat",
};
const REMOTE = leaseState(STATE), HOSTED = leaseState({ ...STATE, until: `l.until + ${HOSTED_GRACE_MS}` });

/** What a bridge may serve. */
export interface Reach {
  /** Names of connectors that a bridge speaks for. */
  readonly connectors: readonly string[];
  /** Ids; null: every organization. */
  readonly organizations: readonly number[] | null;
}

export interface Held {
  readonly connection: Connection;
  readonly organization: typeof organizations.$inferSelect;
  readonly lease: typeof bridgeLeases.$inferSelect;
}

/** A query for fencedDatabase: a row until another bridge has the connection. */
export function ownLease({ connectionId, bridgeId, epoch }: Held["lease"]): SQL {
  return sql`select 1 from ${bridgeLeases} where connection_id = ${connectionId} and bridge_id = ${bridgeId}
    and epoch = ${epoch}`;
}

/** Renews the bridge's leases, takes free connections, and gives all that it then holds, in the order of their ids. */
export async function holdConnections(
  db: Database,
  bridge: Bridge,
  reach: Reach,
  now: number,
  by: By = HUB,
): Promise<Held[]> {
  const wanted = sql`select c.id from ${connections} c
    where c.connector in ${setOf(reach.connectors)}
      and (${reach.organizations === null ? 1 : 0} or c.organization_id in
        ${setOf(reach.organizations ?? [])})
      and (${bridge.hosted === null ? 0 : 1} or coalesce(c.settings ->> 'mode', 'hosted') = 'remote')`;
  const free = await listFree(db, sql`c.id in (${wanted}) and coalesce(l.bridge_id, 0) <> ${bridge.id}`);
  await db.write([
    db.orm.update(bridges).set({ seenAt: now }).where(eq(bridges.id, bridge.id)),
    // It loses connections that are no longer within its reach.
    db.run(sql`delete from ${bridgeLeases} where bridge_id = ${bridge.id} and connection_id not in (${wanted})`),
    db.run(sql`update ${bridgeLeases} set ${LEASE.renew()} where bridge_id = ${bridge.id}`),
    ...free.slice(0, MAX_TAKEN).flatMap((each) => lease(db, bridge, each, now, by)),
  ]);
  return await selectHeld(db, bridge).orderBy(connections.id);
}

/** A connection that a bridge may take. */
interface Free extends ConnectionRef {
  /** The lease as it was read; null: there was none. */
  readonly state: LeaseState | null;
}

/** Those of the connections `c`, with their leases `l`, that no living bridge holds. */
async function listFree(db: Database, which: SQL): Promise<Free[]> {
  const rows = await db.rows<[number, number, number, string | null]>(sql`select c.id, c.organization_id,
      coalesce(c.settings ->> 'mode', 'hosted') = 'hosted',
      iif(l.connection_id is null, null, iif(coalesce(c.settings ->> 'mode', 'hosted') = 'hosted', ${HOSTED}, ${REMOTE}))
    from ${connections} c left join ${bridgeLeases} l on l.connection_id = c.id where ${which} order by c.id`);
  return rows.flatMap(([id, organizationId, isHosted, selected]) => {
    const state = selected === null ? null : stateOf(selected);
    const lengthMs = BRIDGE_LEASE_MS + (isHosted === 1 ? HOSTED_GRACE_MS : 0);
    const isTaken = state !== null && !isFree(db, `bridge of ${id}`, state, undefined, lengthMs);
    return isTaken ? [] : [{ id, organizationId, state }];
  });
}

/** The connection, if the bridge holds it. */
export async function findHeld(db: Database, bridge: Bridge, connectionId: number): Promise<Held | null> {
  return await first(selectHeld(db, bridge, connectionId));
}

/** Connections that the bridge holds: all, or this one. */
function selectHeld(db: Database, bridge: Bridge, connectionId?: number) {
  return db.orm.select({ connection: connections, organization: organizations, lease: bridgeLeases })
    .from(bridgeLeases)
    .innerJoin(connections, eq(connections.id, bridgeLeases.connectionId))
    .innerJoin(organizations, eq(organizations.id, connections.organizationId))
    .where(and(
      eq(bridgeLeases.bridgeId, bridge.id),
      connectionId === undefined ? undefined : eq(bridgeLeases.connectionId, connectionId),
    )).$dynamic();
}

/** Ids of the connections that the bridge holds, as a query. */
export function leasedTo(db: Database, bridgeId: number) {
  return db.orm.select({ id: bridgeLeases.connectionId }).from(bridgeLeases).where(eq(bridgeLeases.bridgeId, bridgeId));
}

/** The bridges that hold these connections, by connection. */
export async function listHolders(
  db: Database,
  connectionIds: readonly number[],
): Promise<ReadonlyMap<number, Bridge>> {
  const rows = await db.orm.select({ bridge: bridges, connectionId: bridgeLeases.connectionId }).from(bridgeLeases)
    .innerJoin(bridges, eq(bridges.id, bridgeLeases.bridgeId))
    .where(sql`${bridgeLeases.connectionId} in ${setOf(connectionIds)}`);
  return new Map(rows.map(({ connectionId, bridge }) => [connectionId, bridge]));
}

/**
 * The bridge that a free connection will go to: one that may serve the organization, has a server if the connection is
 * hosted, and was seen since `seenSince`; else the one that was seen last. Null: there is none.
 */
export async function findNextHolder(
  db: Database,
  { organizationId, isHosted }: { organizationId: number; isHosted: boolean },
  seenSince: number,
  now: number,
): Promise<Bridge | null> {
  const isAlive = sql`${bridges.seenAt} >= ${seenSince}`;
  const rows = await db.orm.select().from(bridges)
    .where(and(isNotNull(bridges.confirmedAt), isHosted ? isNotNull(bridges.hosted) : undefined))
    .orderBy(sql`${isAlive} desc`, sql`iif(${isAlive}, 0, ${bridges.seenAt}) desc`, asc(bridges.id));
  const tokens = await loadTokensOf(db, rows);
  const serves = ({ bearer }: Bridge) => {
    // The hub's own bridge, and bridges that use OpenID, have no stored token.
    if (decodeId("tok", bearer) === null) return true;
    const token = tokens.get(bearer);
    if (token === undefined || (token.expiresAt !== null && token.expiresAt <= now)) return false;
    return token.serves === null || token.serves.includes(organizationId);
  };
  return rows.find(serves) ?? null;
}

/** Leases a free connection to the bridge, which learns of it with its next request or the next login. */
export async function leaseTo(
  db: Database,
  bridge: Bridge,
  connection: ConnectionRef,
  now: number,
  by: By,
): Promise<void> {
  const free = await listFree(db, sql`c.id = ${connection.id}`);
  await db.write(free.flatMap((each) => lease(db, bridge, each, now, by)));
}

/** Of two bridges at once, the first has moved the epoch and keeps the connection. */
function lease(db: Database, bridge: Bridge, { id, organizationId, state }: Free, now: number, by: By): Statement[] {
  const isAsRead = state === null ? sql`false` : sql`epoch = ${state.epoch} and beat = ${state.beat}`;
  return [
    db.run(sql`insert into ${bridgeLeases} (connection_id, bridge_id, until)
      select c.id, ${bridge.id}, ${leaseEnd(BRIDGE_LEASE_MS)} from ${connections} c where c.id = ${id}
      on conflict (connection_id) do update set ${LEASE.claim(bridge.id)} where ${isAsRead}`),
    recordAudit(db, by, {
      organizationId,
      action: "bridge.leased",
      subjects: [encodeId("con", id), encodeId("bri", bridge.id)],
    }, now),
  ];
}

/** When each secret of the bridge's connections was set, by connection and name. */
export async function listHeldSecrets(
  db: Database,
  bridgeId: number,
): Promise<ReadonlyMap<number, ReadonlyMap<string, number>>> {
  const { connectionId, name, updatedAt } = connectionSecrets;
  const rows = await db.orm.select({ connectionId, name, updatedAt }).from(connectionSecrets)
    .innerJoin(bridgeLeases, eq(bridgeLeases.connectionId, connectionId)).where(eq(bridgeLeases.bridgeId, bridgeId));
  const found = new Map<number, Map<string, number>>();
  for (const row of rows) {
    found.set(row.connectionId, (found.get(row.connectionId) ?? new Map()).set(row.name, row.updatedAt));
  }
  return found;
}

/** Records that the bridge is given the connection's secrets. */
export async function recordHandOut(
  db: Database,
  { id, organizationId }: ConnectionRef,
  bridge: Bridge,
  now: number,
  by: By,
): Promise<void> {
  const subjects = [encodeId("con", id), encodeId("bri", bridge.id)];
  await db.write([recordAudit(db, by, { organizationId, action: "secret.handed_out", subjects }, now, ALWAYS)]);
}

const ALWAYS = sql`1`;

/** How long runs wait for the next file to begin, and to be complete. */
const NEXT_BEGINS_MS = 2 * MINUTE_MS;
const NEXT_ENDS_MS = 10 * MINUTE_MS;

/**
 * Files that wait together are sent one by one, and their meaning may depend on each other: only the latest may count, and
 * departments are imported before users. So their runs begin when the last file has arrived.
 */
export function markHanding(db: Database, connectionId: number, isMoreToCome: boolean, now: number): Statement {
  return db.orm.update(bridgeLeases).set({ handingUntil: isMoreToCome ? now + NEXT_BEGINS_MS : null })
    .where(eq(bridgeLeases.connectionId, connectionId));
}

/** The file that runs wait for is being sent. If none wait, nothing changes. */
export function extendHanding(db: Database, connectionId: number, now: number): Statement {
  return db.orm.update(bridgeLeases).set({ handingUntil: now + NEXT_ENDS_MS })
    .where(and(eq(bridgeLeases.connectionId, connectionId), gt(bridgeLeases.handingUntil, now)));
}
