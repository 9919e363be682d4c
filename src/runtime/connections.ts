/**
 * Limits the connections of the HTTP server: how many there may be, and how long a client may keep the hub waiting. A
 * connection beyond the cap takes the place of the least useful one (displace.ts).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { CutReason } from "../model/metrics.ts";
import { type Connection, createConnection } from "./connection.ts";
import {
  addConnection,
  type ConnectionLimits,
  type ConnectionTable,
  createTable,
  cut,
  findStill,
  makeRoom,
  noteCut,
  silentOf,
} from "./connection-table.ts";
import { sweepConnection } from "./sweep-connection.ts";

export interface Connections {
  /** Accepts a connection. Null: there is no room for it, and it is closed. */
  admit(socket: Socket): Connection | null;
  find(socket: Socket): Connection | undefined;
  /**
   * A request's head has arrived. Calls back once the earlier requests of its connection are answered: a client that
   * sends many at once would otherwise have as many responses in memory.
   */
  begin(connection: Connection, incoming: IncomingMessage, outgoing: ServerResponse, answer: () => void): void;
  /** The request waits for its turn: until `start`, no more of its body is received. */
  queue(connection: Connection, incoming: IncomingMessage): void;
  /** The request is about to be answered. False: its connection is gone. */
  start(connection: Connection, incoming: IncomingMessage): boolean;
  /** Cuts connections that keep the hub waiting; to be called about once a second. */
  sweep(): void;
  /** Closes idle connections now, and the others once their requests are answered. */
  close(): void;
  destroyAll(): void;
  readonly count: number;
  readonly cut: ReadonlyMap<CutReason, number>;
}

/** Requests that a connection may have sent before the first of them is answered. */
const MAX_PIPELINED = 8;

export function createConnections(
  limits: ConnectionLimits,
  onCut: (reason: CutReason) => void,
  now: () => number = () => performance.now(),
): Connections {
  const table = createTable(limits, onCut, now);
  const { all, bodies } = table;
  return {
    admit: (socket) => admit(table, socket),
    find: (socket) => all.get(socket),
    begin: (connection, incoming, outgoing, answer) => begin(table, connection, incoming, outgoing, answer),
    queue(connection, incoming) {
      connection.isQueued = true;
      bodies.holdBack(connection, incoming);
    },
    start(connection, incoming) {
      if (!all.has(connection.socket)) return false;
      connection.isQueued = false;
      bodies.receive(connection, incoming);
      return true;
    },
    sweep() {
      const at = now();
      for (const connection of all.values()) sweepConnection(table, connection, at);
      for (const connection of findStill(table, at)) cut(table, connection, "unread");
    },
    close() {
      table.isClosing = true;
      for (const connection of all.values()) if (connection.open.size === 0) connection.socket.destroy();
    },
    destroyAll() {
      for (const { socket } of all.values()) socket.destroy();
    },
    get count() {
      return all.size;
    },
    cut: table.cut,
  };
}

function admit(table: ConnectionTable, socket: Socket): Connection | null {
  const connection = table.isClosing ? null : createConnection(socket, table.now());
  if (connection === null || !makeRoom(table, connection.network)) {
    if (connection !== null) noteCut(table, "refused");
    socket.destroy();
    return null;
  }
  addConnection(table, connection);
  return connection;
}

function begin(
  table: ConnectionTable,
  connection: Connection,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answer: () => void,
): void {
  const { all, bodies } = table;
  const { open, socket, outgoing: before } = connection;
  if (!all.has(socket)) return;
  if (open.size >= MAX_PIPELINED) return cut(table, connection, "pipelined");
  connection.known = true;
  open.add(incoming);
  connection.outgoing = outgoing;
  silentOf(table, connection).delete(connection);
  outgoing.once("close", () => {
    open.delete(incoming);
    if (connection.outgoing === outgoing) connection.outgoing = null;
    if (open.size > 0 || !all.has(socket)) return;
    bodies.leave(connection);
    connection.stuckSince = null;
    connection.restsSince = table.now();
    connection.readAtRest = socket.bytesRead;
    if (table.isClosing) socket.destroySoon();
  });
  if (before === null) return answer();
  bodies.holdBack(connection, incoming);
  before.once("close", () => socket.destroyed || answer());
}
