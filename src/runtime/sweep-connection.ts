/** Looks at one connection of the HTTP server, and cuts it if its client has kept the hub waiting for too long. */
import type { CutReason } from "../model/metrics.ts";
import { type Connection, isAwaited, lookAtAnswer } from "./connection.ts";
import { type ConnectionTable, cut, noteCut, removeConnection, silentOf } from "./connection-table.ts";

/** The slowest rate at which a client may read a piece of a response, in bytes per second. */
const SLOWEST_READER = 16 * 1024;

const TIMED_OUT = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

export function sweepConnection(table: ConnectionTable, connection: Connection, at: number): void {
  const { limits, bodies } = table;
  const { socket, body } = connection;
  if (connection.isTimedOut || socket.destroyed) {
    removeConnection(table, connection);
    socket.destroy();
    return;
  }
  if (connection.open.size === 0) return sweepResting(table, connection, at);
  const stuckMs = lookAtAnswer(connection, at);
  const allowedMs = limits.unreadMs + socket.writableLength / SLOWEST_READER * 1000;
  if (stuckMs > allowedMs) return cut(table, connection, "unread");
  if (body === null) return;
  if (body.incoming.complete) return bodies.leave(connection);
  // The client cannot send what the hub does not receive.
  if (!isAwaited(body) || socket.bytesRead - body.windowRead >= limits.minBodyBytes) {
    body.windowAt = at;
    body.windowRead = socket.bytesRead;
  } else if (at - body.windowAt > limits.bodyMs) timeOut(table, connection, "body");
}

function sweepResting(table: ConnectionTable, connection: Connection, at: number): void {
  const { limits } = table;
  const { socket } = connection;
  const silent = silentOf(table, connection);
  if (connection.known && socket.bytesRead === connection.readAtRest) {
    if (at - connection.restsSince > limits.idleMs) cut(table, connection, "idle");
    return;
  }
  // The first bytes of another head have arrived since the last sweep.
  if (connection.known && !silent.has(connection)) {
    silent.add(connection);
    connection.restsSince = at;
  }
  if (at - connection.restsSince > limits.headMs) timeOut(table, connection, "head");
}

/** Responds with 408 if no response has begun, and cuts the connection. */
function timeOut(table: ConnectionTable, connection: Connection, reason: CutReason): void {
  const { socket, open, outgoing } = connection;
  const unanswered = open.size === 0 || (open.size === 1 && outgoing !== null && !outgoing.headersSent);
  if (!unanswered || !socket.writable || socket.bytesRead === 0) return cut(table, connection, reason);
  noteCut(table, reason);
  connection.isTimedOut = true;
  socket.end(TIMED_OUT);
}
