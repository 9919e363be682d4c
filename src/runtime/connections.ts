/**
 * The connections of the HTTP server: how many there may be, and how long one may keep the hub waiting.
 *
 * A connection beyond the cap takes the place of the one that has shown least, of the network with most of its kind: first
 * one that has sent no whole request in a second; then one that stands still because of its client; then any that
 * has sent none; then one that has rested for two seconds between two requests; then one whose request waits for its turn
 * to begin; then any that rests. One whose request the hub is at work on is never cut.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { CutReason } from "../model/metrics.ts";
import { networkOf } from "../security/rates.ts";

export interface ConnectionLimits {
  /** Connections in all. */
  readonly max: number;
  /** Of one network; Infinity where a proxy's address is everybody's. */
  readonly maxOfNetwork: number;
  /** Requests at work whose bodies are on their way. */
  readonly maxBodies: number;
  /** Bytes that came together with the heads of requests which wait for their turn. */
  readonly maxQueuedBytes: number;
  /** Milliseconds until a request's head has come. */
  readonly headMs: number;
  /** Milliseconds of silence between requests. */
  readonly idleMs: number;
  /** Each `bodyMs` has to bring `minBodyBytes` of a body, or its end. */
  readonly bodyMs: number;
  readonly minBodyBytes: number;
  /** Milliseconds without progress of an answer that is not read. */
  readonly unreadMs: number;
  /** Answers that stand still because nobody reads them: each may hold some megabytes. */
  readonly maxUnread: number;
}

export interface Connections {
  /** Takes a place for a connection; null: there is none, and it is closed. */
  admit(socket: Socket): Connection | null;
  find(socket: Socket): Connection | undefined;
  /**
   * A request's head has come. Calls back once those before it on its connection are answered: who sends many at once
   * would have as many answers wait in memory.
   */
  begin(connection: Connection, incoming: IncomingMessage, outgoing: ServerResponse, answer: () => void): void;
  /** Others have their turn before this request: until `start`, no more of its body is received. */
  queue(connection: Connection, incoming: IncomingMessage): void;
  /** The request is about to be answered. */
  start(connection: Connection, incoming: IncomingMessage): void;
  /** Cuts whoever keeps the hub waiting; to be called about once a second. */
  sweep(): void;
  /** Cuts those that rest now and, once they are answered, the others. */
  close(): void;
  destroyAll(): void;
  readonly count: number;
  readonly cut: ReadonlyMap<CutReason, number>;
}

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
  /** Was told that it is cut; its time to read that ends with the next sweep. */
  told: boolean;
}

interface Body {
  readonly incoming: IncomingMessage;
  readonly since: number;
  readonly readBefore: number;
  windowAt: number;
  windowRead: number;
}

/** An answer's piece that is under way: a reader may be this slow, in bytes per second. */
const SLOWEST_READER = 16 * 1024;
/** Standing still for as long as this makes room for others. */
const STILL_MS = 2_000;
/** Until then a connection that rests is about to send its next request, perhaps. */
const RESTED_MS = 2_000;
/** Until then a connection that has sent nothing yet counts as a new one. */
const NEW_MS = 1_000;

/** Requests that a connection may have sent before the first of them is answered. */
const MAX_PIPELINED = 8;

const TIMED_OUT = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

