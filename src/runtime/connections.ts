/**
 * The connections of the HTTP server: how many there may be, and how long one may keep the hub waiting. A connection
 * beyond the cap takes the place of the one that has shown least (displace.ts).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { CutReason } from "../model/metrics.ts";
import { type BodyLimits, createBodies } from "./bodies.ts";
import { type Connection, createConnection, isAwaited, lookAtAnswer, stillSince } from "./connection.ts";
import { chooseVictim, type Network } from "./displace.ts";

export interface ConnectionLimits extends BodyLimits {
  /** Connections in all. */
  readonly max: number;
  /** Of one network; Infinity where a proxy's address is everybody's. */
  readonly maxOfNetwork: number;
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
   * A request's head has come. Calls back once those before it on its connection are answered: a client that sends many
   * at once would have as many answers wait in memory.
   */
  begin(connection: Connection, incoming: IncomingMessage, outgoing: ServerResponse, answer: () => void): void;
  /** Others have their turn before this request: until `start`, no more of its body is received. */
  queue(connection: Connection, incoming: IncomingMessage): void;
  /** The request is about to be answered. False: its connection is gone. */
  start(connection: Connection, incoming: IncomingMessage): boolean;
  /** Cuts those that keep the hub waiting; to be called about once a second. */
  sweep(): void;
  /** Cuts those that rest now and, once they are answered, the others. */
  close(): void;
  destroyAll(): void;
  readonly count: number;
  readonly cut: ReadonlyMap<CutReason, number>;
}

/** An answer's piece that is under way: a reader may be this slow, in bytes per second. */
const SLOWEST_READER = 16 * 1024;
/** Standing still for as long as this makes room for others. */
const STILL_MS = 2_000;
/** Requests that a connection may have sent before the first of them is answered. */
const MAX_PIPELINED = 8;

const TIMED_OUT = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

export function createConnections(
  limits: ConnectionLimits,
  onCut: (reason: CutReason) => void,
  now: () => number = () => performance.now(),
): Connections {
  const table = createTable(limits, onCut, now);
  const { all, bodies, end } = table;
  let closing = false;

  return {
    admit(socket) {
      const connection = closing ? null : createConnection(socket, now());
      if (connection === null || !table.makeRoom(connection.network)) {
        if (connection !== null) table.note("refused");
        socket.destroy();
        return null;
      }
      table.add(connection);
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
      table.silentOf(connection).delete(connection);
      outgoing.once("close", () => {
        connection.open.delete(incoming);
        if (connection.outgoing === outgoing) connection.outgoing = null;
        if (connection.open.size > 0 || !all.has(connection.socket)) return;
        bodies.leave(connection);
        rest(connection, now());
        if (closing) connection.socket.destroySoon();
      });
      if (before === null) return answer();
      bodies.holdBack(connection, incoming);
      before.once("close", () => connection.socket.destroyed || answer());
    },
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
      for (const connection of all.values()) sweepOne(table, limits, connection, at);
      for (const connection of table.findStill(at)) end(connection, "unread");
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
    cut: table.cut,
  };
}

function rest(connection: Connection, at: number): void {
  connection.stuckSince = null;
  connection.restsSince = at;
  connection.readAtRest = connection.socket.bytesRead;
}

type Table = ReturnType<typeof createTable>;

