/** One connection of the HTTP server, and what its client keeps the hub waiting for. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { networkOf } from "../security/rates.ts";

export interface Connection {
  readonly socket: Socket;
  readonly address: string;
  readonly network: string;
  /** When it began to wait for the head of a request: was accepted, was answered, or sent the first of it. */
  restsSince: number;
  /** Has sent a whole head before. */
  known: boolean;
  /** Bytes that had come when it began to rest. */
  readAtRest: number;
  /** Requests that are not answered yet. */
  readonly open: Set<IncomingMessage>;
  /** The one that is next has not begun: others have their turn. */
  isQueued: boolean;
  body: Body | null;
  outgoing: ServerResponse | null;
  /** Bytes of answers that the system has taken, and since when it takes no more. */
  taken: number;
  stuckSince: number | null;
  /** Was sent a 408; its time to read that ends with the next sweep. */
  isTimedOut: boolean;
}

/** A request's body that is on its way. */
export interface Body {
  readonly incoming: IncomingMessage;
  readonly since: number;
  readonly readBefore: number;
  windowAt: number;
  windowRead: number;
}

/** Null: the client is gone already. `now` in milliseconds. */
export function createConnection(socket: Socket, now: number): Connection | null {
  const address = socket.remoteAddress;
  const network = address === undefined ? null : networkOf(address);
  if (address === undefined || network === null) return null;
  return {
    socket,
    address,
    network,
    restsSince: now,
    known: false,
    readAtRest: 0,
    open: new Set(),
    isQueued: false,
    body: null,
    outgoing: null,
    taken: 0,
    stuckSince: null,
    isTimedOut: false,
  };
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"]) > 0;
}

/** Whether the hub would take more of it than there is. */
export function isAwaited({ incoming }: Body): boolean {
  return !incoming.complete && incoming.readableLength < incoming.readableHighWaterMark;
}

/** Whether the client, and not the hub, is what keeps its request from going on; and since when, else null. */
export function stillSince({ stuckSince, body }: Connection): number | null {
  if (stuckSince !== null) return stuckSince;
  return body !== null && isAwaited(body) ? body.windowAt : null;
}

/** Notes whether the system takes what is answered. Gives for how many milliseconds it has not. */
export function lookAtAnswer(connection: Connection, now: number): number {
  const { socket } = connection;
  const unsent = socket.writableLength, taken = socket.bytesWritten - unsent;
  if (unsent === 0) connection.stuckSince = null;
  else if (connection.stuckSince === null || taken !== connection.taken) connection.stuckSince = now;
  connection.taken = taken;
  return connection.stuckSince === null ? 0 : now - connection.stuckSince;
}
