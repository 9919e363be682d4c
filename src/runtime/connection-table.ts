/** The open connections of the HTTP server by network, and how one of them is cut. */
import type { Socket } from "node:net";
import type { CutReason } from "../model/metrics.ts";
import { type Bodies, type BodyLimits, createBodies } from "./bodies.ts";
import { type Connection, stillSince } from "./connection.ts";
import { chooseVictim, type Network } from "./displace.ts";

export interface ConnectionLimits extends BodyLimits {
  /** Connections in all. */
  readonly max: number;
  /** Connections of one network; Infinity behind a proxy, whose address all of them have. */
  readonly maxOfNetwork: number;
  /** Milliseconds until a request's head is complete. */
  readonly headMs: number;
  /** Milliseconds between two requests. */
  readonly idleMs: number;
  /** In each `bodyMs`, at least `minBodyBytes` of a request's body have to arrive, or its end. */
  readonly bodyMs: number;
  readonly minBodyBytes: number;
  /** Milliseconds without progress of a response that the client does not read. */
  readonly unreadMs: number;
  /** Responses that have stopped because their clients do not read them: each may hold some megabytes. */
  readonly maxUnread: number;
}

export interface ConnectionTable {
  readonly limits: ConnectionLimits;
  readonly all: Map<Socket, Connection>;
  readonly networks: Map<string, Network>;
  readonly bodies: Bodies;
  /** How many were cut, by reason. */
  readonly cut: Map<CutReason, number>;
  readonly onCut: (reason: CutReason) => void;
  readonly now: () => number;
  /** Connections whose clients kept them waiting at the last sweep, the longest first. */
  stills: readonly Connection[];
  isClosing: boolean;
}

/** A connection that waits for its client this long may be cut to make room. */
const STILL_MS = 2_000;

export function createTable(
  limits: ConnectionLimits,
  onCut: (reason: CutReason) => void,
  now: () => number,
): ConnectionTable {
  const table: ConnectionTable = {
    limits,
    all: new Map(),
    networks: new Map(),
    bodies: createBodies(limits, (connection) => cut(table, connection, "bodies"), now),
    cut: new Map(),
    onCut,
    now,
    stills: [],
    isClosing: false,
  };
  return table;
}

export function addConnection(table: ConnectionTable, connection: Connection): void {
  const { socket, network } = connection;
  table.all.set(socket, connection);
  const group = table.networks.get(network) ?? { count: 0, silent: new Set() };
  group.count++;
  group.silent.add(connection);
  table.networks.set(network, group);
  // This listener is added before the server's own, which would create an unused error for each request, at a cost.
  socket.once("close", () => {
    for (const incoming of connection.open) incoming.destroy();
    removeConnection(table, connection);
  });
}

/** May be called again. */
export function removeConnection({ all, bodies, networks }: ConnectionTable, connection: Connection): void {
  if (!all.delete(connection.socket)) return;
  bodies.leave(connection);
  const network = networks.get(connection.network)!;
  network.silent.delete(connection);
  if (--network.count === 0) networks.delete(connection.network);
}

/** Closes the connection at once, whatever it does. */
export function cut(table: ConnectionTable, connection: Connection, reason: CutReason): void {
  noteCut(table, reason);
  removeConnection(table, connection);
  connection.socket.destroy();
}

export function noteCut({ cut, onCut }: ConnectionTable, reason: CutReason): void {
  cut.set(reason, (cut.get(reason) ?? 0) + 1);
  onCut(reason);
}

/** Connections of the same network that have not sent a complete head yet. */
export function silentOf({ networks }: ConnectionTable, { network }: Connection): Set<Connection> {
  return networks.get(network)!.silent;
}

/** Makes room for one more connection of the network, by cutting another if need be. False: none can be cut. */
export function makeRoom(table: ConnectionTable, network: string): boolean {
  const { limits, all, networks, stills, now } = table;
  const isOwn = (networks.get(network)?.count ?? 0) >= limits.maxOfNetwork;
  if (!isOwn && all.size < limits.max) return true;
  const found = chooseVictim({ all: all.values(), networks, stills, of: isOwn ? network : null, now: now() });
  if (found === null) return false;
  cut(table, found, "displaced");
  return true;
}

/** Updates `stills`. Returns those beyond `maxUnread` whose responses have not been read for longest. */
export function findStill(table: ConnectionTable, at: number): readonly Connection[] {
  const found = [...table.all.values()].flatMap((connection) => {
    const since = stillSince(connection);
    return since === null || at - since < STILL_MS ? [] : [{ connection, since }];
  });
  table.stills = found.sort((a, b) => a.since - b.since).map(({ connection }) => connection);
  const unread = table.stills.filter(({ stuckSince }) => stuckSince !== null);
  return unread.slice(0, Math.max(0, unread.length - table.limits.maxUnread));
}