/** Who is connected, and how one of them is ended. */
function createTable(limits: ConnectionLimits, onCut: (reason: CutReason) => void, now: () => number) {
  const all = new Map<Socket, Connection>();
  const networks = new Map<string, Network>();
  const bodies = createBodies(limits, (connection) => end(connection, "bodies"), now);
  const cut = new Map<CutReason, number>();
  /** At the last sweep, those that had stood still for longest first. */
  let stills: readonly Connection[] = [];

  function note(reason: CutReason): void {
    cut.set(reason, (cut.get(reason) ?? 0) + 1);
    onCut(reason);
  }

  function forget(connection: Connection): void {
    if (!all.delete(connection.socket)) return;
    bodies.leave(connection);
    const network = networks.get(connection.network)!;
    network.silent.delete(connection);
    if (--network.count === 0) networks.delete(connection.network);
  }

  function end(connection: Connection, reason: CutReason): void {
    note(reason);
    forget(connection);
    connection.socket.destroy();
  }

  return {
    all,
    bodies,
    cut,
    note,
    forget,
    end,
    silentOf: ({ network }: Connection) => networks.get(network)!.silent,
    add(connection: Connection): void {
      const { socket, network } = connection;
      all.set(socket, connection);
      const group = networks.get(network) ?? { count: 0, silent: new Set() };
      group.count++;
      group.silent.add(connection);
      networks.set(network, group);
      // Before the server's own listener, which would end each request with an error that nobody reads, at a cost.
      socket.once("close", () => {
        for (const incoming of connection.open) incoming.destroy();
        forget(connection);
      });
    },
    /** Makes room for one more, as far as it can be made. */
    makeRoom(network: string): boolean {
      const own = (networks.get(network)?.count ?? 0) >= limits.maxOfNetwork;
      if (!own && all.size < limits.max) return true;
      const found = chooseVictim({ all: all.values(), networks, stills, of: own ? network : null, now: now() });
      if (found === null) return false;
      end(found, "displaced");
      return true;
    },
    /** Notes who stands still. Gives those beyond the limit whose answers have done so for longest. */
    findStill(at: number): readonly Connection[] {
      const found = [...all.values()].flatMap((connection) => {
        const since = stillSince(connection);
        return since === null || at - since < STILL_MS ? [] : [{ connection, since }];
      });
      stills = found.sort((a, b) => a.since - b.since).map(({ connection }) => connection);
      const unread = stills.filter(({ stuckSince }) => stuckSince !== null);
      return unread.slice(0, Math.max(0, unread.length - limits.maxUnread));
    },
  };
}

function sweepOne(table: Table, limits: ConnectionLimits, connection: Connection, at: number): void {
  const { socket, body } = connection;
  if (connection.isTimedOut || socket.destroyed) {
    table.forget(connection);
    socket.destroy();
    return;
  }
  if (connection.open.size === 0) return sweepResting(table, limits, connection, at);
  const stuckMs = lookAtAnswer(connection, at);
  if (stuckMs > limits.unreadMs + socket.writableLength / SLOWEST_READER * 1000) return table.end(connection, "unread");
  if (body === null) return;
  if (body.incoming.complete) return table.bodies.leave(connection);
  // What the hub does not take, the client cannot send.
  if (!isAwaited(body) || socket.bytesRead - body.windowRead >= limits.minBodyBytes) {
    body.windowAt = at;
    body.windowRead = socket.bytesRead;
  } else if (at - body.windowAt > limits.bodyMs) timeOut(table, connection, "body");
}

function sweepResting(table: Table, limits: ConnectionLimits, connection: Connection, at: number): void {
  const { socket } = connection;
  const silent = table.silentOf(connection);
  if (connection.known && socket.bytesRead === connection.readAtRest) {
    if (at - connection.restsSince > limits.idleMs) table.end(connection, "idle");
    return;
  }
  // The first of another head has come since the last look.
  if (connection.known && !silent.has(connection)) {
    silent.add(connection);
    connection.restsSince = at;
  }
  if (at - connection.restsSince > limits.headMs) timeOut(table, connection, "head");
}

/** Answers 408, where nothing of an answer was sent yet. */
function timeOut(table: Table, connection: Connection, reason: CutReason): void {
  const { socket, open, outgoing } = connection;
  const unanswered = open.size === 0 || (open.size === 1 && outgoing !== null && !outgoing.headersSent);
  if (!unanswered || !socket.writable || socket.bytesRead === 0) return table.end(connection, reason);
  table.note(reason);
  connection.isTimedOut = true;
  socket.end(TIMED_OUT);
}
