/**
 * Limits the request bodies that are being received: a number of requests at work, and a number of bytes for requests that
 * wait for their turn. Beyond these limits, the slowest or the largest is cut.
 */
import type { IncomingMessage } from "node:http";
import { type Connection, hasBody } from "./connection.ts";

export interface BodyLimits {
  /** Requests at work whose bodies are being received. */
  readonly maxBodies: number;
  /** Bytes of bodies that arrived with the heads of requests which wait for their turn. */
  readonly maxQueuedBytes: number;
}

export interface Bodies {
  /** Receives no more of a body than arrived with its head. */
  holdBack(connection: Connection, incoming: IncomingMessage): void;
  /** Receives the rest of a body, and watches its rate. */
  receive(connection: Connection, incoming: IncomingMessage): void;
  /** The body is complete, or its connection is gone. */
  leave(connection: Connection): void;
}

/** `end` is called with a connection that has to be cut. */
export function createBodies(limits: BodyLimits, end: (connection: Connection) => void, now: () => number): Bodies {
  const atWork = new Set<Connection>();
  /** Bytes received by connection; those that have waited longest come first. */
  const queued = new Map<Connection, number>();
  let queuedBytes = 0;

  /** False: the connection was not in the queue. */
  function leaveQueue(connection: Connection): boolean {
    queuedBytes -= queued.get(connection) ?? 0;
    return queued.delete(connection);
  }

  function largestQueued(): Connection {
    const [first, ...others] = queued;
    return others.reduce((most, each) => each[1] > most[1] ? each : most, first!)[0];
  }

  function leave(connection: Connection): void {
    connection.body = null;
    atWork.delete(connection);
    leaveQueue(connection);
  }

  function makeRoom(newcomer: Connection, at: number): void {
    if (atWork.size <= limits.maxBodies) return;
    for (const each of atWork) if (each.body === null || each.body.incoming.complete) leave(each);
    while (atWork.size > limits.maxBodies) {
      const slowest = slowestOf([...atWork].filter((each) => each !== newcomer), at);
      if (slowest === null) return;
      leave(slowest);
      end(slowest);
    }
  }

  return {
    holdBack(connection, incoming) {
      if (!hasBody(incoming)) return;
      connection.socket.pause();
      leaveQueue(connection);
      const bytes = connection.socket.bytesRead - connection.readAtRest;
      queued.set(connection, bytes);
      queuedBytes += bytes;
      while (queuedBytes > limits.maxQueuedBytes) {
        const largest = largestQueued();
        leave(largest);
        end(largest);
      }
    },
    receive(connection, incoming) {
      if (leaveQueue(connection)) connection.socket.resume();
      if (!hasBody(incoming)) return;
      const at = now(), read = connection.socket.bytesRead;
      connection.body = { incoming, since: at, readBefore: read, windowAt: at, windowRead: read };
      atWork.add(connection);
      makeRoom(connection, at);
    },
    leave,
  };
}

/** The connection with the lowest rate so far. One that has just begun counts as if it had taken a second. */
function slowestOf(connections: readonly Connection[], at: number): Connection | null {
  let slowest: Connection | null = null, least = Infinity;
  for (const connection of connections) {
    const { since, readBefore } = connection.body!;
    const rate = (connection.socket.bytesRead - readBefore) / Math.max(1000, at - since);
    if (rate >= least) continue;
    least = rate;
    slowest = connection;
  }
  return slowest;
}
