/** One connection of the HTTP server, and whether its client keeps the hub waiting. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { networkOf } from "../security/rates.ts";

export interface Connection {
  readonly socket: Socket;
  readonly address: string;
  readonly network: string;
  /** When it began to wait for a request's head: when it was accepted or answered, or sent the head's first bytes. */
  restsSince: number;
  /** It has sent a complete head before. */
  known: boolean;
  /** Bytes received when it began to rest. */
  readAtRest: number;
  /** Requests without a complete response. */
  readonly open: Set<IncomingMessage>;
  /** Its next request waits for its turn. */
  isQueued: boolean;
  body: Body | null;
  outgoing: ServerResponse | null;
  /** Bytes of responses that the system has accepted, and since when it accepts no more. */
  taken: number;
  stuckSince: number | null;
  /** It was sent a 408, and is closed at the next sweep. */
  isTimedOut: boolean;
}

/** A request's body that is being received. */
export interface Body {
  readonly incoming: IncomingMessage;
  readonly since: number;
  readonly readBefore: number;
  windowAt: number;
  windowRead: number;
}

/** Null: the client is already gone. `now` in milliseconds. */
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

/** Whether the hub waits for more of the body. */
export function isAwaited({ incoming }: Body): boolean {
  return !incoming.complete && incoming.readableLength < incoming.readableHighWaterMark;
}

/** Since when the request has been waiting for its client; null: it is not. */
export function stillSince({ stuckSince, body }: Connection): number | null {
  if (stuckSince !== null) return stuckSince;
  return body !== null && isAwaited(body) ? body.windowAt : null;
}

/** Updates `stuckSince`. Returns for how many milliseconds the system has accepted nothing of a response. */
export function lookAtAnswer(connection: Connection, now: number): number {
  const { socket } = connection;
  const unsent = socket.writableLength, taken = socket.bytesWritten - unsent;
  if (unsent === 0) connection.stuckSince = null;
  else if (connection.stuckSince === null || taken !== connection.taken) connection.stuckSince = now;
  connection.taken = taken;
  return connection.stuckSince === null ? 0 : now - connection.stuckSince;
}