export function createConnections(
  limits: ConnectionLimits,
  onCut: (reason: CutReason) => void,
  now: () => number = () => performance.now(),
): Connections {
  const all = new Map<Socket, Connection>();
  /** Those that have not sent a whole head yet, in the order that they came in. */
  const networks = new Map<string, { count: number; silent: Set<Connection> }>();
  const bodies = new Set<Connection>();
  /** Requests with bodies that wait for their turn: what has come of each, those that wait for longest first. */
  const queued = new Map<Connection, number>();
  let queuedBytes = 0;
  const cut = new Map<CutReason, number>();
  /** At the last sweep, those that had stood still for longest first. */
  let stills: readonly Connection[] = [];
  let closing = false;

  function note(reason: CutReason): void {
    cut.set(reason, (cut.get(reason) ?? 0) + 1);
    onCut(reason);
  }

  function end(connection: Connection, reason: CutReason): void {
    note(reason);
    forget(connection);
    connection.socket.destroy();
  }

  /** Says why, where nothing of an answer was sent yet. */
  function tell(connection: Connection, reason: CutReason): void {
    const { socket, open, outgoing } = connection;
    const unanswered = open.size === 0 || (open.size === 1 && outgoing !== null && !outgoing.headersSent);
    if (!unanswered || !socket.writable || socket.bytesRead === 0) return end(connection, reason);
    note(reason);
    connection.told = true;
    socket.end(TIMED_OUT);
  }

  function forget(connection: Connection): void {
    if (!all.delete(connection.socket)) return;
    bodies.delete(connection);
    leaveQueue(connection);
    const network = networks.get(connection.network)!;
    network.silent.delete(connection);
    if (--network.count === 0) networks.delete(connection.network);
  }

  /** Whether the client, and not the hub, is what keeps its request from going on; and since when, else null. */
  function stillSince(connection: Connection): number | null {
    if (connection.stuckSince !== null) return connection.stuckSince;
    return connection.body !== null && isAwaited(connection.body) ? connection.body.windowAt : null;
  }

  /** Who gives way: the one that has shown least, of one network or of all. */
  function victim(of: string | null): Connection | null {
    const at = now();
    const [silent = null] = of === null ? mostSilent() : networks.get(of)!.silent;
    if (silent !== null && at - silent.restsSince > NEW_MS) return silent;
    const still = nextStill(of) ?? silent;
    if (still !== null) return still;
    // Both of the network with most connections: the one that rested longest, and the one that has waited for least.
    let resting: Connection | null = null, queued: Connection | null = null;
    for (const connection of all.values()) {
      if (of !== null && connection.network !== of) continue;
      if (connection.open.size === 0) {
        const more = resting === null ? 1 : sizeOf(connection) - sizeOf(resting);
        if (more > 0 || (more === 0 && connection.restsSince < resting!.restsSince)) resting = connection;
      } else if (connection.isQueued && (queued === null || sizeOf(connection) >= sizeOf(queued))) queued = connection;
    }
    return resting === null || at - resting.restsSince <= RESTED_MS ? queued ?? resting : resting;
  }

  /** One that stood still at the last sweep, and still does. */
  function nextStill(of: string | null): Connection | null {
    stills = stills.filter((each) => all.has(each.socket) && stillSince(each) !== null);
    return stills.find(({ network }) => of === null || network === of) ?? null;
  }

  /** Of the network with most of them, so that many of one address are no harm to those of another. */
  function mostSilent(): ReadonlySet<Connection> {
    let most: ReadonlySet<Connection> = new Set();
    for (const { silent } of networks.values()) if (silent.size > most.size) most = silent;
    return most;
  }

  /** Makes room for one more, as far as it can be made. */
  function makeRoom(network: string): boolean {
    const own = (networks.get(network)?.count ?? 0) >= limits.maxOfNetwork;
    if (!own && all.size < limits.max) return true;
    const found = victim(own ? network : null);
    if (found === null) return false;
    end(found, "displaced");
    return true;
  }

  /** Receives no more of a body than what came with its head, which is bounded for all of them together. */
  function holdBack(connection: Connection, incoming: IncomingMessage): void {
    if (!hasBody(incoming)) return;
    connection.socket.pause();
    leaveQueue(connection);
    const bytes = connection.socket.bytesRead - connection.readAtRest;
    queued.set(connection, bytes);
    queuedBytes += bytes;
    while (queuedBytes > limits.maxQueuedBytes) end(largestQueued(), "bodies");
  }

  /** False: it was not held back. */
  function leaveQueue(connection: Connection): boolean {
    queuedBytes -= queued.get(connection) ?? 0;
    return queued.delete(connection);
  }

  function largestQueued(): Connection {
    const [first, ...others] = queued;
    return others.reduce((most, each) => each[1] > most[1] ? each : most, first!)[0];
  }

  function watchBody(connection: Connection, incoming: IncomingMessage): void {
    if (!hasBody(incoming)) return;
    const at = now(), read = connection.socket.bytesRead;
    connection.body = { incoming, since: at, readBefore: read, windowAt: at, windowRead: read };
    bodies.add(connection);
    if (bodies.size <= limits.maxBodies) return;
    for (const each of bodies) if (each.body === null || each.body.incoming.complete) leaveBody(each);
    while (bodies.size > limits.maxBodies) {
      const slowest = slowestOf([...bodies].filter((each) => each !== connection), at);
      if (slowest === null) return;
      end(slowest, "bodies");
    }
  }

  function leaveBody(connection: Connection): void {
    connection.body = null;
    bodies.delete(connection);
  }

  function sweepOne(connection: Connection, at: number): void {
    const { socket, body } = connection;
    if (connection.told || socket.destroyed) {
      forget(connection);
      socket.destroy();
      return;
    }
    if (connection.open.size === 0) return sweepResting(connection, at);
    const unsent = socket.writableLength, taken = socket.bytesWritten - unsent;
    if (unsent === 0) connection.stuckSince = null;
    else if (connection.stuckSince === null || taken !== connection.taken) connection.stuckSince = at;
    connection.taken = taken;
    const stuckMs = connection.stuckSince === null ? 0 : at - connection.stuckSince;
    if (stuckMs > limits.unreadMs + unsent / SLOWEST_READER * 1000) return end(connection, "unread");
    if (body === null) return;
    if (body.incoming.complete) return leaveBody(connection);
    // What the hub does not take, the client cannot send.
    if (!isAwaited(body) || socket.bytesRead - body.windowRead >= limits.minBodyBytes) {
      body.windowAt = at;
      body.windowRead = socket.bytesRead;
    } else if (at - body.windowAt > limits.bodyMs) tell(connection, "body");
  }

  /** Notes who stands still; of too many whose answers do, those that have done so for longest give way. */
  function sweepStill(at: number): void {
    const found = [...all.values()].flatMap((connection) => {
      const since = stillSince(connection);
      return since === null || at - since < STILL_MS ? [] : [{ connection, since }];
    });
    stills = found.sort((a, b) => a.since - b.since).map(({ connection }) => connection);
    const unread = stills.filter(({ stuckSince }) => stuckSince !== null);
    for (const connection of unread.slice(0, Math.max(0, unread.length - limits.maxUnread))) end(connection, "unread");
  }

  function sweepResting(connection: Connection, at: number): void {
    const { socket } = connection;
    if (connection.known && socket.bytesRead === connection.readAtRest) {
      if (at - connection.restsSince > limits.idleMs) end(connection, "idle");
      return;
    }
    // The first of another head has come since the last look.
    if (connection.known && !silentOf(connection).has(connection)) {
      silentOf(connection).add(connection);
      connection.restsSince = at;
    }
    if (at - connection.restsSince > limits.headMs) tell(connection, "head");
  }

  const silentOf = (connection: Connection) => networks.get(connection.network)!.silent;
  const sizeOf = (connection: Connection) => networks.get(connection.network)!.count;

  return {
    admit(socket) {
      const address = socket.remoteAddress;
      const network = address === undefined ? null : networkOf(address);
      if (closing || address === undefined || network === null || !makeRoom(network)) {
        if (address !== undefined && !closing) note("refused");
        socket.destroy();
        return null;
      }
      const connection: Connection = {
        socket,
        address,
        network,
        restsSince: now(),
        known: false,
        readAtRest: 0,
        open: new Set(),
        isQueued: false,
        body: null,
        outgoing: null,
        taken: 0,
        stuckSince: null,
        told: false,
      };
      all.set(socket, connection);
      const group = networks.get(network) ?? { count: 0, silent: new Set() };
      group.count++;
      group.silent.add(connection);
      networks.set(network, group);
      // Before the server's own listener, which would end each of its requests with an error that nobody reads, at a cost.
      socket.once("close", () => {
        for (const incoming of connection.open) incoming.destroy();
        forget(connection);
      });
      return connection;
    },
    find: (socket) => all.get(socket),
    begin(connection, incoming, outgoing, answer) {
      if (!all.has(connection.socket)) return;
      if (connection.open.size >= MAX_PIPELINED) return end(connection, "pipelined");
      const before = connection.outgoing;
      connection.known = true;
      connection.open.add(incoming);
      connection.outgoing = outgoing;
      silentOf(connection).delete(connection);
      outgoing.once("close", () => {
        connection.open.delete(incoming);
        if (connection.outgoing === outgoing) connection.outgoing = null;
        if (connection.open.size > 0 || !all.has(connection.socket)) return;
        leaveBody(connection);
        connection.stuckSince = null;
        connection.restsSince = now();
        connection.readAtRest = connection.socket.bytesRead;
        if (closing) connection.socket.destroySoon();
      });
      if (before === null) return answer();
      holdBack(connection, incoming);
      before.once("close", () => connection.socket.destroyed || answer());
    },
    queue(connection, incoming) {
      connection.isQueued = true;
      holdBack(connection, incoming);
    },
    start(connection, incoming) {
      connection.isQueued = false;
      if (leaveQueue(connection)) connection.socket.resume();
      watchBody(connection, incoming);
    },
    sweep() {
      const at = now();
      for (const connection of all.values()) sweepOne(connection, at);
      sweepStill(at);
    },
    close() {
      closing = true;
      for (const connection of all.values()) if (connection.open.size === 0) connection.socket.destroy();
    },
    destroyAll() {
      for (const { socket } of all.values()) socket.destroy();
    },
    get count() {
      return all.size;
    },
    cut,
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"]) > 0;
}

/** Whether the hub would take more of it than there is. */
function isAwaited({ incoming }: Body): boolean {
  return !incoming.complete && incoming.readableLength < incoming.readableHighWaterMark;
}

/** The one that brought least in its time so far; those that have just begun count as if they had had a second. */
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
